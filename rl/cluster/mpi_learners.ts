import { deserialize, serialize } from "node:v8";
import type { Piece } from "../../gpu/reader.ts";
import { BUCKET, bucketsOf, countOf, wholeOf, writePieces } from "./buckets.ts";
import type { Learners, Spent } from "./learners.ts";
import type { Mpi } from "./mpi.ts";

/** Learners over Open MPI. */
export function mpiLearners(mpi: Mpi): Learners {
  const { rank, size } = mpi;
  let spent: Spent = { waited: 0, summed: 0, bytes: 0 };
  // Parts of a bucket are of one size.
  const bucket = BUCKET - BUCKET % size;
  const received = new Float32Array(size === 1 ? 0 : bucket);

  /** What all do at once: the clock tells waiting from working. */
  const together = async (work: () => Promise<void>): Promise<void> => {
    const came = performance.now();
    await mpi.meet();
    const began = performance.now();
    await work();
    spent.waited += (began - came) / 1000;
    spent.summed += (performance.now() - began) / 1000;
  };
  /** data = its sum over all. */
  const addUp = async (data: Float32Array<ArrayBuffer>, besides: () => void): Promise<void> => {
    const part = data.length / size;
    const partOf = (i: number) => received.subarray(i * part, (i + 1) * part);
    const sent = mpi.allToAll(data, received.subarray(0, data.length));
    besides();
    await sent;
    for (let i = 1; i < size; i++) await mpi.add(partOf(i), partOf(0));
    await mpi.allGather(partOf(0), data);
    spent.bytes += 2 * 4 * part * (size - 1);
  };
  const self: Learners = {
    rank,
    size,
    async gather<T>(value: T): Promise<T[]> {
      await mpi.meet();
      const all = await mpi.allGatherBytes(new Uint8Array(serialize(value)));
      return all.map((bytes) => deserialize(bytes) as T);
    },
    async sum(gpu, tensors) {
      if (size === 1) return;
      await together(async () => {
        const buckets = bucketsOf(wholeOf(tensors), bucket);
        // One bucket is read while the one before is summed and the one before that written back.
        const start = (b: number) =>
          b < buckets.length
            ? gpu.reader.startPieces(buckets[b], 4 * padded(countOf(buckets[b]), size))
            : undefined;
        let next = start(0)?.();
        for (let b = 0; b < buckets.length; b++) {
          const data = new Float32Array(await next!);
          const later = start(b + 1);
          await addUp(data, () => next = later?.());
          writePieces(gpu, buckets[b], data);
        }
        gpu.commands.flush();
      });
    },
    async spread(gpu, pieces) {
      if (size === 1) return;
      await together(async () => {
        const part = bucket / size;
        const buckets = pieces.map((own) => bucketsOf(own, part));
        const rounds = Math.max(...buckets.map((own) => own.length));
        for (let b = 0; b < rounds; b++) {
          const of = (r: number): Piece[] => buckets[r][b] ?? [];
          const longest = Math.max(...pieces.map((_, r) => countOf(of(r))));
          const data = new Float32Array(await gpu.reader.startPieces(of(rank), 4 * longest)());
          const all = received.subarray(0, longest * size);
          await mpi.allGather(data, all);
          for (let r = 0; r < size; r++) {
            if (r !== rank) writePieces(gpu, of(r), all.subarray(r * longest));
          }
          spent.bytes += 4 * longest * (size - 1);
        }
        gpu.commands.flush();
      });
    },
    takeSpent() {
      const taken = spent;
      spent = { waited: 0, summed: 0, bytes: 0 };
      return taken;
    },
  };
  return self;
}

const padded = (count: number, size: number): number => Math.ceil(count / size) * size;
