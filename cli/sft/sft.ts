import { generationEntry } from "../../eval/tasks/open_task.ts";
import { TASKS } from "../../eval/tasks/tasks.ts";
import type { Task } from "../../eval/task.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { downloadMatrix } from "../../gpu/matrix.ts";
import { UserError } from "../../gpu/errors.ts";
import { builtinTokenizer } from "../../model/builtin/builtin_tokenizer.ts";
import { PADDED_VOCAB_SIZE } from "../../model/builtin/words.ts";
import { saveModel } from "../../model/files/save_model.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { findModel } from "../../model/files/find_model.ts";
import { initialise, rootMeanSquare } from "../../model/transformer/initialise.ts";
import { countParams } from "../../model/transformer/params.ts";
import { createModel } from "../../model/transformer/transformer.ts";
import { trainSupervised } from "../../rl/train_supervised.ts";
import { choice, flag, integer, number, text, type Values } from "../settings/setting.ts";
import { defineCommand } from "../settings/define_command.ts";
import { Interrupted, watchInterrupt } from "../terminal/interrupt.ts";
import { flags } from "../settings/flags.ts";
import { createProgress } from "../terminal/progress.ts";
import { isThere } from "../../model/files/on_disk.ts";

const shape = "A new model's shape";
const settings = {
  model: text("Folder of a model to start from; a new model is made if none is given", {
    placeholder: "model",
    short: "m",
  }),
  task: { ...flags.task, description: "Task whose demonstrations are learned: sums or sums-long" },
  out: { ...flags.out, description: "Folder for the model" },
  steps: integer("Updates of the weights", { default: 2400, min: 1 }),
  batch: integer("Demonstrations an update", { default: 64, min: 1 }),
  seed: flags.seed,
  width: integer("Width d of the residual stream, a multiple of 4", { default: 64, min: 4, group: shape }),
  layers: integer("Blocks", { default: 3, min: 1, group: shape }),
  heads: integer("Attention heads", { default: 4, min: 1, group: shape }),
  mlp: integer("Width of the SwiGLU layer", { default: 176, min: 4, group: shape }),
  context: integer("Longest text in tokens", { default: 256, min: 16, group: shape }),
  lr: number("Peak learning rate", { default: 2e-3, min: 0, group: "Optimizer" }),
  warmup: integer("Steps of linear warm-up", { default: 50, min: 0, group: "Optimizer" }),
  finalLr: number("Learning rate at the end, as a share of the peak", {
    default: 0.1,
    min: 0,
    max: 1,
    group: "Optimizer",
  }),
  beta1: flags.beta1,
  beta2: flags.beta2,
  weightDecay: number("AdamW's weight decay", { default: 0.01, min: 0, group: "Optimizer" }),
  clip: flags.clip,
  dtype: choice(["f32", "f16"], "How the weights are written", { default: "f32" }),
  recompute: flag("Keep only each block's input and compute the rest again in the backward pass"),
} as const;

