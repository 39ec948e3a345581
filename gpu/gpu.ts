import type { AdapterFacts, WorkgroupLimits } from "./adapter.ts";
import type { Arena } from "./arena.ts";
import type { Commands } from "./commands.ts";
import type { ErrorLog } from "./error_log.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Profile } from "./profile.ts";
import type { Reader } from "./reader.ts";
import type { Tuning } from "./tuning.ts";

/** How matrix products are tiled: `broadcast` for software devices, `tile` (shared memory) for real GPUs. */
export type MatmulFamily = "broadcast" | "tile";

/** An open device with all that the operations need: made once, passed to every operation first. */
export interface Gpu {
  /** WebGPU's own device. */
  readonly device: GPUDevice;
  /** What it says of itself. */
  readonly adapter: AdapterFacts;
  /** What the text of every kernel begins with. */
  readonly wgslHead: string;
  /** Lanes that a subgroup has at least, in every kernel: those of a workgroup of so many invocations are one. */
  readonly subgroupSize: number;
  /** What a workgroup may have. */
  readonly workgroups: WorkgroupLimits;
  /** Largest storage binding in bytes. */
  readonly maxBinding: number;
  /** Which matmul kernels run. */
  readonly matmulFamily: MatmulFamily;
  /** Whether kernels may load words in pairs (u64): half the loads, each as costly, on the software device. */
  readonly u64Loads: boolean;
  /** Tiles that were measured to be the fastest here; empty where nobody has measured. */
  readonly tuning: Tuning;
  /** Its memory. */
  readonly arena: Arena;
  /** What is recorded and submitted. */
  readonly commands: Commands;
  /** The way back to the CPU. */
  readonly reader: Reader;
  /** Errors reported out of band. */
  readonly errors: ErrorLog;
  /** Time by kernel; empty unless asked for. */
  readonly profile: Profile;
  /** Compiled kernels by label. */
  readonly pipelines: Map<string, Pipeline>;
  /** Ends all work and frees the device. */
  close(): void;
}
