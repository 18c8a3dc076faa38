// What the active telephone lets one hear: the browser's voice for <Say>, the real sound for <Play>, tones.
import { keep, recall } from "./store.js";

const ROWS = { 1: 697, 2: 697, 3: 697, 4: 770, 5: 770, 6: 770, 7: 852, 8: 852, 9: 852, "*": 941, 0: 941, "#": 941 };
const COLUMNS = { 1: 1209, 4: 1209, 7: 1209, "*": 1209, 2: 1336, 5: 1336, 8: 1336, 0: 1336, 3: 1477, 6: 1477, 9: 1477, "#": 1477 };
const LONGEST = 30; // seconds after which a voice that never says it has ended is left

/** One pair of ears: what is heard is played in its order, one after the other. */
export class Ear extends EventTarget {
  muted = recall("muted", false);
  #queue = [];
  #playing = false;
  #stop = () => {};

  mute(muted) {
    this.muted = muted;
    keep("muted", muted);
    if (muted) this.hush();
    this.dispatchEvent(new Event("muted"));
  }

  /** Hear something once what came before is over. */
  hear(sound) {
    if (this.muted) return;
    this.#queue.push(sound);
    if (!this.#playing) this.#run();
  }

  /** Stop at once, as when a key is pressed or a call ends. */
  hush() {
    this.#queue = [];
    this.#stop();
  }

  async #run() {
    this.#playing = true;
    while (this.#queue.length) {
      const sound = this.#queue.shift();
      await new Promise((resolve) => {
        const ended = this.#begin(sound, resolve);
        this.#stop = () => {
          ended();
          resolve();
        };
      });
    }
    this.#stop = () => {};
    this.#playing = false;
  }

  /** Begin one sound; what stops it. `done` is told when it is over, whatever became of it. */
  #begin(sound, done) {
    return sound.audio ? played(sound.audio, sound.url, done) : spoken(sound.text, sound.language, done);
  }
}

/** Play a file on an audio element; what stops it. */
export function played(audio, url, done = () => {}) {
  audio.src = url;
  audio.onended = audio.onerror = done;
  audio.play().catch(done); // the browser wants a touch of the page first, or the sound cannot be played
  return () => audio.pause();
}

function spoken(text, language, done) {
  const voices = window.speechSynthesis;
  if (!voices) {
    done();
    return done;
  }
  const words = new SpeechSynthesisUtterance(text);
  words.lang = language;
  const wanted = language.toLowerCase();
  const known = voices.getVoices();
  words.voice =
    known.find((voice) => voice.lang.toLowerCase().replace("_", "-") === wanted) ??
    known.find((voice) => voice.lang.toLowerCase().startsWith(wanted.slice(0, 2))) ??
    null;
  const patience = setTimeout(done, LONGEST * 1000);
  words.onend = words.onerror = () => {
    clearTimeout(patience);
    done();
  };
  voices.speak(words);
  return () => {
    clearTimeout(patience);
    voices.cancel();
  };
}

/** The tones of a telephone, made by the browser. */
export class Tones {
  #ear;
  #context = null;
  #ringing = null;

  constructor(ear) {
    this.#ear = ear;
    ear.addEventListener("muted", () => ear.muted && this.quiet());
  }

  key(key) {
    if (!this.#ear.muted) this.#sound([ROWS[key], COLUMNS[key]], 0, 0.12, 0.06);
  }

  /** Ring until told to be quiet: a telephone of ours (`here`), or the line that is called. */
  ring(here) {
    const kind = here ? "here" : "there";
    if (this.#ear.muted || this.#ringing?.kind === kind) return;
    this.quiet();
    const once = here
      ? () => [0, 0.25, 0.5, 0.75].forEach((at) => this.#sound([at % 0.5 ? 660 : 880], at, 0.22, 0.08))
      : () => this.#sound([440], 0, 1.5, 0.04); // France rings 1.5 s in 5
    once();
    this.#ringing = { kind, timer: setInterval(once, here ? 2500 : 5000) };
  }

  quiet() {
    clearInterval(this.#ringing?.timer);
    this.#ringing = null;
  }

  #sound(frequencies, at, seconds, loudness) {
    this.#context ??= new AudioContext();
    const context = this.#context;
    if (context.state === "suspended") context.resume().catch(() => {});
    const start = context.currentTime + at;
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(loudness, start + 0.01);
    gain.gain.setValueAtTime(loudness, start + seconds - 0.02);
    gain.gain.linearRampToValueAtTime(0, start + seconds);
    gain.connect(context.destination);
    for (const frequency of frequencies) {
      const oscillator = context.createOscillator();
      oscillator.frequency.value = frequency;
      oscillator.connect(gain);
      oscillator.start(start);
      oscillator.stop(start + seconds);
    }
  }
}
