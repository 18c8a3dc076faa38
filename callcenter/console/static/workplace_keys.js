// The keys of the workplace: letters with Alt, and alone the digits of the script and « ? ».

const help = document.getElementById("touches");
const opener = document.getElementById("aide");

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
  const found = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!found || found.hidden || found.disabled) return false;
  if (isTyped(found)) found.focus();
  else found.click();
  return true;
};

opener.hidden = false;
opener.addEventListener("click", () => help.showModal());
