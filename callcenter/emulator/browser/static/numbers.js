// Telephone numbers as people in France write them.

/** As the network takes it: 06 39 98 00 01 becomes +33639980001; what is no number stays as it is. */
export function network(text) {
  const plain = text.replace(/[\s.\-()\u00a0\u202f]/g, "");
  if (/^0[1-9]\d{8}$/.test(plain)) return `+33${plain.slice(1)}`;
  if (/^00[1-9]\d{5,13}$/.test(plain)) return `+${plain.slice(2)}`;
  return plain;
}

/** As one reads it. */
export function readable(number) {
  if (/^\+33[1-9]\d{8}$/.test(number)) return `0${number.slice(3)}`.replace(/(\d\d)(?=\d)/g, "$1\u00a0");
  return number;
}

const CODE = /(?<![\d+/:.,-]|\d[ \u00a0\u202f])(\d{3}[ \u00a0\u202f]\d{3}|\d{4,8})(?![\d/:]|[ \u00a0\u202f]\d)/g;

/** The codes that a text message seems to hold, as keys. */
export function codes(body) {
  return [...new Set([...body.matchAll(CODE)].map((found) => found[1].replace(/\D/g, "")))];
}

/** 482913 as 482 913. */
export function grouped(code) {
  return code.length === 6 ? `${code.slice(0, 3)}\u202f${code.slice(3)}` : code;
}

export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
