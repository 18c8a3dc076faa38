// Every call with its requests and answers: what the application was asked, and what it said.
import { h, icon, say, show } from "./dom.js";
import { exchangeItem } from "./exchange.js";
import { attempt, get } from "./http.js";
import { clock, readable } from "./numbers.js";
import { lasted, over } from "./store.js";
import { timeOfDay } from "./words.js";

export class History {
  #store;
  #rack;
  #entries = new Map();
  #list = h("ol", { class: "calls" });
  #empty = h("p", { class: "empty", t: "no_calls" });

  constructor(store, rack) {
    this.#store = store;
    this.#rack = rack;
    const title = h("h2", { id: "history-title", t: "history" });
    document.getElementById("history").append(title, h("p", { class: "intro", t: "history_intro" }), this.#empty, this.#list);
  }

  /** Show all calls, newest first. */
  update() {
    for (const [sid, entry] of this.#entries) {
      if (!this.#store.calls.has(sid)) {
        entry.element.remove();
        this.#entries.delete(sid);
      }
    }
    for (const call of this.#store.calls.values()) this.changed(call);
    show(this.#empty, this.#entries.size === 0);
  }

  changed(call) {
    let entry = this.#entries.get(call.sid);
    if (!entry) {
      entry = new Entry(call.sid, this.#store, this.#rack);
      this.#entries.set(call.sid, entry);
      this.#list.prepend(entry.element);
      show(this.#empty, false);
    }
    entry.update(call);
  }

  /** The language has changed: names and times are told in it. */
  retell() {
    for (const entry of this.#entries.values()) entry.update(this.#store.calls.get(entry.sid));
  }

  tick() {
    for (const call of this.#store.calls.values()) if (!over(call)) this.#entries.get(call.sid)?.tick(call);
  }
}

class Entry {
  #store;
  #rack;
  #parts = {};
  #known = 0;
  #loading = false;
  #again = false;

  constructor(sid, store, rack) {
    this.sid = sid;
    this.#store = store;
    this.#rack = rack;
    const parts = this.#parts;
    parts.arrow = h("span", { class: "arrow" });
    parts.parties = h("span", { class: "parties" });
    parts.time = h("time", {});
    parts.state = h("span", { class: "status" });
    parts.duration = h("span", { class: "duration" });
    parts.alerts = h("span", { class: "alerts-count" });
    parts.leg = h("span", { class: "leg", t: "leg" });
    parts.alertList = h("ul", { class: "alerts" });
    parts.exchanges = h("ol", { class: "exchanges" });
    const summary = h(
      "summary",
      {},
      parts.arrow,
      parts.parties,
      h("span", { class: "facts" }, parts.time, parts.duration, parts.state, parts.leg, parts.alerts),
    );
    parts.details = h("details", {}, summary, parts.alertList, parts.exchanges);
    parts.details.addEventListener("toggle", () => this.#load());
    this.element = h("li", { class: "call-entry" }, parts.details);
  }

  update(call) {
    if (!call) return;
    const parts = this.#parts;
    const outbound = call.direction !== "inbound";
    parts.arrow.replaceChildren(icon(outbound ? "out" : "in"));
    const to = h("strong", {}, this.#rack.nameOf(call.to));
    parts.parties.replaceChildren(this.#rack.nameOf(call.from), " → ", to);
    parts.parties.title = `${readable(call.from)} → ${readable(call.to)}`;
    parts.time.dateTime = call.created;
    parts.time.textContent = timeOfDay(call.created);
    parts.state.dataset.status = call.status;
    say(parts.state, `status_${call.status}`);
    this.element.classList.toggle("child", Boolean(call.parent));
    show(parts.leg, Boolean(call.parent));
    this.tick(call);
    this.#alerts(call);
    this.#load();
  }

  tick(call) {
    const seconds = lasted(call);
    this.#parts.duration.textContent = seconds ? clock(seconds) : "";
  }

  #alerts(call) {
    show(this.#parts.alerts, call.alerts.length > 0);
    say(this.#parts.alerts, ["alerts", { n: call.alerts.length }]);
    this.#parts.alertList.replaceChildren(
      ...call.alerts.map((alert) => h("li", { class: alert.level }, h("strong", {}, String(alert.code)), ` ${alert.message}`)),
    );
  }

  /** Add the exchanges that are new, while somebody looks. */
  async #load() {
    if (!this.#parts.details.open) return;
    if (this.#loading) {
      this.#again = true;
      return;
    }
    this.#loading = true;
    const answer = await attempt(() => get(`/calls/${this.sid}/exchanges?after=${this.#known}`));
    for (const exchange of answer?.exchanges ?? []) {
      this.#known = exchange.number;
      this.#parts.exchanges.append(exchangeItem(exchange, this.#store.calls.get(this.sid)));
    }
    this.#loading = false;
    if (this.#again) {
      this.#again = false;
      this.#load();
    }
  }
}