/** `softcot sft`: supervised training on a task's demonstrations. */
export const sftCommand = defineCommand({
  description: `Train a model on a task's demonstrations.

Makes the base model that reinforcement starts from: cross-entropy on the answer part of demonstrations that the task \
writes, each seen once. Without --model a new model of the given shape is made, with the embedded tokenizer.`,
  settings,
  examples: [
    ["The embedded model", "softcot sft --out base --dtype f16"],
    ["A wider one", "softcot sft --width 128 --layers 4 --mlp 352 --out wide"],
  ],
  async run(values, { quiet, print, origins }) {
    const { out, steps } = values;
    if (!out) {
      throw new UserError("Cannot train: there is no place for the model", "name a new folder with --out");
    }
    const task = await demonstratingTask(values.task);
    using watch = watchInterrupt(
      "Stopping after this update, then writing the model. Press Ctrl-C again to stop at once.",
    );
    const gpu = await openGpu();
    try {
      if (values.model) refuseShape(origins);
      const { model, tokenizer } = values.model ? await findModel(gpu, values.model) : newModel(gpu, values);
      claimFolder(out);
      using progress = createProgress({ label: "sft", total: steps, quiet });
      let last = { step: 0, loss: NaN };
      await trainSupervised(model, tokenizer, task, { ...values, eps: 1e-8 }, (step) => {
        last = step;
        progress.update(step.step, { loss: step.loss, "tokens/s": Math.round(step.tokens / step.seconds) });
        return !watch.signal.aborted;
      });
      progress.done();
      const embeddingRms = rootMeanSquare(await downloadMatrix(gpu, model.params.embedding));
      const dtype = values.dtype === "f16" ? "F16" : "F32";
      await saveModel({ model, tokenizer, source: out }, out, dtype, { embeddingRms });
      const data = {
        out,
        steps: last.step,
        loss: last.loss,
        parameters: countParams(model.params),
        embeddingRms,
      };
      print(
        data,
        () =>
          `${data.parameters} parameters, ${last.step} updates, loss ${
            last.loss.toFixed(4)
          }; written to ${out}`,
      );
      if (last.step < steps) {
        throw new Interrupted(
          `Stopped after ${last.step} of ${steps} updates: ${out} holds an unfinished model`,
        );
      }
    } finally {
      gpu.close();
    }
  },
});

/** Finds out before any data are asked for whether the task can be learned from. */
async function demonstratingTask(name: string): Promise<Task> {
  const { demonstrates, open } = await generationEntry(name);
  if (demonstrates) return await open({});
  const able = TASKS.filter((task) => task.kind === "generation" && task.demonstrates).map(({ name }) =>
    name
  );
  throw new UserError(
    `Cannot train on demonstrations of ${name}: it has none, one of ${able.join(", ")} is needed`,
    `softcot train --task ${name} trains by reinforcement, which needs none`,
  );
}

/** A model to start from has its own shape. */
function refuseShape(origins: Record<string, string>): void {
  const given = ["width", "layers", "heads", "mlp", "context"].find((name) => origins[name] === "flag");
  if (given) {
    throw new UserError(`Cannot set --${given} of a model that exists: leave out --${given} or --model`);
  }
}

/** Finds out before the training whether the model can be written. */
function claimFolder(out: string): void {
  const isNew = !isThere(out);
  try {
    Deno.mkdirSync(out, { recursive: true });
    Deno.removeSync(Deno.makeTempFileSync({ dir: out, prefix: ".softcot-" }));
    if (isNew) return Deno.removeSync(out);
  } catch (error) {
    throw new UserError(`Cannot write to ${out}: ${(error as Error).message}, a writable folder is needed`);
  }
  if ([...Deno.readDirSync(out)].some(({ name }) => name === "model.safetensors")) {
    throw new UserError(
      `Cannot write a model to ${out}: it holds one already`,
      "name a new folder with --out",
    );
  }
}

function newModel(gpu: Parameters<typeof createModel>[0], values: Values<typeof settings>) {
  const { width, heads } = values;
  if (width % heads !== 0 || width / heads % 4 !== 0) {
    throw new UserError(
      `Cannot make a model of width ${width} with ${heads} heads: a head must be a multiple of 4 wide`,
    );
  }
  const tokenizer = builtinTokenizer();
  const config: ModelConfig = {
    architecture: "llama",
    vocabSize: PADDED_VOCAB_SIZE,
    hiddenSize: width,
    layers: values.layers,
    heads,
    kvHeads: heads,
    headDim: width / heads,
    intermediateSize: values.mlp,
    normEps: 1e-5,
    ropeTheta: 10000,
    tied: true,
    qkvBias: false,
    qkNorm: false,
    maxPosition: values.context,
    eosTokenIds: tokenizer.eosId === undefined ? [] : [tokenizer.eosId],
    usedVocabSize: tokenizer.size,
  };
  const model = createModel(gpu, config);
  initialise(gpu, config, model.params, values.seed);
  return { model, tokenizer };
}
