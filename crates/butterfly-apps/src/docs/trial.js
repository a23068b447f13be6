// @ts-check
// A form made of the parameters, the request that it means, and the answer.

import { byId, el, pretty } from "./dom.js";
import { checks, is, plain, upload, words } from "./schema.js";

/** @typedef {import("./schema.js").Json} Json */
/** @typedef {import("./schema.js").Param} Param */
/** @typedef {import("./schema.js").Operation} Operation */
/** @typedef {import("./schema.js").Entry} Entry */

const HEADERS = ["x-reqid", "x-cost", "x-reason", "butterfly", "content-type"];

/** @param {Param} param @returns {any} */
function field({ schema, place, required }) {
  const one = plain(schema);
  const fallback = one.default === undefined ? "" : JSON.stringify(one.default);
  const choices = one.enum ?? (is(one, "boolean") ? [true, false] : null);
  if (choices) {
    const blank = el("option", { value: "" }, fallback && `default: ${fallback}`);
    const given = choices.map((/** @type {any} */ value) => el("option", {}, String(value)));
    return el("select", { required }, blank, ...given);
  }
  if (isList(one)) return el("textarea", { placeholder: "one value a line" });
  if (place === "whole" || isJson(one)) return el("textarea", { placeholder: "JSON" });
  const type = one.format === "password" ? "password" : "text";
  return el("input", { type, placeholder: fallback, autocomplete: "off", spellcheck: false });
}

/** True where a field takes JSON: what has parts. @param {Json} one */
function isJson(one) {
  return !is(one, "string") && /[[{]/.test(words(one));
}

/** A list of plain values. @param {Json} one */
function isList(one) {
  return is(one, "array") && !isJson(plain(one.items ?? {}));
}

/** The values of a list's field. @param {string} text */
const lines = (text) => text.split("\n").filter(Boolean);

/** A value as JSON text; numbers keep every digit. @param {Json} schema @param {string} text @returns {string} */
function json(schema, text) {
  const one = plain(schema);
  if (isList(one)) return `[${lines(text).map((line) => json(one.items ?? {}, line)).join(", ")}]`;
  // A choice of plain types, such as a level by number or by name, takes what looks like JSON as JSON.
  const textOnly = is(one, "string") || one.enum;
  if (textOnly) return JSON.stringify(text);
  try {
    JSON.parse(text);
    return text.trim();
  } catch {
    return JSON.stringify(text);
  }
}

/**
 * What the form says as a request; a field left blank is not sent.
 * @param {Operation} operation @param {Map<Param, any>} inputs @param {any} file
 */
function request({ method, path, op }, inputs, file) {
  const given = [...inputs].map(([param, input]) => ({ ...param, value: input.value }));
  const at = (/** @type {string} */ place) => given.filter((one) => one.place === place && one.value !== "");
  const url = at("path").reduce((url, { name, value }) => url.replace(`{${name}}`, () => escaped(value)), path);
  const query = new URLSearchParams(at("query").flatMap(pairs));
  const named = at("body").map(({ name, schema, value }) => `${JSON.stringify(name)}: ${json(schema, value)}`);
  const document = at("whole")[0]?.value ?? (named.length ? `{${named.join(", ")}}` : "");
  const { body, type, data } = content(document, upload(op), file?.files[0]);
  /** @type {Record<string, string>} */
  const headers = type ? { "content-type": type } : {};
  if (byId("token").value) headers.authorization = byId("token").value;
  const target = location.origin + url + (query.size ? `?${query}` : "");
  return { url: target, init: { method: method.toUpperCase(), headers, body }, data };
}

/** @param {string} value */
const escaped = (value) => value.split("/").map(encodeURIComponent).join("/");

/** @param {Param & { value: string }} given @returns {string[][]} */
function pairs({ name, schema, value }) {
  const values = isList(plain(schema)) ? lines(value) : [value];
  return values.map((one) => [name, one]);
}

/**
 * The body, and how `curl` is told of it.
 * @param {string} document @param {string} way @param {File | undefined} file
 * @returns {{ body?: any, type?: string, data?: string[] }}
 */
function content(document, way, file) {
  if (document) return { body: document, type: "application/json", data: ["-d", document] };
  if (!way || !file) return {};
  if (way === "raw") return { body: file, type: "application/octet-stream", data: ["--data-binary", `@${file.name}`] };
  const body = new FormData();
  body.append("file", file);
  return { body, data: ["-F", `file=@${file.name}`] };
}

/** The same call for a shell. @param {ReturnType<typeof request>} call */
function curl({ url, init, data }) {
  const quote = (/** @type {string} */ text) => `'${text.replaceAll("'", "'\\''")}'`;
  const usual = data ? "POST" : "GET";
  const method = init.method === usual ? [] : ["-X", init.method];
  // The token stays in its field: the shell takes it from its own variable.
  const headers = Object.entries(init.headers).flatMap(([name, value]) =>
    ["-H", name === "authorization" ? '"authorization: $AUTHORIZATION"' : quote(`${name}: ${value}`)]);
  const body = data ? [data[0], quote(data[1])] : [];
  return ["curl", ...method, ...headers, ...body, quote(url)].join(" ");
}

/**
 * The form for one operation; `choose` shows another one of the same path.
 * @param {Entry} entry @param {Operation} operation @param {(operation: Operation) => void} choose
 */
export function trial(entry, operation, choose) {
  const inputs = new Map(operation.params.map((param) => [param, field(param)]));
  const file = upload(operation.op) ? el("input", { type: "file" }) : null;
  const line = el("code"), button = el("button", {}, "Send");
  const result = el("div", { "aria-live": "polite" });
  const build = () => request(operation, inputs, file);
  const refresh = () => line.replaceChildren(curl(build()));
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    button.disabled = true;
    await call(build(), result);
    button.disabled = false;
  };
  const toClipboard = () => navigator.clipboard?.writeText(line.textContent);
  const copy = el("button", { type: "button", className: "plain", onclick: toClipboard }, "Copy");
  const rows = [...inputs].map(([param, input], at) => row(param.name || "body", input, at, param));
  if (file) rows.push(row("file", file, rows.length));
  refresh();
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) button.form.requestSubmit();
  };
  return el("form", { onsubmit: send, oninput: refresh, onkeydown: keys, noValidate: true },
    methods(entry, operation, choose), ...rows,
    el("div", { className: "curl" }, el("pre", {}, line), copy),
    el("div", { className: "send" }, button, el("span", { className: "quiet" }, "Ctrl + Enter")), result);
}

