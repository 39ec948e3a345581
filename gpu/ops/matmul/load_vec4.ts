import { xyzw } from "../wgsl/text.ts";
import { INTERLEAVE, PANEL_BITS, weightIndex } from "../../panels.ts";
import {
  BLOCK,
  isQuantised,
  type QuantType,
  SCALE_AT,
  scaleFactor,
  scaleIndex,
  unpackWeight,
} from "../../quantised.ts";
import type { Aligned, BType, Product } from "./variant.ts";

const vec4s = (make: (e: number) => string): string => xyzw.map((_, e) => make(e)).join(" ");

/** WGSL that makes A's vector in `value` of what is loaded there, from vector `index` of a: terms from `at` on of row `line`. */
type MadeA = (value: string, index: string, line: string, at: string) => string;

/**
 * WGSL of `loadA4(line, at)` and `loadB4(line, at)`: four elements that lie side by side in memory, from `at` on (a multiple of
 * 4), zeros past the ends. Lines are rows of A (`tn`: terms), rows of W, which are columns of C (`nt`) or terms (`nn`), or terms
 * of B (`tn`). Declares bindings 1, 2 and, of quantised weights, 4. The same bits as every other way to read them.
 * @param madeA where A is not read as it stands; it has to be aligned
 */
export function loadVec4(kind: Product, bType: BType, aligned: Aligned, madeA?: MadeA): string {
  const endsA = kind === "tn" ? ["p.kEnd", "p.m"] : ["p.m", "p.kEnd"];
  const endsB = kind === "nt" ? ["p.n", "p.kEnd"] : ["p.kEnd", "p.n"];
  return `${loadFloats("A", "a", 1, endsA, aligned.a, madeA)}
${
    isQuantised(bType)
      ? loadBlocks(bType, endsB)
      : bType === "f16"
      ? loadHalves(endsB)
      : loadFloats("B", "b", 2, endsB, aligned.b)
  }`;
}

/** A function of line and index that is zero outside. */
const loader = (name: string, [lineEnd, end]: string[], body: string): string => `
fn load${name}4(line: u32, at: u32) -> vec4<f32> {
  var values = vec4<f32>();
  if (line < ${lineEnd} && at < ${end}) {
    ${body}
  }
  return values;
}`;

function loadFloats(
  name: string,
  array: string,
  binding: number,
  ends: string[],
  aligned: boolean,
  made?: MadeA,
): string {
  const start = `p.${array}Off + line * p.ld${array} + at`;
  const body = aligned
    ? `let index = (${start}) >> 2u; values = ${array}[index];${
      made?.("values", "index", "line", "at") ?? ""
    }`
    : `let i = ${start}; ${
      vec4s((e) => `if (at + ${e}u < ${ends[1]}) { values.${xyzw[e]} = ${array}[i + ${e}u]; }`)
    }`;
  return `@group(0) @binding(${binding}) var<storage, read> ${array}: array<${
    aligned ? "vec4<f32>" : "f32"
  }>;${loader(name, ends, body)}`;
}

/** Rows of panels are whole: four weights lie in two words. */
const loadHalves = (ends: string[]): string =>
  `@group(0) @binding(2) var<storage, read> b: array<vec2<u32>>;${
    loader(
      "B",
      ends,
      `let pair = b[(${weightIndex("f16", "line", "at", "p.ldb")}) >> 2u];
    values = vec4<f32>(unpack2x16float(pair.x), unpack2x16float(pair.y));`,
    )
  }`;

/** Rows of blocks are whole: four weights lie in one word and share a scale. */
function loadBlocks(bType: QuantType, ends: string[]): string {
  const perWord = 32 / PANEL_BITS[bType];
  const index = weightIndex(bType, "line", "at", "p.ldb");
  const word = `b[(${index}) / ${perWord}u]${perWord === 8 ? " >> ((at & 4u) * 4u)" : ""}`;
  const unpacked = xyzw.map((_, e) => unpackWeight(bType, ["word"], e, "scale", "minimum"));
  const minimum = bType === "q4_1" ? ` let minimum = scaleAt(i + ${INTERLEAVE}u);` : "";
  return `@group(0) @binding(2) var<storage, read> b: array<u32>;
${SCALE_AT}${
    loader(
      "B",
      ends,
      `let word = ${word}; let i = ${scaleIndex(bType, "line", `at / ${BLOCK}u`, "p.ldb")};
    let scale = scaleAt(i)${scaleFactor(bType)};${minimum}
    values = vec4<f32>(${unpacked.join(", ")});`,
    )
  }`;
}
