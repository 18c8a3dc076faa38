// A conversation as one reads it: what is heard on the left, what one presses or says on the right.
import { h, icon } from "./dom.js";
import { readable } from "./numbers.js";
import { played } from "./sound.js";

const SOUNDS = {
  // what the network itself lets one hear
  "[sonnerie]": "tone_ringing",
  "[bip]": "tone_beep",
  "[musique d'attente]": "tone_music",
};
const CONFERENCE = "[conférence "; // and its name, which says nothing to a reader
const SPOKEN = new Set(["say", "play", "voice"]);

export class Talk {
  #store;
  #audio;
  #sid = null;
  #heard = 0;
  #entered = 0;
  #ended = false;
  #keys = null; // the bubble that further keys go to
  #follow = true; // whether the reader is at the end
  #height = 0;

  constructor(store, audio) {
    this.#store = store;
    this.#audio = audio;
    this.element = h("ol", { class: "talk", role: "log", label: "conversation", tabindex: "0" });
    // The last words stay in sight when a text message takes some of the room.
    new ResizeObserver(() => {
      this.#height = this.element.clientHeight;
      if (this.#follow) this.#toEnd();
    }).observe(this.element);
    this.element.addEventListener("scroll", () => {
      if (this.element.clientHeight === this.#height) this.#follow = this.#atEnd(); // a reader's hand, no new size
    });
  }

  /** Show a call as it is by now; what is there already stays as it is. */
  update(call) {
    if (call?.sid !== this.#sid) this.#begin(call);
    if (!call) return;
    for (;;) {
      const entered = call.entered[this.#entered];
      if (entered && entered.after <= this.#heard) this.#enter(entered);
      else if (this.#heard < call.heard.length) this.#hear(call, this.#heard);
      else break;
    }
    if (call.activity === "ended" && !this.#ended) this.#end(call);
    if (this.#follow) this.#toEnd();
  }

  #atEnd() {
    return this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight < 40;
  }

  #toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
  }

  #begin(call) {
    this.#sid = call?.sid ?? null;
    this.#heard = this.#entered = 0;
    this.#ended = false;
    this.#follow = true;
    this.#keys = null;
    this.element.replaceChildren();
  }

  #hear(call, index) {
    const heard = call.heard[index];
    this.#heard += 1;
    this.#keys = null;
    const item = h("li", { class: `heard ${heard.kind}` });
    if (SPOKEN.has(heard.kind) || heard.kind === "error") {
      item.append(h("p", { lang: heard.language || (heard.kind === "play" || heard.kind === "error" ? null : "fr") }, heard.text));
      if (heard.kind === "play") item.append(this.#again(call.sid, index));
    } else {
      item.append(this.#aside(heard));
    }
    this.element.append(item);
  }

  #aside(heard) {
    const partner = /\+\d+/.exec(heard.text)?.[0];
    if (heard.kind === "pause") return h("p", { t: ["pause", { seconds: heard.text }] });
    if (heard.kind === "joined" && heard.text.startsWith(CONFERENCE)) return h("p", { t: "conference" });
    if (heard.kind === "joined" && partner) {
      return h("p", { t: ["joined", { name: this.#store.named(partner) ?? readable(partner) }] });
    }
    if (heard.text in SOUNDS) return h("p", { t: SOUNDS[heard.text] });
    return h("p", heard.kind === "tone" ? { t: ["tone", { keys: heard.text }] } : {}, heard.kind === "tone" ? null : heard.text);
  }

  #again(sid, index) {
    const url = soundOf(sid, index);
    const play = () => played(this.#audio, url);
    return h("button", { type: "button", class: "again", label: "again", hint: "again", on: { click: play } }, icon("play"));
  }

  #enter(entered) {
    this.#entered += 1;
    const last = this.#keys;
    if (entered.kind === "keys" && last && last.taken === entered.taken) {
      last.text += entered.text;
      last.keys.textContent = last.text;
      return;
    }
    const keys = h(entered.kind === "keys" ? "kbd" : "p", {}, entered.text);
    const item = h("li", { class: `entered ${entered.kind}${entered.taken ? "" : " lost-keys"}` }, keys);
    if (!entered.taken) item.append(h("span", { t: "nothing_listened" }));
    this.element.append(item);
    this.#keys = entered.kind === "keys" ? { text: entered.text, taken: entered.taken, keys } : null;
  }

  #end(call) {
    this.#ended = true;
    const by = call.status === "completed" ? (call.hung_up_by === "telephone" ? "by_you" : "by_them") : call.status;
    this.element.append(h("li", { class: "aside" }, h("p", { t: `over_${by}` })));
  }
}

export function soundOf(sid, index) {
  return `/emulator/calls/${sid}/sounds/${index}`;
}
