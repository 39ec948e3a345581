import type { Gpu } from "../gpu.ts";
import type { KernelSource } from "../kernel.ts";
import { MOST_THREADS } from "../ops/attention/decode_teams.ts";

/** Invocations of a workgroup of {@link checkTeams}: as many as attention takes on a GPU, whole subgroups. */
export function checkedThreads(
  { subgroupSize, workgroups }: Pick<Gpu, "subgroupSize" | "workgroups">,
): number {
  const most = Math.min(MOST_THREADS, 16 * subgroupSize, workgroups.threads);
  return most - most % subgroupSize;
}

/**
 * What kernels do whose workgroups are several subgroups: an invocation's number follows from its subgroup's and its lane's, and S
 * invocations in a row hand each other numbers by subgroupShuffle. found [workgroups, threads] = the index of the next invocation of the S,
 * by the invocation's number.
 */
export function checkTeams(lanes: number, threads: number): KernelSource {
  const code = () => `
struct Params { threads: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> found: array<u32>;
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) index: u32, @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) size: u32, @builtin(subgroup_invocation_id) own: u32,
) {
  let lane = own % ${lanes}u;
  let next = subgroupShuffle(index, own - lane + (lane + 1u) % ${lanes}u);
  found[wg.x * p.threads + min(subgroup * size + own, p.threads - 1u)] = next + 1u;
}`;
  return { label: "check_teams", code };
}

/** What is wrong with what {@link checkTeams} found, if anything is. */
export function wrongTeams(lanes: number, threads: number, found: Uint32Array): string | undefined {
  for (let i = 0; i < found.length; i++) {
    const number = i % threads;
    const next = number - number % lanes + (number + 1) % lanes;
    if (found[i] === next + 1) continue;
    return `invocation ${number} of ${threads} is not the lane of its subgroup that it must be`;
  }
}
