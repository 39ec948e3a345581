import { downloadMatrix } from "../../../gpu/matrix.ts";
import { noiseBackward } from "../../../gpu/ops/mixture/noise.ts";
import { Domain } from "../../../gpu/random.ts";
import type { Tensor } from "../../../gpu/tensor.ts";
import { matricesOf, type Trainable } from "../../../model/transformer/params.ts";
import type { Model } from "../../../model/transformer/transformer.ts";
import { type Action, packBatch, type ScoredGroup } from "../../../rl/packed_batch.ts";
import type { UpdateBatch } from "../peers/jax_js_layout.ts";
import { openTimed, type TimedProcess } from "./timed_process.ts";

/** An update as the other library is told of it. */
export interface PeerUpdate {
  groups: readonly ScoredGroup[];
  /** [rollouts, steps, d]: the thoughts. */
  hidden: Tensor;
  tau: number;
  sigma: number;
  /** On every action's weight. */
  scale: number;
  seed: number;
  step: number;
}

/** How far the other library's gradient is from ours. */
export interface Agreement {
  /** Largest over all weights of |theirs - ours| / |ours|, Euclidean norms of a matrix. */
  gradient: number;
  /** |theirs - ours| / |ours| of the answers' part of the objective. */
  answers: number;
}

/** jax-js in a process of its own, with the same weights and the same rollouts. */
export interface JaxJs extends TimedProcess {
  /** Compares one gradient, before the first update: with ours in `grads`, and with ln pi of our answers' tokens. */
  agreement(grads: Trainable, answers: Float32Array): Promise<Agreement>;
}

/** weight eps / sigma of every action [actions, d]: the gradient of its ln pi on its mixture, from the recorded noise. */
async function directions(
  { gpu, config }: Model,
  actions: readonly Action[],
  { sigma, seed, step }: PeerUpdate,
): Promise<Float32Array<ArrayBuffer>> {
  using scratch = gpu.arena.scratch();
  const weights = scratch.f32([actions.length], "weights");
  const info = scratch.u32([actions.length, 4], "info");
  const out = scratch.f32([actions.length, config.hiddenSize], "directions");
  gpu.commands.upload(weights, Float32Array.from(actions, ({ weight }) => weight));
  const words = actions.flatMap(({ rollout, position }) => [0, rollout, 0, position]);
  gpu.commands.upload(info, Uint32Array.from(words));
  noiseBackward(gpu, weights, sigma, { info, shift: 0, key: { seed, step, domain: Domain.noise } }, out);
  return new Float32Array(await gpu.reader.read(out));
}

/** The rollouts' lengths, tokens and weights. */
const batchOf = ({ config }: Model, { groups, hidden, tau, scale }: PeerUpdate): UpdateBatch => ({
  config,
  tau,
  steps: hidden.shape[1],
  groups: groups.map(({ prompt, rollouts }) => ({
    prompt,
    rollouts: rollouts.map(({ thinking, forced, answer, advantage }) => ({
      thinking: thinking.length,
      forced,
      answer,
      weight: -advantage * scale,
    })),
  })),
});

/**
 * Starts it.
 *
 * @param device `webgpu`, or `wasm` for its other backend
 * @throws Error if the model is not a plain Llama with tied embeddings
 */
export async function openJaxJs(model: Model, update: PeerUpdate, device: string): Promise<JaxJs> {
  const { gpu, config, params } = model;
  if (!config.tied || config.qkvBias || config.qkNorm) {
    throw new Error(
      "Cannot run jax-js: its model here has tied embeddings and neither biases nor head norms",
    );
  }
  const folder = Deno.makeTempDirSync({ prefix: "jax-js-" });
  const { thinking, answer } = packBatch(update.groups, {
    continuous: true,
    steps: update.hidden.shape[1],
    scale: update.scale,
    thinkingWeight: 1,
    tileRows: gpu.subgroupSize,
  });
  Deno.writeTextFileSync(`${folder}/batch.json`, JSON.stringify(batchOf(model, update)));
  const write = (name: string, numbers: Float32Array<ArrayBuffer>) =>
    Deno.writeFileSync(`${folder}/${name}`, new Uint8Array(numbers.buffer), { append: true });
  write("hidden.f32", new Float32Array(await gpu.reader.read(update.hidden)));
  write("directions.f32", await directions(model, thinking, update));
  for (const matrix of matricesOf(params)) write("weights.f32", await downloadMatrix(gpu, matrix));
  const settings = new URL("../peers/deno.json", import.meta.url).pathname;
  const process = await openTimed(
    [Deno.execPath(), "run", "-A", "--config", settings],
    "peers/jax_js_update.ts",
    [folder, device],
  );
  return {
    seconds: (request) => process.seconds(request),
    async agreement(grads, logProbabilities) {
      await process.seconds("gradient");
      const theirs = new Float32Array(Deno.readFileSync(`${folder}/gradient.f32`).buffer);
      const value = JSON.parse(Deno.readTextFileSync(`${folder}/gradient.json`)).answers;
      let [at, gradient] = [0, 0];
      for (const matrix of matricesOf(grads)) {
        const ours = await downloadMatrix(gpu, matrix);
        let [difference, size] = [0, 0];
        for (const value of ours) {
          difference += (theirs[at++] - value) ** 2;
          size += value ** 2;
        }
        gradient = Math.max(gradient, Math.sqrt(difference / size));
      }
      if (at !== theirs.length) throw new Error(`Cannot compare: ${theirs.length} numbers for ${at}`);
      const ours = answer.reduce((sum, { weight }, i) => sum + weight * logProbabilities[i], 0);
      return { gradient, answers: Math.abs(value / ours - 1) };
    },
    close() {
      process.close();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}
