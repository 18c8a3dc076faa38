// The telephone of a page, whoever carries the voice. A module of that name gives
//
//   open({token, renew, endpoint, onState, onFault}) → {connect({offer}) → {hangUp(), mute(on), level()}, close()}
//
// `renew` fetches a fresh pass; `onState` is told `connecting`, `open` or `over` of the leg, `onFault` what went wrong
// (`microphone`, or anything else). This one adds that of several windows of one person a single one speaks.

const MODULES = { emulator: "./softphone_emulator.js", twilio: "./softphone_twilio.js" };

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
  #tried = new Map();

  // `told(word)` hears of every state; `failed(offer, fault)` that a call could not be spoken on.
  constructor({ kind, endpoint, pass }, proof, { told, failed }) {
    this.#options = { kind, endpoint, told, failed };
    this.#renew = passFrom(pass, proof);
    alone().then(() => {
      this.#speaks = true;
      this.follow(this.#offer);
    });
  }

  get isOpen() {
    return this.#line !== null;
  }

  // Speak in the talk of this offer, or in none.
  async follow(offer) {
    this.#offer = offer;
    if (!this.#speaks) return;
    if (!offer) {
      this.#line?.hangUp();
      this.#line = null;
    } else if (!this.#line && (this.#tried.get(offer) ?? 0) < 2) {
      this.#tried = new Map([[offer, (this.#tried.get(offer) ?? 0) + 1]]);
      await this.#speak(offer);
    }
  }

  mute(on) {
    this.#line?.mute(on);
  }

  async #speak(offer) {
    this.#line = { hangUp() {}, mute() {} }; // it is being placed: nobody places a second one
    this.#options.told("connecting");
    try {
      this.#phone ??= await this.#opened();
      const line = await this.#phone.connect({ offer });
      if (this.#offer === offer && this.#line) this.#line = line;
      else line.hangUp(); // it was over before it began
    } catch (error) {
      this.#line = null;
      this.#fault(error.name === "NotAllowedError" || error.name === "NotFoundError" ? "microphone" : "failed");
    }
  }

  async #opened() {
    const { open } = await import(MODULES[this.#options.kind]);
    return open({
      token: await this.#renew(),
      renew: this.#renew,
      endpoint: this.#options.endpoint,
      onState: (state) => {
        if (state === "over") this.#line = null;
        this.#options.told(state);
      },
      onFault: (fault) => this.#fault(fault),
    });
  }

  #fault(fault) {
    this.#options.failed(this.#offer, String(fault?.code ?? fault?.name ?? fault));
  }
}
