import { lines, range } from "../wgsl/text.ts";
import { declareMerged, mergeSplit } from "./merge_splits.ts";
import { type AttentionDevice, type AttentionShape, header } from "./shape.ts";
import { sumOfWeights } from "./sum_of_weights.ts";
import {
  declareSums,
  dots,
  keyBlock,
  loaded,
  queryBindings,
  queryRows,
  sumsOf,
  tileMain,
  vec4Of,
} from "./tile_code.ts";

/** Forward, one subgroup a tile of rows of one sequence, `count` rows a lane: their keys are loaded once and broadcast. */
export function tilesForward(shape: AttentionShape, device: AttentionDevice, count: 1 | 2): string {
  const { headDim: dims } = shape;
  const { keys, k, v } = keyBlock(shape, device);
  const all = (make: (item: number) => string) => lines(count, make);
  const [q, acc] = [loaded("q"), sumsOf("acc")];
  const { split } = device;
  const names = (i: number) => range(dims).map((d) => acc(i, d));
  const [max, sum] = split ? ["mergedMax", "mergedSum"] : ["rowMax", "sum"];
  const result = split ? sumsOf("merged") : acc;
  return `${header(shape, device.subgroup)}
${queryBindings(shape, device)}
@group(0) @binding(6) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> lse: array<f32>;
${tileMain(count)}
${queryRows(count)}
${
    all((i) =>
      `  var rowMax${i} = -3.0e38; var sum${i} = 0.0;
${lines(dims / 4, (c) => `  let q${i}_${c} = q[i${i} * HQ + ${c}u] * p.scale;`)}
${declareSums(acc, i, dims)}${split ? `\n${declareMerged(String(i), names(i))}` : ""}`
    )
  }
  var j = 0u;
${split ? `  while (j <= last) {\n  let end = min(last, j + ${split - 1}u);` : "  let end = last;"}
  for (; j <= end; j += ${keys}u) {
${k.load}
${v.load}
${dots(count, keys, dims, (i, j) => `s${i}_${j}`, q, k.value)}
${all((i) => softmaxBlock(i, keys))}
${
    lines(dims, (d) =>
      lines(keys, (j) => `    let v${j}_${d} = ${v.value(j, d)};`) + "\n" +
      all((i) =>
        `    ${acc(i, d)} = ${acc(i, d)} * rescale${i};\n` +
        lines(keys, (j) => `    ${acc(i, d)} = fma(w${i}_${j}, v${j}_${d}, ${acc(i, d)});`)
      ))
  }
  }
${split ? all((i) => mergeSplit(String(i), names(i))) + "\n  }" : ""}
${
    all((i) =>
      `  if (lane + ${i}u * S < count) {
    let inverse = 1.0 / ${sum}${i};
${lines(dims / 4, (c) => `    out[i${i} * HQ + ${c}u] = ${vec4Of(result, i, c)} * inverse;`)}
    lse[i${i}] = ${max}${i} + log(${sum}${i});
  }`
    )
  }
}`;
}

/** One block of the online softmax of the lane's row i: weights w{i}_{j} of its keys, and the factor of what is summed. */
const softmaxBlock = (i: number, keys: number): string =>
  lines(keys, (j) => `    let in${i}_${j} = j + ${j}u <= position${i};`) + `
    var newMax${i} = rowMax${i};
${lines(keys, (j) => `    newMax${i} = select(newMax${i}, max(newMax${i}, s${i}_${j}), in${i}_${j});`)}
    let rescale${i} = exp(rowMax${i} - newMax${i});
${
    lines(
      keys,
      (j) =>
        `    let w${i}_${j} = select(0.0, exp(s${i}_${j} - newMax${i}), in${i}_${j}); ${
          sumOfWeights(`sum${i}`, `rescale${i}`, `w${i}_${j}`, j)
        }`,
    )
  }
    rowMax${i} = newMax${i};`;
