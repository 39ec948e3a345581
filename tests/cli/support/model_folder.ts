import { openGpu } from "../../../gpu/device/open_gpu.ts";
import type { Gpu } from "../../../gpu/gpu.ts";
import type { ModelExtras } from "../../../model/files/model_extras.ts";
import { saveModel } from "../../../model/files/save_model.ts";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";
import type { Model } from "../../../model/transformer/transformer.ts";
import { byteLevelFiles, UNCUT } from "../../model/support/byte_level_files.ts";
import { randomModel, scriptedModel, SMALL, tokenizer } from "../../model/support/small_models.ts";
import { testFolder } from "../../support/folders.ts";

/** What {@link thinker} thinks about any question. */
export const THOUGHT = " 1 + 2 = 3. The final answer is:";

/** A model that thinks {@link THOUGHT} and answers 9, whatever it is asked. */
export const thinker = (gpu: Gpu): Model =>
  scriptedModel(
    gpu,
    [" Assistant:", " 1", " +", " 2", " =", " 3", ".", " The", " final", " answer", " is:", " Sam"],
    [" \\boxed{", "9", "}"],
  );

/** Writes a small model for commands that run as processes. */
export async function writeModel(
  folder: string,
  make: (gpu: Gpu) => Model,
  itsTokenizer = tokenizer,
  extras: ModelExtras = {},
): Promise<void> {
  const gpu = await openGpu();
  await saveModel({ model: make(gpu), tokenizer: itsTokenizer, source: "test" }, folder, "F32", extras);
  gpu.close();
}

/** A folder in which `model` is a small model; it is removed with the file's last test. */
export async function modelFolder(make: (gpu: Gpu) => Model): Promise<string> {
  const folder = await testFolder();
  await writeModel(`${folder}/model`, make, tokenizer, { embeddingRms: 0.1 });
  return folder;
}

/** Writes a model of random weights that can read and write any text, a token for each byte. */
export async function byteModel(folder: string): Promise<string> {
  const config = {
    ...{ ...SMALL, vocabSize: 260, hiddenSize: 16, layers: 1, heads: 2, kvHeads: 1, headDim: 8 },
    ...{ intermediateSize: 32, maxPosition: 2048, eosTokenIds: [256], usedVocabSize: 257 },
  };
  const files = byteLevelFiles({ special: ["<|end|>"] }, { pre_tokenizer: UNCUT });
  await writeModel(`${folder}/bytes`, (gpu) => randomModel(gpu, config), loadTokenizer(files));
  return `${folder}/bytes`;
}
