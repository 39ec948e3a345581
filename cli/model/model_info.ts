import { openModelFiles } from "../../model/files/model_files.ts";
import { defineCommand } from "../settings/define_command.ts";
import { describeModel } from "./describe_model.ts";
import { forecastSettings, memoryForecast } from "./memory_forecast.ts";
import { modelFacts } from "./model_facts.ts";

/** `softcot model info`: what a model is, and the memory it takes. */
export const modelInfoCommand = defineCommand({
  description: `Show a model's shape, tokenizer and size, and the memory it takes.

Memory is what soft thinking holds at its peak in evaluation, in training of a LoRA adapter and in full training, when every \
rollout is as long as it may be. Nothing is loaded: the work is gone through without a device, and its buffers are counted. \
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
  async run(values, { args, print }) {
    const name = args[0] ?? "builtin";
    using files = openModelFiles(name);
    const data = { ...modelFacts(name, files), memory: await memoryForecast(name, files, values) };
    print(data, () => describeModel(data));
  },
});
