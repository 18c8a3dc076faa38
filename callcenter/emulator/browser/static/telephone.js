// One telephone: its keypad, its call, its messages.
import { h, icon, fresh, say, show } from "./dom.js";
import { attempt, post } from "./http.js";
import { Inbox, badge, messageCard } from "./inbox.js";
import { clock, network, readable } from "./numbers.js";
import { Settings } from "./options.js";
import { lasted, over } from "./store.js";
import { Talk, soundOf } from "./talk.js";

const KEYS = [
  ["1", ""], ["2", "ABC"], ["3", "DEF"],
  ["4", "GHI"], ["5", "JKL"], ["6", "MNO"],
  ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"],
  ["*", ""], ["0", "+"], ["#", ""],
]; // prettier-ignore
const NAMED_KEYS = { "*": "key_star", "#": "key_hash" };

export class Telephone {
  #rack;
  #store;
  #audio = h("audio", { preload: "none" });
  #talk;
  #inbox;
  #settings;
  #parts = {};
  #keys = new Map();
  #pending = "";
  #sending = false;
  #calling = false;
  #sounded = { sid: null, count: 0 };
  #dismissed = 0;
  #shownNotice = null;
  #view = "keypad";
  #cleared = false; // the directory is shown though a call has ended

  constructor(line, rack) {
    this.line = line;
    this.#rack = rack;
    this.#store = rack.store;
    this.#talk = new Talk(this.#store, this.#audio);
    this.#inbox = new Inbox(this.#store, line, (code) => this.type(code));
    this.#settings = new Settings(line, rack, this);
    this.element = this.#build();
    this.update();
  }

  get name() {
    return this.#store.named(this.line.number) ?? readable(this.line.number);
  }

  /** The call that it is in, or was in last. */
  get call() {
    return this.#store.calls.get(this.line.sid);
  }

  get busy() {
    return !over(this.call);
  }

  /** The call that rings here now. */
  get incoming() {
    if (this.busy) return undefined;
    const ringing = this.#store.ringing.find((one) => one.number === this.line.number);
    return this.#store.calls.get(ringing?.sid);
  }

  get unread() {
    return this.#inbox.unread().length;
  }

  // --- what one does with it

