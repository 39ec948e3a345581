import type { Task } from "../../eval/task.ts";
import { withGpu } from "../vulkan/with_gpu.ts";
import { UserError } from "../../gpu/errors.ts";
import { downloadMatrix } from "../../gpu/matrix.ts";
import { findModel } from "../../model/files/find_model.ts";
import { saveModel } from "../../model/files/save_model.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { rootMeanSquare } from "../../model/transformer/initialise.ts";
import { countParams } from "../../model/transformer/params.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import { trainSupervised } from "../../rl/train_supervised.ts";
import { defineCommand } from "../settings/define_command.ts";
import { Interrupted, watchInterrupt } from "../terminal/interrupt.ts";
import { createProgress } from "../terminal/progress.ts";
import { claimFolder } from "./claim_folder.ts";
import { demonstratingTask } from "./demonstrating_task.ts";
import { newModel } from "./new_model.ts";
import { sftSettings, type SftValues } from "./sft_settings.ts";

/** `softcot sft`: supervised training on a task's demonstrations. */
export const sftCommand = defineCommand({
  description: `Train a model on a task's demonstrations.

Makes the base model that reinforcement starts from: cross-entropy on the answer part of demonstrations that the task \
writes, each seen once. Without --model a new model of the given shape is made, with the embedded tokenizer.`,
  settings: sftSettings,
  opensDevice: true,
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
    await withGpu(async (gpu) => {
      if (values.model) refuseShape(origins);
      const { model, tokenizer } = values.model ? await findModel(gpu, values.model) : newModel(gpu, values);
      claimFolder(out);
      using watch = watchInterrupt(
        "Stopping after this update, then writing the model. Press Ctrl-C again to stop at once.",
      );
      const last = await trainOn(task, model, tokenizer, values, watch.signal, quiet);
      const embeddingRms = rootMeanSquare(await downloadMatrix(gpu, model.params.embedding));
      const dtype = values.dtype === "f16" ? "F16" : "F32";
      await saveModel({ model, tokenizer, source: out }, out, dtype, { embeddingRms });
      const parameters = countParams(model.params);
      print(
        { out, steps: last.step, loss: last.loss, parameters, embeddingRms },
        () =>
          `${parameters} parameters, ${last.step} updates, loss ${last.loss.toFixed(4)}; written to ${out}`,
      );
      if (last.step < steps) {
        throw new Interrupted(
          `Stopped after ${last.step} of ${steps} updates: ${out} holds an unfinished model`,
        );
      }
    });
  },
});

/** Trains to the last step or until the signal is aborted, with progress on stderr. */
async function trainOn(
  task: Task,
  model: Model,
  tokenizer: Tokenizer,
  values: SftValues,
  signal: AbortSignal,
  quiet: boolean,
): Promise<{ step: number; loss: number }> {
  using progress = createProgress({ label: "sft", total: values.steps, quiet });
  let last = { step: 0, loss: NaN };
  await trainSupervised(model, tokenizer, task, { ...values, eps: 1e-8 }, (step) => {
    last = step;
    progress.update(step.step, { loss: step.loss, "tokens/s": Math.round(step.tokens / step.seconds) });
    return !signal.aborted;
  });
  return last;
}

/** A model to start from has its own shape. */
function refuseShape(origins: Record<string, string>): void {
  const given = ["width", "layers", "heads", "mlp", "context"].find((name) => origins[name] === "flag");
  if (given) {
    throw new UserError(`Cannot set --${given} of a model that exists: leave out --${given} or --model`);
  }
}
