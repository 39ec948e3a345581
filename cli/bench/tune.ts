import { withGpu } from "../vulkan/with_gpu.ts";
import { type TunedClass, tuneMatmul } from "../../gpu/ops/matmul/tune_matmul.ts";
import { type TunedTile, writeTuning } from "../../gpu/tuning.ts";
import type { Progress } from "../terminal/progress.ts";
import { table } from "../terminal/table.ts";

/** What was tuned: kept in `file`, and how much faster the best tile of each class is than the one that was taken before. */
export interface TuneReport {
  device: string;
  file: string;
  classes: (TunedClass & { gain: number })[];
}

/** Measures the tiles of all classes and keeps the best ones. */
export async function tune(rounds: number, progress: Progress, signal: AbortSignal): Promise<TuneReport> {
  return await withGpu(async (gpu) => {
    const classes: TuneReport["classes"] = [];
    for await (const { name, tiles } of tuneMatmul(gpu, rounds)) {
      signal.throwIfAborted();
      const before = tiles.find(({ tile }) => tile === "default")!;
      classes.push({ name, tiles, gain: tiles[0].gflops / before.gflops });
      progress.update(classes.length, { class: name });
    }
    return { device: gpu.adapter.name, file: writeTuning(gpu.adapter, gpu.tuning), classes };
  });
}

/** The report as people read it. */
export function describeTuning({ device, file, classes }: TuneReport): string {
  const rows = classes.map((
    { name, tiles: [best], gain },
  ) => [name, told(best.tile), best.gflops.toFixed(1), gain.toFixed(2)]);
  return [
    device,
    table(rows, {
      header: ["product, weights, rows, columns", "best tile", "GFLOP/s", "gain"],
      align: ["left", "left", "right", "right"],
    }),
    `kept in ${file}`,
  ].join("\n\n");
}

function told(tile: TunedTile | "default"): string {
  if (tile === "default") return "as before";
  const { family, rows, cols = rows, perThread, depth, shuffle } = tile;
  if (family === "tile") return `shared memory ${rows} x ${cols}, ${perThread} x ${perThread} a thread`;
  if (family === "broadcast") {
    return `broadcast ${rows} rows, ${perThread} columns a lane, ${depth} terms a turn`;
  }
  const added = shuffle ? ", added in a subgroup" : "";
  return `split sum, ${rows} rows x ${cols} columns, ${perThread} a thread, ${depth} segments${added}`;
}
