import type { Rollout } from "../../../model/generation/rollout.ts";
import type { DeviceKind } from "../../../rl/workers/result.ts";

/** A rollout that was made once, with the rows that its thinking fed. */
export interface KnownRollout {
  rollout: Rollout;
  seconds: number;
  rows: Float32Array<ArrayBuffer>;
}

/** Rollouts by the numbers that key their draws, and the device that made them. */
export interface KnownRollouts {
  device: DeviceKind;
  rollouts: KnownRollout[];
}

/** Writes them as JSON, in which numbers of f32 keep all their bits. */
export function writeRollouts(path: string, known: KnownRollouts): void {
  Deno.writeTextFileSync(
    path,
    JSON.stringify(known, (_, value) => value instanceof Float32Array ? { f32: [...value] } : value),
  );
}

/** Reads what {@link writeRollouts} wrote. */
export function readRollouts(path: string): KnownRollouts {
  return JSON.parse(
    Deno.readTextFileSync(path),
    (_, value) => Array.isArray(value?.f32) ? new Float32Array(value.f32) : value,
  );
}
