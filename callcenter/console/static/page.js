// What every page does besides: it says when the network is gone, sends nothing then that would be lost with the page that
// held it, and sends a form once however often its button is pressed.

const told = document.getElementById("reseau");
const { lost, kept, back } = told.dataset;
const BUSY = 10_000; // milliseconds after which a form that came to nothing may be sent again

// A machine without a network may well reach a console of its own: only asking tells.
const reached = async () => {
  try {
    const signal = AbortSignal.timeout(5_000);
    return (await fetch(told.dataset.probe, { method: "HEAD", cache: "no-store", signal })).ok;
  } catch {
    return false;
  }
};

// A page that follows events of its own says it in its own words.
const own = document.getElementById("liaison");

addEventListener("offline", async () => {
  if (!own && !(await reached())) told.textContent = lost;
});
addEventListener("online", () => {
  if (!told.textContent) return;
  told.textContent = back;
  setTimeout(() => {
    if (told.textContent === back) told.textContent = "";
  }, BUSY);
});

const free = (form) => form.removeAttribute("aria-busy");
const busy = (form) => {
  form.setAttribute("aria-busy", "true");
  setTimeout(free, BUSY, form);
};

const sure = new WeakSet();
const written = (form) => [...form.querySelectorAll("textarea")].some((area) => area.value.trim() !== "");

// At the window, which hears of it last: a script of the page may have taken the form for itself.
addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented) return;
  if (sure.delete(form)) return;
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  busy(form);
  if (navigator.onLine && !written(form)) return;
  event.preventDefault();
  if (await reached()) {
    sure.add(form);
    form.requestSubmit(submitter);
  } else {
    free(form);
    told.textContent = kept;
  }
});
// Whoever comes back to the page finds its forms free.
addEventListener("pageshow", () => document.querySelectorAll("form[aria-busy]").forEach(free));
