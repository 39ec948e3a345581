import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { saveModel } from "../../../model/files/checkpoint.ts";
import type { Model } from "../../../model/transformer/transformer.ts";
import { scriptedModel, tokenizer } from "../../model/support/small_models.ts";
import type { Gpu } from "../../../gpu/gpu.ts";

/** What {@link thinker} thinks about any question. */
export const THOUGHT = " 1 + 2 = 3. The final answer is:";

/** A model that thinks {@link THOUGHT} and answers 9, whatever it is asked. */
export const thinker = (gpu: Gpu): Model =>
  scriptedModel(
    gpu,
    [" Assistant:", " 1", " +", " 2", " =", " 3", ".", " The", " final", " answer", " is:", " Sam"],
    [" \\boxed{", "9", "}"],
  );

/** A folder with a small model for commands that run as processes; it is removed with the file's last test. */
export async function modelFolder(make: (gpu: Gpu) => Model): Promise<string> {
  const folder = await Deno.makeTempDir();
  Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));
  const gpu = await openGpu();
  await saveModel({ model: make(gpu), tokenizer, source: "test" }, `${folder}/model`, "F32", {
    embeddingRms: 0.1,
  });
  gpu.close();
  return folder;
}
