import type { DecodeState } from "../generation/decode_state.ts";
import type { ServedSequence } from "./served_sequence.ts";

/** Gives prompts the keys and values of others that begin alike, once these are in the cache. */
export function copyPrompts({ model, cache }: DecodeState, running: readonly ServedSequence[]): void {
  const { commands } = model.gpu;
  for (const { prefix } of running) {
    const { copied } = prefix;
    if (!copied) continue;
    const { from } = copied;
    // Where those gave up whose prompt it is, there is no more of it to wait for.
    if (from.filled < copied.length && running.some((other) => other.prefix === from)) continue;
    const length = Math.min(copied.length, from.filled);
    if (length > 0) {
      using scratch = model.gpu.arena.scratch();
      const width = cache.layers[0].k.shape[1];
      // By way of others: a copy within a buffer is none in WebGPU.
      const between = scratch.f32([length, width], "copied keys or values");
      for (const rows of cache.layers.flatMap(({ k, v }) => [k, v])) {
        commands.copy(rows, from.start * width, between, 0, length * width);
        commands.copy(between, 0, rows, prefix.start * width, length * width);
      }
    }
    prefix.filled = length;
    from.users--;
    prefix.copied = null;
  }
}
