// A document as a tree of elements, written as one would by hand.
import { h } from "./dom.js";

/** The document, indented and coloured; a long line goes on below its own beginning. */
export function twiml(document) {
  return h("pre", { class: "twiml", tabindex: "0" }, h("code", {}, ...lines(document, 0)));
}

function lines(node, depth) {
  if (typeof node === "string") return [line(depth, h("span", { class: "x-text" }, node))];
  const alone = node.content.length === 1 && typeof node.content[0] === "string";
  if (!node.content.length) return [line(depth, ...opening(node), mark("/>"))];
  if (alone) {
    const text = h("span", { class: "x-text" }, node.content[0]);
    return [line(depth, ...opening(node), mark(">"), text, ...closing(node))];
  }
  const inside = node.content.flatMap((child) => lines(child, depth + 1));
  return [line(depth, ...opening(node), mark(">")), ...inside, line(depth, ...closing(node))];
}

function line(depth, ...parts) {
  const element = h("span", { class: "x-line" }, ...parts, "\n");
  element.style.setProperty("--depth", String(depth));
  return element;
}

function opening(node) {
  const attributes = node.attributes.flatMap(([name, value]) => [
    " ",
    h("span", { class: "x-name" }, name),
    mark("="),
    h("span", { class: "x-value" }, `"${escaped(value)}"`),
  ]);
  return [mark("<"), h("span", { class: "x-tag" }, node.name), ...attributes];
}

function closing(node) {
  return [mark("</"), h("span", { class: "x-tag" }, node.name), mark(">")];
}

function mark(text) {
  return h("span", { class: "x-mark" }, text);
}

function escaped(value) {
  return value.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
