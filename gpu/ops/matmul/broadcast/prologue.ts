import { lines, range } from "../../wgsl/text.ts";
import { loadWords, wordArray } from "../../wgsl/load_words.ts";
import type { Prologue } from "../variant.ts";

/** WGSL beside the loads of A that makes A from them: declarations, what is done once for each load, and at each k-step. */
interface PrologueCode {
  declare: string;
  setUp: (l: number) => string;
  load: (l: number, at: string) => { text: string; value: (loaded: string, e: number) => string };
}

/**
 * A fused {@link Prologue}: the arithmetic of rms_norm.wgsl and swiglu.ts, to the bit. `rows` of a tile, `unit` words a load,
 * `perLine` loads a row of A; its bindings start at `binding`.
 */
export function prologueCode(
  prologue: Prologue,
  rows: number,
  unit: number,
  perLine: number,
  subgroup: number,
  u64: boolean,
  binding: number,
): PrologueCode {
  return prologue === "swiglu"
    ? swigluPrologue(unit, u64)
    : rmsNormPrologue(prologue.rmsNorm, rows, unit, perLine, subgroup, u64, binding);
}

const numbers = ({ text, words }: { text: string; words: string[] }) => ({
  text,
  at: (e: number) => `bitcast<f32>(${words[e]})`,
});

const swigluPrologue = (unit: number, u64: boolean): PrologueCode => ({
  declare: "",
  setUp: () => "",
  load(l, at) {
    const up = numbers(loadWords(`up${l}`, "a", `${at} + p.k / ${unit}u`, unit, unit, u64));
    return { text: up.text, value: (gate, e) => `${gate} / (1.0 + exp(-${gate})) * ${up.at(e)}` };
  },
});

function rmsNormPrologue(
  eps: number,
  rows: number,
  unit: number,
  perLine: number,
  subgroup: number,
  u64: boolean,
  binding: number,
): PrologueCode {
  const declare = `
@group(0) @binding(${binding}) var<storage, read> x: array<vec4<f32>>; // A again
@group(0) @binding(${binding + 1}) var<storage, read> weight: ${wordArray(unit, u64)};
fn rinvOf(row: u32, lane: u32) -> f32 {
  let width = p.k / 4u;
  let first = (p.aOff + min(row, p.m - 1u) * p.lda) / 4u;
  var sum = 0.0;
  for (var c = lane; c < width; c += ${subgroup}u) {
    let v = x[first + c];
    let squares = v * v;
    sum += (squares.x + squares.y) + (squares.z + squares.w);
  }
  return 1.0 / sqrt(subgroupAdd(sum) / f32(p.k) + ${eps});
}`;
  return {
    declare,
    setUp(l) {
      const all = l > 0 ? "" : lines(rows, (i) => `  let rinv${i} = rinvOf(row0 + ${i}u, lane);`);
      const own = range(rows - 1).reduce(
        (chosen, i) => `select(${chosen}, rinv${i + 1}, ia${l} / ${perLine}u >= ${i + 1}u)`,
        "rinv0",
      );
      return `${all}\n  let rinvOf${l} = ${own};`;
    },
    load(l, _) {
      const at = `k / ${unit}u + ia${l} % ${perLine}u`;
      const weight = numbers(loadWords(`weight${l}`, "weight", at, unit, unit, u64));
      return { text: weight.text, value: (x, e) => `${x} * rinvOf${l} * ${weight.at(e)}` };
    },
  };
}
