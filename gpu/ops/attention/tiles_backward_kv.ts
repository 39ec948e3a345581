import { lines, xyzw } from "../wgsl/text.ts";
import { broadcastHeads, headArray, headLoads } from "./load_heads.ts";
import { type AttentionDevice, type AttentionShape, blockOf, header } from "./shape.ts";
import { declareSums, dots, loaded, rowOf, sumsOf, tileMain, vec4Of } from "./tile_code.ts";

/**
 * Backward to K and V: lanes are the keys of a tile, and the loop runs over all rows that look at them: from the
 * tile's first row to `end`, the end of the sequence, or of the whole group for the keys of a shared prompt.
 * One dispatch takes `span` of them after `skip`, and adds to what the ones before left.
 */
export function tilesBackwardKV(shape: AttentionShape, device: AttentionDevice, count: 1 | 2): string {
  const { headDim: dims } = shape;
  const loads = headLoads(shape, device);
  const { rows } = blockOf(dims);
  const { subgroup } = device;
  const ofRow = (name: string, j: number) =>
    `subgroupBroadcast(${name}${Math.floor(j / subgroup)}, ${j % subgroup}u)`;
  const all = (make: (item: number) => string) => lines(count, make);
  const address = (row: string) => `min(r + ${row}, end - 1u) * p.heads + h`;
  // Their scale is that of the scores, and of what dK sums.
  const q = broadcastHeads("qq", "q", rows, loads, address, "p.scale");
  const g = broadcastHeads("gg", "dout", rows, loads, address);
  const [k, v, dk, dv] = [loaded("k"), loaded("v"), sumsOf("dk"), sumsOf("dv")];
  return `${header(shape, device.subgroup)}
@group(0) @binding(1) var<storage, read> q: ${headArray(loads)};
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> dout: ${headArray(loads)};
@group(0) @binding(7) var<storage, read> delta: array<f32>;
@group(0) @binding(8) var<storage, read_write> dk: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> dv: array<vec4<f32>>;
${tileMain(count)}
  let begin = first + p.skip;
  let end = min(whole.z, begin + p.span);
  if (begin >= end) { return; }
${
    all((i) =>
      `  let key${i} = ${rowOf(i)}; let at${i} = (key${i} * p.kvHeads + wg.y) * HQ;
${lines(dims / 4, (c) => `  let k${i}_${c} = k[at${i} + ${c}u]; let v${i}_${c} = v[at${i} + ${c}u];`)}
${declareSums(dk, i, dims)}
${declareSums(dv, i, dims)}
  if (p.skip > 0u) {
${
        lines(dims, (d) =>
          `    ${dk(i, d)} = dk[at${i} + ${d >> 2}u].${xyzw[d % 4]}; ${dv(i, d)} = dv[at${i} + ${d >> 2}u].${
            xyzw[d % 4]
          };`)
      }
  }`
    )
  }
  for (var h = wg.y * GROUP; h < (wg.y + 1u) * GROUP; h++) {
    for (var r = begin; r < end; r += ${rows}u) {
${q.load}
${g.load}
${
    // A lane a row; several where the block has more rows than the subgroup has lanes.
    lines(
      Math.ceil(rows / subgroup),
      (l) =>
        `      let index${l} = min(r + min(${l * subgroup}u + lane, ${rows - 1}u), end - 1u) * p.heads + h;
      let lseLane${l} = lse[index${l}]; let deltaLane${l} = delta[index${l}];`,
    )}
${dots(count, rows, dims, (i, j) => `s${i}_${j}`, k, q.value)}
${dots(count, rows, dims, (i, j) => `t${i}_${j}`, v, g.value)}
${
    lines(rows, (j) =>
      `      let lse${j} = ${ofRow("lseLane", j)}; let delta${j} = ${ofRow("deltaLane", j)};\n` +
      all((i) =>
        `      let w${i}_${j} = select(0.0, exp(s${i}_${j} - lse${j}), r + ${j}u >= key${i} && r + ${j}u < end);
      let d${i}_${j} = w${i}_${j} * (t${i}_${j} - delta${j});`
      ))
  }
${
    lines(dims, (d) =>
      lines(rows, (j) =>
        `      let q${j}_${d} = ${q.value(j, d)}; let g${j}_${d} = ${g.value(j, d)};`) +
      "\n" +
      all((i) =>
        lines(rows, (j) => `      ${dk(i, d)} = fma(d${i}_${j}, q${j}_${d}, ${dk(i, d)});`) + "\n" +
        lines(rows, (j) => `      ${dv(i, d)} = fma(w${i}_${j}, g${j}_${d}, ${dv(i, d)});`)
      ))
  }
    }
  }
${
    all((i) =>
      `  if (lane + ${i}u * S < count) {
${
        lines(dims / 4, (c) =>
          `    dk[at${i} + ${c}u] = ${vec4Of(dk, i, c)}; dv[at${i} + ${c}u] = ${vec4Of(dv, i, c)};`)
      }
  }`
    )
  }
}`;
}
