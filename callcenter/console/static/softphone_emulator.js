// The softphone of the carrier in a box: what somebody tries callcenter with, and what tests talk through.
// The same port as the other softphones: open() answers something that connects, and closes.
import { Links, Microphone } from "./sound_links.js";

const PATIENCE = 10_000; // milliseconds for the line to open
const EARLY = 30; // seconds before its end at which a token is renewed, or a fifth of its life if that is less
const LONGEST_SPEECH = 30_000; // milliseconds after which a voice that never says it has ended is left

const CONNECTION = 31005; // the carrier's codes
const EXPIRED = 20104;
const REFUSED_MICROPHONE = 31208;
const NO_MICROPHONE = 31201;
const NO_SOUND = 53405;

const WORDS = {
  [CONNECTION]: "La liaison téléphonique est coupée.",
  [EXPIRED]: "La ligne téléphonique n’est plus autorisée : rechargez la page.",
  [REFUSED_MICROPHONE]: "Le micro est refusé : on ne vous entend pas. Autorisez-le dans la barre d’adresse, puis reprenez l’appel.",
  [NO_MICROPHONE]: "Aucun micro n’est disponible : vous entendez, on ne vous entend pas.",
  [NO_SOUND]: "Le son ne passe pas avec l’autre poste.",
};

/** Something the carrier refused, or that does not work; `message` is a sentence for whoever telephones. */
export class Fault extends Error {
  constructor(code, message = WORDS[code] ?? "La ligne téléphonique ne répond pas.") {
    super(message);
    this.code = code;
  }
}

/**
 * Open the line.
 * @param {object} given
 * @param {string} given.token an access token
 * @param {() => Promise<string>} given.renew fetches a newer one
 * @param {string} given.endpoint the emulator's address, such as http://127.0.0.1:8090
 * @param {(state: "connecting" | "open" | "over") => void} given.onState told how the call stands
 * @param {(fault: Fault) => void} given.onFault told what does not work
 * @returns {Promise<Softphone>}
 */
export async function open({ token, renew, endpoint, onState = () => {}, onFault = () => {} }) {
  const softphone = new Softphone(renew, endpoint, onState, onFault);
  await softphone.begin(token);
  return softphone;
}

class Softphone {
  #renew;
  #endpoint;
  #onState;
  #onFault;
  #socket = null;
  #opening = null;
  #timer = null;
  #calls = new Map(); // by the emulator's identifiers
  #asked = new Map(); // those that have none yet
  #number = 0;
  #closed = false;
  #microphone = new Microphone((error) =>
    this.#onFault(new Fault(error.name === "NotAllowedError" ? REFUSED_MICROPHONE : NO_MICROPHONE)),
  );

  constructor(renew, endpoint, onState, onFault) {
    this.#renew = renew;
    this.#endpoint = new URL("/", endpoint.replace(/^ws/, "http"));
    this.#onState = onState;
    this.#onFault = onFault;
  }

  /** Open the line with a token; one that was lost is opened again with the next call. */
  begin(token) {
    this.#opening ??= this.#begin(token).finally(() => (this.#opening = null));
    return this.#opening;
  }

  /**
   * Call.
   * @param {Record<string, string>} parameters what the application is told, such as `{offer}`
   */
  connect(parameters = {}) {
    const number = ++this.#number;
    const call = new Call(
      this.#microphone,
      (kind, more) => this.#say({ type: kind, ...more }),
      (index, sid) => new URL(`/emulator/calls/${sid}/sounds/${index}`, this.#endpoint),
      this.#onState,
      () => this.#onFault(new Fault(NO_SOUND)),
    );
    this.#asked.set(number, call);
    this.#onState("connecting");
    this.#ready()
      .then(() => this.#say({ type: "connect", request: number, parameters }))
      .catch((fault) => this.#refused(number, fault));
    return call;
  }

  /** Hang up whatever there is, and close the line. */
  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#lost(null);
  }

  async #ready() {
    if (this.#socket?.readyState === WebSocket.OPEN && !this.#opening) return;
    await (this.#opening ?? this.begin(await this.#renew()));
  }

  #begin(token) {
    const address = new URL("/softphone", this.#endpoint);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(address);
      let opened = false;
      let fault = new Fault(CONNECTION);
      const patience = setTimeout(() => socket.close(), PATIENCE);
      this.#socket = socket;
      socket.onopen = () => socket.send(JSON.stringify({ type: "open", token }));
      socket.onmessage = ({ data }) => {
        const told = JSON.parse(data);
        if (told.type === "opened") {
          opened = true;
          clearTimeout(patience);
          this.#renewIn(told.seconds);
          resolve();
        } else if (!opened) {
          fault = new Fault(told.code, told.code === EXPIRED ? undefined : told.message);
        } else {
          this.#take(told);
        }
      };
      socket.onclose = () => {
        clearTimeout(patience);
        if (!opened) reject(fault);
        else if (this.#socket === socket) this.#lost(this.#closed ? null : new Fault(CONNECTION));
      };
    });
  }

  #take(told) {
    const call = this.#calls.get(told.call);
    switch (told.type) {
      case "calling": {
        const [[number, asked]] = this.#asked; // they are answered in their order
        this.#asked.delete(number);
        this.#calls.set(told.call, asked);
        asked.begun(told.call);
        break;
      }
      case "call":
        call?.become(told.state);
        if (told.state === "over") this.#calls.delete(told.call);
        break;
      case "heard":
        call?.hear(told);
        break;
      case "sound":
        call?.links.update(told.links);
        break;
      case "signal":
        call?.links.receive(told.link, told.signal);
        break;
      case "error":
        if (told.request) this.#refused(told.request, new Fault(told.code, told.message));
        else if (told.code === EXPIRED) this.#refresh();
        else console.debug(`the softphone was refused something: ${told.code} ${told.message}`);
        break;
    }
  }

  #say(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #refused(number, fault) {
    const call = this.#asked.get(number);
    this.#asked.delete(number);
    call?.become("over");
    this.#onFault(fault instanceof Fault ? fault : new Fault(CONNECTION));
  }

  /** No line any more: the carrier hangs up what was on it. */
  #lost(fault) {
    clearTimeout(this.#timer);
    const calls = [...this.#calls.values(), ...this.#asked.values()];
    this.#calls.clear();
    this.#asked.clear();
    for (const call of calls) call.become("over");
    if (fault) this.#onFault(fault);
  }

  #renewIn(seconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refresh(), Math.max(1, seconds - Math.min(EARLY, seconds / 5)) * 1000);
  }

  async #refresh() {
    clearTimeout(this.#timer);
    try {
      this.#say({ type: "token", token: await this.#renew() });
    } catch {
      if (!this.#closed) this.#onFault(new Fault(EXPIRED));
    }
  }
}

