import { isAbsolute } from "node:path";
import type { AdapterFacts } from "./adapter.ts";
import { UserError } from "./errors.ts";

/** A tile that was measured to be the fastest of its class on this adapter. */
export interface TunedTile {
  /** Operands broadcast within a subgroup, staged in shared memory, or sums split over segments of terms. */
  family: "broadcast" | "tile" | "split";
  /** Rows of a workgroup. */
  rows: number;
  /** Columns of a workgroup: of a tile, if they are not as many as the rows, and of a split sum. */
  cols?: number;
  /** Columns of a thread (broadcast, split), or the edge of its square (tile). */
  perThread: number;
  /** Terms of a k-step; of a split sum the segments side by side. */
  depth: number;
  /** Segments are added within a subgroup. */
  shuffle?: boolean;
}

/** The best tile by class of products; see `tuningClass` of gpu/ops/matmul/choose_kernel.ts. Tiles change no bit of a result. */
export type Tuning = Map<string, TunedTile>;

// What was measured of other kernels says nothing of these.
const KERNELS = 2;

/** Where the tuning of an adapter is kept: in a file named after it, its driver, and the kernels' version. */
export function tuningPath({ name, vendor, architecture, description }: AdapterFacts): string | undefined {
  const folder = tuningFolder();
  if (folder === undefined) return undefined;
  const adapter = [name, vendor, architecture, description].join(" ").replace(/[^\w.]+/g, "-");
  return `${folder}/${adapter.slice(0, 120)}-${KERNELS}.json`;
}

/** Where all tunings are kept; undefined where the environment names no place for such things. */
export function tuningFolder(): string | undefined {
  const { env } = Deno;
  const home = env.get("HOME");
  // The XDG specification has relative paths passed over.
  const caches = [env.get("XDG_CACHE_HOME"), home && `${home}/.cache`];
  const cache = caches.find((path) => path !== undefined && isAbsolute(path));
  return cache && `${cache}/softcot/tuning`;
}

/** The tuning kept for an adapter; empty where there is none. One that cannot be read is none. */
export function readTuning(facts: AdapterFacts): Tuning {
  const path = tuningPath(facts);
  if (path === undefined) return new Map();
  try {
    const entries: [string, TunedTile][] = Object.entries(JSON.parse(Deno.readTextFileSync(path)));
    return new Map(entries.filter(([, tile]) => isTile(tile)));
  } catch {
    return new Map();
  }
}

/**
 * Keeps a tuning for all later processes.
 * @returns the file
 * @throws UserError if it cannot be written
 */
export function writeTuning(facts: AdapterFacts, tuning: Tuning): string {
  const path = tuningPath(facts);
  if (path === undefined) {
    throw new UserError("Cannot keep the tuning: neither XDG_CACHE_HOME nor HOME is set", "set one of them");
  }
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    const beside = `${path}.${crypto.randomUUID()}`;
    const text = JSON.stringify(Object.fromEntries(tuning), null, 2) + "\n";
    Deno.writeTextFileSync(beside, text, { createNew: true });
    Deno.renameSync(beside, path);
  } catch (error) {
    throw new UserError(
      `Cannot keep the tuning in ${path}: ${(error as Error).message}`,
      "set XDG_CACHE_HOME to a folder that can be written",
    );
  }
  return path;
}

const FAMILIES: unknown[] = ["broadcast", "tile", "split"];

function isTile(value: unknown): value is TunedTile {
  const { family, rows, cols = 1, perThread, depth, shuffle = false } = (value ?? {}) as Partial<TunedTile>;
  const power = (n: unknown, most: number) =>
    typeof n === "number" && n >= 1 && n <= most && Number.isInteger(Math.log2(n));
  return FAMILIES.includes(family) && power(rows, 128) && power(cols, 1024) && power(perThread, 32) &&
    power(depth, 32) && typeof shuffle === "boolean";
}
