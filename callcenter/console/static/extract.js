// A file that is given arrives beside the page; then the page says that it was given, and what of it is on record.
// Without this script the file arrives as well, and the page says so once it is loaded again.

import { fetched } from "./workplace_parts.js";

const form = document.getElementById("remise");
const told = document.getElementById("reseau");
const NAME = /filename="([^"]+)"/;

let plain = false; // what came was no file: the browser sends the form itself, and shows the page that answers

const save = async (answer, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};

const show = async () => {
  const next = await fetched(form.dataset.after, undefined, "contenu");
  if (!(next instanceof Element)) return location.assign(form.dataset.after);
  const shown = document.importNode(next, true);
  document.getElementById("contenu").replaceWith(shown);
  shown.focus();
};

form?.addEventListener("submit", async (event) => {
  if (plain) {
    plain = false;
    return;
  }
  event.preventDefault();
  if (form.getAttribute("aria-busy") === "true") return;
  form.setAttribute("aria-busy", "true");
  const { submitter } = event;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, submitter)) });
    const name = NAME.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
    if (name) {
      await save(answer, name);
      await show();
    } else {
      form.removeAttribute("aria-busy");
      plain = true;
      form.requestSubmit(submitter);
    }
  } catch {
    form.removeAttribute("aria-busy");
    told.textContent = told.dataset.lost;
  }
});
