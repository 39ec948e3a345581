import type { Scratch } from "../../gpu/arena.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { gather, type Segments, segmentsOf, segmentSum } from "../../gpu/ops/gather/gather.ts";
import { rmsNormBackward } from "../../gpu/ops/norm/rms_norm.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { type Gradients, vectorOf } from "./params.ts";
import { finalNorm, type Model } from "./transformer.ts";

/** Rows of the final norm that are read, and where they come from: the LM head runs on action rows only. */
interface PickedRows {
  index: Tensor; // u32 [picked]
  segments: Segments;
}

/** Uploads the choice of rows for {@link pickForward} and {@link pickBackward}. One row may be picked several times. */
export function pickRows(gpu: Gpu, scratch: Scratch, index: Uint32Array<ArrayBuffer>): PickedRows {
  const by = segmentsOf(index);
  const upload = (data: Uint32Array<ArrayBuffer>, shape: number[], label: string) => {
    const tensor = scratch.u32(shape, label);
    gpu.commands.upload(tensor, data);
    return tensor;
  };
  return {
    index: upload(index, [index.length], "picked rows"),
    segments: {
      segments: upload(by.segments, [by.segments.length / 4, 4], "segments"),
      list: upload(by.list, [by.list.length], "segment list"),
    },
  };
}

/** The picked rows, final-normed: x [picked, d] unnormed, y [picked, d], rinv [picked]. */
interface HeadInput {
  x: Tensor;
  y: Tensor;
  rinv: Tensor;
}

/** Gathers the picked rows of the last block's output and norms them. */
export function pickForward(model: Model, output: Tensor, picked: PickedRows, scratch: Scratch): HeadInput {
  const count = picked.index.shape[0];
  const d = model.config.hiddenSize;
  const input: HeadInput = {
    x: scratch.f32([count, d], "head x"),
    y: scratch.f32([count, d], "head y"),
    rinv: scratch.f32([count], "head rinv"),
  };
  gather(model.gpu, output, picked.index, input.x);
  finalNorm(model, input.x, input.y, input.rinv);
  return input;
}

/** From dy [picked, d]: the final norm's gradient into `grads` where it trains, and dx [rows, d] += the sum over each row's picks. */
export function pickBackward(
  model: Model,
  input: HeadInput,
  picked: PickedRows,
  dy: Tensor,
  grads: Gradients,
  dx: Tensor,
): void {
  const { gpu } = model;
  using scratch = gpu.arena.scratch();
  const dPicked = scratch.f32(dy.shape, "d picked");
  const weight = vectorOf(model.params.finalNorm);
  const dWeight = grads.finalNorm && vectorOf(grads.finalNorm);
  rmsNormBackward(gpu, input.x, weight, input.rinv, dy, dPicked, false, dWeight);
  segmentSum(gpu, dPicked, picked.segments, dx);
}
