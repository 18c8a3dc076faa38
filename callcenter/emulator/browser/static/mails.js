// The emulator's mailbox, where it has one.
import { h, show } from "./dom.js";
import { timeOfDay } from "./words.js";

export class Mails {
  #store;
  #shown = [];
  #list = h("div", { class: "mails" });
  #empty = h("p", { class: "empty", t: "no_mails" });

  constructor(store) {
    this.#store = store;
    const title = h("h2", { id: "mails-title", t: "mails" });
    document.getElementById("mails").append(title, h("p", { class: "intro", t: "mails_intro" }), this.#empty, this.#list);
  }

  /** Show every mail, the newest first; those that are opened stay so. */
  update() {
    const { mails } = this.#store;
    if (this.#shown.some((mail, index) => mail.at !== mails[index]?.at)) {
      this.#shown = []; // another emulator's
      this.#list.replaceChildren();
    }
    for (const mail of mails.slice(this.#shown.length)) this.#list.prepend(item(mail));
    this.#shown = [...mails];
    show(this.#empty, mails.length === 0);
  }
}

function item(mail) {
  const subject = h("strong", mail.subject ? {} : { t: "no_subject" }, mail.subject || null);
  const to = h("span", { t: ["mail_to", { to: mail.to.join(", ") }] });
  const facts = h("span", { class: "facts" }, to, h("time", { datetime: mail.at }, timeOfDay(mail.at)));
  const text = h("pre", { tabindex: "0" }, mail.text);
  return h("details", { class: "mail" }, h("summary", {}, subject, facts), text);
}
