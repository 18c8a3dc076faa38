// Asking the emulator's control interface.
import { h } from "./dom.js";

/** What the emulator refused; the message says what to do. */
export class Refused extends Error {}

export async function ask(method, path, body) {
  const options = { method, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(`/emulator${path}`, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => ask("POST", path, body);

/** Do something that may be refused; what went wrong is shown for a while. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    toast(error instanceof Refused ? error.message : ["unreachable", {}]);
    return undefined;
  }
}

export function toast(words) {
  const box = document.getElementById("toasts");
  const line = Array.isArray(words) ? h("p", { t: words }) : h("p", {}, words);
  const close = h("button", { type: "button", label: "close", on: { click: () => item.remove() } }, "×");
  const item = h("div", { class: "toast" }, line, close);
  box.append(item);
  setTimeout(() => item.remove(), 8000);
}
