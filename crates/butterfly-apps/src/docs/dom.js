// @ts-check
// Puts things into the page. All text from outside goes in by textContent alone, never as markup.

/** @type {(id: string) => any} */
export const byId = (id) => document.getElementById(id);

/**
 * Makes an element; strings become text, never markup.
 * @param {string} tag @param {Json} props @param {...(Node | string | null | undefined)} children
 * @returns {any}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && key !== "list") /** @type {any} */ (node)[key] = value;
    else if (value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/** Text with `code` in it. @param {string} text @returns {(Node | string)[]} */
export function inline(text) {
  return text.split("`").map((piece, index) => (index % 2 ? el("code", {}, piece) : piece));
}

/** Paragraphs and fenced blocks of a doc comment. @param {string} text @returns {Node[]} */
export function doc(text) {
  return text.split(/^```.*$/m).flatMap((part, index) => {
    if (index % 2) return [el("pre", {}, part.trim())];
    const paragraphs = part.split(/\n\s*\n/).filter((lines) => lines.trim());
    return paragraphs.map((lines) => el("p", {}, ...inline(lines)));
  });
}

/**
 * JSON indented and coloured, every digit kept; other text as it is.
 * @param {string} text @returns {(Node | string)[]}
 */
export function pretty(text) {
  try {
    JSON.parse(text);
  } catch {
    return [text];
  }
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  const tokens = text.match(/"(?:\\.|[^"\\])*"(?:\s*:)?|[[{](?:\s*[\]}])?|[\]},]|[^\s,[\]{}"]+/g) ?? [];
  return tokens.map((token) => {
    if (token.endsWith(":")) return el("span", { className: "key" }, `${token.slice(0, -1).trim()}: `);
    if (token.startsWith('"')) return el("span", { className: "string" }, token);
    if (token === ",") return `,${line()}`;
    if (/^[[{]\s*[\]}]$/.test(token)) return token.replace(/\s/g, "");
    if (/^[[{]$/.test(token)) return (depth += 1, token + line());
    if (/^[\]}]$/.test(token)) return (depth -= 1, line() + token);
    return el("span", { className: /^[-\d]/.test(token) ? "number" : "word" }, token);
  });
}
