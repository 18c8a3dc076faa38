// The workplace, alive: it looks when it is told to, shows what the server says, rings, speaks, and sends forms.

import { Softphone } from "./softphone.js";
import { link } from "./workplace_link.js";
import { OVER, fetched, merge, remember, run } from "./workplace_parts.js";
import { ring } from "./workplace_ring.js";

const part = document.getElementById("poste");
const telephone = document.getElementById("telephone");
const said = telephone.dataset;
const [announced, alerted, lost] = ["annonce", "alerte", "liaison"].map((id) => document.getElementById(id));
const [sound, shortcuts, notify] = ["sonnerie", "raccourcis", "prevenir"].map((id) => document.getElementById(id));
const state = document.getElementById("telephone-etat");
const title = document.title;

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
        if (offer) sendTo(said.giveBack.replace("{call}", offer));
      },
      troubled: (words) => showSpeaking(words),
    })
  : null;

const showSpeaking = (trouble) => {
  if (!state) return;
  const words = { connecting: said.connecting, open: muted ? said.muted : said.open };
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
  const { ring: offer, talk, alert, status, there } = part.dataset;
  if (alerted.textContent !== alert) alerted.textContent = alert;
  if (announced.textContent !== status) announced.textContent = status;
  const word = there || (alert === "" ? "" : said.ringing);
  ring((offer !== "" || there !== "") && sound.checked);
  document.title = word ? `${word} – ${title}` : title;
  const isNew = changed.includes(there ? "toujours-la" : "appel");
  if (word && isNew && document.hidden && window.Notification?.permission === "granted") {
    new Notification(word, { tag: "callcenter" });
  }
  softphone?.follow(talk ?? "");
  showSpeaking(state?.className ? state.textContent : undefined);
};

const arrived = (next) => {
  if (next === OVER || !next) {
    if (next === OVER) location.assign(said.over);
    else location.reload(); // a page that was left open over a new sign-in
    return;
  }
  skew = Number(next.dataset.now) - Date.now();
  reached(true);
  show(merge(part, next));
};

const reached = (well) => {
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
  // What runs down has come to its end: the server knows what follows, a moment later.
  if (run(part, Date.now() + skew) && Date.now() - looked > 2_000) {
    looked = Date.now();
    look();
  }
}, 500);

// --- acting

const sending = new Set();

const sendTo = async (address, fields = {}) => {
  if (sending.has(address)) return; // two clicks are one
  sending.add(address);
  touched = true;
  try {
    arrived(await fetched(address, { ...proof(), ...fields, [said.part]: "1" }));
  } catch {
    reached(false);
    alerted.textContent = said.notSent;
    state?.replaceChildren(said.notSent);
  } finally {
    sending.delete(address);
  }
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-act]")) return;
  event.preventDefault();
  sendTo(form.getAttribute("action"), Object.fromEntries(new FormData(form, event.submitter)));
});

document.addEventListener("click", (event) => {
  if (event.target.closest("#muet")) mute();
});

document.addEventListener("keydown", (event) => {
  if (!shortcuts.checked || !event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
  const button = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!button || button.hidden || button.disabled) return;
  event.preventDefault();
  button.click();
});

remember(part);
show([]);
link(said.news, look);
document.documentElement.dataset.ready = "";
