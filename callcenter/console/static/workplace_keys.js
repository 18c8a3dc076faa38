// The keys of the workplace: letters with Alt, and alone the digits of the script and « ? ».

const help = document.getElementById("touches");
const opener = document.getElementById("aide");

// Which letter stands on which key of this keyboard, where the browser says so; and the letters that stand on the same key
// of French, English and German ones, where it does not. Other layouts (BÉPO, Dvorak) have others there: what cannot be
// undone, « U » and « X », is done by a letter that the browser says alone.
let layout = new Map();
navigator.keyboard?.getLayoutMap?.().then(
  (map) => (layout = map),
  () => {},
);
const EVERYWHERE = /^Key([HNRV])$/;

// The letter that is pressed. With Option, macOS writes another sign (« å », « æ », a dead key): the key says which it was.
// Where one writes, that sign is what was meant.
const letter = (event) => {
  if (/^[!-~]$/.test(event.key)) return event.key.toLowerCase();
  if (event.key.length > 1 && event.key !== "Dead") return "";
  if (isTyped(event.target)) return "";
  return layout.get(event.code) ?? EVERYWHERE.exec(event.code)?.[1].toLowerCase() ?? "";
};

const isTyped = (target) => target.matches?.("textarea, select, input:not([type=radio]):not([type=checkbox])");

// `shortcuts`: the box that switches them off. `script`: is asked about keys without Alt.
export const keys = (shortcuts, script) => {
  document.addEventListener("keydown", (event) => {
    if (!shortcuts.checked || event.repeat || event.defaultPrevented || help.open) return;
    if (pressed(event, script)) event.preventDefault();
  });
};

const pressed = (event, script) => {
  if (!event.altKey) {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || isTyped(event.target)) return script.key(event);
    help.showModal();
    return true;
  }
  if (event.ctrlKey || event.metaKey) return false;
  const found = document.querySelector(`[data-key="${CSS.escape(letter(event))}"]`);
  if (!found || found.hidden || found.disabled) return false;
  if (isTyped(found)) found.focus();
  else found.click();
  return true;
};

opener.hidden = false;
opener.addEventListener("click", () => help.showModal());
