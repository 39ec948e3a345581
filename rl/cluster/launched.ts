/** What a launcher says of a process that it started beside others. */
export interface Launched {
  /** Number of this process on its machine, from 0. */
  localRank: number;
  /** Processes on this machine; undefined where the launcher does not say. */
  localSize: number | undefined;
}

let found: Launched | null | undefined;

/**
 * Whether this process is one of several that train together, started by mpirun or by srun with PMIx; undefined where it is on its own. It is
 * found out once: the right to ask the environment may be given up afterwards. Where it may not be asked at all, a process is on its own.
 */
export function launched(): Launched | undefined {
  if (found === undefined) found = ask();
  return found ?? undefined;
}

function ask(): Launched | null {
  try {
    if (number("OMPI_COMM_WORLD_RANK", "PMIX_RANK") === undefined) return null;
    return {
      localRank: number("OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID") ?? 0,
      localSize: number("OMPI_COMM_WORLD_LOCAL_SIZE"),
    };
  } catch {
    return null;
  }
}

function number(...names: string[]): number | undefined {
  const value = names.map((name) => Deno.env.get(name)).find((value) => value !== undefined);
  return value === undefined ? undefined : Number(value);
}
