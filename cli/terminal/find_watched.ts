import type { Gpu } from "../../gpu/gpu.ts";
import { findModel, type FindModelOptions, type FoundModel } from "../../model/files/find_model.ts";
import { inBytes } from "./in_bytes.ts";
import { createProgress } from "./progress.ts";

/** How the loading of a model is told. */
interface Watching {
  quiet: boolean;
  /** The model's name for people; as it is given if left out. */
  shown?: string;
  /** What belongs to it besides, with a function that tells what is under way. */
  then?(found: FoundModel, tell: (line: string) => void): void;
}

/** What takes no longer than this is done without a word. */
const DELAY = 1500;

/** Loads a model, telling on stderr how far that is where it takes a while. */
export async function findWatched(
  gpu: Gpu,
  name: string,
  options: FindModelOptions,
  { quiet, shown = name, then }: Watching,
): Promise<FoundModel> {
  using progress = createProgress({ label: "load", quiet, delay: DELAY, interval: 5000 });
  progress.show(`loading ${shown}`);
  const found = await findModel(gpu, name, {
    ...options,
    onProgress: (done, total) =>
      progress.show(`loading ${shown}: ${Math.floor(100 * done / total)}% of ${inBytes(total)}`),
  });
  then?.(found, progress.show);
  return found;
}
