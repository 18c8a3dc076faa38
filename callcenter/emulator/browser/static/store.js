// What the page knows: from the emulator by one stream of events, and what it keeps for itself in the browser.
const KEPT = "telephones";

const kept = read();

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {}; // storage is off, or holds something that is not ours
  }
}

/** Something that is kept in this browser, or the default. */
export function recall(name, otherwise) {
  return kept[name] ?? otherwise;
}

export function keep(name, value) {
  kept[name] = value;
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // storage is off: the page works without
  }
}

export class Store extends EventTarget {
  calls = new Map();
  messages = [];
  ringing = [];
  mails = [];
  presets = { telephones: [], lines: [], mails: false };
  connected = false;

  /** Begin to listen to the emulator; the browser comes back by itself when the connection breaks. */
  connect() {
    const source = new EventSource("/emulator/events");
    const on = (name, take) => source.addEventListener(name, (event) => take(JSON.parse(event.data)));
    on("snapshot", (data) => this.#snapshot(data));
    on("call", (data) => this.#call(data));
    on("message", (data) => {
      if (this.messages.some((message) => message.sid === data.sid)) return;
      this.messages.push(data);
      this.#tell("message", data);
    });
    on("mail", (data) => {
      this.mails.push(data);
      this.#tell("mail", data);
    });
    on("ringing", (data) => {
      this.ringing = data.ringing;
      this.#tell("ringing");
    });
    source.addEventListener("error", () => this.#connection(false));
    return source;
  }

  /** The name that goes with a number, if one does. */
  named(number) {
    return [...this.presets.telephones, ...this.presets.lines].find((known) => known.number === number)?.name;
  }

  #snapshot(data) {
    this.calls = new Map(data.calls.map((call) => [call.sid, received(call)]));
    this.messages = data.messages;
    this.mails = data.mails;
    this.ringing = data.ringing;
    this.#connection(true);
    this.#tell("snapshot");
  }

  #call(data) {
    const known = this.calls.get(data.sid);
    const call = received(data);
    call.heard = [...(known?.heard ?? []).slice(0, data.heard_from), ...data.heard];
    call.entered = [...(known?.entered ?? []).slice(0, data.entered_from), ...data.entered];
    this.calls.set(call.sid, call);
    this.#tell("call", call);
  }

  #connection(up) {
    if (this.connected === up) return;
    this.connected = up;
    this.#tell("connection");
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function received(call) {
  return { ...call, seen: performance.now() };
}

/** Seconds that a call has lasted by now. */
export function lasted(call) {
  const running = call.status === "in-progress" && call.pace === "live";
  return call.duration + (running ? Math.floor((performance.now() - call.seen) / 1000) : 0);
}

export function over(call) {
  return !call || call.activity === "ended";
}
