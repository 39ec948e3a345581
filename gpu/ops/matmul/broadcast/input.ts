import { lines, range } from "../../wgsl/text.ts";
import { arrayOf, loadWords } from "../../wgsl/load_words.ts";
import type { Input } from "../variant.ts";

/** What is done beside the loads of A to make it from them: declarations, once for each load, and each turn. */
export interface Making {
  declare: string;
  setUp: (l: number) => string;
  load: (l: number, at: string) => { text: string; value: (loaded: string, e: number) => string };
}

/** A made from its {@link Input} by the arithmetic of rms_norm.wgsl and swiglu.ts, to the bit; `rows` of a tile, `unit` words a load. */
export function makingOf(
  input: Input,
  rows: number,
  unit: number,
  perLine: number,
  subgroup: number,
  u64: boolean,
  binding: number,
): Making {
  const numbers = ({ text, words }: { text: string; words: string[] }) => ({
    text,
    at: (e: number) => `bitcast<f32>(${words[e]})`,
  });
  if (input === "gated") {
    return {
      declare: "",
      setUp: () => "",
      load(l, at) {
        const up = numbers(loadWords(`up${l}`, "a", `${at} + p.k / ${unit}u`, unit, unit, u64));
        return { text: up.text, value: (gate, e) => `${gate} / (1.0 + exp(-${gate})) * ${up.at(e)}` };
      },
    };
  }
  const declare = `
@group(0) @binding(${binding}) var<storage, read> x: array<vec4<f32>>; // A again
@group(0) @binding(${binding + 1}) var<storage, read> weight: ${arrayOf(unit, u64)};
fn rinvOf(row: u32, lane: u32) -> f32 {
  let width = p.k / 4u;
  let first = (p.aOff + min(row, p.m - 1u) * p.lda) / 4u;
  var sum = 0.0;
  for (var c = lane; c < width; c += ${subgroup}u) {
    let v = x[first + c];
    let squares = v * v;
    sum += (squares.x + squares.y) + (squares.z + squares.w);
  }
  return 1.0 / sqrt(subgroupAdd(sum) / f32(p.k) + ${input.normed});
}`;
  return {
    declare,
    setUp(l) {
      const all = l > 0 ? "" : lines(rows, (i) => `  let rinv${i} = rinvOf(row0 + ${i}u, lane);`);
      const own = range(rows - 1).reduce(
        (chosen, i) => `select(${chosen}, rinv${i + 1}, i${l} / ${perLine}u >= ${i + 1}u)`,
        "rinv0",
      );
      return `${all}\n  let rinvOf${l} = ${own};`;
    },
    load(l, _) {
      const at = `k / ${unit}u + i${l} % ${perLine}u`;
      const weight = numbers(loadWords(`weight${l}`, "weight", at, unit, unit, u64));
      return { text: weight.text, value: (x, e) => `${x} * rinvOf${l} * ${weight.at(e)}` };
    },
  };
}
