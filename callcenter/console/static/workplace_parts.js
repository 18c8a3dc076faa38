// How everything stands, as the server shows it: fetched, and put in the place of what stood there.
//
// It is fetched as a document. Nothing on this page makes markup of a text (Trusted Types forbid it), and what arrives
// so runs nothing.

export class Unreachable extends Error {}

// Resolves to the part; to `OVER` where the session is over, so that another address answered; to null for any other page.
export const OVER = Symbol("over");
export const fetched = (address, form, id = "poste") =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(form ? "POST" : "GET", address);
    request.responseType = "document";
    request.timeout = 10_000;
    request.onload = () => {
      const part = request.response?.getElementById(id);
      if (part) resolve(part);
      else if (request.status >= 500 || request.status === 0) reject(new Unreachable());
      else if (new URL(request.responseURL).pathname !== new URL(address, location).pathname) resolve(OVER);
      else resolve(null);
    };
    request.onerror = request.ontimeout = () => reject(new Unreachable());
    request.send(form ? new URLSearchParams(form) : null);
  });

const slots = (part) => [...part.querySelectorAll("[data-slot]")];

// A clock that runs is no change, and neither is what somebody types and the server has kept.
const still = (slot) => {
  const copy = slot.cloneNode(true);
  for (const time of copy.querySelectorAll("time")) time.textContent = "";
  for (const timer of copy.querySelectorAll(".timer")) timer.removeAttribute("data-pace");
  for (const field of copy.querySelectorAll("[data-typed]")) {
    if (field.type === "radio") field.removeAttribute("checked");
    else if (field.matches("textarea")) field.textContent = "";
    else if (field.matches("input")) field.removeAttribute("value");
    for (const option of field.options ?? []) option.removeAttribute("selected");
  }
  return copy;
};

// What was typed in another window, where nobody types here.
const adopt = (old, next) => {
  for (const typed of next.querySelectorAll("input[data-typed]:not([type=radio]), textarea[data-typed]")) {
    const own = document.getElementById(typed.id);
    if (!own || !old.contains(own)) continue;
    const untouched = own.value === own.defaultValue && own !== document.activeElement;
    own.defaultValue = typed.defaultValue;
    if (untouched) own.value = typed.defaultValue;
  }
};

let shown = new Map();

export const remember = (part) => {
  shown = new Map(slots(part).map((slot) => [slot.dataset.slot, still(slot)]));
};

// At the top of the page: whether the ledger is sealed in time, as the part says it.
const banner = document.getElementById("scellement");
const tellSealing = (behind) => {
  if (banner.hidden !== behind) return; // as it was: said once
  banner.hidden = !behind;
  banner.textContent = behind ? banner.dataset.words : "";
};

// Puts `next` in the place of `part`, slot by slot; what has not changed stays, with its focus.
export const merge = (part, next) => {
  for (const name of part.getAttributeNames()) if (name.startsWith("data-") && !next.hasAttribute(name)) part.removeAttribute(name);
  for (const { name, value } of next.attributes) if (name.startsWith("data-")) part.setAttribute(name, value);
  tellSealing(next.dataset.behind === "1");
  const changed = [];
  for (const slot of slots(next)) {
    const { slot: name } = slot.dataset;
    const bare = still(slot);
    const old = part.querySelector(`[data-slot="${name}"]`);
    if (shown.get(name)?.isEqualNode(bare)) {
      adopt(old, slot);
      continue;
    }
    shown.set(name, bare);
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const fresh = document.importNode(slot, true);
    old.replaceWith(fresh);
    changed.push(name);
    if (focused) (document.getElementById(focused.id) ?? heading(fresh))?.focus();
  }
  return changed;
};

// Whoever stood on a button that is gone goes on from where it was.
const heading = (slot) => {
  const found = slot.querySelector("h2, .problems");
  found?.setAttribute("tabindex", "-1");
  return found;
};

const words = (milliseconds) => {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

// How a clock stands, as the server says it too (`console.workplace.pace`).
const pace = (seconds, { soon, late }, runsDown) => {
  const passed = (limit) => (runsDown ? seconds <= Number(limit) : seconds >= Number(limit));
  return passed(late) ? "late" : passed(soon) ? "soon" : "";
};

// Lets the clocks run. Returns whether one that runs down has come to its end.
export const run = (part, now) => {
  let ended = false;
  for (const time of part.querySelectorAll("time")) {
    const { since, until } = time.dataset;
    const left = until ? Number(until) - now : now - Number(since);
    if (until && left <= 0) ended = true;
    time.textContent = words(left);
    const timer = time.closest(".timer");
    if (timer) timer.dataset.pace = pace(Math.floor(left / 1000), timer.dataset, Boolean(until));
  }
  return ended;
};
