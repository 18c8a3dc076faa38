// A telephone's text messages, each code one tap away from being typed.
import { h, say, show } from "./dom.js";
import { attempt, post } from "./http.js";
import { codes, grouped, network, readable } from "./numbers.js";
import { timeOfDay } from "./words.js";

/** One message, with a button for each code that it seems to hold. */
export function messageCard(message, store, type) {
  const head = h("header", {}, h("strong", { t: ["message_from", { name: store.named(message.from) ?? readable(message.from) }] }));
  if (message.at) head.append(h("time", { datetime: message.at }, timeOfDay(message.at)));
  const card = h("article", { class: "sms" }, head, h("p", {}, message.body));
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
  #form;
  #to;
  #shown = null;
  #sent = [];

  constructor(store, line, type) {
    this.#store = store;
    this.#line = line;
    this.#type = type;
    this.#list = h("div", { class: "messages", tabindex: "0", role: "region", label: "messages" });
    this.#empty = h("p", { class: "empty", t: "no_messages" });
    this.#to = h("input", { type: "tel", name: "to", label: "reply_to", shown: "reply_to", autocomplete: "off", required: true });
    const body = h("input", { name: "body", label: "reply", shown: "reply", autocomplete: "off", maxlength: 1600, required: true });
    const send = h("button", { type: "submit", class: "quiet", t: "send" });
    this.#form = h("form", { class: "reply", on: { submit: (event) => this.#send(event, body) } }, this.#to, body, send);
    this.element = h("div", { class: "inbox" }, this.#empty, this.#list, this.#form);
  }

  /** This telephone's messages, oldest first. */
  mine() {
    return this.#store.messages.filter((message) => message.to === this.#line.number);
  }

  /** Those that nobody has looked at. */
  unread() {
    return this.mine().filter((message) => message.number > (this.#line.read ?? 0));
  }

  update() {
    show(this.#form, this.#store.has("replies"));
    const mine = this.mine();
    const mark = `${this.#line.number} ${mine.at(-1)?.number ?? 0} ${this.#sent.length}`;
    if (mark === this.#shown) return;
    this.#shown = mark;
    this.#list.replaceChildren(...mine.map((message) => messageCard(message, this.#store, this.#type)).reverse(), ...this.#sent);
    show(this.#empty, mine.length + this.#sent.length === 0);
    show(this.#list, mine.length + this.#sent.length > 0);
    if (!this.#to.value && mine.length) this.#to.value = readable(mine.at(-1).from);
  }

  async #send(event, body) {
    event.preventDefault();
    const to = network(this.#to.value);
    const sent = await attempt(() => post("/messages", { from: this.#line.number, to, body: body.value }));
    if (!sent) return;
    const head = h("header", {}, h("strong", { t: ["sent_to", { name: this.#store.named(to) ?? readable(to) }] }));
    this.#sent.unshift(h("article", { class: "sms mine" }, head, h("p", {}, body.value)));
    body.value = "";
    this.update();
  }
}

/** Say on a tab how many messages wait. */
export function badge(element, count) {
  show(element, count > 0);
  element.textContent = String(count);
  say(element, ["unread", { n: count }], "label");
}
