import { lines, xyzw } from "../../wgsl/text.ts";
import { loadWords } from "../../wgsl/load_words.ts";
import { INTERLEAVE } from "../../../panels.ts";
import { type QuantType, scaleFactor, scaleIndex } from "../../../quantised.ts";

/** Words of a load of `count` rows' scales. */
export function scaleUnit(bType: QuantType, count: number, u64: boolean): number {
  const words = Math.min(count, INTERLEAVE) / 2 * (bType === "q4_1" && count >= INTERLEAVE ? 2 : 1);
  return Math.min(words, u64 ? 8 : 4);
}

/**
 * WGSL that loads scales (and minima) of `count` rows of W that follow one another from `row` on, in one block of columns;
 * `suffix` tells blocks of a k-step apart. Eight rows' scales lie side by side their minima behind them: one load takes both.
 */
export function scaleLoads(
  bType: QuantType,
  count: number,
  row: string,
  block: string,
  u64: boolean,
  suffix = "",
): string {
  const unit = scaleUnit(bType, count, u64);
  const each = Math.min(count, INTERLEAVE);
  const half = (words: string[], i: number) => `unpack2x16float(${words[i >> 1]}).${xyzw[i & 1]}`;
  return lines(count / each, (g) => {
    const at = `(${scaleIndex(bType, g === 0 ? row : `${row} + ${g * each}u`, block, "p.ldb")}) / ${
      unit * 2
    }u`;
    const load = (name: string, index: string, halves: number) =>
      loadWords(`${name}${suffix}${g}w`, "s", index, halves / 2, unit, u64);
    const withMinima = bType === "q4_1" && each === INTERLEAVE;
    const scales = load("scale", at, withMinima ? 2 * each : each);
    const minima = bType !== "q4_1" || withMinima
      ? undefined
      : load("min", `${at} + ${INTERLEAVE / unit / 2}u`, each);
    const minimum = (i: number) => withMinima ? half(scales.words, INTERLEAVE + i) : half(minima!.words, i);
    const one = (i: number) => {
      const name = `${suffix}${g * each + i}`;
      const min = bType === "q4_1" ? ` let min${name} = ${minimum(i)};` : "";
      return `    let scale${name} = ${half(scales.words, i)}${scaleFactor(bType)};${min}`;
    };
    return `${scales.text}\n${minima ? `${minima.text}\n` : ""}${lines(each, one)}`;
  });
}
