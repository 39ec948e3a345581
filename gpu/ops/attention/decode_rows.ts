import { lines, xyzw } from "../wgsl/text.ts";
import { headArray, headLoads, loadHead } from "./load_heads.ts";
import { type AttentionDevice, type AttentionShape, blockOf, header } from "./shape.ts";
import { sumOfWeights } from "./sum_of_weights.ts";

/** Decoding, one invocation a row and head: where heads share no keys, lanes are filled best so. */
export function rowsForward(shape: AttentionShape, device: AttentionDevice): string {
  const loads = headLoads(shape, device);
  const { vec4s } = loads;
  const block = blockOf(shape.headDim).keys;
  return `${header(shape, device.subgroup)}
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: ${headArray(loads)};
@group(0) @binding(3) var<storage, read> v: ${headArray(loads)};
@group(0) @binding(4) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (wg.y * n.x + wg.x) * S + lane;
  let row = i / p.heads;
  if (row >= p.rows) { return; }
  let head = i % p.heads;
  let m = rowMeta[row];
  let position = m.w + p.shift;
  let kvHead = head / GROUP;
${lines(vec4s, (c) => `  let q${c} = q[i * HQ + ${c}u] * p.scale; var acc${c} = vec4<f32>();`)}
  var rowMax = -3.0e38;
  var sum = 0.0;
  for (var j = 0u; j <= position; j += ${block}u) {
${
    lines(block, (j) =>
      `    let at${j} = keyRow(m, min(j + ${j}u, position)) * p.kvHeads + kvHead;\n` +
      loadHead(`k${j}_`, "k", `at${j}`, loads) + "\n" +
      dot(`s${j}`, vec4s, (c) => `q${c}`, (c) => `k${j}_${c}`) + "\n" +
      loadHead(`v${j}_`, "v", `at${j}`, loads))
  }
${softmaxBlock(block, vec4s, (j, c) => `v${j}_${c}`)}
  }
  let inverse = 1.0 / sum;
${lines(vec4s, (c) => `  out[i * HQ + ${c}u] = acc${c} * inverse;`)}
}`;
}

/** Dot product of two heads, one chain of fma over ascending dimensions. */
const dot = (result: string, vec4s: number, a: (c: number) => string, b: (c: number) => string): string =>
  `    var ${result} = 0.0;\n` +
  lines(
    vec4s,
    (c) => xyzw.map((e) => `    ${result} = fma(${a(c)}.${e}, ${b(c)}.${e}, ${result});`).join("\n"),
  );

/** One block of the online softmax: scores s0, s1, ... of positions j, j+1, ..., values through `value(key, vector)`. */
function softmaxBlock(block: number, vec4s: number, value: (j: number, c: number) => string): string {
  return `
    var newMax = rowMax;
${lines(block, (j) => `    let in${j} = j + ${j}u <= position; if (in${j}) { newMax = max(newMax, s${j}); }`)}
    let rescale = exp(rowMax - newMax);
${
    lines(block, (j) =>
      `    let w${j} = select(0.0, exp(s${j} - newMax), in${j}); ${
        sumOfWeights("sum", "rescale", `w${j}`, j)
      }`)
  }
${
    lines(vec4s, (c) =>
      xyzw.map((e) =>
        `    acc${c}.${e} = acc${c}.${e} * rescale;\n` + lines(block, (j) =>
          `    acc${c}.${e} = fma(w${j}, ${value(j, c)}.${e}, acc${c}.${e});`)
      )
        .join("\n"))
  }
    rowMax = newMax;`;
}
