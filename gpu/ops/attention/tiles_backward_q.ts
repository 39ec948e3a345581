import { lines, xyzw } from "../wgsl/text.ts";
import { type AttentionDevice, type AttentionShape, header } from "./shape.ts";
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

/** Backward to Q, and the row sums delta = dO . O that the backward to K and V needs. Same tiles as the forward. */
export function tilesBackwardQ(shape: AttentionShape, device: AttentionDevice, count: 1 | 2): string {
  const { headDim: dims } = shape;
  const { keys, k, v } = keyBlock(shape, device);
  const all = (make: (item: number) => string) => lines(count, make);
  const [q, g, acc] = [loaded("q"), loaded("g"), sumsOf("acc")];
  return `${header(shape, device.subgroup)}
${queryBindings(shape, device)}
@group(0) @binding(6) var<storage, read> out: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> lse: array<f32>;
@group(0) @binding(8) var<storage, read> dout: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> dq: array<vec4<f32>>;
@group(0) @binding(10) var<storage, read_write> delta: array<f32>; // [rows, heads]
${tileMain(count)}
${queryRows(count)}
${
    all((i) =>
      `  let lse${i} = lse[i${i}]; var delta${i} = 0.0;
${
        lines(dims / 4, (c) =>
          `  let q${i}_${c} = q[i${i} * HQ + ${c}u] * p.scale; let g${i}_${c} = dout[i${i} * HQ + ${c}u];
  let o${i}_${c} = out[i${i} * HQ + ${c}u];
${
            xyzw.map((e) => `  delta${i} = fma(g${i}_${c}.${e}, o${i}_${c}.${e}, delta${i});`).join("\n")
          }`)
      }
${declareSums(acc, i, dims)}`
    )
  }
  for (var j = 0u; j <= last; j += ${keys}u) {
${k.load}
${v.load}
${dots(count, keys, dims, (i, j) => `s${i}_${j}`, q, k.value)}
${dots(count, keys, dims, (i, j) => `t${i}_${j}`, g, v.value)}
${
    all((i) =>
      lines(keys, (j) =>
        `    let d${i}_${j} = select(0.0, exp(s${i}_${j} - lse${i}) * (t${i}_${j} - delta${i}), j + ${j}u <= position${i});`)
    )
  }
${
    lines(dims, (d) =>
      lines(keys, (j) => `    let k${j}_${d} = ${k.value(j, d)};`) + "\n" +
      all((i) => lines(keys, (j) => `    ${acc(i, d)} = fma(d${i}_${j}, k${j}_${d}, ${acc(i, d)});`)))
  }
  }
${
    all((i) =>
      `  if (lane + ${i}u * S < count) {
${lines(dims / 4, (c) => `    dq[i${i} * HQ + ${c}u] = ${vec4Of(acc, i, c)} * p.scale;`)}
    delta[i${i}] = delta${i};
  }`
    )
  }
}`;
}
