// What is typed and not sent yet is kept by the server: a moment after the last key, at once when a field is left or the
// page is hidden. Nothing of it is kept by the browser.

const PAUSE = 600; // milliseconds after the last key
const AGAIN = 3_000; // after a try in vain

export class Drafts {
  #form = null;
  #timer = null;
  #busy = false;
  #dirty = false;
  #told;

  // `told(word)` hears `kept`, `waits` (no way to the server) or `passed` (the screen stands no more).
  constructor(told) {
    this.#told = told;
    document.addEventListener("input", ({ target }) => {
      const form = target.closest("form[data-draft]");
      if (!form || !target.matches("[data-typed]")) return;
      this.#form = form;
      this.#dirty = true;
      this.#later(PAUSE);
    });
    document.addEventListener("focusout", ({ target }) => {
      if (target.matches?.("[data-typed]")) this.#now();
    });
    addEventListener("pagehide", () => this.#now(true));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#now(true);
    });
  }

  // The form is sent: what is on its way is no draft any more, and that it comes too late is nobody's concern.
  sent(form) {
    if (form === this.#form) {
      this.#dirty = false;
      this.#form = null;
    }
  }

  // What somebody has typed that the server does not have yet; empty where there is nothing.
  unkept() {
    if (!(this.#dirty || this.#busy) || !this.#form?.isConnected) return "";
    const texts = this.#form.querySelectorAll("textarea[data-typed], input[type=text][data-typed]");
    return [...texts].map((field) => field.value.trim()).filter(Boolean).join("\n");
  }

  // The server can be reached again.
  again() {
    if (this.#dirty) this.#now();
  }

  #later(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#now(), pause);
  }

  // `leaving`: no answer is waited for.
  async #now(leaving = false) {
    clearTimeout(this.#timer);
    const form = this.#form;
    if (!this.#dirty || (this.#busy && !leaving) || !form?.isConnected) return;
    this.#dirty = false;
    this.#busy = true;
    const kept = await save(form);
    this.#busy = false;
    if (!form.isConnected || form !== this.#form) return;
    if (kept === "waits") {
      this.#dirty = true;
      this.#later(AGAIN);
    } else if (this.#dirty) this.#later(PAUSE);
    if (kept !== "kept" || !this.#dirty) this.#told(kept);
  }
}

const save = async (form) => {
  const options = { method: "POST", body: new URLSearchParams(new FormData(form)), keepalive: true, redirect: "manual" };
  try {
    const answer = await fetch(form.dataset.draft, options);
    if (answer.status === 204) return "kept";
    return answer.status >= 500 ? "waits" : "passed";
  } catch {
    return "waits";
  }
};
