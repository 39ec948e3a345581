/** Adapters with known weights, and what they must do, in plain f64. */
import type { Gpu } from "../../../gpu/gpu.ts";
import {
  type Adapter,
  addAdapter,
  type LoraSettings,
  refreshAdapter,
  scaleOf,
} from "../../../model/transformer/adapter.ts";
import type { Model } from "../../../model/transformer/transformer.ts";
import { random32 } from "../../gpu/support.ts";
import { downloadNamed, uploadNamed } from "./named_weights.ts";

/** What PEFT calls A and B of a projection, and the weight's own name. */
export const named = (weight: string): [a: string, b: string] => {
  const prefix = `base_model.model.${weight.replace(/\.weight$/, "")}`;
  return [`${prefix}.lora_A.weight`, `${prefix}.lora_B.weight`];
};

/** Gives a model an adapter whose A and B are both random, as after some training. */
export async function randomAdapter(model: Model, settings: LoraSettings, seed: number): Promise<Adapter> {
  const { gpu, config } = model;
  const adapter = addAdapter(model, settings, seed);
  const values = await downloadNamed(gpu, config, adapter.params);
  let stream = seed * 1000;
  for (const [name, array] of values) {
    if (name.endsWith("lora_B.weight")) array.set(random32(stream++, array.length, 0.1));
  }
  uploadNamed(gpu, config, adapter.params, values);
  refreshAdapter(gpu, adapter);
  return adapter;
}

/** scale x y as [n, m], a sum over k; `at` says where the factors lie. */
function product(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  [n, k, m]: [number, number, number],
  at: { x: (i: number, l: number) => number; y: (l: number, j: number) => number },
  scale: number,
): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += x[at.x(i, l)] * y[at.y(l, j)];
      out[i * m + j] = scale * sum;
    }
  }
  return out;
}

/** All weights with s B A added, in f64, by Hugging Face name. */
export async function mergedWeights(model: Model): Promise<Map<string, ArrayLike<number>>> {
  const { gpu, config, params, adapter } = model;
  const weights = new Map<string, ArrayLike<number>>(await downloadNamed(gpu, config, params));
  const lora = await downloadNamed(gpu, config, adapter!.params);
  const { rank } = adapter!.settings;
  const scale = scaleOf(adapter!.settings);
  for (const [name, weight] of weights) {
    const [a, b] = named(name).map((key) => lora.get(key));
    if (!a || !b) continue;
    const [outputs, inputs] = [b.length / rank, a.length / rank];
    const place = { x: (i: number, l: number) => i * rank + l, y: (l: number, j: number) => l * inputs + j };
    const update = product(b, a, [outputs, rank, inputs], place, scale);
    weights.set(name, update.map((value, i) => value + weight[i]));
  }
  return weights;
}

/**
 * The gradients of A and B that follow from those of the whole weights, in f64: dA = s B^T dW and dB = s dW A^T, since
 * the adapted weight is W + s B A.
 */
export async function expectedGradients(
  gpu: Gpu,
  { config, adapter }: Model,
  gradients: ReadonlyMap<string, ArrayLike<number>>,
): Promise<Map<string, Float64Array>> {
  const lora = await downloadNamed(gpu, config, adapter!.params);
  const { rank } = adapter!.settings;
  const scale = scaleOf(adapter!.settings);
  const expected = new Map<string, Float64Array>();
  for (const [name, dw] of gradients) {
    const [nameA, nameB] = named(name);
    const [a, b] = [lora.get(nameA), lora.get(nameB)];
    if (!a || !b) continue;
    const [outputs, inputs] = [b.length / rank, a.length / rank];
    const w = (i: number, j: number) => i * inputs + j;
    const places = {
      a: { x: (r: number, i: number) => i * rank + r, y: w },
      b: { x: w, y: (j: number, r: number) => r * inputs + j },
    };
    expected.set(nameA, product(b, dw, [rank, outputs, inputs], places.a, scale));
    expected.set(nameB, product(dw, a, [outputs, inputs, rank], places.b, scale));
  }
  return expected;
}
