import { UserError } from "../../gpu/errors.ts";
import { pause } from "../../gpu/pause.ts";
import { shareOf } from "./learners.ts";
import { openMpiLibrary } from "./mpi_library.ts";

/** The processes of a job, as Open MPI has them. What all of them take part in, all call in one order. */
export interface Mpi {
  /** Number of this process, from 0. */
  readonly rank: number;
  /** Of processes. */
  readonly size: number;
  /** What the library calls itself. */
  readonly version: string;
  /** Waits for all processes without using up a core, however long they take. */
  meet(): Promise<void>;
  /**
   * Sends part i of `data`, as {@link shareOf} cuts it, to process i. What comes from process i, its part for this one, is part i of `received`,
   * whose parts are all as long as this process's part of `data`; its own is not written.
   */
  exchangeParts(data: Float32Array<ArrayBuffer>, received: Float32Array<ArrayBuffer>): Promise<void>;
  /** Brings this process's part of `data` to all, and those of the others here. */
  spreadParts(data: Float32Array<ArrayBuffer>): Promise<void>;
  /** What every process has, in the order of their ranks. */
  allGatherBytes(send: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[]>;
  /** into += from, of this process alone. */
  add(from: Float32Array<ArrayBuffer>, into: Float32Array<ArrayBuffer>): void;
  /** Sends a process a short text, which it finds when it looks. */
  tell(rank: number, text: string): void;
  /** A text that was sent to this one. */
  heard(): string | undefined;
  /** To be called by all, at the very end of what they do together. */
  leave(): void;
}

let joined: Mpi | undefined;

/**
 * Joins the processes that this one was started with: once, whoever asks.
 * @throws UserError if Open MPI is not here, or does not do
 */
export function joinMpi(): Mpi {
  return joined ??= join();
}

const THREAD_MULTIPLE = 3;
const ANY_SOURCE = -1;
const TAG = 1;
/** Short enough to be sent without waiting for whom it is for. */
const MOST_TOLD = 2000;
/**
 * Milliseconds for which a process that expects bytes asks for them without a pause: several times what a slice of a sum takes, since one that
 * pauses keeps the others waiting, who then pause in their turn.
 */
const EAGER = 20;

function join(): Mpi {
  const { functions, world, float, byte, sum, errorsReturn, inPlace } = openMpiLibrary();
  const granted = new Int32Array(1);
  checked("MPI_Init_thread", functions.MPI_Init_thread(null, null, THREAD_MULTIPLE, granted));
  if (granted[0] < THREAD_MULTIPLE) {
    throw new UserError(
      "Cannot join other learners: this Open MPI was built without MPI_THREAD_MULTIPLE, it is needed",
    );
  }
  checked("MPI_Comm_set_errhandler", functions.MPI_Comm_set_errhandler(world, errorsReturn));
  const number = (ask: typeof functions.MPI_Comm_rank) => {
    const found = new Int32Array(1);
    ask(world, found);
    return found[0];
  };
  const [rank, size] = [number(functions.MPI_Comm_rank), number(functions.MPI_Comm_size)];
  const flag = new Int32Array(1);
  // MPI_Status; its first word is who sent.
  const status = new Int32Array(16);
  /** What MPI reads and writes until it is done: a suspended function alone does not keep it. */
  const held = new Set<readonly unknown[]>();
  /** Until what was begun is done; other events come in between pauses. */
  const finished = async (
    request: BigUint64Array<ArrayBuffer>,
    eager: number,
    ...uses: readonly unknown[]
  ): Promise<void> => {
    held.add(uses);
    try {
      const began = performance.now();
      for (let pauses = 0;;) {
        checked("MPI_Test", functions.MPI_Test(request, flag, null));
        if (flag[0] !== 0) return;
        if (performance.now() - began < eager) continue;
        await pause(pauses++ < 20 ? 0 : 3);
      }
    } finally {
      held.delete(uses);
    }
  };
  /** Where each process's share of so many numbers begins and how long it is, as MPI takes it. */
  const sharesOf = (count: number) => {
    const shares = Array.from({ length: size }, (_, rank) => shareOf(count, { rank, size }));
    return {
      starts: Int32Array.from(shares, ({ from }) => from),
      lengths: Int32Array.from(shares, ({ from, to }) => to - from),
    };
  };
  return {
    rank,
    size,
    version: textOf(functions.MPI_Get_library_version).split(",")[0],
    async meet() {
      const request = new BigUint64Array(1);
      checked("MPI_Ibarrier", functions.MPI_Ibarrier(world, request));
      await finished(request, 0);
    },
    async exchangeParts(data, received) {
      const { starts, lengths } = sharesOf(data.length);
      const own = lengths[rank];
      lengths[rank] = 0;
      const counts = Int32Array.from(lengths, (_, r) => r === rank ? 0 : own);
      const places = Int32Array.from(lengths, (_, r) => r * own);
      const request = new BigUint64Array(1);
      checked(
        "MPI_Ialltoallv",
        functions.MPI_Ialltoallv(
          ...[data, lengths, starts, float] as const,
          ...[received, counts, places, float, world, request] as const,
        ),
      );
      await finished(request, EAGER, data, lengths, starts, received, counts, places);
    },
    async spreadParts(data) {
      const { starts, lengths } = sharesOf(data.length);
      const request = new BigUint64Array(1);
      checked(
        "MPI_Iallgatherv",
        functions.MPI_Iallgatherv(inPlace, 0, float, data, lengths, starts, float, world, request),
      );
      await finished(request, EAGER, data, lengths, starts);
    },
    async allGatherBytes(send) {
      const counts = new Int32Array(size);
      const own = Int32Array.of(send.length);
      checked("MPI_Allgather", await functions.MPI_Allgather(own, 4, byte, counts, 4, byte, world));
      const starts = new Int32Array(size);
      for (let i = 1; i < size; i++) starts[i] = starts[i - 1] + counts[i - 1];
      const all = new Uint8Array(starts[size - 1] + counts[size - 1]);
      checked(
        "MPI_Allgatherv",
        await functions.MPI_Allgatherv(send, send.length, byte, all, counts, starts, byte, world),
      );
      return Array.from(counts, (count, i) => all.slice(starts[i], starts[i] + count));
    },
    add(from, into) {
      checked("MPI_Reduce_local", functions.MPI_Reduce_local(from, into, into.length, float, sum));
    },
    tell(to, text) {
      const bytes = new TextEncoder().encode(text).slice(0, MOST_TOLD);
      functions.MPI_Send(bytes, bytes.length, byte, to, TAG, world);
    },
    heard() {
      const found = new Int32Array(1);
      if (functions.MPI_Iprobe(ANY_SOURCE, TAG, world, found, status) !== 0 || found[0] === 0) {
        return undefined;
      }
      const [from] = status;
      const bytes = new Uint8Array(MOST_TOLD);
      functions.MPI_Recv(bytes, MOST_TOLD, byte, from, TAG, world, null);
      return new TextDecoder().decode(bytes).replaceAll("\0", "");
    },
    leave() {
      functions.MPI_Finalize();
    },
  };

  function textOf(ask: (buffer: Uint8Array<ArrayBuffer>, length: Int32Array<ArrayBuffer>) => number): string {
    const buffer = new Uint8Array(8192);
    const length = new Int32Array(1);
    ask(buffer, length);
    return new TextDecoder().decode(buffer.subarray(0, length[0]));
  }

  function checked(call: string, code: number): void {
    if (code === 0) return;
    const why = textOf((buffer, length) => functions.MPI_Error_string(code, buffer, length));
    throw new Error(`Cannot go on with the other learners: ${call} says ${why}`);
  }
}
