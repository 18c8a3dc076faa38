// The telephone of a page, whoever carries the voice. A module of that name gives
//
//   open({token, renew, endpoint, onState, onFault}) → {connect({offer}) → {hangUp(), mute(on), level()}, close()}
//
// `renew` fetches a fresh pass; `onState` is told `connecting`, `open` or `over` of the leg, `onFault` what went wrong
// (something with a `code` of the carrier's). This one adds that of several windows of one person a single one speaks,
// and what follows from a fault: whoever cannot be heard has no call.

const MODULES = { emulator: "./softphone_emulator.js", twilio: "./softphone_twilio.js" };

// What the carrier and browsers call a microphone that is refused, or not there.
const NO_MICROPHONE = new Set([31201, 31208, 31402, "NotAllowedError", "NotFoundError"]);
const TRIES = 2; // of one call
const REST = 3_000; // milliseconds after which a leg that has ended is placed again, if the call stands still

const passFrom = (address, proof) => async () => {
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(proof()) });
  if (!answer.ok || answer.redirected) throw new Error("no pass");
  return (await answer.json()).token;
};

// Resolves once this window is the one that speaks: at once, or when the one before it is closed.
const alone = () =>
  new Promise((resolve) => {
    if (!navigator.locks) resolve();
    else navigator.locks.request("callcenter-softphone", () => new Promise(() => resolve()));
  });

export class Softphone {
  #options;
  #renew;
  #phone = null;
  #line = null;
  #offer = "";
  #speaks = false;
  #open = false;
  #tries = 0;
  #rest = null;

  // `told(word)` hears of every state, `failed(offer, why)` that a call cannot be spoken on (`microphone`, `missing`,
  // `failed`), `troubled(words)` of what does not end it.
  constructor({ kind, endpoint, pass }, proof, { told, failed, troubled }) {
    this.#options = { kind, endpoint, told, failed, troubled };
    this.#renew = passFrom(pass, proof);
    alone().then(() => {
      this.#speaks = true;
      this.follow(this.#offer);
    });
  }

  // Speak in the talk of this offer, or in none.
  follow(offer) {
    if (offer !== this.#offer) {
      this.#offer = offer;
      this.#tries = 0;
      clearTimeout(this.#rest);
      this.#rest = null;
      this.#hangUp();
    }
    if (offer && this.#speaks && !this.#line && !this.#rest && this.#tries < TRIES) this.#speak(offer);
  }

  mute(on) {
    this.#line?.mute(on);
  }

  async #speak(offer) {
    const placing = { hangUp() {}, mute() {} }; // nobody places a second one meanwhile
    this.#line = placing;
    this.#tries += 1;
    this.#options.told("connecting");
    try {
      this.#phone ??= await this.#opened();
      const line = await this.#phone.connect({ offer });
      if (this.#line === placing) this.#line = line;
      else line.hangUp(); // it was over before it began
    } catch (error) {
      this.#fault(error);
    }
  }

  async #opened() {
    const { open } = await import(MODULES[this.#options.kind]);
    return open({
      token: await this.#renew(),
      renew: this.#renew,
      endpoint: this.#options.endpoint,
      onState: (state) => this.#became(state),
      onFault: (fault) => this.#fault(fault),
    });
  }

  #became(state) {
    if (!this.#line) return; // of a leg that we have left
    this.#open = state === "open";
    if (state === "over") {
      this.#line = null;
      this.#rest = setTimeout(() => {
        this.#rest = null;
        this.follow(this.#offer);
      }, REST);
    }
    this.#options.told(state);
  }

  #hangUp() {
    const line = this.#line;
    this.#line = null;
    this.#open = false;
    line?.hangUp();
    if (line) this.#options.told("over");
  }

  #fault(fault) {
    const code = fault?.code || fault?.name;
    const unheard = NO_MICROPHONE.has(code) || NO_MICROPHONE.has(fault?.name);
    if (this.#open && !unheard) {
      this.#options.troubled(String(fault?.message ?? ""));
      return;
    }
    const offer = this.#offer;
    const known = this.#tries > TRIES;
    this.#tries = TRIES + 1; // no more of this call
    this.#hangUp();
    if (known) return; // the carrier tells one fault in several ways
    this.#options.failed(offer, unheard ? "microphone" : fault?.message === "missing" ? "missing" : "failed");
  }
}
