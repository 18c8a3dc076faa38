// The telephones that stand side by side.
import { h, icon, show } from "./dom.js";
import { readable } from "./numbers.js";
import { keep, recall } from "./store.js";
import { Telephone } from "./telephone.js";
import { t } from "./words.js";

const AT_FIRST = 2;
const SOFTPHONE = "client:";
const LONGEST_NAME = 12;

export class Rack {
  active = null;
  #telephones = [];
  #rang = undefined;
  #rack = document.getElementById("rack");
  #strip = document.getElementById("strip");
  #elsewhere = document.getElementById("elsewhere");

  constructor(store, ear, tones, voices) {
    this.store = store;
    this.ear = ear;
    this.tones = tones;
    this.voices = voices;
    this.#add = h("button", { type: "button", class: "add", on: { click: () => this.open() } }, icon("plus"), h("span", { t: "add" }));
  }
  #add;

  /** Bring back the telephones of last time, or the first of those that are offered. */
  restore() {
    const offered = this.store.presets.telephones.slice(0, AT_FIRST).map((known) => ({ number: known.number }));
    const lines = recall("lines", []);
    for (const line of lines.length ? lines : offered.length ? offered : [{ number: "+33639980001" }]) this.#put(line);
    this.activate(this.#telephones[0]);
    this.#lay();
  }

  /** Another telephone: with a number, or with the next one that is offered. */
  open(number) {
    const free = this.store.presets.telephones.find((known) => !this.taken(known.number));
    const next = number ?? free?.number ?? this.#unused();
    const telephone = this.#put({ number: next });
    this.#lay();
    this.save();
    this.activate(telephone);
    telephone.element.scrollIntoView({ block: "nearest", inline: "center" });
    telephone.element.querySelector(".dial input, .action").focus();
    return telephone;
  }

  remove(telephone) {
    telephone.stop();
    this.#telephones = this.#telephones.filter((one) => one !== telephone);
    if (this.active === telephone) this.active = null;
    this.#lay();
    this.save();
    if (this.#telephones.length) this.activate(this.#telephones[0]);
    this.#add.focus();
  }

  renumber(telephone, number) {
    const at = this.#telephones.indexOf(telephone);
    telephone.stop();
    const { sid, read, ...rest } = telephone.line; // another telephone: its calls and messages are its own
    const other = new Telephone({ ...rest, number }, this);
    this.#telephones[at] = other;
    this.active = null;
    this.#lay();
    this.activate(other);
    this.save();
    other.element.querySelector(".tool").focus();
  }

  /** Keys, sound and attention go to one telephone. */
  activate(telephone) {
    if (!telephone || this.active === telephone) return;
    if (this.active) this.ear.hush();
    this.active = telephone;
    this.#attendVoice();
    for (const one of this.#telephones) one.element.classList.toggle("active", one === telephone);
    this.#summarise();
  }

  taken(number, except) {
    return this.#telephones.some((telephone) => telephone !== except && telephone.line.number === number);
  }

  save() {
    keep("lines", this.#telephones.map((telephone) => telephone.line));
  }

  /** What to call a number, a softphone, or the application that a softphone calls, which has no number. */
  nameOf(number) {
    if (number === "") return t("application");
    if (number.startsWith(SOFTPHONE)) return t("softphone", { name: shortened(number.slice(SOFTPHONE.length)) });
    if (!/^\+?\d+$/.test(number)) return t("withheld_caller");
    return this.store.named(number) ?? readable(number);
  }

  /** Show how things stand. */
  update() {
    this.#attendVoice();
    for (const telephone of this.#telephones) telephone.update();
    this.#summarise();
    this.#strangers();
    this.#ring();
  }

  changed(call) {
    if (call.activity === "ended") this.voices.drop(call.sid);
    for (const telephone of this.#telephones) if (call.activity !== "ended") telephone.adopt(call);
    this.update();
  }

  caughtUp() {
    for (const telephone of this.#telephones) telephone.caughtUp();
    this.update();
  }

  tick() {
    for (const telephone of this.#telephones) telephone.tick();
  }

  #put(line) {
    const telephone = new Telephone(line, this);
    this.#telephones.push(telephone);
    return telephone;
  }

  #lay() {
    this.#rack.replaceChildren(...this.#telephones.map((telephone) => telephone.element), this.#add);
    this.#strip.replaceChildren(...this.#telephones.map((telephone) => this.#chip(telephone)));
    this.update();
  }

  #chip(telephone) {
    const name = h("span", { class: "chip-name" });
    const count = h("span", { class: "count" });
    const chip = h("button", { type: "button", class: "chip" }, h("span", { class: "dot", "aria-hidden": "true" }), name, count);
    chip.addEventListener("click", () => {
      this.activate(telephone);
      telephone.element.scrollIntoView({ block: "nearest", inline: "center" });
    });
    return chip;
  }

  /** On a narrow screen, the telephones that are out of sight. */
  #summarise() {
    this.#telephones.forEach((telephone, index) => {
      const chip = this.#strip.children[index];
      if (!chip) return;
      chip.setAttribute("aria-pressed", String(telephone === this.active));
      chip.classList.toggle("ringing", Boolean(telephone.incoming));
      chip.classList.toggle("busy", telephone.busy);
      chip.querySelector(".chip-name").textContent = telephone.name;
      const count = chip.querySelector(".count");
      show(count, telephone.unread > 0);
      count.textContent = String(telephone.unread);
    });
  }

  /** Telephones that ring and are not on the page. */
  #strangers() {
    const numbers = [...new Set(this.store.ringing.map((one) => one.number))].filter((number) => !this.taken(number));
    if (this.#elsewhere.dataset.numbers === numbers.join()) return;
    this.#elsewhere.dataset.numbers = numbers.join();
    this.#elsewhere.replaceChildren(
      ...numbers.map((number) => {
        const name = this.store.named(number);
        const known = name ? `${name}, ${readable(number)}` : readable(number);
        const open = h("button", { type: "button", class: "quiet", t: "open_phone", on: { click: () => this.open(number) } });
        return h("div", {}, h("span", { t: ["rings_elsewhere", { number: known }] }), open);
      }),
    );
  }

  #ring() {
    const ringing = this.#telephones.find((telephone) => telephone.incoming);
    const calling = this.#telephones.some((telephone) => telephone.busy && telephone.call.status === "ringing");
    if (ringing && ringing !== this.#rang) this.#attend(ringing);
    this.#rang = ringing;
    if (ringing) this.tones.ring(true);
    else if (calling) this.tones.ring(false);
    else this.tones.quiet();
    document.title = ringing ? `${t("ringing_here")} · ${ringing.name}` : t("title");
  }

  #attendVoice() {
    this.voices.attend(this.active?.busy ? this.active.line.sid : null);
  }

  /** The keyboard goes to a telephone that begins to ring, unless somebody is on the line with another one. */
  #attend(telephone) {
    if (this.active?.busy) return;
    this.activate(telephone);
    telephone.element.scrollIntoView({ block: "nearest", inline: "center" });
  }

  #unused() {
    for (let last = 1; last < 9999; last += 1) {
      const number = `+3363998${String(last).padStart(4, "0")}`;
      if (!this.taken(number)) return number;
    }
    return "";
  }
}

function shortened(name) {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}
