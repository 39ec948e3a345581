import type { PulledRepo, PullOptions, PullProgress } from "../../model/hub/pull_repo.ts";
import { duration } from "../terminal/duration.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { Interrupted, watchInterrupt } from "../terminal/interrupt.ts";
import { createProgress } from "../terminal/progress.ts";

/**
 * Shows how far a pull is, and lets Ctrl-C end it with what has come kept.
 *
 * @param pull starts the pull with what it is watched by
 * @throws Interrupted after Ctrl-C
 */
export async function pullWatched(
  pull: (watch: Required<Pick<PullOptions, "onProgress" | "signal">>) => Promise<PulledRepo>,
  quiet: boolean,
): Promise<PulledRepo> {
  using interrupt = watchInterrupt("Stopping; what has come is kept.");
  using progress = createProgress({ label: "pull", quiet, interval: 2000 });
  const rate = byteRate();
  const onProgress = (state: PullProgress) => {
    if (state.notice) progress.log(state.notice);
    const { bytes, totalBytes } = state;
    if (state.totalFiles === 0) return;
    const percent = totalBytes === 0 ? 100 : Math.floor(100 * bytes / totalBytes);
    progress.show(
      `pull ${percent}%  ${inBytes(bytes)} of ${inBytes(totalBytes)}  ` +
        `${state.files}/${state.totalFiles} files${rate(bytes, totalBytes)}`,
      bytes === totalBytes && state.files === state.totalFiles,
    );
  };
  try {
    return await pull({ onProgress, signal: interrupt.signal });
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    progress.done();
    throw new Interrupted("Stopped: what has come is kept, and the same command goes on from there.");
  }
}

/** Bytes a second over the last few seconds, and the time that is left at that rate. */
function byteRate(): (bytes: number, total: number) => string {
  const marks: { time: number; bytes: number }[] = [];
  return (bytes, total) => {
    const time = performance.now();
    if (marks.length === 0 || time - marks.at(-1)!.time >= 500) marks.push({ time, bytes });
    if (marks.length > 12) marks.shift();
    const [first] = marks;
    const perSecond = (bytes - first.bytes) / (time - first.time) * 1000;
    if (!(perSecond > 0) || time - first.time < 500) return "";
    const left = bytes < total ? `  ${duration((total - bytes) / perSecond)} left` : "";
    return `  ${inBytes(perSecond)}/s${left}`;
  };
}
