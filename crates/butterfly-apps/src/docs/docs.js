// @ts-check
// The page /docs: the list of handlers, and one of them.

import { byId, doc, el, inline } from "./dom.js";
import { checks, plain, read, resolve, spec, words } from "./schema.js";
import { trial } from "./trial.js";

/** @typedef {import("./schema.js").Json} Json */
/** @typedef {import("./schema.js").Param} Param */
/** @typedef {import("./schema.js").Operation} Operation */
/** @typedef {import("./schema.js").Entry} Entry */

const menu = byId("menu"), search = byId("search"), list = byId("list"), main = byId("main");
const narrow = matchMedia("(max-width: 760px)");

/** @type {Entry[]} */
let entries = [];

/** @param {Entry} entry */
const summary = (entry) => entry.operations[0].op.summary ?? "";

function matching() {
  const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((entry) => {
    const names = entry.operations.flatMap((one) => one.params.map((param) => param.name));
    const text = [entry.path, summary(entry), ...names].join(" ").toLowerCase();
    return wanted.every((/** @type {string} */ word) => text.includes(word));
  });
}

/** The heading over an entry: its app; paths of one segment have none. @param {Entry} entry */
const group = (entry) => (entry.path.lastIndexOf("/") > 0 ? entry.app : "");

function showList() {
  const found = matching(), here = current();
  const groups = [...new Set(found.map(group))].sort((a, b) => Number(!a) - Number(!b));
  list.replaceChildren(...groups.flatMap((name) => [
    el("h2", {}, name || "/"),
    ...found.filter((entry) => group(entry) === name).map((entry) => link(entry, entry === here)),
  ]));
  if (!found.length) list.append(el("p", {}, "Nothing found."));
}

/** @param {Entry} entry @param {boolean} here */
function link(entry, here) {
  const text = entry.path.slice(group(entry) ? entry.app.length + 2 : 1) || "/";
  const mark = here ? "page" : null;
  return el("a", { href: `#${entry.path}`, title: summary(entry), "aria-current": mark, className: "mono" }, text);
}

/** @returns {Entry | undefined} */
function current() {
  const path = decodeURIComponent(location.hash.slice(1));
  return entries.find((entry) => entry.path === path);
}

function show() {
  const entry = current();
  document.title = `${entry?.path ?? "Handlers"} · ${spec.info?.title ?? ""}`;
  main.replaceChildren(...(entry ? handler(entry, entry.operations[0]) : overview()));
  showList();
  if (narrow.matches) menu.open = !entry;
  scrollTo(0, 0);
}

function overview() {
  const cards = entries.map((entry) =>
    el("a", { href: `#${entry.path}` }, el("code", {}, entry.path), ...inline(summary(entry))));
  return [
    el("h1", {}, spec.info?.title ?? ""),
    el("p", { className: "quiet" }, `${entries.length} paths`),
    el("div", { className: "cards" }, ...cards),
  ];
}

/** @param {Entry} entry @param {Operation} operation @returns {Node[]} */
function handler(entry, operation) {
  const { op } = operation, more = op["x-butterfly"] ?? {};
  const badge = (/** @type {string} */ text, kind = "") => el("span", { className: `badge ${kind}` }, text);
  const facts = entry.operations.map((one) => badge(one.method.toUpperCase(), one.method));
  if (more.kind && more.kind !== "api") facts.push(badge(more.kind));
  if (more.ops) facts.push(badge("operators"));
  if (more.timeout_ms) facts.push(badge(`timeout ${more.timeout_ms / 1000} s`));
  const choose = (/** @type {Operation} */ other) => {
    main.replaceChildren(...handler(entry, other));
    main.querySelector("input[name=method]:checked")?.focus();
  };
  return [
    el("h1", {}, entry.path),
    el("div", { className: "facts" }, ...facts),
    el("div", { className: "doc" }, ...doc(op.description ?? op.summary ?? "")),
    el("h2", {}, "Parameters"), table(operation),
    el("h2", {}, "Try it"), trial(entry, operation, choose),
    el("h2", {}, "Answer"), ...answers(op),
  ];
}

/** @param {Operation} operation */
function table({ params }) {
  if (!params.length) return el("p", { className: "quiet" }, "It takes none.");
  const head = ["Name", "Type", "Default", "Check", ""].map((title) => el("th", {}, title));
  const rows = params.map(line);
  const whole = el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows));
  return el("div", { className: "wide" }, whole);
}

/** @param {Param} param */
function line({ name, required, doc: text, schema }) {
  const fallback = plain(schema).default;
  const needed = required ? el("span", { className: "needed", title: "required" }, " *") : null;
  return el("tr", {},
    el("td", {}, el("code", {}, name || "body"), needed),
    el("td", { className: "mono" }, schema["x-type"] ?? words(schema)),
    el("td", { className: "mono" }, fallback === undefined ? "" : JSON.stringify(fallback)),
    el("td", { className: "mono" }, checks(schema).join("; ")),
    el("td", {}, ...doc(text)));
}

/** @param {Json} op @returns {Node[]} */
function answers(op) {
  return Object.entries(op.responses ?? {}).flatMap(([status, response]) => {
    const { description = "", content = {} } = resolve(response);
    const schema = status === "200" && content["application/json"]?.schema;
    const text = el("p", {}, el("code", {}, status), " ", ...inline(description));
    return schema ? [text, el("pre", {}, words(schema))] : [text];
  });
}

async function start() {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`/openapi.json: ${response.status} ${response.headers.get("x-reason") ?? ""}`);
  entries = read(await response.json());
  byId("name").textContent = spec.info?.title ?? "Handlers";
  byId("version").textContent = spec.info?.version ?? "";
  show();
}

narrow.addEventListener("change", () => { menu.open = !narrow.matches; });
addEventListener("hashchange", () => { show(); main.focus(); });
search.addEventListener("input", showList);
search.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  const [first] = matching();
  if (event.key === "Enter" && first) location.hash = first.path;
  if (event.key === "Escape") { search.value = ""; showList(); }
});
addEventListener("keydown", (event) => {
  const typing = /INPUT|TEXTAREA|SELECT/.test(document.activeElement?.tagName ?? "");
  if (event.key !== "/" || typing) return;
  event.preventDefault();
  menu.open = true;
  search.focus();
});
start().catch((error) => main.replaceChildren(el("p", { className: "bad" }, String(error))));
