import type { Gpu } from "../../gpu/gpu.ts";
import { createMatrix, type Matrix } from "../../gpu/matrix.ts";
import { matmulNN, matmulNT, matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import { rmsNorm, rmsNormBackward } from "../../gpu/ops/norm/rms_norm.ts";
import { swiglu, swigluBackward } from "../../gpu/ops/elementwise/swiglu.ts";
import { adamW } from "../../gpu/ops/adamw/adamw.ts";
import { gather } from "../../gpu/ops/gather/gather.ts";
import { attentionBackward, attentionTiles } from "../../gpu/ops/attention/tiles.ts";
import { attentionRows } from "../../gpu/ops/attention/decode.ts";
import { copyAll, multiplyAdds } from "../../gpu/device/peaks.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { attentionFlops } from "../../model/transformer/flops.ts";
import { packRows, uploadLayout } from "../../model/transformer/packing.ts";
import { qkvWidth } from "../../model/transformer/params.ts";
import { constantRate } from "./constant_rate.ts";
import type { Measurement } from "./measure.ts";

/** What the device can do at most, measured: everything else is told as a share of it. */
export function peakMeasurements(gpu: Gpu): Measurement[] {
  const out = gpu.arena.create([16384], "f32", "peak");
  const floats = Math.min(16 * 2 ** 20, gpu.maxBinding / 4);
  const [x, y] = ["from", "to"].map((name) => gpu.arena.create([floats], "f32", name));
  return [
    {
      name: "multiply-adds",
      run: () => void multiplyAdds(gpu, out, 0.25),
      flops: multiplyAdds(gpu, out, 0.25),
    },
    { name: "copy", run: () => void copyAll(gpu, x, y), bytes: copyAll(gpu, x, y) },
    product(gpu, "nt", 1024, 1024, 1024),
  ];
}

/** Products of the model's own shapes: forward at several numbers of rows, backward at the largest. */
export function productMeasurements(gpu: Gpu, config: ModelConfig): Measurement[] {
  const { hiddenSize: d, intermediateSize: f } = config;
  const shapes = [[qkvWidth(config), d], [2 * f, d], [d, f], [Math.min(config.vocabSize, 16384), d]];
  return shapes.flatMap(([n, k]) => [
    ...[1, 8, 64, 512].map((m) => product(gpu, "nt", m, n, k)),
    ...(["nn", "tn"] as const).map((kind) => product(gpu, kind, 512, n, k)),
  ]);
}

const KINDS = { nt: "x W^T", nn: "dy W", tn: "dy^T x" };

function product(gpu: Gpu, kind: keyof typeof KINDS, m: number, n: number, k: number): Measurement {
  const { create } = gpu.arena;
  const [x, y] = [create([m, k], "f32", "x"), create([m, n], "f32", "y")];
  const w = createMatrix(gpu, n, k, "f32", "w");
  const run = {
    nt: () => matmulNT(gpu, x, w, y),
    nn: () => matmulNN(gpu, y, w, x),
    tn: () => matmulTN(gpu, y, x, w),
  }[kind];
  const bytes = 4 * (m * k + n * k + m * n);
  return { name: `${KINDS[kind]} ${m} x ${k} x ${n}`, run, flops: 2 * m * n * k, bytes };
}

/** The other kernels of a block and of the update, over `rows` rows of the model's width. */
export function kernelMeasurements(gpu: Gpu, config: ModelConfig, rows: number): Measurement[] {
  const { hiddenSize: d, intermediateSize: f, vocabSize } = config;
  const make = (cols: number, name: string) => gpu.arena.create([rows, cols], "f32", name);
  const [x, y, dx, gates, hidden, dgates] = [
    make(d, "x"),
    make(d, "y"),
    make(d, "dx"),
    make(2 * f, "gates"),
    make(f, "hidden"),
    make(2 * f, "dgates"),
  ];
  const [weight, rinv] = [gpu.arena.create([d], "f32", "weight"), gpu.arena.create([rows], "f32", "rinv")];
  const ids = gpu.arena.create([rows], "u32", "ids");
  const matrices = ["weight", "gradient", "first", "second"].map((name) =>
    createMatrix(gpu, Math.min(vocabSize, 8192), d, "f32", name)
  );
  return [
    { name: "RMSNorm", run: () => rmsNorm(gpu, x, weight, y, rinv, 1e-5), bytes: 8 * rows * d },
    {
      name: "RMSNorm backward",
      run: () => rmsNormBackward(gpu, x, weight, rinv, y, dx, false),
      bytes: 12 * rows * d,
    },
    { name: "SwiGLU", run: () => swiglu(gpu, gates, hidden), bytes: 12 * rows * f },
    { name: "SwiGLU backward", run: () => swigluBackward(gpu, gates, hidden, dgates), bytes: 20 * rows * f },
    { name: "embedding rows", run: () => gather(gpu, matrices[0], ids, y), bytes: 8 * rows * d },
    ...attentionMeasurements(gpu, config, rows),
    adamMeasurement(gpu, matrices),
  ];
}

function attentionMeasurements(gpu: Gpu, config: ModelConfig, rows: number): Measurement[] {
  const { heads, kvHeads, headDim } = config;
  const make = (cols: number, name: string) => gpu.arena.create([rows, cols], "f32", name);
  const [q, out, dout, dq] = ["q", "out", "dout", "dq"].map((name) => make(heads * headDim, name));
  const [k, v, dk, dv] = ["k", "v", "dk", "dv"].map((name) => make(kvHeads * headDim, name));
  const lse = make(heads, "lse");
  const packed = packRows(
    [{ rows, prefixStart: 0, prefixLen: 0, ownStart: 0, position: 0 }],
    gpu.subgroupSize,
  );
  // Scratch that is never given back: the layout lives as long as the bench.
  const layout = uploadLayout(gpu, gpu.arena.scratch(), packed);
  const flops = attentionFlops({ ...config, layers: 1 }, 0, rows);
  const kv = { k, v };
  return [
    {
      name: `attention, ${rows} rows`,
      run: () => attentionTiles(gpu, config, q, kv, layout, out, lse),
      flops,
    },
    {
      name: `attention backward, ${rows} rows`,
      run: () => attentionBackward(gpu, config, { q, kv, out, lse }, layout, dout, dq, { k: dk, v: dv }),
      flops: 2 * flops,
    },
    decodeAttention(gpu, config, q, kv, out, rows),
  ];
}

/** 64 rows that each see all keys: one step of decoding. */
function decodeAttention(
  gpu: Gpu,
  config: ModelConfig,
  q: Tensor,
  kv: { k: Tensor; v: Tensor },
  out: Tensor,
  keys: number,
): Measurement {
  const batch = Math.min(64, keys);
  const meta = gpu.arena.create([batch, 4], "u32", "row meta");
  // prefix start and length, start of the own rows, position of the row
  gpu.commands.upload(
    meta,
    Uint32Array.from({ length: batch * 4 }, (_, i) => [0, keys - 1, keys - 1, keys - 1][i % 4]),
  );
  const [qRows, outRows] = [q, out].map((tensor) => ({ ...tensor, shape: [batch, tensor.shape[1]] }));
  return {
    name: `attention of ${batch} decoding rows, ${keys} keys`,
    run: () => attentionRows(gpu, config, qRows, kv, meta, outRows),
    flops: 4 * batch * config.heads * config.headDim * keys,
  };
}

function adamMeasurement(gpu: Gpu, [weight, gradient, first, second]: Matrix[]): Measurement {
  const norm = gpu.arena.create([1], "f32", "norm");
  const settings = { ...constantRate(0), step: 1 };
  return {
    name: "AdamW",
    run: () => adamW(gpu, gradient, norm, weight, first, second, settings),
    bytes: 28 * weight.rows * weight.cols,
  };
}
