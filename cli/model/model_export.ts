import { UserError } from "../../gpu/errors.ts";
import {
  exportedBytes,
  exportGguf,
  type ExportOptions,
  exportSafetensors,
  type ExportSource,
} from "../../model/files/export_model.ts";
import { type ModelFiles, openModelFiles } from "../../model/files/model_files.ts";
import { locateAdapter } from "../../model/lora/locate_adapter.ts";
import { mergedWeights } from "../../model/lora/merged_weights.ts";
import { defineCommand } from "../settings/define_command.ts";
import { flags } from "../settings/flags.ts";
import { choice, path } from "../settings/setting.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { Interrupted, watchInterrupt } from "../terminal/interrupt.ts";
import { createProgress } from "../terminal/progress.ts";

const DTYPES = ["f32", "f16", "bf16", "q8_0"] as const;

/** `softcot model export`: a model as other programs load it. */
export const modelExportCommand = defineCommand({
  description: `Write a model as a Hugging Face folder or as a GGUF file.

The model may be any that softcot opens: a run, a folder, a GGUF or llama2.c file, a name in the hub's cache. An \
adapter is merged into its base model. No GPU is used, and little memory. transformers and vLLM load the folder, \
llama.cpp the GGUF file (the embedded model's, too), in which norms and biases stay f32 and matrices whose rows are no multiples of 32 are f16 \
where q8_0 is asked for.`,
  arguments: [["<model:string:model>", "folder, file, run or name"]],
  settings: {
    out: path("Folder, or .gguf file, to write", { required: true, short: "o" }),
    format: choice(["safetensors", "gguf"], "Form of the weights", {
      defaultText: "gguf if --out ends in .gguf, else safetensors",
    }),
    dtype: choice(DTYPES, "Type of the weights; q8_0 for GGUF alone", {
      defaultText: "that of most of the model's weights; f16 for quantised ones of another kind",
    }),
    adapter: flags.adapter,
  },
  examples: [
    ["A trained run, for transformers", "softcot model export runs/gsm8k --out thinker"],
    ["The same for llama.cpp, in 8 bits", "softcot model export runs/gsm8k --out thinker.gguf --dtype q8_0"],
  ],
  async run({ out, format, dtype: asked, adapter }, { args: [name], quiet, print }) {
    using files = openModelFiles(name);
    const source = sourceOf(name, files, adapter);
    const isGguf = (format ?? (out.endsWith(".gguf") ? "gguf" : "safetensors")) === "gguf";
    const dtype = asked ?? ownType(source, isGguf);
    using interrupt = watchInterrupt("Stopping; nothing is left of the export.");
    using progress = createProgress({ label: "export", quiet });
    const bytes = exportedBytes(source, dtype, isGguf);
    const onProgress = (done: number, total: number) => {
      const percent = Math.floor(100 * done / total);
      progress.show(`export ${percent}% of ${inBytes(bytes)}`, done === total);
    };
    const options: ExportOptions = { out, dtype, onProgress, signal: interrupt.signal };
    try {
      await (isGguf ? exportGguf : exportSafetensors)(source, options);
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
      progress.done();
      throw new Interrupted(`Stopped: ${out} was not written.`);
    } finally {
      if (source.weights !== files.weights) source.weights.close();
    }
    progress.done();
    const data = { name, out, format: isGguf ? "gguf" : "safetensors", dtype, weightBytes: bytes };
    print(data, () => `${out}: ${name} as ${data.format}, ${dtype}, ${inBytes(bytes)} of weights`);
  },
});

/** The type that most weights have, where it can be written. */
function ownType({ weights }: ExportSource, isGguf: boolean): typeof DTYPES[number] {
  const elements = new Map<string, number>();
  for (const { dtype, elements: count } of weights.tensors.values()) {
    elements.set(dtype, (elements.get(dtype) ?? 0) + count);
  }
  const [most] = [...elements].toSorted(([, a], [, b]) => b - a)[0] ?? ["F16"];
  const found = DTYPES.find((name) => name === most.toLowerCase());
  return found === undefined || (found === "q8_0" && !isGguf) ? "f16" : found;
}

function sourceOf(name: string, files: ModelFiles, added: string | undefined): ExportSource {
  const { config, tokenizer, weights, embeddingRms, rmsMeasured } = files;
  if (files.adapter && added !== undefined) {
    throw new UserError(
      `Cannot put the adapter ${added} on ${name}: it has one already, a whole model is needed`,
      `give its base model: ${files.adapter.base.name}`,
    );
  }
  const adapter = files.adapter?.folder ?? (added === undefined ? undefined : locateAdapter(added));
  return {
    config,
    tokenizer,
    weights: adapter === undefined ? weights : mergedWeights(config, weights, adapter),
    // What was measured now can be measured again, but not on merged weights' own terms.
    ...(rmsMeasured && adapter === undefined ? {} : { embeddingRms }),
    name: name.replace(/\/+$/, "").replace(/^.*\//, "").replace(/\.(gguf|bin)$/, "") || "model",
  };
}
