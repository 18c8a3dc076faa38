// Goes through a call again, moment by moment: by time, or by keys. Without it the list stands there whole.
// Nothing is fetched and nothing is kept.

const player = document.getElementById("lecteur");
const moments = [...document.querySelectorAll("#deroule > li")];
const play = player.querySelector('[data-act="play"]');
const place = document.getElementById("ou");
const progress = document.getElementById("avance");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

// Milliseconds: no gap is shorter, and none that is a silence is longer, whatever the pace.
const LEAST = 400;
const SILENCE = 2000;

let at = -1; // the moment that is shown last; -1: all of them are
let timer = 0;

function show(number) {
  at = Math.max(0, Math.min(number, moments.length - 1));
  moments.forEach((moment, index) => {
    moment.hidden = index > at;
    if (index === at) moment.setAttribute("aria-current", "step");
    else moment.removeAttribute("aria-current");
  });
  moments[at].scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
  progress.value = at + 1;
  const title = moments[at].querySelector("strong").textContent;
  const where = player.dataset.place.replace("{at}", at + 1).replace("{all}", moments.length);
  place.textContent = `${where} : ${title}` + (at === moments.length - 1 ? ` ${player.dataset.end}` : "");
}

function showAll() {
  stop();
  at = -1;
  for (const moment of moments) {
    moment.hidden = false;
    moment.removeAttribute("aria-current");
  }
  progress.value = 0;
  place.textContent = "";
}

function stop() {
  clearTimeout(timer);
  timer = 0;
  play.textContent = player.dataset.play;
}

function gap() {
  const real = Number(moments[at + 1].dataset.after) - Number(moments[at].dataset.after);
  const silence = document.getElementById("silences").checked ? Math.min(real, SILENCE) : real;
  return Math.max(LEAST, silence / Number(document.getElementById("vitesse").value));
}

function go() {
  if (at >= moments.length - 1) return stop();
  timer = setTimeout(() => {
    show(at + 1);
    go();
  }, gap());
}

function toggle() {
  if (timer) return stop();
  show(at < 0 || at === moments.length - 1 ? 0 : at);
  play.textContent = player.dataset.pause;
  go();
}

function step(to) {
  stop();
  show(to);
}

const acts = {
  first: () => step(0),
  back: () => step(at < 0 ? 0 : at - 1),
  next: () => step(at + 1),
  all: showAll,
  play: toggle,
};
const keys = {
  ArrowRight: acts.next,
  ArrowLeft: acts.back,
  Home: acts.first,
  End: () => step(moments.length - 1),
};

if (moments.length) {
  player.hidden = false;
  player.addEventListener("click", (event) => acts[event.target.dataset.act]?.());
  player.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey || event.target.matches("select")) return;
    event.preventDefault();
    act();
  });
  document.documentElement.dataset.ready = "";
}