/** @param {string} name @param {any} input @param {number} at @param {Param} [param] */
function row(name, input, at, param) {
  input.id = `field-${at}`;
  const hint = param && [param.schema["x-type"], ...checks(param.schema)].filter(Boolean).join(" · ");
  return el("div", { className: "row" },
    el("label", { htmlFor: input.id }, name, param?.required ? el("span", { className: "needed" }, " *") : null),
    input, hint ? el("small", {}, hint) : null);
}

/** @param {Entry} entry @param {Operation} chosen @param {(operation: Operation) => void} choose */
function methods(entry, chosen, choose) {
  if (entry.operations.length < 2) return null;
  const choices = entry.operations.map((one) => el("label", {}, el("input", {
    type: "radio", name: "method", checked: one === chosen,
    onchange: () => choose(one),
  }), one.method.toUpperCase()));
  return el("div", { className: "methods", role: "radiogroup", "aria-label": "Method" }, ...choices);
}

/** @param {ReturnType<typeof request>} call @param {HTMLElement} result */
async function call({ url, init }, result) {
  result.replaceChildren(el("p", { className: "quiet" }, "Waiting …"));
  const start = performance.now();
  try {
    const response = await fetch(url, init);
    const blob = await response.blob();
    const took = performance.now() - start;
    result.replaceChildren(...(await outcome(response, blob, took)));
  } catch (error) {
    result.replaceChildren(el("p", { className: "bad" }, `No answer: ${error}`));
  }
}

/** @param {Response} response @param {Blob} blob @param {number} took @returns {Promise<Node[]>} */
async function outcome(response, blob, took) {
  const type = response.headers.get("content-type") ?? "";
  const text = /^text\/|json|javascript|xml/.test(type) ? await blob.text() : "";
  const stat = /json/.test(type) ? /"stat"\s*:\s*"([^"]*)"/.exec(text)?.[1] : undefined;
  const good = response.ok && (stat === undefined || !stat.startsWith("ERR"));
  const names = HEADERS.filter((name) => response.headers.get(name));
  return [
    el("div", { className: "status" },
      el("strong", { className: good ? "good" : "bad" }, `${response.status} ${stat ?? response.statusText}`),
      el("span", { className: "quiet" }, `${took.toFixed(1)} ms · ${blob.size.toLocaleString("en")} bytes`)),
    el("dl", {}, ...names.flatMap((name) => [el("dt", {}, name), el("dd", {}, response.headers.get(name) ?? "")])),
    shown(text, blob),
  ];
}

/** @param {string} text @param {Blob} blob */
function shown(text, blob) {
  if (!blob.size) return el("p", { className: "quiet" }, "No content.");
  if (!text) return el("p", {}, el("a", { href: URL.createObjectURL(blob), download: "" }, "Save the content"));
  return el("pre", {}, ...pretty(text.length > 200000 ? `${text.slice(0, 200000)} …` : text));
}