class Call {
  #say;
  #addressOf;
  #onState;
  #sid = null;
  #state = "connecting";
  #muted = false;
  #ear = new Ear();

  constructor(microphone, say, addressOf, onState, onFailed) {
    this.#say = say;
    this.#addressOf = addressOf;
    this.#onState = onState;
    this.links = new Links(microphone, (link, signal) => say("signal", { call: this.#sid, link, ...signal }), onFailed);
  }

  hangUp() {
    if (this.#sid) this.#say("hang_up", { call: this.#sid });
    this.become("over");
  }

  /** Be heard by nobody, or by everybody again; the carrier is told, so that nobody plays what may still come. */
  mute(muted) {
    this.#muted = muted;
    this.links.muted = muted;
    if (this.#sid) this.#say("mute", { call: this.#sid, muted });
  }

  /** Press keys. */
  press(digits) {
    if (this.#sid) this.#say("keys", { call: this.#sid, digits });
  }

  /** How loud what one hears is now, from 0 to 1. */
  level() {
    return this.links.level();
  }

  /** What has been heard of other pages so far (`totalAudioEnergy` of the browser's statistics). */
  energy() {
    return this.links.energy();
  }

  // --- what the softphone tells it

  begun(sid) {
    this.#sid = sid;
    if (this.#state === "over") this.#say("hang_up", { call: sid }); // hung up before it had begun
    else if (this.#muted) this.mute(true);
  }

  become(state) {
    if (state === this.#state || this.#state === "over") return;
    this.#state = state;
    if (state === "over") {
      this.links.close();
      this.#ear.hush();
    }
    this.#onState(state);
  }

  hear({ kind, text, language, fetched, index }) {
    if (this.#state === "over") return;
    if (kind === "joined") this.#ear.hush();
    else if (kind === "play" && fetched) this.#ear.hear({ url: this.#addressOf(index, this.#sid) });
    else if (kind === "say" || kind === "voice") this.#ear.hear({ text, language: language || "fr-FR" });
  }
}

/** What the carrier plays to this line besides other people: one thing after the other, stopped at once when it is over. */
class Ear {
  #queue = [];
  #playing = false;
  #stop = () => {};

  hear(sound) {
    this.#queue.push(sound);
    if (!this.#playing) this.#run();
  }

  hush() {
    this.#queue = [];
    this.#stop();
  }

  async #run() {
    this.#playing = true;
    while (this.#queue.length) {
      const sound = this.#queue.shift();
      await new Promise((done) => {
        const halt = sound.url ? play(sound.url, done) : speak(sound, done);
        this.#stop = () => {
          halt();
          done();
        };
      });
    }
    this.#stop = () => {};
    this.#playing = false;
  }
}

function play(url, done) {
  const audio = new Audio(url);
  audio.onended = audio.onerror = done;
  audio.play().catch(done);
  return () => audio.pause();
}

function speak({ text, language }, done) {
  if (!window.speechSynthesis) {
    done();
    return () => {};
  }
  const words = new SpeechSynthesisUtterance(text);
  words.lang = language;
  const patience = setTimeout(done, LONGEST_SPEECH);
  words.onend = words.onerror = () => {
    clearTimeout(patience);
    done();
  };
  speechSynthesis.speak(words);
  return () => {
    clearTimeout(patience);
    speechSynthesis.cancel();
  };
}
