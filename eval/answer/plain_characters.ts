/** Characters that say the same as plainer ones: other scripts' digits, wide forms, signs of maths, nothing at all. */

/** Zeros of the decimal digits that answers are written with in other scripts; each is followed by its nine. */
const ZEROS = [
  0x660,
  0x6f0,
  0x7c0,
  0x966,
  0x9e6,
  0xa66,
  0xae6,
  0xb66,
  0xbe6,
  0xc66,
  0xce6,
  0xd66,
  0xe50,
  0xed0,
  0xf20,
  0x1040,
  0x17e0,
  0x1810,
];

const DIGITS = new Map(
  ZEROS.flatMap((zero) => Array.from({ length: 10 }, (_, k) => [String.fromCodePoint(zero + k), String(k)])),
);

/** Marks that are seen as others, and marks of other scripts. */
const MARKS = new Map(Object.entries({
  "\u3000": " ",
  "、": ",",
  "。": ". ",
  "،": ",",
  "٫": ".",
  "٬": ",",
  "٪": "%",
  "।": ". ",
  "۔": ". ",
  "⁄": "/",
  "∶": ":",
  "∣": "|",
  "˚": "°",
  "∘": "°",
  "⋯": "…",
  "‐": "-",
  "‑": "-",
  "‒": "-",
  "―": "-",
  "﹣": "-",
  "➖": "-",
  "＋": "+",
  "✕": "×",
  "✖": "×",
  "∙": "·",
  "″": "''",
  "‴": "'''",
  "ʹ": "'",
  "｡": ". ",
}));

/** Characters that are not seen: soft hyphens, zero-width spaces and joiners, marks of direction, variation selectors. */
const UNSEEN =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]/g;

/**
 * The text in plainer characters: unseen ones are dropped; digits of all scripts, full-width forms, letters and digits in
 * mathematical faces become ASCII. Sentences in other languages stay as they are.
 */
export function plainCharacters(text: string): string {
  if (!/[\u0080-\uffff]/.test(text)) return text;
  return text.replace(UNSEEN, "")
    .replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(/[\u{1d400}-\u{1d7ff}\u3371-\u33df\u2103\u2109\u2126\u212a]/gu, (c) => c.normalize("NFKC"))
    .replace(/[\u0080-\uffff]/g, (c) => DIGITS.get(c) ?? MARKS.get(c) ?? c);
}

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ";
const RAISED_PLAIN = "0123456789+-()ni";
const LOWERED = "₀₁₂₃₄₅₆₇₈₉₊₋₍₎";

const plainOf = (script: string, text: string): string =>
  [...text].map((c) => RAISED_PLAIN[[...script].indexOf(c)]).join("");

const RAISED_RUN = new RegExp(`[${RAISED}]+`, "g");
const LOWERED_RUN = new RegExp(`[${LOWERED}]+`, "g");

/** Raised and lowered digits as LaTeX: m² is m^{2}, a₁₂ is a_{12}. */
export const levelCharacters = (text: string): string =>
  text.replace(RAISED_RUN, (run) => `^{${plainOf(RAISED, run)}}`)
    .replace(LOWERED_RUN, (run) => `_{${plainOf(LOWERED, run)}}`);
