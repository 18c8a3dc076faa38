// A telephone's text messages, each code one tap away from being typed.
import { h, say, show } from "./dom.js";
import { attempt, post } from "./http.js";
import { codes, grouped, network, readable } from "./numbers.js";
import { timeOfDay } from "./words.js";

/** One message; one that came has a button for each code that it seems to hold. */
export function messageCard(message, store, type) {
  const sent = message.direction === "inbound"; // as the application sees it
  const other = sent ? message.to : message.from;
  const title = h("strong", { t: [sent ? "sent_to" : "message_from", { name: store.named(other) ?? readable(other) }] });
  const head = h("header", {}, title, h("time", { datetime: message.at }, timeOfDay(message.at)));
  const card = h("article", { class: sent ? "sms mine" : "sms" }, head, h("p", {}, message.body));
  if (sent) return card;
  const buttons = codes(message.body).map((code) =>
    h("button", { type: "button", class: "code", t: ["type_code", { code: grouped(code) }], on: { click: () => type(code) } }),
  );
  if (buttons.length) card.append(h("div", { class: "codes" }, ...buttons));
  return card;
}

export class Inbox {
  #store;
  #line;
  #type;
  #list;
  #empty;
  #to;
  #shown = null;

  constructor(store, line, type) {
    this.#store = store;
    this.#line = line;
    this.#type = type;
    this.#list = h("div", { class: "messages", tabindex: "0", role: "region", label: "messages" });
    this.#empty = h("p", { class: "empty", t: "no_messages" });
    this.#to = h("input", { type: "tel", name: "to", label: "reply_to", shown: "reply_to", autocomplete: "off", required: true });
    const body = h("input", { name: "body", label: "reply", shown: "reply", autocomplete: "off", maxlength: 1600, required: true });
    const send = h("button", { type: "submit", class: "quiet", t: "send" });
    const form = h("form", { class: "reply", on: { submit: (event) => this.#send(event, body) } }, this.#to, body, send);
    this.element = h("div", { class: "inbox" }, this.#empty, this.#list, form);
  }

  /** The messages that came to this telephone, oldest first. */
  mine() {
    return this.#store.messages.filter((message) => message.to === this.#line.number && message.direction !== "inbound");
  }

  /** Those, and the ones that it has sent. */
  #all() {
    const { number } = this.#line;
    return this.#store.messages.filter((message) => (message.direction === "inbound" ? message.from : message.to) === number);
  }

  /** Those that nobody has looked at. */
  unread() {
    return this.mine().filter((message) => message.number > (this.#line.read ?? 0));
  }

  update() {
    const all = this.#all();
    const mark = all.map((message) => message.sid).join();
    if (mark === this.#shown) return;
    this.#shown = mark;
    this.#list.replaceChildren(...all.map((message) => messageCard(message, this.#store, this.#type)).reverse());
    show(this.#empty, all.length === 0);
    show(this.#list, all.length > 0);
    const last = this.mine().at(-1);
    if (!this.#to.value && last) this.#to.value = readable(last.from);
  }

  async #send(event, body) {
    event.preventDefault();
    const to = network(this.#to.value);
    if (await attempt(() => post("/messages", { from: this.#line.number, to, body: body.value }))) body.value = "";
  }
}

/** Say on a tab how many messages wait. */
export function badge(element, count) {
  show(element, count > 0);
  element.textContent = String(count);
  say(element, ["unread", { n: count }], "label");
}
