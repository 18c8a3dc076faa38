// Making elements. Texts are only ever set as text; translated ones remember what they say (data-t).
import { t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element.
 * @param {string} tag
 * @param {object} properties attributes; besides, `on` {event: handler}, `t` key or [key, values] of its text,
 *   `label`, `hint`, `shown` the same for aria-label, title and placeholder
 * @param {...(Node|string|null)} children
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, t: words, label, hint, shown, ...attributes } = properties;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  for (const [event, handler] of Object.entries(on)) element.addEventListener(event, handler);
  if (words) say(element, words);
  if (label) say(element, label, "label");
  if (hint) say(element, hint, "title");
  if (shown) say(element, shown, "placeholder");
  element.append(...children.filter((child) => child != null));
  return element;
}

/** An icon of the page's sprite. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function setIcon(button, name) {
  button.querySelector("use").setAttribute("href", `#i-${name}`);
}

const WHERE = { text: "t", label: "tLabel", title: "tTitle", placeholder: "tPlaceholder" };
const ATTRIBUTES = { tLabel: "aria-label", tTitle: "title", tPlaceholder: "placeholder" };

/** Let an element say something in the page's language, now and after it has changed. */
export function say(element, words, where = "text") {
  const [key, values] = Array.isArray(words) ? words : [words, {}];
  const place = WHERE[where];
  element.dataset[place] = key;
  element.dataset[`${place}Values`] = JSON.stringify(values);
  speak(element, place);
}

function speak(element, place) {
  const words = t(element.dataset[place], JSON.parse(element.dataset[`${place}Values`] ?? "{}"));
  const attribute = ATTRIBUTES[place];
  if (attribute) {
    if (element.getAttribute(attribute) !== words) element.setAttribute(attribute, words);
  } else if (element.textContent !== words) {
    element.textContent = words;
  }
}

/** Say everything on the page again, in the language that it has now. */
export function translate(root = document) {
  for (const place of Object.values(WHERE)) {
    const name = place.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    for (const element of root.querySelectorAll(`[data-${name}]`)) speak(element, place);
  }
}

/** Show or hide an element. */
export function show(element, visible) {
  element.hidden = !visible;
}

let counter = 0;

/** An id that no other element has. */
export function fresh(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}
