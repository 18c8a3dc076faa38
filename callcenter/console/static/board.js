// The board, alive: it looks when it is told to, never more often than every five seconds, and shows what the server says.

import { link } from "./workplace_link.js";
import { OVER, fetched, merge, remember } from "./workplace_parts.js";

const PACE = 5_000; // milliseconds between two looks at least
const AT_LEAST = 20_000; // and at most, whatever the stream says

const part = document.getElementById("tableau");
const { state, news, over } = document.getElementById("liens").dataset;
const lost = document.getElementById("liaison");

let looked = Date.now();
let waiting = null;

const reached = (well) => {
  lost.hidden = well;
  lost.textContent = well ? "" : lost.dataset.words;
};

const look = async () => {
  waiting = null;
  looked = Date.now();
  try {
    const next = await fetched(state, undefined, "tableau");
    if (next === OVER) location.assign(over);
    else if (!next) location.reload();
    else merge(part, next);
    reached(true);
  } catch {
    reached(false);
  }
};

const soon = () => {
  waiting ??= setTimeout(look, Math.max(0, looked + PACE - Date.now()));
};

remember(part);
link(news, soon);
setInterval(() => {
  if (Date.now() - looked > AT_LEAST) soon();
}, 1_000);
document.documentElement.dataset.ready = "";
