// The computer's keyboard as that of the active telephone.
const KEYS = /^[0-9*#]$/;
const TYPED_INTO = "input:not([type=checkbox]), textarea, select, [contenteditable]";
const ACTED_ON = "button, a, summary, input, select, textarea, audio";

/** The telephone key of a keyboard event, or null; the top row of a French keyboard gives digits without Shift too. */
export function keyOf(event) {
  const alternate = event.getModifierState("AltGraph");
  if ((event.ctrlKey || event.altKey || event.metaKey) && !alternate) return null;
  if (KEYS.test(event.key)) return event.key;
  const digit = /^Digit([0-9])$/.exec(event.code);
  return digit && !event.shiftKey && !alternate ? digit[1] : null;
}

export function listen(rack) {
  document.addEventListener("keydown", (event) => {
    const telephone = rack.active;
    if (!telephone || event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const on = event.target instanceof Element ? event.target : document.body;
    if (event.key === "Escape") {
      telephone.stop();
    } else if (on.closest(TYPED_INTO)) {
      return;
    } else if (event.key === "Enter") {
      if (!on.closest(ACTED_ON) && !event.repeat) telephone.go();
    } else if (keyOf(event) !== null) {
      event.preventDefault();
      telephone.press(keyOf(event));
    }
  });
}
