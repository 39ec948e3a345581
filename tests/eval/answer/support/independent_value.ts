/**
 * The numbers that an answer says, by another reader of LaTeX (that of `@cortex-js/compute-engine`, which the checker asks
 * for digits alone) and none of the checker's code. Letters have values that no answer can know.
 */
import { ComputeEngine } from "@cortex-js/compute-engine";
import { random } from "./data_sets.ts";

const GREEK = "alpha beta gamma delta theta lambda mu rho sigma tau phi omega".split(" ");

const engine = new ComputeEngine();
const next = random(4711);
for (const name of "abcdfghjklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".split("").concat(GREEK)) {
  try {
    engine.assign(name, 1 + Math.round(next() * 1e6) / 5e5);
  } catch {
    // C, N and some others are names of the engine's own: answers with them are not decided.
  }
}

/** A row of numbers with what stands between them. */
interface Said {
  numbers: { re: number; im: number }[];
  /** brackets of a tuple, an interval, a set; empty for lists, whose order means nothing */
  shape: string;
}

/** Whether two answers say other numbers: null where that cannot be told. */
export function differInValue(a: string, b: string): boolean | null {
  const [x, y] = [said(a), said(b)];
  if (!x || !y || x.shape !== y.shape || x.numbers.length !== y.numbers.length) return null;
  const inOrder = x.shape !== "" && !x.shape.startsWith("{");
  const sorted = (s: Said) => inOrder ? s.numbers : [...s.numbers].sort((p, q) => p.re - q.re || p.im - q.im);
  const [p, q] = [sorted(x), sorted(y)];
  return p.some((z, k) => {
    const size = Math.max(Math.hypot(z.re, z.im), Math.hypot(q[k].re, q[k].im));
    return Math.hypot(z.re - q[k].re, z.im - q[k].im) > 1e-9 * size;
  });
}

function said(text: string): Said | null {
  // Degrees of temperature, which are no product with C.
  if (
    /\\text\{[^{}]*\b(?:for|where)\b|\\mathrm\{[~\s]*\}|[°℃℉]|\\circ\s*\}?\s*(?:\\[a-z]+\s*\{)?\s*[CF]/.test(
      text,
    )
  ) return null;
  let s = text.normalize("NFKC").replace(/[\u200b$]|\\left|\\right|\\[!,;: /]|\\q?quad|~/g, " ").replace(
    /π/g,
    "\\pi ",
  ).replace(/[−–]/g, "-")
    .replace(/\\(?:text|mathrm|mbox|textbf|textnormal)\s*\{[^{}]*\}(?:\^\{?[23]\}?)?/g, " ").replace(
      /\{\s*,\s*\}/g,
      "",
    ).replace(/\\d?frac(?=\d)/g, "\\frac ")
    .replace(/\\[dt]frac/g, "\\frac").replace(
      /(?<![\\A-Za-z])(sqrt|pi|sin|cos|tan|sec|csc|cot|log|ln|exp|alpha|beta|gamma|theta|phi|lambda)(?![a-z])/g,
      "\\$1 ",
    ).replace(/\^(\d\d+)/g, "^{$1}").trim().replace(/[.\s]+$/, "");
  if (
    /[<>]|\\(?:le|ge|ne|in|cup|cap|pm|mp|approx|begin|equiv|mid|lfloor|lceil)(?![A-Za-z])|[%:;|&"'_?]|\\\\|\\\{|[A-Za-z]{5}(?<!\\\w+)/
      .test(s)
  ) return null;
  // Degrees count where something turns by them.
  if (!/\\(?:sin|cos|tan|sec|csc|cot)/.test(s)) s = s.replace(/\^\{?\\circ\}?/g, "");
  if (s.includes("=")) s = s.slice(s.lastIndexOf("=") + 1).trim();
  if (/(?<![\d,])\d{1,3}(?:,\d{3})+(?![\d,])/.test(s) && !/[([]/.test(s)) {
    s = s.replace(/(\d),(?=\d{3})/g, "$1");
  }
  const shape = /^([([])(.*)([)\]])$/.exec(s);
  const whole = shape && closesAtEnd(s);
  const parts = topLevel(whole ? shape![2] : s);
  const kind = whole && parts.length > 1 ? shape![1] + shape![3] : "";
  const numbers = parts.map(numberOf);
  return numbers.every((n) => n !== null) ? { numbers: numbers as Said["numbers"], shape: kind } : null;
}

/** True if the bracket at the start closes with the last character. */
function closesAtEnd(s: string): boolean {
  let depth = 0;
  for (let k = 0; k < s.length; k++) {
    if ("([{".includes(s[k])) depth++;
    else if (")]}".includes(s[k]) && --depth === 0) return k === s.length - 1;
  }
  return false;
}

function topLevel(s: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const c of s) {
    if ("([{".includes(c)) depth++;
    else if (")]}".includes(c)) depth--;
    if (c === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += c;
  }
  return parts;
}

/** What the engine makes of it; nothing where it gives up. */
function valueOf(text: string): unknown {
  try {
    return engine.parse(text).N().json;
  } catch {
    return null;
  }
}

function numberOf(text: string): { re: number; im: number } | null {
  // Two numbers side by side, and signs in a row, are read in more than one way.
  if (text.trim() === "" || /\d\s+\d|[-+*\/]\s*[-+*\/]|\^\s*[-+]|\d\s*\\frac|\}\s*\d/.test(text)) return null;
  const json = valueOf(text);
  if (typeof json === "number") return Number.isFinite(json) ? { re: json, im: 0 } : null;
  if (Array.isArray(json) && json[0] === "Complex") {
    const [re, im] = json.slice(1).map((x) =>
      typeof x === "object" ? Number((x as { num: string }).num) : Number(x)
    );
    return Number.isFinite(re) && Number.isFinite(im) ? { re, im } : null;
  }
  const num = typeof json === "object" && json !== null && "num" in json
    ? Number((json as { num: string }).num)
    : NaN;
  return Number.isFinite(num) ? { re: num, im: 0 } : null;
}
