import { readSystemFile } from "../../gpu/device/system_files.ts";
import { UserError } from "../../gpu/errors.ts";
import { addUp, roomFor, sliceOf } from "../../rl/cluster/add_up.ts";
import { BUCKET } from "../../rl/cluster/buckets.ts";
import { launched } from "../../rl/cluster/launched.ts";
import { joinMpi } from "../../rl/cluster/mpi.ts";
import { mpiLearners } from "../../rl/cluster/mpi_learners.ts";
import type { NatsPlace } from "../../rl/workers/connect_nats.ts";
import { lookAtNats, type NatsDiagnosis } from "../../rl/workers/look_at_nats.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { table } from "../terminal/table.ts";
import { startLearners } from "../train/start_learners.ts";

/** What `softcot doctor --cluster` tells with --json. */
export interface ClusterDiagnosis {
  /** What the library calls itself. */
  mpi: string;
  /** The processes of the job on each machine. */
  machines: { name: string; learners: number }[];
  /** GB/s (10^9 bytes) at which all learners' buffers were summed, from buffer to buffer of the CPU. */
  gigabytesPerSecond: number;
  /** Whether the sums were right on all of them. */
  right: boolean;
  /** Of workers. */
  nats: NatsDiagnosis;
}

/** Bytes that are summed, in buckets as gradients are. */
const BUCKETS = 8;
const REPEATS = 3;

/**
 * Tries Open MPI: among the processes that a launcher started, else among two of this machine, started for it.
 * @param print told the result, by the first process alone
 * @returns the status to end with
 */
export async function tryCluster(
  nats: NatsPlace,
  print: (found: ClusterDiagnosis | { nats: NatsDiagnosis }, text: () => string) => void,
): Promise<number> {
  if (launched() === undefined) {
    try {
      return await startLearners(2);
    } catch (error) {
      // Without the one there may be the other.
      const found = await lookAtNats(nats);
      print({ nats: found }, () => table(describeNats(found), { align: ["left", "left"] }));
      throw error;
    }
  }
  const found = await measure();
  if (found.rank === 0) {
    const diagnosis = { ...found.diagnosis, nats: await lookAtNats(nats) };
    print(diagnosis, () => describe(diagnosis));
  }
  if (!found.diagnosis.right) {
    throw new UserError("Cannot train with several learners here: Open MPI sums wrongly between them");
  }
  return 0;
}

async function measure(): Promise<{ rank: number; diagnosis: Omit<ClusterDiagnosis, "nats"> }> {
  const mpi = joinMpi();
  const { rank, size } = mpi;
  const own = readSystemFile("/proc/sys/kernel/hostname")?.trim() ?? "unknown";
  const names = await mpiLearners(mpi).gather(own);
  const count = BUCKET;
  const data = new Float32Array(count);
  const slice = sliceOf(size, count);
  const room = new Float32Array(roomFor(slice, size));
  let fastest = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    await mpi.meet();
    const began = performance.now();
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      data.fill(rank + 1);
      for (let at = 0; at < count; at += slice) await addUp(mpi, data.subarray(at, at + slice), room);
    }
    fastest = Math.min(fastest, (performance.now() - began) / 1000);
  }
  const right = (await mpiLearners(mpi).gather(data.every((value) => value === size * (size + 1) / 2)))
    .every(Boolean);
  mpi.leave();
  const machines = [...new Set(names)].map((name) => ({
    name,
    learners: names.filter((other) => other === name).length,
  }));
  const rate = 4 * count * BUCKETS / fastest / 1e9;
  return {
    rank,
    diagnosis: { mpi: mpi.version, machines, gigabytesPerSecond: Number(rate.toPrecision(3)), right },
  };
}

function describeNats(found: NatsDiagnosis): string[][] {
  const { url, problem, hint, version, roundTripMs, maxPayload, storedBytes, maxStoredBytes } = found;
  if (problem !== undefined) return [["NATS", problem], ...(hint ? [["", `hint: ${hint}`]] : [])];
  const most = maxStoredBytes === undefined ? "" : ` of at most ${inBytes(maxStoredBytes)}`;
  return [
    ["NATS", `${version} at ${url}, ${roundTripMs!.toFixed(1)} ms there and back`],
    [
      "JetStream",
      `on, ${inBytes(storedBytes!)} stored${most}; messages of at most ${inBytes(maxPayload!)}`,
    ],
    [
      "workers",
      found.workersWaiting === undefined
        ? "none were here yet"
        : `${found.workersWaiting} wait; ${found.jobsAtWork} jobs are made, ${found.jobsWaiting} wait`,
    ],
  ];
}

const describe = ({ mpi, machines, gigabytesPerSecond, right, nats }: ClusterDiagnosis): string =>
  table([
    ["Open MPI", mpi],
    ...machines.map(({ name, learners }) => ["machine", `${name}: ${learners} learners`]),
    ["sums", `${right ? "right" : "WRONG"}, ${gigabytesPerSecond} GB/s from CPU buffer to CPU buffer`],
    ...describeNats(nats),
  ], { align: ["left", "left"] });
