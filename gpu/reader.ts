import type { Commands } from "./commands.ts";
import type { ErrorLog } from "./error_log.ts";
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

/** Brings tensors back to the CPU. */
export interface Reader {
  /** Copies a tensor as it is at this point of the recorded commands, and waits for it. */
  read(tensor: Tensor): Promise<ArrayBuffer>;
  /** The same in two halves: the copy is recorded and submitted now, the result fetched later. */
  start(tensor: Tensor): () => Promise<ArrayBuffer>;
  /** The same of parts of tensors of 4-byte elements, one after another; of at least `bytes` bytes, whatever is behind them. */
  startPieces(pieces: readonly Piece[], bytes?: number): () => Promise<ArrayBuffer>;
  /** Destroys the idle buffers. */
  close(): void;
}

/**
 * Makes the reader of a device. mapAsync sleeps 10 ms in Deno before its promise resolves, though the bytes are there
 * at once; `getMappedRange` is tried first. It must not be called while a buffer's very first mapAsync is pending:
 * buffers are therefore made mapped, and unmapped once.
 */
export function createReader(device: GPUDevice, commands: Commands, errors: ErrorLog): Reader {
  const idle = new Map<number, GPUBuffer[]>();
  const pending = new Set<Promise<void>>();

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
  const finish = async (buffer: GPUBuffer, size: number, bytes: number): Promise<ArrayBuffer> => {
    const mapped = buffer.mapAsync(GPUMapMode.READ, 0, size);
    const settled = mapped.catch(() => {}).then(() => void pending.delete(settled));
    pending.add(settled);
    let range: ArrayBuffer;
    try {
      range = buffer.getMappedRange(0, size);
    } catch {
      await mapped.catch(async (error) => {
        throw await errors.explain(error);
      });
      range = buffer.getMappedRange(0, size);
    }
    const copy = range.slice(0, bytes);
    buffer.unmap();
    const list = idle.get(size);
    list ? list.push(buffer) : idle.set(size, [buffer]);
    await errors.settled();
    errors.check();
    return copy;
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
  const startPieces = (pieces: readonly Piece[], least = 0) => {
    const own = 4 * pieces.reduce((sum, { count }) => sum + count, 0);
    const bytes = Math.max(own, least);
    const { size, buffer } = roomFor(bytes);
    let at = 0;
    for (const { tensor, from, count } of pieces) {
      commands.copyToBuffer(tensor, 4 * from, buffer, 4 * count, at);
      at += 4 * count;
    }
    commands.flush();
    return () => finish(buffer, size, bytes);
  };
  return {
    start,
    startPieces,
    read: (tensor) => start(tensor)(),
    close() {
      for (const list of idle.values()) for (const buffer of list) buffer.destroy();
    },
  };
}
