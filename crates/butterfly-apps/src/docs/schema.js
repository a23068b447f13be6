// @ts-check
// Reads the OpenAPI document: handlers, their parameters, schemas in words.

/** @typedef {Record<string, any>} Json */
/** @typedef {{ name: string, place: string, required: boolean, doc: string, schema: Json }} Param */
/** @typedef {{ method: string, path: string, op: Json, params: Param[] }} Operation */
/** @typedef {{ path: string, app: string, operations: Operation[] }} Entry */

const METHODS = ["get", "post", "put", "patch", "delete"];

/** The document. @type {Json} */
export let spec = {};

/** Takes over a document. @param {Json} document @returns {Entry[]} */
export function read(document) {
  spec = document;
  return Object.entries(spec.paths ?? {}).map(([path, item]) => {
    const methods = METHODS.filter((method) => item[method]);
    const operations = methods.map((method) => operation(method, path, item[method]));
    return { path, app: operations[0]?.op.tags?.[0] ?? "", operations };
  }).filter((entry) => entry.operations.length);
}

/** @param {string} method @param {string} path @param {Json} op @returns {Operation} */
function operation(method, path, op) {
  return { method, path, op, params: params(op) };
}

/** Follows references. @param {any} schema @returns {Json} */
export function resolve(schema) {
  for (let depth = 0; schema?.$ref && depth < 16; depth += 1) {
    const { $ref, ...beside } = schema;
    const target = $ref.slice(2).split("/").reduce(step, spec);
    schema = { ...target, ...beside };
  }
  return schema ?? {};
}

/** One step of a JSON pointer. @param {any} at @param {string} part */
function step(at, part) {
  return at?.[decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")];
}

/**
 * The schema without references, and without `null` as one of two alternatives.
 * @param {Json} schema @returns {Json}
 */
export function plain(schema) {
  const { anyOf, ...rest } = resolve(schema);
  if (!anyOf) return rest;
  const values = anyOf.filter((/** @type {Json} */ one) => one.type !== "null");
  return values.length === 1 ? { ...resolve(values[0]), ...rest } : { anyOf, ...rest };
}

/** @param {Json} schema @param {string} type */
export function is(schema, type) {
  return [schema.type].flat().includes(type);
}

/** The parameters of an operation, each once, wherever it can be given. @param {Json} op @returns {Param[]} */
function params(op) {
  /** @type {Map<string, Param>} */
  const found = new Map();
  const needed = new Set(op["x-butterfly"]?.required ?? []);
  for (const one of (op.parameters ?? []).map(resolve)) {
    const schema = one.schema ?? one.content?.["application/json"]?.schema ?? {};
    const required = one.required || needed.has(one.name);
    found.set(one.name, { name: one.name, place: one.in, required, doc: one.description ?? "", schema });
  }
  const body = op.requestBody?.content?.["application/json"]?.schema;
  const named = op.requestBody?.content?.["application/x-www-form-urlencoded"];
  for (const [name, schema] of Object.entries(named ? resolve(body).properties ?? {} : {})) {
    found.set(name, { name, place: "body", required: needed.has(name), doc: schema.description ?? "", schema });
  }
  if (body && !named) {
    found.set("", { name: "", place: "whole", required: true, doc: body.description ?? "", schema: body });
  }
  return [...found.values()];
}

/** The upload's form: "raw", "multipart" or none. @param {Json} op */
export function upload(op) {
  const content = op.requestBody?.content ?? {};
  return content["multipart/form-data"] ? "multipart" : content["application/octet-stream"] ? "raw" : "";
}

/**
 * A schema in few words, as TypeScript would write it; a type inside itself goes by its name.
 * @param {any} schema @param {string} [indent] @param {string[]} [inside] @returns {string}
 */
export function words(schema, indent = "", inside = []) {
  const name = schema?.$ref;
  if (name && inside.includes(name)) return name.split("/").pop();
  const within = name ? [...inside, name] : inside;
  const inner = (/** @type {any} */ part) => words(part, indent, within);
  const one = resolve(schema), alternatives = one.anyOf ?? one.oneOf;
  if (one.const !== undefined) return JSON.stringify(one.const);
  if (one.enum) return one.enum.map((/** @type {any} */ value) => JSON.stringify(value)).join(" | ");
  if (one.allOf) return inner(one.allOf.map(resolve).reduce(merge));
  if (is(one, "object")) return fields(one, indent, within);
  if (alternatives) return [...new Set(alternatives.map(inner))].join(" | ");
  if (is(one, "array")) return `[${one.prefixItems?.map(inner).join(", ") ?? `${inner(one.items)}, …`}]`;
  return [one.type ?? "any"].flat().join(" | ");
}

/** @param {Json} object @param {string} indent @param {string[]} inside */
function fields(object, indent, inside) {
  const deeper = `${indent}  `;
  const lines = Object.entries(object.properties ?? {}).map(([name, field]) => {
    const mark = object.required?.includes(name) ? "" : "?";
    return `${deeper}${name}${mark}: ${words(field, deeper, inside)}`;
  });
  const others = object.additionalProperties;
  if (others) lines.push(`${deeper}…: ${words(others, deeper, inside)}`);
  return lines.length ? `{\n${lines.join("\n")}\n${indent}}` : "{}";
}

/** @param {Json} a @param {Json} b @returns {Json} */
function merge(a, b) {
  const properties = { ...a.properties, ...b.properties };
  return { ...a, ...b, properties, required: [...(a.required ?? []), ...(b.required ?? [])] };
}

/** What the checks ask, in words. @param {Json} schema @returns {string[]} */
export function checks(schema) {
  const one = plain(schema);
  const asks = [
    range(one.minimum, one.exclusiveMaximum ?? one.maximum, one.exclusiveMaximum !== undefined, ""),
    range(one.minLength, one.maxLength, false, " characters"),
    range(one.minItems, one.maxItems, false, " items"),
    one.pattern && `matches ${one.pattern}`,
    one.enum && words(one),
    ...(one["x-checks"] ?? []).map((/** @type {string} */ name) => `${name}()`),
  ];
  return asks.filter(Boolean);
}

/** @param {number | undefined} low @param {number | undefined} high @param {boolean} open @param {string} unit */
function range(low, high, open, unit) {
  if (high === undefined) return low ? `≥ ${low}${unit}` : "";
  const end = `${open ? "<" : "≤"} ${high}${unit}`;
  return low === undefined ? end : open ? `≥ ${low}, ${end}` : `${low} … ${high}${unit}`;
}

