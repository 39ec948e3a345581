import type { KernelSource } from "../kernel.ts";

/** Invocations of a workgroup of {@link checkTeams}: as many as attention on GPUs takes. */
export const checkedThreads = (lanes: number): number => 16 * lanes <= 512 ? 16 * lanes : 8 * lanes;

/**
 * What kernels do whose workgroups are several subgroups: an invocation's number follows from its subgroup's and its lane's, and S
 * invocations in a row hand each other numbers by subgroupShuffle. found [workgroups, threads] = the index of the next invocation of the S,
 * by the invocation's number.
 */
export function checkTeams(lanes: number): KernelSource {
  const threads = checkedThreads(lanes);
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
export function wrongTeams(lanes: number, found: Uint32Array): string | undefined {
  const threads = checkedThreads(lanes);
  for (let i = 0; i < found.length; i++) {
    const number = i % threads;
    const next = number - number % lanes + (number + 1) % lanes;
    if (found[i] === next + 1) continue;
    return `invocation ${number} of ${threads} is not the lane of its subgroup that it must be`;
  }
}
