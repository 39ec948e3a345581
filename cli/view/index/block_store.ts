import { openOwn } from "../../../model/files/own_file.ts";
import { hashOf } from "./scan_record.ts";
import { readAt, readInto } from "./line_reader.ts";
import { openWithin } from "./open_within.ts";

/** What stands before a block's bytes in an index. */
export interface BlockHeader<H> {
  /** Lines that were taken. */
  lines: number;
  /** Lines that could not be read. */
  skipped: number;
  /** Place in the file after the last of them. */
  end: number;
  /** Hash of the bytes before it. */
  tail: number;
  /** Bytes of the block. */
  bytes: number;
  /** What the kind of index tells. */
  extra: H;
}

/** What is known of some lines that follow one another. */
export interface Block<H> extends BlockHeader<H> {
  /** Its bytes, from the beginning of their buffer; the next block's that are read take their place. */
  body(): Uint8Array<ArrayBuffer>;
}

/** Blocks of an index: those of its file, then those that are in memory alone. */
export interface BlockStore<H> extends Disposable {
  readonly blocks: readonly Block<H>[];
  /** Why new blocks are kept in memory; undefined where they are not. */
  readonly inMemory: string | undefined;
  add(header: Omit<BlockHeader<H>, "bytes">, body: Uint8Array<ArrayBuffer>): void;
}

/** The file that an index is of. */
export interface IndexedFile {
  /** Real path of the folder that was given. */
  root: string;
  path: string;
  /** What the index is of, and the number of its form: an index of another one is made anew. */
  kind: string;
  /** Whether the index may be written. */
  writable: boolean;
}

/** Bytes that a block's end is recognised by, and a file by its beginning. */
const [TAIL, HEAD] = [64, 1024];
/** Bytes of a header at most. */
const MOST_HEADER = 1 << 20;

/** Where the index of a file lies. */
export const indexPath = (path: string): string => `${path}.index`;

/** The hash that a block's end is recognised by. */
export function tailOf(file: Deno.FsFile, end: number): number {
  const bytes = readAt(file, Math.max(0, end - TAIL), Math.min(TAIL, end));
  return hashOf(bytes, 0, bytes.length);
}

/**
 * Opens the blocks that are known of a file. What is of another file, or of one that has changed otherwise than by growing, is thrown away.
 * One process at a time writes an index; others go on in memory.
 */
export function openBlocks<H>(of: IndexedFile, source: Deno.FsFile): BlockStore<H> {
  const identity = identityOf(of.kind, source);
  let file: Deno.FsFile | undefined;
  let isPrepared = false;
  let inMemory = of.writable ? undefined : "nothing is to be written";
  const blocks: Block<H>[] = [];
  let end = 0;
  try {
    file = openWithin(of.root, indexPath(of.path));
    end = load(file, identity, source, blocks);
  } catch {
    // What cannot be read is as good as none.
  }
  const prepare = () => {
    file = openLocked(of);
    if (blocks.length > 0) return;
    // Another process may read what is of no use to this one.
    if (file.statSync().size > 0) {
      Deno.removeSync(indexPath(of.path));
      file.close();
      file = openLocked(of);
    }
    end = write(file, 0, [line(identity)]);
  };
  return {
    blocks,
    get inMemory() {
      return inMemory;
    },
    add(header, body) {
      const whole = { ...header, bytes: body.length };
      if (inMemory === undefined) {
        try {
          if (!isPrepared) prepare();
          isPrepared = true;
          end = write(file!, end, [line(whole), body]);
          blocks.push(inFile(file!, end - body.length, whole));
          return;
        } catch (error) {
          inMemory = (error as Error).message;
        }
      }
      blocks.push(inMemoryOf(whole, body));
    },
    [Symbol.dispose]: () => file?.close(),
  };
}

// Functions of their own: what one of a function's closures names, all of them keep.

