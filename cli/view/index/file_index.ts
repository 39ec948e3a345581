import {
  type Block,
  type BlockStore,
  dropBlocks,
  type IndexedFile,
  openBlocks,
  tailOf,
} from "./block_store.ts";
import { type LineReader, lineReader, readAt } from "./line_reader.ts";
import { openWithin } from "./open_within.ts";

/** Gathers what an index keeps of lines. */
export interface BlockMaker<H> {
  /** Takes a line; false where it cannot be read. */
  take(bytes: Uint8Array, start: number, end: number, offset: number): boolean;
  /** Takes note of what an earlier block tells. */
  restore(extra: H): void;
  /** What was taken since the last `empty`. */
  extra(): H;
  body(): Uint8Array<ArrayBuffer>;
  /** Whether what is told of lines marks them as having more than others. */
  isMarked(extra: H): boolean;
  /** Begins the next block. */
  empty(): void;
  /** Forgets all: the file is another one. */
  reset(): void;
}

/** The index of a file of lines that grows. */
export interface FileIndex<H> extends Disposable {
  readonly path: string;
  /** Lines that are known. */
  readonly lines: number;
  /** Lines that could not be read. */
  readonly skipped: number;
  /** Bytes of the file, and those of its lines that are known. */
  readonly size: number;
  readonly known: number;
  /** When the file was written last, in ms; 0 where there is none. */
  readonly updated: number;
  /** Whether all of it has been read by the last look at it. */
  readonly complete: boolean;
  /** Changes whenever an answer may change. */
  readonly version: number;
  /** Why the file may not be read; undefined where it may, or is not there. */
  readonly unreadable: string | undefined;
  /** Why the index is in memory; undefined where it is not, or is so short that it need not be kept. */
  readonly inMemory: string | undefined;
  /** Whether the file has changed since it was looked at last. */
  changed(): boolean;
  /** Reads on until the end, or this time (of performance.now()); returns whether there is more to read. */
  advance(until: number): boolean;
  /** The last lines that are known, as a block without its bytes. */
  last(): { extra: H } | undefined;
  /** Whether any lines are marked: see {@link BlockMaker.isMarked}. */
  readonly mark: boolean;
  /** What is known, in the order of the file; `first` is the number of a block's first line. */
  blocks(): (Block<H> & { first: number })[];
  /** The bytes of the file at a place; fewer where it has changed meanwhile. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
  /**
   * The file, opened to be read at many places.
   * @throws Error that says what is in the way
   */
  open(): Deno.FsFile;
}

/** Ms after which a line that does not end is one that was cut off. */
const CUT_AFTER = 5000;
/** A block is kept when it has so many lines, or is of so many bytes. */
const [BLOCK_LINES, BLOCK_BYTES] = [1024, 4 * 2 ** 20];

