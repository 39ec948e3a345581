import type { Gpu } from "../../gpu.ts";
import { run } from "../../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { type Elements, elementsOf } from "../wgsl/elements.ts";

// A subgroup takes `each` rows of SPAN columns: no index is divided by a number that is not a constant.
const overRows = (of: Elements, span: number, bindings: string, body: string) =>
  `${of.prelude}
struct Params { rows: u32, f: u32, each: u32 }
@group(0) @binding(0) var<uniform> p: Params;
${bindings}
const SPAN = ${span}u * S;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let f = p.f / W;
  for (var row = wg.y * p.each; row < min((wg.y + 1u) * p.each, p.rows); row++) {
    for (var c = wg.x * SPAN + lane; c < min((wg.x + 1u) * SPAN, f); c += S) {
      let at = row * 2u * f + c;
${body}
    }
  }
}`;

/** out[r, c] = silu(gate) * up, gate = x[r, c], up = x[r, f + c]. x [rows, 2f]; out [rows, f]. */
const forward = (of: Elements, span: number) =>
  overRows(
    of,
    span,
    `@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read_write> out: array<V>;`,
    `${of.load("gate", "x[at]")}
${of.load("up", "x[at + f]")}
${of.each((i) => `let y${i} = gate${i} / (1.0 + exp(-gate${i})) * up${i};`)}
out[row * f + c] = ${of.join("y")};`,
  );

/** dx[r, c] = dout up s (1 + gate (1 - s)), dx[r, f + c] = dout gate s, s = 1 / (1 + exp(-gate)). x, dx [rows, 2f]; dout [rows, f]. */
const backward = (of: Elements, span: number) =>
  overRows(
    of,
    span,
    `@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> dout: array<V>;
@group(0) @binding(3) var<storage, read_write> dx: array<V>;`,
    `${of.load("gate", "x[at]")}
${of.load("up", "x[at + f]")}
${of.load("g", "dout[row * f + c]")}
${
      of.each((i) =>
        `let s${i} = 1.0 / (1.0 + exp(-gate${i}));
let a${i} = g${i} * up${i} * s${i} * (1.0 + gate${i} * (1.0 - s${i})); let b${i} = g${i} * gate${i} * s${i};`
      )
    }
dx[at] = ${of.join("a")};
dx[at + f] = ${of.join("b")};`,
  );

/** Few rows are spread over many workgroups, many rows go several to one. */
function launch(
  gpu: Gpu,
  name: string,
  code: (of: Elements, span: number) => string,
  tensors: Tensor[],
  rows: number,
  f: number,
): void {
  const of = elementsOf(gpu, f);
  const each = Math.min(64, Math.max(1, Math.floor(rows / 512)));
  const span = of.width === 8 ? 4 : 8;
  const columns = Math.ceil(f / of.width / (span * gpu.subgroupSize));
  run(gpu, { label: of.label(name), code: () => code(of, span) }, tensors, { rows, f, each }, [
    columns,
    Math.ceil(rows / each),
  ]);
}

/** out = silu(gate) * up; x [rows, 2f] holds the gate's columns, then up's; out [rows, f]. */
export function swiglu(gpu: Gpu, x: Tensor, out: Tensor): void {
  const { rows, cols: f } = asMatrix(out);
  expectShape("swiglu", x, [rows, 2 * f]);
  launch(gpu, "swiglu", forward, [x, out], rows, f);
}

/** dx [rows, 2f] = the gradient of {@link swiglu} for dout [rows, f]. */
export function swigluBackward(gpu: Gpu, x: Tensor, dout: Tensor, dx: Tensor): void {
  const { rows, cols: f } = asMatrix(dout);
  expectShape("swiglu_backward", x, [rows, 2 * f]);
  expectShape("swiglu_backward", dx, [rows, 2 * f]);
  launch(gpu, "swiglu_backward", backward, [x, dout, dx], rows, f);
}
