import { checkpointsOf } from "../../rl/support/run_files.ts";

/** All numbers of a file of a run's last checkpoint; undefined where it has no such file. */
export function lastWeights(out: string, name: string): Float32Array | undefined {
  try {
    const bytes = Deno.readFileSync(`${out}/checkpoints/${checkpointsOf(out).at(-1)}/${name}`);
    const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    return new Float32Array(bytes.slice(8 + header).buffer);
  } catch {
    return undefined;
  }
}

/** Norm of the difference of two runs' last trained weights, as a share of the norm of `expected`'s. */
export function weightDifference(actual: string, expected: string): number {
  const name = lastWeights(expected, "adapter_model.safetensors")
    ? "adapter_model.safetensors"
    : "model.safetensors";
  const [a, b] = [actual, expected].map((out) => lastWeights(out, name)!);
  let [difference, size] = [0, 0];
  b.forEach((value, i) => {
    difference += (a[i] - value) ** 2;
    size += value ** 2;
  });
  return Math.sqrt(difference / size);
}
