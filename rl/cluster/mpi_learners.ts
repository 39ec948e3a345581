import { deserialize, serialize } from "node:v8";
import type { Tensor } from "../../gpu/tensor.ts";
import { BUCKET, bucketsOf, countOf, packPieces, unpackPieces, wholeOf } from "./buckets.ts";
import type { Learners, Piece, Spent } from "./learners.ts";
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
        using scratch = gpu.arena.scratch();
        const rooms = [0, 1].map((i) => scratch.f32([bucket], `bucket ${i}`));
        const start = (b: number) => {
          if (b >= buckets.length) return undefined;
          const room = rooms[b % 2];
          packPieces(gpu, buckets[b], room);
          return gpu.reader.start(firstOf(room, padded(countOf(buckets[b]), size)));
        };
        // Three buckets are on their way: one is read, one summed, one written back.
        let next = start(0)?.();
        for (let b = 0; b < buckets.length; b++) {
          const data = new Float32Array(await next!);
          const later = start(b + 1);
          await addUp(data, () => next = later?.());
          gpu.commands.upload(rooms[b % 2], data);
          unpackPieces(gpu, rooms[b % 2], 0, buckets[b]);
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
        using scratch = gpu.arena.scratch();
        const room = scratch.f32([bucket], "bucket 0");
        for (let b = 0; b < rounds; b++) {
          const of = (r: number): Piece[] => buckets[r][b] ?? [];
          const longest = Math.max(...pieces.map((_, r) => countOf(of(r))));
          packPieces(gpu, of(rank), room);
          const data = new Float32Array(await gpu.reader.read(firstOf(room, longest)));
          const all = received.subarray(0, longest * size);
          await mpi.allGather(data, all);
          gpu.commands.upload(room, all);
          for (let r = 0; r < size; r++) if (r !== rank) unpackPieces(gpu, room, r * longest, of(r));
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

const firstOf = (tensor: Tensor, count: number): Tensor => ({ ...tensor, shape: [count] });
