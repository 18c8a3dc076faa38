// A document as a tree of elements, written as one would by hand.
import { h } from "./dom.js";

const STEP = "  ";

/** The document, indented and coloured. */
export function twiml(document) {
  const code = h("code", {});
  write(document, "", code);
  return h("pre", { class: "twiml", tabindex: "0" }, code);
}

function write(node, indent, into) {
  if (typeof node === "string") {
    into.append(indent, h("span", { class: "x-text" }, node), "\n");
    return;
  }
  const words = node.content.length === 1 && typeof node.content[0] === "string" ? node.content[0] : null;
  into.append(indent, ...opening(node));
  if (!node.content.length) {
    into.append(mark("/>"), "\n");
  } else if (words !== null) {
    into.append(mark(">"), h("span", { class: "x-text" }, words), ...closing(node), "\n");
  } else {
    into.append(mark(">"), "\n");
    for (const child of node.content) write(child, indent + STEP, into);
    into.append(indent, ...closing(node), "\n");
  }
}

function opening(node) {
  const attributes = node.attributes.flatMap(([name, value]) => [
    " ", h("span", { class: "x-name" }, name), mark("="), h("span", { class: "x-value" }, `"${escaped(value)}"`),
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