function inFile<H>(file: Deno.FsFile, start: number, header: BlockHeader<H>): Block<H> {
  const { bytes } = header;
  return {
    ...header,
    body() {
      if (scratch.length < bytes) scratch = new Uint8Array(bytes);
      return readInto(scratch.subarray(0, bytes), file, start);
    },
  };
}

/** A query goes over megabytes of blocks, one at a time. */
let scratch = new Uint8Array(0);

function inMemoryOf<H>(header: BlockHeader<H>, body: Uint8Array<ArrayBuffer>): Block<H> {
  return { ...header, body: () => body };
}

/** Removes the index of a file that is another by now; a process that writes it goes on in what has no name any more. */
export function dropBlocks({ path, writable }: IndexedFile): void {
  if (!writable) return;
  try {
    Deno.removeSync(indexPath(path));
  } catch {
    // There is none, or it may not be removed: it is found to be another's.
  }
}

function openLocked({ path }: IndexedFile): Deno.FsFile {
  const file = openOwn(indexPath(path), { read: true, write: true });
  if (file.tryLockSync(true)) return file;
  file.close();
  throw new Error("another process writes it");
}

function identityOf(kind: string, source: Deno.FsFile) {
  const { ino, size } = source.statSync();
  const bytes = readAt(source, 0, Math.min(HEAD, size));
  return { kind, ino, head: hashOf(bytes, 0, bytes.length), headBytes: bytes.length };
}

type Identity = ReturnType<typeof identityOf>;

const ENCODER = new TextEncoder();
const line = (data: unknown): Uint8Array<ArrayBuffer> => ENCODER.encode(JSON.stringify(data) + "\n");

function write(file: Deno.FsFile, at: number, parts: readonly Uint8Array[]): number {
  file.seekSync(at, Deno.SeekMode.Start);
  for (const part of parts) {
    for (let done = 0; done < part.length;) done += file.writeSync(part.subarray(done));
    at += part.length;
  }
  return at;
}

/** Reads the headers of an index. Returns where its whole blocks end. */
function load<H>(file: Deno.FsFile, identity: Identity, source: Deno.FsFile, blocks: Block<H>[]): number {
  const first = headerAt(file, 0);
  if (!first || !isOf(first.data as Identity, identity, source)) return 0;
  const { size } = file.statSync();
  let at = first.end;
  for (let found = headerAt(file, at); found; found = headerAt(file, at)) {
    const header = found.data as BlockHeader<H>;
    if (!isHeader(header) || found.end + header.bytes > size) break;
    blocks.push(inFile(file, found.end, header));
    at = found.end + header.bytes;
  }
  const last = blocks.at(-1);
  if (last && (last.end > source.statSync().size || last.tail !== tailOf(source, last.end))) {
    blocks.length = 0;
    return 0;
  }
  return blocks.length === 0 ? 0 : at;
}

/** The beginning may have been shorter when the index was begun. */
function isOf(kept: Identity, now: Identity, source: Deno.FsFile): boolean {
  if (kept.kind !== now.kind || kept.ino !== now.ino || !(kept.headBytes <= now.headBytes)) return false;
  const bytes = readAt(source, 0, kept.headBytes);
  return kept.head === hashOf(bytes, 0, bytes.length);
}

const isHeader = <H>({ lines, skipped, end, bytes, extra }: BlockHeader<H>): boolean =>
  [lines, skipped, end, bytes].every((one) => Number.isSafeInteger(one) && one >= 0) &&
  typeof extra === "object" && extra !== null;

/** The line of JSON at a place; undefined if there is none. */
function headerAt(file: Deno.FsFile, at: number): { data: unknown; end: number } | undefined {
  for (let length = 4096; length <= MOST_HEADER; length *= 16) {
    const bytes = readAt(file, at, length);
    const newline = bytes.indexOf(10);
    if (newline < 0 && bytes.length === length) continue;
    if (newline < 0) return undefined;
    try {
      return {
        data: JSON.parse(new TextDecoder().decode(bytes.subarray(0, newline))),
        end: at + newline + 1,
      };
    } catch {
      return undefined;
    }
  }
  return undefined;
}
