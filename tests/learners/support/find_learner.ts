/** The process of a learner of a run, found by its environment and its command line (Linux); undefined where there is none yet. */
export function findLearner(rank: number, out: string): number | undefined {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = (file: string) => Deno.readTextFileSync(`/proc/${name}/${file}`).split("\0");
      if (words("environ").includes(`OMPI_COMM_WORLD_RANK=${rank}`) && words("cmdline").includes(out)) {
        return Number(name);
      }
    } catch {
      // It has ended, or is another user's.
    }
  }
  return undefined;
}
