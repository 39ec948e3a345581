import { gradientProductsError } from "../../gpu/device/gradient_products_error.ts";
import { testLongLoop, testMatmul, testRandom } from "../../gpu/device/self_test.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { attentionError } from "./attention_error.ts";
import type { Finding } from "./diagnosis.ts";
import { tryModel } from "./try_model.ts";

const UPDATE = "update the device's Vulkan driver; softcot's results cannot be trusted on this one";

/** Tries the kernels on a device. */
export async function tryOut(gpu: Gpu): Promise<Finding[]> {
  return [
    await forwardProduct(gpu, "f32"),
    await forwardProduct(gpu, "f16"),
    within("products of the backward pass", await gradientProductsError(gpu, [48, 192, 321])),
    within("attention of packed rows", await attentionError(gpu)),
    await randomNumbers(gpu),
    await longLoops(gpu),
    await smallModel(gpu),
  ];
}

/** The largest normalised mean squared error of f32 that is rounding. */
const MOST_ERROR = 1e-7;

function within(name: string, error: number, most = MOST_ERROR, right = "right"): Finding {
  return error < most
    ? { name, state: "ok", found: right }
    : { name, state: "missing", found: `error ${error}`, hint: UPDATE };
}

async function forwardProduct(gpu: Gpu, dtype: "f32" | "f16"): Promise<Finding> {
  const { error, gigaflops } = await testMatmul(gpu, dtype);
  const most = dtype === "f32" ? MOST_ERROR : 1e-6;
  const finding = within(`matrix product, ${dtype} weights`, error, most, "right at four sizes");
  return { ...finding, found: `${finding.found}, ${gigaflops.toPrecision(3)} GFLOP/s (512 x 512 x 512)` };
}

async function randomNumbers(gpu: Gpu): Promise<Finding> {
  const name = "random numbers";
  return await testRandom(gpu)
    ? { name, state: "ok", found: "Philox gives its known answers" }
    : { name, state: "missing", found: "Philox gives wrong numbers", hint: UPDATE };
}

async function longLoops(gpu: Gpu): Promise<Finding> {
  const { asked, reached } = await testLongLoop(gpu);
  return reached === asked ? { name: "long loops", state: "ok", found: `${asked} rounds` } : {
    name: "long loops",
    state: "note",
    found: `this driver ends loops after ${reached} rounds in silence; softcot's kernels stay below 32,768`,
  };
}

async function smallModel(gpu: Gpu): Promise<Finding> {
  const name = "small model";
  const { finite, invariant, mismatch } = await tryModel(gpu);
  if (!finite) return { name, state: "missing", found: "its numbers are not finite", hint: UPDATE };
  if (invariant && mismatch === 0) {
    return {
      name,
      state: "ok",
      found: "a rollout is the same to the bit alone, in a batch, and to training",
    };
  }
  const found = invariant
    ? `training finds the numbers of a rollout again to ${
      mismatch.toPrecision(2)
    } alone: mismatch will not be 0`
    : "a rollout depends in its last bits on the batch: runs repeat, but mismatch will not be 0";
  return { name, state: "note", found };
}