/** The index of a file; nothing is read before `advance`. */
export function fileIndex<H>(of: IndexedFile, maker: BlockMaker<H>): FileIndex<H> {
  let store: BlockStore<H> | undefined;
  let reader: LineReader | undefined;
  let seen: { ino: number | null; size: number; updated: number } | undefined;
  /** Of the bytes before the end of what is known. */
  let tail: number | undefined;
  let [isComplete, isMarked] = [statOf(of.path) === undefined, false];
  let unreadable: string | undefined;
  let [version, kept, open] = [0, { lines: 0, skipped: 0, end: 0 }, { lines: 0, skipped: 0, end: 0 }];

  const forget = () => {
    store?.[Symbol.dispose]();
    maker.reset();
    [store, reader, tail] = [undefined, undefined, undefined];
    kept = { lines: 0, skipped: 0, end: 0 };
    open = { lines: 0, skipped: 0, end: 0 };
    isMarked = false;
    version++;
  };
  const openNow = (): Deno.FsFile | undefined => {
    unreadable = undefined;
    try {
      return openWithin(of.root, of.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) unreadable = (error as Error).message;
      return undefined;
    }
  };
  const load = (source: Deno.FsFile) => {
    store = openBlocks<H>(of, source);
    for (const { lines, skipped, end, extra } of store.blocks) {
      maker.restore(extra);
      isMarked ||= maker.isMarked(extra);
      kept = { lines: kept.lines + lines, skipped: kept.skipped + skipped, end };
    }
    open = { lines: 0, skipped: 0, end: kept.end };
    reader = lineReader(kept.end);
  };
  const keep = (source: Deno.FsFile) => {
    const { lines, skipped, end } = open;
    store!.add({ lines, skipped, end, tail: tailOf(source, end), extra: maker.extra() }, maker.body());
    isMarked ||= maker.isMarked(maker.extra());
    maker.empty();
    kept = { lines: kept.lines + lines, skipped: kept.skipped + skipped, end };
    open = { lines: 0, skipped: 0, end };
  };
  /** Looks at the file again. */
  const look = (source?: Deno.FsFile) => {
    const found = source?.statSync() ?? statOf(of.path);
    const now = found && { ino: found.ino, size: found.size, updated: found.mtime?.getTime() ?? 0 };
    // Another file may have been given the same number, or the same one other lines.
    const isOther = seen !== undefined && (now === undefined || now.ino !== seen.ino ||
      source !== undefined && tail !== undefined && tail !== tailOf(source, open.end));
    if (isOther) {
      forget();
      dropBlocks(of);
    }
    seen = now;
  };
  return {
    path: of.path,
    get lines() {
      return kept.lines + open.lines;
    },
    get skipped() {
      // A last line that nobody has written to for a while was cut off.
      const isCut = isComplete && seen !== undefined && open.end < seen.size &&
        Date.now() - seen.updated > CUT_AFTER;
      return kept.skipped + open.skipped + (isCut ? 1 : 0);
    },
    get size() {
      return seen?.size ?? 0;
    },
    get known() {
      return Math.min(open.end, seen?.size ?? 0);
    },
    get updated() {
      return seen?.updated ?? 0;
    },
    get complete() {
      return isComplete;
    },
    get mark() {
      return isMarked || open.lines > 0 && maker.isMarked(maker.extra());
    },
    get version() {
      return version;
    },
    get unreadable() {
      return unreadable;
    },
    get inMemory() {
      return store?.inMemory;
    },
    changed() {
      const found = statOf(of.path);
      return found?.ino !== seen?.ino || found?.size !== seen?.size ||
        (found?.mtime?.getTime() ?? 0) !== (seen?.updated ?? 0);
    },
    advance(until) {
      using source = openNow();
      look(source);
      isComplete = true;
      if (!source) return false;
      if (!reader) load(source);
      const before = open.lines + open.skipped + kept.lines;
      let isMore = true;
      while (isMore && performance.now() < until) {
        isMore = reader!.read(source, (bytes, start, end, offset) => {
          if (maker.take(bytes, start, end, offset)) open.lines++;
          else open.skipped++;
          open.end = offset + end - start + 1;
          if (open.lines + open.skipped >= BLOCK_LINES || open.end - kept.end >= BLOCK_BYTES) keep(source);
        }, () => open.skipped++);
      }
      if (open.lines + open.skipped + kept.lines !== before) version++;
      tail = tailOf(source, open.end);
      isComplete = !isMore;
      return isMore;
    },
    last: () => open.lines > 0 ? { extra: maker.extra() } : store?.blocks.at(-1),
    blocks() {
      let first = 0;
      const all = (store?.blocks ?? []).map((block) => {
        first += block.lines;
        return { ...block, first: first - block.lines };
      });
      if (open.lines === 0) return all;
      const last = { ...open, tail: 0, bytes: 0, extra: maker.extra(), body: () => maker.body() };
      return [...all, { ...last, first }];
    },
    read: (offset, length) => {
      using source = openWithin(of.root, of.path);
      return readAt(source, offset, length);
    },
    open: () => openWithin(of.root, of.path),
    [Symbol.dispose]: () => store?.[Symbol.dispose](),
  };
}

/** What is told of a file itself; undefined where there is none, or a link in its place. */
function statOf(path: string): Deno.FileInfo | undefined {
  try {
    const found = Deno.lstatSync(path);
    return found.isFile ? found : undefined;
  } catch {
    return undefined;
  }
}
