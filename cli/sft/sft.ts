import { ValidationError } from "@cliffy/command";
import { withGpu } from "../vulkan/with_gpu.ts";
import { UserError } from "../../gpu/errors.ts";
import { downloadMatrix } from "../../gpu/matrix.ts";
import { findWatched } from "../terminal/find_watched.ts";
import { saveModel } from "../../model/files/save_model.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { rootMeanSquare } from "../../model/transformer/initialise.ts";
import { countParams } from "../../model/transformer/params.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import { type Demonstrations, trainSupervised } from "../../rl/train_supervised.ts";
import { defineCommand } from "../settings/define_command.ts";
import { flag } from "../settings/setting.ts";
import { counted } from "../terminal/counted.ts";
import { Interrupted, watchInterrupt } from "../terminal/interrupt.ts";
import { createProgress } from "../terminal/progress.ts";
import { claimFolder } from "./claim_folder.ts";
import { explainEnd } from "./explain_end.ts";
import { demonstratingTask } from "./demonstrating_task.ts";
import { newModel } from "./new_model.ts";
import { type OwnDemonstrations, ownDemonstrations } from "./own_demonstrations.ts";
import { sftSettings, type SftValues } from "./sft_settings.ts";
import { openUnfinished, resumedSft, type Unfinished } from "./unfinished.ts";
import { say } from "../terminal/print.ts";

const settings = { ...sftSettings, resume: flag("Go on with the unfinished training in --out") };

/** `softcot sft`: supervised training on demonstrations. */
export const sftCommand = defineCommand({
  description: `Train a model on demonstrations: those of a task, or a file of your own.

Makes the base model that reinforcement starts from: cross-entropy on the answer part of demonstrations that the task \
writes, each seen once, or on the completions (the assistant's last message) of the rows of --data, each pass in another order. Without \
--model a new model of the given shape is made, with the embedded tokenizer. A training that was stopped or killed goes on by --resume, and its \
model is that of one never stopped.`,
  settings,
  opensDevice: true,
  examples: [
    ["The embedded model", "softcot sft --out base --dtype f16"],
    ["A wider one", "softcot sft --width 128 --layers 4 --mlp 352 --out wide"],
    [
      "A file of your own",
      "softcot sft --model HuggingFaceTB/SmolLM2-135M-Instruct --data chats.jsonl --lr 1e-5 --batch 8 --out tuned",
    ],
    ["Go on with a stopped one", "softcot sft --resume --out tuned"],
  ],
  async run({ resume, ...given }, { quiet, print, origins }) {
    const { out } = given;
    if (!out) {
      throw new UserError("Cannot train: there is no place for the model", "name a new folder with --out");
    }
    if (!resume) refuseIdle(given, origins);
    const asked = resume ? resumedSft(given, origins) : given;
    const task = asked.data === undefined ? await demonstratingTask(asked.task) : undefined;
    await withGpu(
      async (gpu) => {
        if (asked.model && !resume) refuseShape(origins);
        const { model, tokenizer } = asked.model
          ? await findWatched(gpu, asked.model, {}, { quiet })
          : newModel(gpu, asked);
        if (!resume) claimFolder(out);
        const own = asked.data === undefined
          ? undefined
          : await ownDemonstrations(asked.data, tokenizer, asked.chatTemplate, model.config.maxPosition);
        const values = own && !resume && origins.steps === "default"
          ? { ...asked, steps: passes(own.rows, asked.batch) }
          : asked;
        if (own && !quiet) say(describeOwn(values, own));
        using watch = watchInterrupt(
          "Stopping after this update, then writing the model. Press Ctrl-C again to stop at once.",
        );
        using unfinished = openUnfinished(values, { model, tokenizer, source: out }, resume);
        if (!quiet) unfinished.notes.forEach((note) => say(`warning  ${note}`));
        const last = await trainOn(own ?? task!, model, tokenizer, values, watch.signal, quiet, unfinished);
        const embeddingRms = rootMeanSquare(await downloadMatrix(gpu, model.params.embedding));
        const dtype = values.dtype === "f16" ? "F16" : "F32";
        await saveModel({ model, tokenizer, source: out }, out, dtype, { embeddingRms });
        const parameters = countParams(model.params);
        print(
          { out, steps: last.step, loss: last.loss, parameters, embeddingRms },
          () =>
            `${parameters} parameters, ${counted(last.step, "update")}, loss ${
              last.loss.toFixed(4)
            }; written to ${out}`,
        );
        if (last.step < values.steps) {
          throw new Interrupted(
            `Stopped after ${last.step} of ${values.steps} updates: ${out} holds an unfinished model. Go on with: softcot sft --resume --out ${out}`,
          );
        }
        unfinished.remove();
      },
      {},
      (error, gpu) => explainEnd(error, gpu, asked),
    );
  },
});

/** Updates that go over so many rows three times. */
const passes = (rows: number, batch: number): number => Math.max(1, Math.ceil(3 * rows / batch));

function describeOwn({ data, steps, batch }: SftValues, { rows, repeats }: OwnDemonstrations): string {
  const seen = (steps * batch / rows).toFixed(1);
  const repeated = repeats > 0 ? `, ${repeats} of them repeat another` : "";
  return `data     ${data}: ${counted(rows, "row")}${repeated}; ${
    counted(steps, "update")
  } of ${batch} see each ${seen} times`;
}

/** @throws ValidationError (wrong usage) for flags that would do nothing */
function refuseIdle({ data, chatTemplate }: SftValues, origins: Record<string, string>): void {
  if (data !== undefined && origins.task === "flag") {
    throw new ValidationError("--task and --data both say what is learned: one of them is needed.");
  }
  if (data === undefined && chatTemplate) {
    throw new ValidationError(
      "--chat-template goes with --data: a task writes its demonstrations as plain text.",
    );
  }
}

/** Trains to the last step or until the signal is aborted, with progress on stderr. */
async function trainOn(
  demonstrations: Demonstrations,
  model: Model,
  tokenizer: Tokenizer,
  values: SftValues,
  signal: AbortSignal,
  quiet: boolean,
  unfinished: Unfinished,
): Promise<{ step: number; loss: number }> {
  using progress = createProgress({ label: "sft", total: values.steps, quiet });
  let last = { step: 0, loss: NaN };
  await trainSupervised(model, tokenizer, demonstrations, { ...values, eps: 1e-8 }, (step) => {
    last = step;
    progress.update(step.step, { loss: step.loss, "tokens/s": Math.round(step.tokens / step.seconds) });
    return !signal.aborted;
  }, unfinished);
  return last;
}

/** A model to start from has its own shape. */
function refuseShape(origins: Record<string, string>): void {
  const given = ["width", "layers", "heads", "mlp", "context"].find((name) => origins[name] === "flag");
  if (given) {
    throw new UserError(`Cannot set --${given} of a model that exists: leave out --${given} or --model`);
  }
}
