// The workplace, alive: it looks when it is told to, shows what the server says, rings, speaks, and sends forms.

import { ScriptOnPage } from "./script.js";
import { Softphone } from "./softphone.js";
import { link } from "./workplace_link.js";
import { OVER, fetched, merge, remember, run } from "./workplace_parts.js";
import { keys } from "./workplace_keys.js";
import { ring } from "./workplace_ring.js";

const part = document.getElementById("poste");
const telephone = document.getElementById("telephone");
const said = telephone.dataset;
const [announced, alerted, lost] = ["annonce", "alerte", "liaison"].map((id) => document.getElementById(id));
const [sound, shortcuts, notify] = ["sonnerie", "raccourcis", "prevenir"].map((id) => document.getElementById(id));
const state = document.getElementById("telephone-etat");
const title = document.title;

const script = new ScriptOnPage(part, announced);

let skew = Number(part.dataset.now) - Date.now();
let touched = true; // somebody has been at the page since it looked last
let muted = false;
let speaking = "";

// --- what the reader has chosen, kept by this browser

for (const [box, name] of [[sound, "sonnerie"], [shortcuts, "raccourcis"]]) {
  box.checked = localStorage.getItem(name) !== "non";
  box.addEventListener("change", () => {
    localStorage.setItem(name, box.checked ? "oui" : "non");
    show([]);
  });
}
if ("Notification" in window && Notification.permission === "default") {
  notify.hidden = false;
  notify.addEventListener("click", async () => {
    notify.hidden = (await Notification.requestPermission()) !== "default";
  });
}
for (const touch of ["pointerdown", "keydown", "pointermove"]) {
  addEventListener(touch, () => { touched = true; }, { passive: true });
}

// --- speaking

const proof = () => {
  const field = part.querySelector("input[type=hidden]") ?? document.querySelector(".top input[type=hidden]");
  return { [field.name]: field.value };
};

const softphone = said.kind
  ? new Softphone(said, () => proof(), {
      told(word) {
        speaking = word === "over" ? "" : word;
        if (word !== "open") muted = false;
        showSpeaking();
        if (word === "over") look();
      },
      failed(offer, why) {
        speaking = "";
        showSpeaking({ microphone: said.noMicrophone, missing: said.missing }[why] ?? said.failed);
        if (offer) giveBack(said.giveBack.replace("{call}", offer));
      },
      troubled: (words) => showSpeaking(words),
    })
  : null;

const apart = () => (part.dataset.typing ? said.typing : part.dataset.held ? said.held : said.open);

const showSpeaking = (trouble) => {
  if (!state) return;
  const words = { connecting: said.connecting, open: muted ? said.muted : apart() };
  state.textContent = trouble ?? words[speaking] ?? said.ready;
  state.className = trouble ? "wrong-words" : "";
  const button = document.getElementById("muet");
  if (!button) return;
  button.hidden = speaking !== "open";
  button.setAttribute("aria-pressed", String(muted));
  button.textContent = muted ? button.dataset.unmute : button.dataset.mute;
};

const mute = () => {
  muted = !muted;
  softphone.mute(muted);
  showSpeaking();
};

addEventListener("beforeunload", (event) => {
  if (speaking !== "open") return;
  event.preventDefault();
  event.returnValue = said.leaving;
});

// --- showing

const show = (changed) => {
  const { ring: offer, talk, alert, status, there, asked, callback } = part.dataset;
  if (alerted.textContent !== alert) alerted.textContent = alert;
  if (announced.textContent !== status) announced.textContent = status;
  const word = there || (alert === "" ? "" : asked ? said.consulted : callback ? said.callback : said.ringing);
  ring((offer !== "" || there !== "") && sound.checked);
  document.title = word ? `${word} – ${title}` : title;
  const isNew = changed.includes(there ? "toujours-la" : "appel");
  if (word && isNew && document.hidden && window.Notification?.permission === "granted") {
    new Notification(word, { tag: "callcenter" });
  }
  softphone?.follow(talk ?? "");
  showSpeaking(state?.className ? state.textContent : undefined);
};

const arrived = (next, own = false) => {
  if (next === OVER || !next) {
    if (next === OVER) location.assign(said.over);
    else location.reload(); // a page that was left open over a new sign-in
    return;
  }
  skew = Number(next.dataset.now) - Date.now();
  script.comes();
  show(merge(part, next));
  script.shown(own);
  reached(true);
};

const reached = (well) => {
  if (well && !lost.hidden) script.reached();
  lost.hidden = well;
  lost.textContent = well ? "" : lost.dataset.words;
};

// --- looking

const RETRY = 2_000; // milliseconds after a look that came to nothing

let looking = null;
let again = false;
let retrying = null;

const look = async () => {
  if (looking) {
    again = true;
    return;
  }
  clearTimeout(retrying);
  const present = touched || speaking === "open" || part.dataset.busy === "1";
  touched = false;
  looking = fetched(`${said.state}?present=${present ? 1 : 0}`);
  try {
    arrived(await looking);
  } catch {
    touched ||= present;
    reached(false);
    retrying = setTimeout(look, RETRY);
  } finally {
    looking = null;
  }
  if (again) {
    again = false;
    look();
  }
};

let looked = 0;
setInterval(() => {
  script.tick(Date.now() + skew);
  // What runs down has come to its end: the server knows what follows, a moment later.
  if (run(part, Date.now() + skew) && Date.now() - looked > 2_000) {
    looked = Date.now();
    look();
  }
}, 500);

// --- acting

const sending = new Set();

const tellNotSent = () => {
  alerted.textContent = said.notSent;
  state?.replaceChildren(said.notSent);
};

const giveBack = async (address) => {
  if (!(await sendTo(address))) tellNotSent();
};

// Resolves to whether it has arrived.
const sendTo = async (address, fields = {}, own = false) => {
  const click = `${address} ${fields.document ?? ""}`; // of a script: of which screen
  if (sending.has(click)) return true; // two clicks are one
  sending.add(click);
  touched = true;
  try {
    arrived(await fetched(address, { ...proof(), ...fields, [said.part]: "1" }), own);
    return true;
  } catch {
    reached(false);
    return false;
  } finally {
    sending.delete(click);
  }
};

document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (!form.matches("[data-act]")) return;
  event.preventDefault();
  const own = form.matches("[data-script]");
  const button = submitter ?? form.querySelector("button");
  if (own) script.leaves(form);
  if (await sendTo(form.getAttribute("action"), Object.fromEntries(new FormData(form, button)), own)) return;
  if (own) script.unsent(form, button);
  else tellNotSent();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("#muet")) mute();
});

keys(shortcuts, script);

remember(part);
show([]);
link(said.news, look);
document.documentElement.dataset.ready = "";
