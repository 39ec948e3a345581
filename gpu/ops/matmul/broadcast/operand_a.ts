import { lines } from "../../wgsl/text.ts";
import { loadWords, wordArray } from "../../wgsl/load_words.ts";
import { prologueCode } from "./prologue.ts";
import type { Loads, Product, Prologue, Tile } from "../variant.ts";

/**
 * WGSL by which a kernel reads A: what is done once, what each k-step begins with, and the name of a value in it. In it the
 * lane's load l lies at `pa`{l} before the k-step is added, and gives numbers `av`{l}_{e}.
 */
export interface OperandA {
  declare: string;
  setUp: string;
  step: string;
  /** Of row i and term kk of the k-step. */
  value: (i: number, kk: number) => string;
}

/**
 * A: vectors of rows (along k; `tn`: along the rows of C), one a lane, handed to all by subgroupBroadcast. With `fused` they are
 * made from what is loaded, with the bits of the kernel that would else have made them; its bindings start at `binding`.
 */
export function operandA(
  kind: Product,
  tile: Tile,
  loads: Loads,
  subgroup: number,
  fused?: { prologue: Prologue; binding: number },
): OperandA {
  const { rows, depth } = tile;
  const along = kind === "tn" ? rows : depth;
  const unit = Math.min(loads.a, Math.max(4, along));
  const perLine = Math.ceil(along / unit);
  const vectors = kind === "tn" ? depth * perLine : rows * perLine;
  const count = Math.ceil(vectors / subgroup);
  const prologue = fused &&
    prologueCode(fused.prologue, tile.rows, unit, perLine, subgroup, loads.u64, fused.binding);
  const setUp = lines(count, (l) => {
    // Not i32 for load 32, which would hide the type.
    const index = `  let ia${l} = ${l * subgroup}u + lane;`;
    if (kind !== "tn") {
      return `${index} let pa${l} = (p.aOff + min(row0 + ia${l} / ${perLine}u, p.m - 1u) * p.lda) / ${unit}u + ia${l} % ${perLine}u;`;
    }
    return `${index} let ka${l} = ia${l} / ${perLine}u;
  let pa${l} = (p.aOff + min(row0 + ia${l} % ${perLine}u * ${unit}u, (p.m - 1u) / ${unit}u * ${unit}u)) / ${unit}u;`;
  });
  const step = lines(count, (l) => {
    const at = kind === "tn"
      ? `pa${l} + min(k + ka${l}, lastK) * (p.lda / ${unit}u)`
      : `pa${l} + k / ${unit}u`;
    const { text, words } = loadWords(`a${l}`, "a", at, unit, unit, loads.u64);
    // Terms past the last row are zeros.
    const real = (word: string) =>
      kind === "tn" ? `select(0.0, bitcast<f32>(${word}), k + ka${l} <= lastK)` : `bitcast<f32>(${word})`;
    const also = prologue?.load(l, at);
    const value = (word: string, e: number) => also ? also.value(`bitcast<f32>(${word})`, e) : real(word);
    const values = words.map((word, e) => `    let av${l}_${e} = ${value(word, e)};`).join("\n");
    return `${text}\n${also ? `${also.text}\n` : ""}${values}`;
  });
  return {
    declare: `@group(0) @binding(1) var<storage, read> a: ${wordArray(unit, loads.u64)};${
      prologue?.declare ?? ""
    }`,
    setUp: prologue ? `${setUp}\n${lines(count, prologue.setUp)}` : setUp,
    step,
    value(i, kk) {
      const [line, at] = kind === "tn" ? [kk, i] : [i, kk];
      const vector = line * perLine + Math.floor(at / unit);
      return `subgroupBroadcast(av${Math.floor(vector / subgroup)}_${at % unit}, ${vector % subgroup}u)`;
    },
  };
}