  /** Press a key: it is heard by the call, or dials. */
  press(key) {
    this.#rack.tones.key(key);
    this.#flash(key);
    if (this.busy) {
      this.#pending += key;
      this.#send();
    } else if (!this.incoming) {
      const field = this.#parts.number;
      field.value = (this.#parts.dial.dataset.typed ? field.value : "") + key;
      this.#parts.dial.dataset.typed = "yes";
    }
  }

  type(code) {
    if (!this.busy) return;
    this.#look("keypad");
    for (const key of code) this.press(key);
    this.#read();
    this.#talk.element.focus({ preventScroll: true });
  }

  /** Enter: answer, or call. */
  async go() {
    if (this.incoming) await this.answer();
    else if (!this.busy) await this.dial(this.#parts.number.value || this.#parts.number.placeholder);
  }

  /** Escape: reject, or hang up. */
  async stop() {
    if (this.incoming) await this.reject();
    else if (this.busy) await this.hangUp();
  }

  async dial(text) {
    const called = network(text.trim());
    if (!called || this.#calling) return;
    this.#calling = true;
    const { line } = this;
    const order = { from: line.withheld ? "anonymous" : line.number, to: called, pace: line.fast ? "scripted" : "live" };
    if (line.through) order.forwarded_from = network(line.through);
    const started = await attempt(() => post("/calls", order));
    this.#calling = false;
    if (started) this.#take(started.sid, called);
  }

  async answer() {
    const { sid } = this.incoming;
    if (await attempt(() => post(`/telephones/${sid}/answer`))) this.#take(sid, this.line.called);
  }

  async reject() {
    const { sid } = this.incoming;
    await attempt(() => post(`/telephones/${sid}/reject`, { reason: "busy" }));
  }

  async hangUp() {
    this.#rack.ear.hush();
    await attempt(() => post(`/calls/${this.line.sid}/hangup`));
  }

  /** Be in a call that was begun elsewhere from this telephone's number. */
  adopt(call) {
    if (this.busy || this.line.sid === call.sid || call.from !== this.line.number || call.direction !== "inbound") return;
    this.#take(call.sid, call.to, false);
  }

  #take(sid, called, focus = true) {
    Object.assign(this.line, { sid, called });
    this.#cleared = false;
    if (this.#sounded.sid !== sid) this.#sounded = { sid, count: 0 };
    this.#rack.save();
    this.#rack.voices.carry(sid, focus);
    this.#look("keypad");
    this.update();
    if (focus) this.#talk.element.focus({ preventScroll: true });
  }

  async #send() {
    if (this.#sending || !this.#pending) return;
    this.#sending = true;
    const digits = this.#pending;
    this.#pending = "";
    const answer = await attempt(() => post(`/calls/${this.line.sid}/keys`, { digits }));
    if (answer?.taken) this.#rack.ear.hush();
    this.#sending = false;
    this.#send();
  }

  async #say(event) {
    event.preventDefault();
    const field = this.#parts.words;
    const text = field.value.trim();
    if (text && (await attempt(() => post(`/calls/${this.line.sid}/speech`, { text })))) {
      this.#rack.ear.hush();
      field.value = "";
    }
  }

  #wait(seconds) {
    return attempt(() => post(`/calls/${this.line.sid}/advance`, { seconds }));
  }

  // --- what it shows

  /** Show how things stand. */
  update() {
    const { call, incoming, busy } = this;
    const parts = this.#parts;
    const talking = Boolean(call) && !this.#cleared;
    this.element.classList.toggle("ringing", Boolean(incoming));
    this.element.classList.toggle("busy", busy);
    this.#title();
    this.#state(call, incoming, busy);
    this.#talk.update(talking ? call : undefined);
    show(this.#talk.element, talking && !incoming);
    show(parts.directory, !talking && !incoming);
    show(parts.incoming, Boolean(incoming));
    if (incoming) this.#whoRings(incoming);
    show(parts.again, talking && !busy && !incoming);
    show(parts.dial, !busy && !incoming);
    show(parts.calling, !busy && !incoming);
    show(parts.hangUp, busy);
    show(parts.answering, Boolean(incoming));
    show(parts.speech, busy && call.listens_to_speech);
    show(parts.waiting, busy && call.pace === "scripted");
    parts.keypad.classList.toggle("listening", busy && call.listens);
    this.#inbox.update();
    this.#notice(busy);
    badge(parts.unread, this.unread);
    this.#rest();
    this.#listen(call);
  }

  /** Once a second: how long the call has lasted. */
  tick() {
    const running = this.call && (this.busy || !this.#cleared) && !this.incoming;
    this.#parts.clock.textContent = running && this.call.status !== "ringing" ? clock(lasted(this.call)) : "";
  }

  /** What was heard before this page looked is not heard again. */
  caughtUp() {
    if (this.busy) this.#rack.voices.carry(this.line.sid, false);
    this.#sounded = { sid: this.line.sid, count: this.call?.heard.length ?? 0 };
    this.update();
  }

  #title() {
    const parts = this.#parts;
    if (parts.name.textContent !== this.name) {
      parts.name.textContent = this.name;
      parts.initials.textContent = initials(this.name);
      say(parts.more, ["options", { name: this.name }], "label");
    }
    parts.own.textContent = readable(this.line.number);
    show(parts.withheld, this.line.withheld);
  }

  #state(call, incoming, busy) {
    const [state, words] = stateOf(this.#cleared ? undefined : call, incoming);
    this.#parts.state.dataset.state = state;
    say(this.#parts.words_state, words);
    const with_ = busy || (call && !this.#cleared) ? other(call) : null;
    this.#parts.partner.textContent = with_ && !incoming ? this.#rack.nameOf(with_) : "";
    const voice = busy ? this.#rack.voices.words(call.sid) : undefined;
    const listening = voice ?? (busy && (call.listens_to_speech ? "listens_speech" : call.listens ? "listens" : null));
    show(this.#parts.listening, Boolean(listening));
    if (listening) say(this.#parts.listening, listening);
    this.tick();
  }

  #whoRings(call) {
    this.#parts.caller.textContent = this.#rack.nameOf(call.from);
    this.#parts.callerNumber.textContent = this.#store.named(call.from) ? readable(call.from) : "";
  }

  #notice(busy) {
    const message = this.#inbox.unread().at(-1);
    const visible = busy && message && message.number > this.#dismissed && this.#view === "keypad";
    show(this.#parts.notice, Boolean(visible));
    if (!visible || message.number === this.#shownNotice) return;
    this.#shownNotice = message.number;
    const dismiss = () => {
      this.#dismissed = message.number;
      this.update();
    };
    this.#parts.notice.replaceChildren(
      messageCard(message, this.#store, (code) => this.type(code)),
      h("button", { type: "button", class: "dismiss", label: "dismiss", on: { click: dismiss } }, icon("close")),
    );
  }

  #listen(call) {
    if (!call || this.#sounded.sid !== call.sid) return;
    const first = this.#sounded.count;
    this.#sounded.count = call.heard.length;
    if (this.#rack.active === this) {
      call.heard.slice(first).forEach((heard, index) => this.#hear(call.sid, heard, first + index));
      if (over(call) && call.hung_up_by === "telephone") this.#rack.ear.hush();
    }
  }

  #hear(sid, heard, index) {
    const { ear } = this.#rack;
    if (heard.kind === "say" || heard.kind === "voice" || heard.kind === "error") {
      const language = heard.language || (heard.kind === "error" ? "en-US" : "fr-FR");
      ear.hear({ text: heard.text, language });
    } else if (heard.kind === "play") {
      ear.hear({ audio: this.#audio, url: soundOf(sid, index) });
    }
  }

  #look(view) {
    this.#view = view;
    for (const [name, button] of Object.entries(this.#parts.views)) {
      button.setAttribute("aria-pressed", String(name === view));
    }
    show(this.#parts.face, view === "keypad");
    show(this.#inbox.element, view === "messages");
    if (view === "messages") this.#read();
  }

  #read() {
    const last = this.#inbox.mine().at(-1)?.number ?? 0;
    if (last > (this.line.read ?? 0)) {
      this.line.read = last;
      this.#rack.save();
    }
    this.update();
  }

  /** A focus that has just disappeared with its button goes on to what comes next. */
  #rest() {
    const gone = document.activeElement === document.body || !document.activeElement?.checkVisibility();
    if (this.#hadFocus && gone) {
      const next = this.incoming ? this.#parts.answer : this.busy ? this.#talk.element : this.#parts.call;
      next.focus({ preventScroll: true });
    }
    this.#hadFocus = this.element.contains(document.activeElement);
  }
  #hadFocus = false;

  #flash(key) {
    const button = this.#keys.get(key);
    button.classList.add("pressed");
    setTimeout(() => button.classList.remove("pressed"), 140);
  }

  // --- how it is made

  #build() {
    const title = fresh("telephone");
    const parts = this.#parts;
    const look = (view) => () => this.#look(view);
    parts.name = h("h2", { id: title });
    parts.initials = h("span", { class: "initials", "aria-hidden": "true" });
    parts.own = h("span", { class: "number" });
    parts.withheld = h("span", { class: "withheld", t: "withheld_short" });
    parts.more = h("button", { type: "button", class: "tool", "aria-expanded": "false" }, icon("more"));
    parts.more.addEventListener("click", () => this.#settings.toggle(parts.more));
    parts.unread = h("span", { class: "count" });
    parts.views = {
      keypad: h("button", { type: "button", "aria-pressed": "true", on: { click: look("keypad") } }, h("span", { t: "keypad" })),
      messages: h("button", { type: "button", "aria-pressed": "false", on: { click: look("messages") } }, h("span", { t: "messages" }), parts.unread),
    };
    parts.notice = h("div", { class: "notice", role: "status" });
    parts.face = h("div", { class: "face" }, this.#screen(), this.#dialling(), this.#keypad());
    show(this.#inbox.element, false);
    const element = h(
      "article",
      { class: "telephone", "aria-labelledby": title },
      parts.notice,
      h("header", {}, parts.initials, h("div", { class: "who" }, parts.name, h("p", {}, parts.own, parts.withheld)), parts.more),
      this.#settings.element,
      h("div", { class: "segments" }, ...Object.values(parts.views)),
      parts.face,
      this.#inbox.element,
      this.#actions(),
      this.#audio,
    );
    const activate = () => this.#rack.activate(this);
    element.addEventListener("pointerdown", activate);
    element.addEventListener("focusin", activate);
    return element;
  }

  #screen() {
    const parts = this.#parts;
    parts.words_state = h("span", { class: "state-words" });
    parts.partner = h("span", { class: "partner" });
    parts.clock = h("span", { class: "clock" });
    parts.listening = h("span", { class: "listening-words" });
    parts.state = h("div", { class: "state" }, h("span", { class: "dot", "aria-hidden": "true" }), parts.words_state, parts.partner, parts.clock);
    parts.directory = h("div", { class: "directory" });
    this.fill();
    parts.caller = h("strong", {});
    parts.callerNumber = h("span", { class: "number" });
    parts.incoming = h("div", { class: "incoming", role: "alert" }, h("p", { t: "ringing_here" }), parts.caller, parts.callerNumber);
    parts.again = h("button", { type: "button", class: "quiet to-directory", t: "to_directory" });
    parts.again.addEventListener("click", () => {
      this.#cleared = true;
      this.update();
    });
    return h("div", { class: "screen" }, parts.state, this.#talk.element, parts.directory, parts.incoming, parts.again, parts.listening);
  }

  /** The lines that one may call by name, and what one may try. */
  fill() {
    const { telephones, lines } = this.#store.presets;
    const hint = telephones.find((known) => known.number === this.line.number)?.hint;
    const call = (line) => () => this.dial(line.number);
    const rows = lines.map((line) =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", label: ["call_line", { name: line.name, number: readable(line.number) }], on: { click: call(line) } },
          h("span", { class: "line-name" }, line.name),
          h("span", { class: "number" }, readable(line.number)),
          icon("call"),
        ),
      ),
    );
    this.#parts.directory.replaceChildren(
      ...(hint ? [h("p", { class: "hint" }, h("strong", { t: "try_it" }), h("span", {}, hint))] : []),
      ...(rows.length ? [h("h3", { t: "directory" }), h("ul", {}, ...rows)] : []),
    );
  }

  #dialling() {
    const parts = this.#parts;
    const first = this.line.called ?? this.#store.presets.lines[0]?.number ?? "";
    parts.number = h("input", { type: "tel", inputmode: "tel", autocomplete: "off", label: "number_to_call", placeholder: readable(first) });
    parts.number.addEventListener("input", () => (parts.dial.dataset.typed = "yes"));
    const erase = () => (parts.number.value = parts.number.value.slice(0, -1));
    parts.erase = h("button", { type: "button", class: "tool", label: "erase", on: { click: erase } }, icon("back"));
    const go = (event) => {
      event.preventDefault();
      this.go();
    };
    parts.dial = h("form", { class: "dial", id: fresh("dial"), on: { submit: go } }, parts.number, parts.erase);
    parts.words = h("input", { label: "say_label", shown: "say", autocomplete: "off", maxlength: 500 });
    const submit = h("button", { type: "submit", class: "quiet", t: "say_button" });
    parts.speech = h("form", { class: "speech", on: { submit: (event) => this.#say(event) } }, parts.words, submit);
    const wait = (seconds) =>
      h("button", { type: "button", class: "quiet", t: ["wait", { n: seconds }], label: ["wait_label", { n: seconds }], on: { click: () => this.#wait(seconds) } });
    parts.waiting = h("div", { class: "waiting" }, wait(5), wait(30));
    return h("div", { class: "entry" }, parts.dial, parts.speech, parts.waiting);
  }

  #keypad() {
    for (const [key, letters] of KEYS) {
      const named = NAMED_KEYS[key];
      const button = h(
        "button",
        { type: "button", class: "key", "data-key": key, on: { click: () => this.press(key) } },
        h("span", { class: "digit", "aria-hidden": named ? "true" : null }, key === "*" ? "∗" : key),
        h("span", { class: "letters", "aria-hidden": "true" }, letters),
      );
      if (named) say(button, named, "label");
      this.#keys.set(key, button);
    }
    this.#parts.keypad = h("div", { class: "keypad", role: "group", label: "keypad" }, ...this.#keys.values());
    return this.#parts.keypad;
  }

  #actions() {
    const parts = this.#parts;
    const button = (kind, words, name, work) =>
      h("button", { type: "button", class: `action ${kind}`, on: { click: work } }, icon(name), h("span", { t: words }));
    parts.call = button("green", "call", "call", () => this.go());
    parts.calling = h("div", {}, parts.call);
    parts.hangUp = button("red", "hang_up", "end", () => this.hangUp());
    parts.answer = button("green", "answer", "call", () => this.answer());
    parts.answering = h("div", { class: "pair" }, parts.answer, button("red", "reject", "end", () => this.reject()));
    return h("div", { class: "actions" }, parts.calling, parts.hangUp, parts.answering);
  }
}

function stateOf(call, incoming) {
  if (incoming) return ["incoming", "ringing_here"];
  if (!call) return ["idle", "idle"];
  if (over(call)) return ["ended", "ended"];
  if (call.status === "in-progress") return ["talking", "talking"];
  return ["calling", call.status === "ringing" ? "ringing_there" : "calling"];
}

/** The other party of a telephone's call. */
function other(call) {
  return call.direction === "inbound" ? (call.forwarded_from ?? call.to) : call.from;
}

function initials(name) {
  const words = name.split(/[\s,]+/).filter((word) => /^\p{Lu}/u.test(word));
  return words.length ? (words[0][0] + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase() : "☎";
}
