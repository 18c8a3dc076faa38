// The page put together.
import { h, say, setIcon, show, translate } from "./dom.js";
import { Forwardings } from "./forwardings.js";
import { History } from "./history.js";
import { attempt, get } from "./http.js";
import { listen } from "./keyboard.js";
import { Mails } from "./mails.js";
import { Rack } from "./rack.js";
import { Ear, Tones } from "./sound.js";
import { Store, keep, recall } from "./store.js";
import { Voices } from "./voices.js";
import { currentLanguage, setLanguage } from "./words.js";

const THEMES = ["auto", "light", "dark"];

const store = new Store();
const ear = new Ear();
const voices = new Voices(ear);
const rack = new Rack(store, ear, new Tones(ear), voices);
const history = new History(store, rack);
const forwardings = new Forwardings(store);
const mails = new Mails(store);

function views() {
  const buttons = [...document.querySelectorAll("nav.views button")];
  const look = (view) => {
    document.body.dataset.view = view;
    keep("view", view);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    if (view === "forwardings") forwardings.load();
  };
  for (const button of buttons) {
    show(button, button.dataset.view !== "mails" || store.presets.mails);
    button.addEventListener("click", () => look(button.dataset.view));
  }
  const last = recall("view", "phones");
  look(buttons.some((button) => button.dataset.view === last && !button.hidden) ? last : "phones");
}

function languages() {
  const buttons = [...document.querySelectorAll("[data-language]")];
  const use = (language) => {
    setLanguage(language);
    document.documentElement.lang = language;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.language === language));
    translate();
    rack.update();
    history.retell();
  };
  for (const button of buttons) button.addEventListener("click", () => use(button.dataset.language));
  use(currentLanguage());
}

function themes() {
  const button = document.getElementById("theme");
  const use = (theme) => {
    document.documentElement.dataset.theme = theme;
    for (const where of ["label", "title"]) say(button, `theme_${theme}`, where);
    keep("theme", theme);
  };
  const now = () => document.documentElement.dataset.theme;
  button.addEventListener("click", () => use(THEMES[(THEMES.indexOf(now()) + 1) % THEMES.length]));
  use(THEMES.includes(recall("theme")) ? recall("theme") : "auto");
}

function sound() {
  const button = document.getElementById("sound");
  const tell = () => {
    setIcon(button, ear.muted ? "mute" : "sound");
    button.setAttribute("aria-pressed", String(!ear.muted));
    for (const where of ["label", "title"]) say(button, ear.muted ? "sound_off" : "sound_on", where);
  };
  button.addEventListener("click", () => ear.mute(!ear.muted));
  ear.addEventListener("muted", tell);
  tell();
}

function help() {
  const dialog = document.getElementById("help-dialog");
  const row = (keys, words) =>
    h("div", {}, h("dt", {}, ...keys.map((key) => h("kbd", key.length > 1 ? { t: key } : {}, key.length > 1 ? null : key))), h("dd", { t: words }));
  const close = h("button", { type: "button", class: "action green", t: "close", on: { click: () => dialog.close() } });
  dialog.append(
    h("h2", { id: "help-title", t: "help" }),
    h("p", { t: "help_intro" }),
    h("dl", {}, row([..."0123456789*#"], "help_digits"), row(["enter"], "help_enter"), row(["escape"], "help_escape"), row(["tab"], "help_tab")),
    close,
  );
  document.getElementById("help").addEventListener("click", () => dialog.showModal());
}

async function begin() {
  const presets = await attempt(() => get("/presets"));
  if (presets) store.presets = presets;
  help();
  sound();
  themes();
  rack.restore();
  languages();
  views();
  listen(rack);
  store.addEventListener("connection", () => show(document.getElementById("lost"), !store.connected));
  store.addEventListener("snapshot", () => (rack.caughtUp(), history.update(), mails.update()));
  store.addEventListener("call", (event) => (rack.changed(event.detail), history.changed(event.detail)));
  store.addEventListener("message", () => rack.update());
  store.addEventListener("ringing", () => rack.update());
  store.addEventListener("mail", () => mails.update());
  voices.addEventListener("changed", () => rack.update());
  store.connect();
  voices.connect();
  setInterval(() => (rack.tick(), history.tick()), 1000);
  document.documentElement.dataset.ready = "yes";
}

begin();
