import { createArena } from "../arena.ts";
import { createCommands } from "../commands.ts";
import { DeviceLostError, GpuError, OutOfMemoryError, UserError } from "../errors.ts";
import type { Gpu } from "../gpu.ts";
import { run } from "../kernel.ts";
import { createProfile } from "../profile.ts";
import { createReader } from "../reader.ts";
import { CHECK_GROUPS, checkKernel, handedLanes } from "./check_kernel.ts";
import { checkedThreads, checkTeams, wrongTeams } from "./check_teams.ts";

/**
 * Proves what all kernels rely on (ARCHITECTURE.md, "What kernels rely on") by two small kernels that do what they do: a driver that
 * counts lanes otherwise makes wrong numbers without a word. Leaves nothing on the device.
 * @throws UserError that names the device and what is wrong with it; what a lost device or one without memory reports as it is, since no
 * driver is at fault there
 */
export async function checkDevice(gpu: Gpu): Promise<void> {
  const { device, errors } = gpu;
  const profile = createProfile(device, false);
  const commands = createCommands(device, errors, profile);
  const reader = createReader(device, commands, errors);
  const arena = createArena(device);
  arena.beforeDestroy = () => commands.flush();
  try {
    const wrong = await whatIsWrong({ ...gpu, arena, profile, commands, reader, pipelines: new Map() });
    if (wrong) throw refusal(gpu, wrong);
  } catch (error) {
    const isItsFault = error instanceof GpuError &&
      !(error instanceof DeviceLostError || error instanceof OutOfMemoryError);
    throw isItsFault ? refusal(gpu, error.message) : error;
  } finally {
    arena.trim();
    reader.close();
    commands.uniforms.destroy();
  }
}

const refusal = ({ adapter }: Gpu, wrong: string) =>
  new UserError(
    `Cannot use the GPU ${adapter.name}: ${wrong}`,
    "update its Vulkan driver, or choose another one with --gpu: softcot doctor lists them",
  );

const EPS = 1e-5;
// Of sums of 16 products of numbers of at most 1: many times what f32 rounds.
const MOST_ERROR = 1e-4;

/** What the kernel is given. */
interface Given {
  lanes: number;
  /** [4 lanes]. */
  x: Float32Array<ArrayBuffer>;
  /** [columns, 4 handed]. */
  w: Float32Array<ArrayBuffer>;
}

async function whatIsWrong(gpu: Gpu): Promise<string | undefined> {
  const lanes = gpu.subgroupSize;
  const columns = CHECK_GROUPS * lanes;
  const x = Float32Array.from({ length: 4 * lanes }, (_, i) => Math.sin(1 + i * 0.7));
  const length = columns * 4 * handedLanes(lanes).length;
  const w = Float32Array.from({ length }, (_, i) => Math.f16round(Math.cos(i * 0.3)));
  using scratch = gpu.arena.scratch();
  const put = (data: Float32Array<ArrayBuffer> | Float16Array<ArrayBuffer>, label: string) => {
    const tensor = scratch.u32([data.byteLength / 4], label);
    gpu.commands.upload(tensor, data);
    return tensor;
  };
  const weights = put(w, "check w");
  const given = [put(x, "check x"), weights, put(Float16Array.from(w), "check half"), weights];
  const found = scratch.u32([columns, 4], "check found");
  const sums = scratch.f32([columns, 4], "check sums");
  run(gpu, checkKernel(lanes, gpu.u64Loads), [...given, found, sums], { eps: EPS }, [CHECK_GROUPS]);
  const threads = checkedThreads(gpu);
  const teams = scratch.u32([CHECK_GROUPS, threads], "check teams");
  run(gpu, checkTeams(lanes, threads), [teams], { threads }, [CHECK_GROUPS]);
  const read = [found, sums, teams].map((tensor) => gpu.reader.read(tensor));
  const [ofLanes, ofSums, ofTeams] = await Promise.all(read);
  return wrongLanes(lanes, new Uint32Array(ofLanes)) ??
    wrongNumbers({ lanes, x, w }, gpu.u64Loads, new Float32Array(ofSums)) ??
    wrongTeams(lanes, threads, new Uint32Array(ofTeams, 0, CHECK_GROUPS * threads));
}

function wrongLanes(lanes: number, found: Uint32Array): string | undefined {
  for (let i = 0; i < found.length / 4; i++) {
    const index = i % lanes;
    const [lane, size, sum, last] = found.subarray(4 * i, 4 * i + 4);
    if (size < lanes) {
      return `its subgroups have ${size} lanes, kernels made for ${lanes} would compute wrong numbers`;
    }
    if (lane !== index) {
      return `lane ${lane} of a subgroup is invocation ${index} of its workgroup, they must be equal`;
    }
    if (sum !== lanes * (lanes + 1) / 2 || last !== lanes - 1) {
      return `a subgroup of ${lanes} lanes adds 1 to ${lanes} up to ${sum}, and its last lane is ${last}`;
    }
  }
}

function wrongNumbers({ lanes, x, w }: Given, u64: boolean, sums: Float32Array): string | undefined {
  const handed = handedLanes(lanes).flatMap((lane) => [...x.subarray(4 * lane, 4 * lane + 4)]);
  const rms = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + EPS);
  const what = ["f32 weights", "packed f16 weights", `weights loaded as words of ${u64 ? 64 : 32} bits`];
  for (let column = 0; column < sums.length / 4; column++) {
    const product = handed.reduce((sum, v, i) => sum + v * w[column * handed.length + i], 0);
    const expected = [product, product, product, x[4 * (column % lanes)] / rms];
    for (const [i, value] of sums.subarray(4 * column, 4 * column + 4).entries()) {
      if (Math.abs(value - expected[i]) <= MOST_ERROR) continue;
      return `${i < 3 ? `a product with ${what[i]}` : "a norm"} is wrong: ${value}, ${expected[i]} is needed`;
    }
  }
}
