// The mailbox of the emulator, where it has one.
import { h, show } from "./dom.js";
import { ask } from "./http.js";
import { timeOfDay } from "./words.js";

const PATIENCE = 25; // seconds of one long poll
const PAUSE = 3000; // milliseconds after one that failed

export class Mails {
  #store;
  #last = 0;
  #list = h("div", { class: "mails" });
  #empty = h("p", { class: "empty", t: "no_mails" });

  constructor(store) {
    this.#store = store;
    const title = h("h2", { id: "mails-title", t: "mails" });
    document.getElementById("mails").append(title, h("p", { class: "intro", t: "mails_intro" }), this.#empty, this.#list);
  }

  /** Show mails as they come, as long as the page is looked at. */
  async follow() {
    while (this.#store.has("mails")) {
      if (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
      try {
        const answer = await ask("GET", `/mails?after=${this.#last}&wait=${PATIENCE}`);
        if (answer.last < this.#last) this.#forget(); // another emulator, with an empty mailbox
        for (const mail of answer.mails) this.#add(mail);
        this.#last = answer.last ?? this.#last;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  }

  #forget() {
    this.#list.replaceChildren();
    show(this.#empty, true);
  }

  #add(mail) {
    show(this.#empty, false);
    const subject = mail.subject ? h("strong", {}, mail.subject) : h("strong", { t: "no_subject" });
    const to = Array.isArray(mail.to) ? mail.to.join(", ") : mail.to;
    const head = h("summary", {}, subject, h("span", { class: "facts" }, h("span", { t: ["mail_to", { to }] })));
    if (mail.at) head.lastChild.append(h("time", { datetime: mail.at }, timeOfDay(mail.at)));
    this.#list.prepend(h("details", { class: "mail" }, head, h("pre", { tabindex: "0" }, mail.body ?? mail.text ?? "")));
  }
}
