import type { Commands } from "./commands.ts";
import type { ErrorLog } from "./error_log.ts";
import { mappedRange } from "./mapped_range.ts";
import { byteLength, type Tensor } from "./tensor.ts";

/** A part of a tensor of 4-byte elements. */
export interface Piece {
  /** The whole tensor. */
  tensor: Tensor;
  /** Its first element. */
  from: number;
  /** How many. */
  count: number;
}

/** Numbers that were read, for as long as they are not given back. */
export interface LentPieces {
  /** Whoever has them may change them: tensors do not. */
  data: Float32Array<ArrayBuffer>;
  /** Ends that: the memory is used again. */
  giveBack(): void;
}

/** Brings tensors back to the CPU. */
export interface Reader {
  /** Copies a tensor as it is at this point of the recorded commands, and waits for it. */
  read(tensor: Tensor): Promise<ArrayBuffer>;
  /** The same in two halves: the copy is recorded and submitted now, the result fetched later. */
  start(tensor: Tensor): () => Promise<ArrayBuffer>;
  /** The same of parts of tensors of 4-byte elements, one after another. */
  startPieces(pieces: readonly Piece[]): () => Promise<ArrayBuffer>;
  /** The same of f32 tensors, without a copy of its own. */
  lendPieces(pieces: readonly Piece[]): () => Promise<LentPieces>;
  /** Destroys the idle buffers. */
  close(): void;
}

/** Makes the reader of a device. */
export function createReader(device: GPUDevice, commands: Commands, errors: ErrorLog): Reader {
  const idle = new Map<number, GPUBuffer[]>();

  const take = (size: number): GPUBuffer => {
    const known = idle.get(size)?.pop();
    if (known) return known;
    const buffer = device.createBuffer({
      label: `read ${size}`,
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      mappedAtCreation: true,
    });
    buffer.unmap();
    return buffer;
  };
  const lend = async (buffer: GPUBuffer, size: number, bytes: number) => {
    // Deno copies what is asked for.
    const range = await mappedRange(
      buffer,
      GPUMapMode.READ,
      { at: 0, bytes: Math.ceil(bytes / 4) * 4 },
      errors,
    );
    const giveBack = () => {
      buffer.unmap();
      const list = idle.get(size);
      list ? list.push(buffer) : idle.set(size, [buffer]);
    };
    return { range, giveBack };
  };
  const checked = async <T>(found: T): Promise<T> => {
    await errors.settled();
    errors.check();
    return found;
  };
  const finish = async (buffer: GPUBuffer, size: number, bytes: number): Promise<ArrayBuffer> => {
    const { range, giveBack } = await lend(buffer, size, bytes);
    const copy = range.slice(0, bytes);
    giveBack();
    return checked(copy);
  };
  const roomFor = (bytes: number) => {
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, 16)));
    return { size, buffer: take(size) };
  };
  const start = (tensor: Tensor) => {
    const bytes = byteLength(tensor);
    const { size, buffer } = roomFor(bytes);
    commands.copyToBuffer(tensor, 0, buffer, Math.ceil(bytes / 4) * 4);
    commands.flush();
    return () => finish(buffer, size, bytes);
  };
  const copyPieces = (pieces: readonly Piece[]) => {
    const bytes = 4 * pieces.reduce((sum, { count }) => sum + count, 0);
    const { size, buffer } = roomFor(bytes);
    let at = 0;
    for (const { tensor, from, count } of pieces) {
      commands.copyToBuffer(tensor, 4 * from, buffer, 4 * count, at);
      at += 4 * count;
    }
    commands.flush();
    return { buffer, size, bytes };
  };
  return {
    start,
    startPieces(pieces) {
      const { buffer, size, bytes } = copyPieces(pieces);
      return () => finish(buffer, size, bytes);
    },
    lendPieces(pieces) {
      const { buffer, size, bytes } = copyPieces(pieces);
      return async () => {
        const { range, giveBack } = await lend(buffer, size, bytes);
        return checked({ data: new Float32Array(range), giveBack });
      };
    },
    read: (tensor) => start(tensor)(),
    close() {
      for (const list of idle.values()) for (const buffer of list) buffer.destroy();
    },
  };
}
