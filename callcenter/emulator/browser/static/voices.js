// The page's part in real sound: its one microphone and its loudspeaker, lent to the calls of its telephones that are
// joined with somebody at another page.
import { toast } from "./http.js";
import { Links, Microphone } from "./sound_links.js";

const AGAIN = 2000; // milliseconds until a line that was lost is opened again

export class Voices extends EventTarget {
  #ear;
  #socket = null;
  #calls = new Map(); // by the emulator's identifiers
  #attended = null;
  #refused = false;
  #microphone = new Microphone((error) => {
    this.#refused = true;
    toast([error.name === "NotAllowedError" ? "microphone_refused" : "microphone_missing", {}]);
    this.#changed();
  });

  constructor(ear) {
    super();
    this.#ear = ear;
    ear.addEventListener("muted", () => this.#direct());
  }

  connect() {
    const address = new URL("/emulator/sound", location);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = (this.#socket = new WebSocket(address));
    socket.onopen = () => {
      for (const [sid, call] of this.#calls) this.#carry(sid, call.first);
    };
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = () => {
      for (const call of this.#calls.values()) call.links.close();
      this.#changed();
      setTimeout(() => this.connect(), AGAIN);
    };
  }

  /** A telephone of this page is in a call; `first` if it was dialled or answered here. */
  carry(sid, first) {
    const known = this.#calls.get(sid);
    if (known) {
      known.first ||= first;
    } else {
      const send = (link, signal) => this.#say({ type: "signal", call: sid, link, ...signal });
      const links = new Links(this.#microphone, send, () => toast(["no_sound", {}]));
      this.#calls.set(sid, { first, links, told: [] });
      this.#direct();
    }
    this.#carry(sid, first);
  }

  /** It is in that call no more. */
  drop(sid) {
    const call = this.#calls.get(sid);
    if (!call) return;
    this.#calls.delete(sid);
    call.links.close();
    this.#say({ type: "drop", call: sid });
    this.#settled();
  }

  /** Sound is the active telephone's alone. */
  attend(sid) {
    if (this.#attended === sid) return;
    this.#attended = sid;
    this.#direct();
  }

  /** What to say of a call's microphone, or undefined where nobody at another page is in it. */
  words(sid) {
    const call = this.#calls.get(sid);
    if (!call?.links.count) return undefined;
    if (this.#refused) return "microphone_refused";
    return sid === this.#attended && call.told.some((link) => link.sends) ? "microphone_open" : "microphone_closed";
  }

  #take(told) {
    const call = this.#calls.get(told.call);
    if (told.type === "sound" && call) {
      call.told = told.links;
      call.links.update(told.links);
      this.#settled();
    } else if (told.type === "signal") {
      call?.links.receive(told.link, told.signal);
    }
  }

  #carry(sid, first) {
    this.#say({ type: "carry", call: sid, first });
  }

  #say(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #direct() {
    for (const [sid, { links }] of this.#calls) {
      links.attended = sid === this.#attended;
      links.deaf = this.#ear.muted;
    }
    this.#changed();
  }

  #settled() {
    if (!this.#microphone.open) this.#refused = false; // it is asked for again with the next call
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}
