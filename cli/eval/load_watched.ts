import type { Gpu } from "../../gpu/gpu.ts";
import { findModel, type FindModelOptions, type FoundModel } from "../../model/files/find_model.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { createProgress } from "../terminal/progress.ts";
import { type Facts, factsOf } from "../facts/facts.ts";

/** What takes no longer than this is done without a word. */
const DELAY = 1500;

/**
 * Loads a model and reads its facts, telling on stderr what is under way where that takes a while.
 *
 * @param shown the name in the facts
 */
export async function loadWatched(
  gpu: Gpu,
  name: string,
  options: FindModelOptions,
  { shown, quiet }: { shown: string; quiet: boolean },
): Promise<{ found: FoundModel; facts: Facts }> {
  using progress = createProgress({ label: "load", quiet, delay: DELAY, interval: 5000 });
  progress.show(`loading ${shown}`);
  const found = await findModel(gpu, name, {
    ...options,
    onProgress: (done, total) =>
      progress.show(`loading ${shown}: ${Math.floor(100 * done / total)}% of ${inBytes(total)}`),
  });
  progress.show(`reading ${shown} once more, for its hash`);
  return { found, facts: factsOf(gpu, shown, found) };
}
