import { UserError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { readExtras } from "../files/model_extras.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { readTensor, type TensorFile } from "../formats/tensor_file.ts";
import { type Adapter, createAdapter, refreshAdapter } from "../transformer/adapter.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { FUSED, fusedShape, loraTensors } from "../transformer/lora_params.ts";
import { ADAPTER_WEIGHTS, readAdapterConfig } from "./adapter_config.ts";
import { modelFile } from "../files/model_file.ts";

/**
 * Loads an adapter onto the device. Projections that the file does not name are not adapted.
 * @throws UserError if it is damaged, or does not fit the model
 */
export function loadAdapter(gpu: Gpu, config: ModelConfig, folder: string): Adapter {
  const { baseName: _, ...settings } = readAdapterConfig(folder);
  const file = openSafetensors(modelFile(folder, ADAPTER_WEIGHTS));
  try {
    const names = checkNames(file, config, folder);
    const targets = names.size === ALL ? {} : { targets: [...names].sort() };
    const adapter = createAdapter(gpu, config, { ...settings, ...targets });
    readInto(gpu, config, adapter, file, folder);
    return adapter;
  } finally {
    file.close();
  }
}

/**
 * Loads A and B of a folder into an adapter of that form.
 * @throws UserError if the file is missing or damaged, or does not fit
 */
export function readAdapter(gpu: Gpu, config: ModelConfig, adapter: Adapter, folder: string): void {
  const file = openSafetensors(modelFile(folder, ADAPTER_WEIGHTS));
  try {
    checkNames(file, config, folder);
    readInto(gpu, config, adapter, file, folder);
  } finally {
    file.close();
  }
}

function readInto(gpu: Gpu, config: ModelConfig, adapter: Adapter, file: TensorFile, folder: string): void {
  for (const { name, shape, matrix, row } of loraTensors(config, adapter.params)) {
    const found = file.tensors.get(name);
    if (!found) continue;
    if (found.shape.join() !== shape.join()) {
      throw new UserError(
        `Cannot use the adapter ${folder}: ${name} is [${found.shape.join(", ")}], the model asks for ` +
          `[${shape.join(", ")}]`,
        fitHint(folder),
      );
    }
    uploadRows(gpu, matrix, row, readTensor(file, name));
  }
  refreshAdapter(gpu, adapter);
}

/** What to do where an adapter does not fit the model. */
function fitHint(folder: string): string {
  const name = readExtras(folder).base?.name ?? readAdapterConfig(folder).baseName;
  return name === undefined
    ? "an adapter fits the model that it was trained on, and models of the same shape"
    : `it was trained on ${name}: give --model ${name}`;
}

/** Projections of a block. */
const ALL = 7;

/** The projections that the file adapts; refuses tensors that are no A and B of this model's. */
export function checkNames(file: TensorFile, config: ModelConfig, folder: string): Set<string> {
  const projections = FUSED.flatMap((fused) => fusedShape(config, fused).parts.map(({ name }) => name));
  const known = new Set(projections);
  const names = new Set<string>();
  for (const tensor of file.tensors.keys()) {
    const parts = /^base_model\.model\.model\.layers\.(\d+)\.(.+)\.lora_[AB]\.weight$/.exec(tensor);
    const other = tensor.replace(/\.lora_([AB])\./, (_, which) => `.lora_${which === "A" ? "B" : "A"}.`);
    if (!parts || Number(parts[1]) >= config.layers || !known.has(parts[2])) {
      throw new UserError(
        `Cannot use the adapter ${folder}: ${ADAPTER_WEIGHTS} holds ${tensor}, which is no update of a linear layer of the model`,
        `${fitHint(folder)}; adapted can be ${projections.join(", ")} of ${config.layers} layers`,
      );
    }
    if (!file.tensors.has(other)) {
      throw new UserError(
        `Cannot use the adapter ${folder}: ${ADAPTER_WEIGHTS} holds ${tensor} without ${other}`,
      );
    }
    names.add(parts[2].replace(/^.*\./, ""));
  }
  if (names.size > 0) return names;
  throw new UserError(
    `Cannot use the adapter ${folder}: ${ADAPTER_WEIGHTS} is empty, the A and B of a model are needed`,
  );
}
