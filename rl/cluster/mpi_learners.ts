import { deserialize, serialize } from "node:v8";
import type { Gpu } from "../../gpu/gpu.ts";
import { lendElements } from "../../gpu/lend_elements.ts";
import type { Piece } from "../../gpu/reader.ts";
import { sizeOf, type Tensor } from "../../gpu/tensor.ts";
import { addUp, roomFor, sliceOf } from "./add_up.ts";
import { BUCKET, bucketsOf, countOf, wholeOf, writePieces } from "./buckets.ts";
import type { Learners, Spent } from "./learners.ts";
import type { Mpi } from "./mpi.ts";

/** Numbers of a tensor from which on it is summed where it lies: mapping costs as much as copying so many. */
const LARGE = 64 * 1024;

/** Learners over Open MPI. */
export function mpiLearners(mpi: Mpi): Learners {
  const { rank, size } = mpi;
  let spent: Spent = { waited: 0, summed: 0, bytes: 0 };
  const slice = sliceOf(size, BUCKET);
  const room = new Float32Array(size === 1 ? 0 : roomFor(slice, size));

  /** What all do at once: the clock tells waiting from working. */
  const together = async (work: () => Promise<void>): Promise<void> => {
    const came = performance.now();
    await mpi.meet();
    const began = performance.now();
    await work();
    spent.waited += (began - came) / 1000;
    spent.summed += (performance.now() - began) / 1000;
  };
  const addSlices = async (data: Float32Array<ArrayBuffer>): Promise<void> => {
    for (let at = 0; at < data.length; at += slice) {
      spent.bytes += await addUp(mpi, data.subarray(at, at + slice), room);
    }
  };
  /** Through a buffer of the device's: one bucket is read while the one before is summed and the one before that written back. */
  const sumBuckets = async (gpu: Gpu, tensors: readonly Tensor[]): Promise<void> => {
    const buckets = bucketsOf(wholeOf(tensors), BUCKET);
    const start = (b: number) => b < buckets.length ? gpu.reader.lendPieces(buckets[b]) : undefined;
    let next = start(0);
    for (const [b, bucket] of buckets.entries()) {
      const { data, giveBack } = await next!();
      next = start(b + 1);
      await addSlices(data);
      writePieces(gpu, bucket, data);
      giveBack();
    }
    gpu.commands.flush();
  };
  const self: Learners = {
    rank,
    size,
    async gather<T>(value: T): Promise<T[]> {
      const came = performance.now();
      await mpi.meet();
      spent.waited += (performance.now() - came) / 1000;
      const all = await mpi.allGatherBytes(new Uint8Array(serialize(value)));
      return all.map((bytes) => deserialize(bytes) as T);
    },
    async sum(gpu, tensors) {
      if (size === 1) return;
      // Its own work first: else others would wait for it without being seen to.
      await drain(gpu, tensors);
      await together(async () => {
        const where = Map.groupBy(
          tensors,
          ({ storage, shape }) => storage.lendable && sizeOf(shape) >= LARGE,
        );
        for (const tensor of where.get(true) ?? []) {
          for (const [piece] of bucketsOf(wholeOf([tensor]), slice)) {
            await lendElements(gpu, piece, addSlices);
          }
        }
        await sumBuckets(gpu, where.get(false) ?? []);
      });
    },
    async spread(gpu, pieces) {
      if (size === 1) return;
      await drain(gpu, pieces[rank].map(({ tensor }) => tensor));
      await together(async () => {
        const part = Math.floor(BUCKET / size);
        const buckets = pieces.map((own) => bucketsOf(own, part));
        const longer = new Float32Array(part * size);
        const rounds = Math.max(...buckets.map((own) => own.length));
        for (let b = 0; b < rounds; b++) {
          const of = (r: number): Piece[] => buckets[r][b] ?? [];
          const longest = Math.max(...pieces.map((_, r) => countOf(of(r))));
          const all = longer.subarray(0, longest * size);
          const { data, giveBack } = await gpu.reader.lendPieces(of(rank))();
          all.set(data, rank * longest);
          giveBack();
          await mpi.spreadParts(all);
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

/** Until all that is recorded for a device is done. */
async function drain(gpu: Gpu, [tensor]: readonly Tensor[]): Promise<void> {
  if (tensor === undefined) return;
  const { giveBack } = await gpu.reader.lendPieces([{ tensor, from: 0, count: 1 }])();
  giveBack();
}
