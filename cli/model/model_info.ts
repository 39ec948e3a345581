import { type ModelFiles, openModelFiles } from "../../model/files/model_files.ts";
import { defineCommand } from "../settings/define_command.ts";
import { createProgress } from "../terminal/progress.ts";
import { describeModel } from "./describe_model.ts";
import { forecastSettings, memoryForecast } from "./memory_forecast.ts";
import { modelFacts } from "./model_facts.ts";

/** `softcot model info`: what a model is, and the memory it takes. */
export const modelInfoCommand = defineCommand({
  description: `Show a model's shape, tokenizer and size, and the memory it takes.

Memory is what soft thinking holds at its peak in evaluation, in training of a LoRA adapter and in full training, when every \
rollout is as long as it may be. Nothing is loaded: the work is gone through without a device, and its buffers are counted. The \
weights are read once: those that are NaN or infinite, with which every command but this one refuses a model, are told. \
The device is asked for its largest binding, which decides into how many chunks a weight is split and how many rollouts go at \
once, and, where anybody tells, for the memory it has free.`,
  arguments: [["[model:string:model]", "folder, file, run or name (default: builtin)"]],
  settings: forecastSettings,
  opensDevice: true,
  examples: [
    ["The embedded model", "softcot model info"],
    ["A trained run", "softcot model info runs/sums-soft"],
    ["A model in the hub's cache", "softcot model info HuggingFaceTB/SmolLM2-135M-Instruct"],
  ],
  async run(values, { args, quiet, print }) {
    const name = args[0] ?? "builtin";
    using files = openModelFiles(name);
    const data = { ...lookAt(name, files, quiet), memory: await memoryForecast(name, files, values) };
    print(data, () => describeModel(data));
  },
});

/** Its weights are read: of large models that is told. */
function lookAt(name: string, files: ModelFiles, quiet: boolean): ReturnType<typeof modelFacts> {
  using progress = createProgress({ label: "look", quiet, delay: 1500 });
  return modelFacts(
    name,
    files,
    (done, total) => progress.show(`looking at ${name}: ${Math.floor(100 * done / total)}% of its weights`),
  );
}
