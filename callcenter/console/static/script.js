// The script of a call on the page: numbers that choose, where the reader goes on, values that hide, answers that wait
// for the way to the server.

import { Drafts } from "./script_drafts.js";

const BACK = 4_000; // milliseconds between questions whether a caller is back from their keys
const SOON = 1_000; // and where it is known that they are
const DEAF = 1_500; // after a screen that came by itself: a digit that was meant for a text chooses nothing

const ask = () => document.querySelector('[data-slot="scenario-demande"]');
const form = () => ask()?.querySelector("form[data-script]");
const isText = (element) =>
  element?.matches?.("textarea, select, input:not([type=radio]):not([type=checkbox])") || element?.isContentEditable;

export class ScriptOnPage {
  #part;
  #announced;
  #document;
  #unsent = null;
  #sent = false;
  #drafts;
  #asked = 0;
  #deaf = 0;
  #writes = false;
  #unkept = "";

  constructor(part, announced) {
    this.#part = part;
    this.#announced = announced;
    this.#document = part.dataset.document;
    this.#drafts = new Drafts((word) => this.#say(word));
    document.addEventListener("input", ({ target }) => {
      // Whoever goes on typing sends it themselves.
      if (this.#unsent?.form.contains(target)) this.#unsent = null;
    });
  }

  // A form of the script leaves.
  leaves(sent) {
    this.#unsent = null;
    this.#sent = true;
    this.#drafts.sent(sent);
  }

  // It did not arrive: it is sent once the server can be reached, if its screen still stands. The house takes no answer
  // twice.
  unsent(form, submitter) {
    this.#sent = false;
    this.#unsent = { form, submitter };
    this.#say("answer");
  }

  reached() {
    const { form, submitter } = this.#unsent ?? {};
    this.#unsent = null;
    if (form?.isConnected) setTimeout(() => form.requestSubmit(submitter));
    else this.#drafts.again();
  }

  // What the server says is about to be shown.
  comes() {
    const { activeElement: focused } = document;
    this.#writes = isText(focused) && Boolean(ask()?.contains(focused));
    this.#unkept = this.#sent ? "" : this.#drafts.unkept();
  }

  // What the server says stands on the page. `answer`: it is the answer to what the reader has sent; what they have
  // brought about may be seen by another look before.
  shown(answer) {
    const own = answer || this.#sent;
    if (answer) this.#sent = false;
    const { document: now } = this.#part.dataset;
    const isNew = now !== this.#document;
    this.#document = now;
    if (!isNew) return;
    this.#say("");
    this.#leave(own ? "" : this.#unkept);
    const said = document.querySelector("#a-dire");
    const { activeElement: focused } = document;
    if (!own && this.#writes) this.#deaf = Date.now() + DEAF;
    if (own && (!isText(focused) || ask().contains(focused))) this.#goOn(said);
    else if (said) this.#announced.textContent = said.textContent.trim();
  }

  // Values hide by themselves, whether or not the server can be reached; a caller who is at their keys is asked after.
  tick(now) {
    for (const value of document.querySelectorAll("[data-hides]")) {
      if (Number(value.dataset.hides) <= now) value.querySelector(".value").textContent = value.dataset.masked;
    }
    const waiting = form();
    if (!waiting?.hasAttribute("data-returns")) return;
    if (Date.now() - this.#asked < (waiting.hasAttribute("data-back") ? SOON : BACK)) return;
    this.#asked = Date.now();
    waiting.requestSubmit();
  }

  // A key without Alt. Returns whether it was one of ours.
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
    const { target } = event;
    if (event.key === "Enter" && !event.shiftKey && target.matches?.("form[data-script] :is(textarea, select)")) {
      target.form.requestSubmit();
      return true;
    }
    if (isText(target)) return false;
    if (Date.now() < this.#deaf) return /^[0-9]$/.test(event.key);
    const button = this.#numbered(target, digit(event));
    button?.focus();
    button?.click();
    return Boolean(button);
  }

  #numbered(target, number) {
    if (number === null || !form()) return null;
    const find = (within) => within?.querySelector(`[data-digit="${number}"]`);
    const group = target.closest?.("fieldset");
    if (group) return find(group);
    const groups = form().querySelectorAll("fieldset");
    return groups.length > 1 ? null : find(form());
  }

  #goOn(said) {
    const fields = [...(form()?.querySelectorAll("[data-typed]") ?? [])];
    const faulty = fields.find((field) => field.closest(".wrong"));
    const empty = fields.find((field) => isEmpty(field, fields));
    const chosen = fields[0]?.type === "radio" ? fields.find((field) => field.checked) : null;
    (faulty ?? empty ?? chosen ?? fields[0] ?? said)?.focus();
  }

  // What was typed on a screen that another window has answered meanwhile is lost only once its writer says so.
  #leave(text) {
    if (!text) return;
    const left = document.getElementById("texte-garde");
    left.hidden = false;
    left.querySelector("textarea").value = text;
    left.querySelector("button").onclick = () => {
      left.querySelector("textarea").value = "";
      left.hidden = true;
    };
  }

  #say(word) {
    const line = document.getElementById("brouillon");
    line.textContent = word ? line.dataset[word] : "";
    line.className = word === "" || word === "kept" ? "soft" : "wrong-words";
  }
}

// Where something must be filled in, and nothing is.
const isEmpty = (field, fields) => {
  const required = field.closest("[aria-required]");
  if (!required) return false;
  return field.type === "radio" ? !fields.some((one) => one.name === field.name && one.checked) : field.value === "";
};

// The digit of a key: as it is typed, or as it stands on keyboards that need a shift for it.
const digit = (event) => {
  if (/^[0-9]$/.test(event.key)) return event.key;
  return event.shiftKey ? null : (/^Digit([0-9])$/.exec(event.code)?.[1] ?? null);
};
