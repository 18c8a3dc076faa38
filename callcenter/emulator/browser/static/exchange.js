// One request of a call with its answer.
import { h } from "./dom.js";
import { toast } from "./http.js";
import { soundOf } from "./talk.js";
import { twiml } from "./twiml.js";
import { figure, t } from "./words.js";

// What every request about a call carries, and what is shown on the line itself.
const ORDINARY = /^(AccountSid|ApiVersion|CallSid|CallToken|Direction|(From|To|Caller|Called)(City|State|Zip|Country)?)$/;
const TELLING = ["Digits", "SpeechResult", "DialCallStatus", "RecordingDuration", "MessageStatus", "ErrorCode"];

export function exchangeItem(exchange, call) {
  const chips = exchange.parameters
    .filter(([name]) => TELLING.includes(name) || (exchange.kind === "status" && name === "CallStatus"))
    .map(([name, value]) => h("span", { class: "parameter" }, `${name} `, h("b", {}, value || "∅")));
  const took = exchange.seconds == null ? "" : `${figure(exchange.seconds * 1000)}\u00a0ms`;
  const summary = h(
    "summary",
    {},
    h("span", { class: "moment" }, `+${figure(Math.max(0, exchange.second), 1)}\u00a0s`),
    h("span", { class: `kind ${exchange.kind}`, t: `kind_${exchange.kind}` }),
    h("code", { class: "path" }, pathOf(exchange.url)),
    h("span", { class: "outcome" }, status(exchange), h("span", { class: "took" }, took)),
    chips.length ? h("span", { class: "chips" }, ...chips) : null,
  );
  const details = h("details", { class: "exchange" }, summary);
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(inside(exchange, call));
  });
  return h("li", {}, details);
}

function status(exchange) {
  if (exchange.status == null) return h("span", { class: "code bad", t: "no_answer" });
  return h("span", { class: `code ${exchange.status < 400 ? "good" : "bad"}` }, String(exchange.status));
}

function inside(exchange, call) {
  const body = h("div", { class: "inside" }, h("p", { class: "url" }, h("b", {}, exchange.method), ` ${exchange.url}`));
  if (exchange.error) body.append(h("p", { class: "problem" }, exchange.error));
  body.append(...parameters(exchange.parameters), ...answer(exchange, call), buttons(exchange), headers(exchange));
  return body;
}

function parameters(all) {
  if (!all.length) return [];
  const telling = all.filter(([name]) => !ORDINARY.test(name));
  const rest = h("details", { class: "more" }, h("summary", { t: ["all_parameters", { n: all.length }] }), table(all));
  return [h("h4", { t: "parameters" }), ...(telling.length ? [table(telling)] : []), rest];
}

function table(pairs) {
  const rows = pairs.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value || "∅")));
  return h("table", {}, h("tbody", {}, ...rows));
}

function answer(exchange, call) {
  if (exchange.status == null) return [];
  const title = h("h4", {}, h("span", { t: "response" }), h("span", { class: "type" }, exchange.content_type));
  if (exchange.body === null) return [title, sound(exchange, call)];
  if (!exchange.body.trim()) return [title, h("p", { class: "fine", t: "empty_response" })];
  if (!exchange.document) return [title, h("pre", { tabindex: "0" }, exchange.body)];
  const raw = h("details", { class: "more" }, h("summary", { t: "raw" }), h("pre", { tabindex: "0" }, exchange.body));
  return [title, twiml(exchange.document), raw];
}

function sound(exchange, call) {
  const index = call?.heard.findIndex((heard) => heard.url?.split("#")[0] === exchange.url) ?? -1;
  const size = h("p", { class: "fine" }, `${figure(exchange.size / 1000, 1)}\u00a0ko`);
  if (index < 0) return size;
  return h("div", {}, h("audio", { controls: true, preload: "none", src: soundOf(call.sid, index), label: "listen" }), size);
}

function buttons(exchange) {
  const copy = (words, text) => h("button", { type: "button", class: "quiet", t: words, on: { click: () => copied(text) } });
  const row = h("div", { class: "buttons" }, copy("copy_curl", curl(exchange)));
  if (exchange.body) row.append(copy("copy_response", exchange.body));
  return row;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(["copied", {}]);
  } catch {
    toast(["not_copied", {}]);
  }
}

/** The same request for a terminal, signature and all. */
export function curl(exchange) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const skipped = /^(content-type|accept-encoding|accept|host|content-length)$/i;
  const lines = [`curl -i -X ${exchange.method} ${quoted(exchange.url)}`];
  for (const [name, value] of exchange.request_headers) {
    if (!skipped.test(name)) lines.push(`  -H ${quoted(`${name}: ${value}`)}`);
  }
  if (exchange.method === "POST") {
    for (const [name, value] of exchange.parameters) lines.push(`  --data-urlencode ${quoted(`${name}=${value}`)}`);
  }
  return lines.join(" \\\n");
}

function headers(exchange) {
  return h(
    "details",
    { class: "more" },
    h("summary", { t: "headers" }),
    h("h5", { t: "request" }),
    table(exchange.request_headers),
    h("h5", { t: "response" }),
    table(exchange.response_headers),
  );
}

function pathOf(url) {
  try {
    const { pathname, search } = new URL(url);
    return shortened(pathname) + search;
  } catch {
    return url || t("no_answer");
  }
}

/** Long identifiers by their beginning, so that what differs between two addresses is seen. */
function shortened(path) {
  return path.replace(/([0-9a-f]{4})[0-9a-f]{4}-[0-9a-f-]{20,}/g, "$1…").replace(/([\w-]{6})[\w-]{24,}/g, "$1…");
}
