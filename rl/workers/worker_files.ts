import { UserError } from "../../gpu/errors.ts";
import { pause } from "../../gpu/pause.ts";
import { fileSize, modifiedAt, namesIn } from "../../model/files/on_disk.ts";
import { parseJson } from "../../model/files/parse_json.ts";
import { readPlainText } from "../../model/files/plain_file.ts";
import { sha256OfText } from "../../model/files/sha256_of.ts";
import { downloadBlob, hashOfBlob } from "../../model/hub/download_blob.ts";
import { DiskError } from "../../model/hub/guard_disk.ts";
import type { Hub } from "../../model/hub/hub.ts";
import { type Parcel, parcelSchema, type ServedFile } from "./job.ts";

/** A folder that no worker removes until it is disposed of. */
export interface HeldFolder extends Disposable {
  folder: string;
}

/** Files that a worker has fetched, in a folder of its own that workers of one machine share. */
export interface WorkerFiles {
  /** The list of a model's files, and the folders with them. */
  model(url: string, parcel: ServedFile): Promise<HeldFolder & { parcel: Parcel; adapter?: string }>;
  /** A folder with what has been trained. */
  trained(url: string, files: readonly ServedFile[]): Promise<HeldFolder>;
  /** Bytes that came over the network. */
  readonly fetched: number;
}

/** Trained weights that are kept, beside those that are being fetched or loaded: workers of this machine may be at several trainings. */
const MOST_TRAINED = 4;
/** Files that are known to have their hash. */
const MOST_VERIFIED = 1000;
/** Models that nobody used for so long go. */
const DAYS = 30;

/**
 * @param place folder for the files
 * @param say told while something is waited for
 */
export function workerFiles(place: string, say: (line: string) => void, signal?: AbortSignal): WorkerFiles {
  let fetched = 0;
  const verified = new Set<string>();
  /** What this process has not fetched itself is held against its hash once; what is something else goes. */
  const verify = async (hub: Hub, { name, bytes, sha256 }: ServedFile, folder: string) => {
    const path = `${folder}/${name}`;
    const known = `${path} ${sha256}`;
    if (verified.has(known) || fileSize(path) !== bytes) return;
    if (await hashOfBlob(hub, path, { hash: sha256, size: bytes }) !== sha256) removeFile(path);
    if (verified.size >= MOST_VERIFIED) verified.clear();
    verified.add(known);
  };
  const fetchAll = async (url: string, files: readonly ServedFile[], folder: string) => {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const hub: Hub = { endpoint: url, signal, retryDelay: 500, patience: 30_000, notice: say };
    for (const file of files) {
      await verify(hub, file, folder);
      await fetchFile(hub, file, folder, (bytes) => fetched += bytes);
    }
    const now = new Date();
    Deno.utimeSync(folder, now, now);
  };
  return {
    get fetched() {
      return fetched;
    },
    async model(url, file) {
      const folder = `${place}/models/${file.sha256}`;
      removeOld(`${place}/models`, file.sha256, (age) => age > DAYS * 86_400_000);
      using stack = new DisposableStack();
      stack.use(await hold(folder, signal));
      await fetchAll(url, [file], folder);
      const read = parcelSchema.safeParse(jsonIn(`${folder}/${file.name}`));
      if (!read.success) throw new UserError(`Cannot use the model from ${url}: its list of files is none`);
      const parcel = read.data;
      const model = `${folder}/model`;
      if (parcel.model !== "builtin") await fetchAll(url, parcel.model.files, model);
      const adapter = parcel.adapter && `${folder}/adapter`;
      if (adapter) await fetchAll(url, parcel.adapter!, adapter);
      const held = stack.move();
      return { parcel, folder: model, adapter, [Symbol.dispose]: () => held.dispose() };
    },
    async trained(url, files) {
      // Equal weights may come with other settings.
      const name = sha256OfText(files.map(({ sha256 }) => sha256).join(" "));
      const folder = `${place}/trained/${name}`;
      using stack = new DisposableStack();
      stack.use(await hold(folder, signal));
      await fetchAll(url, files, folder);
      removeOld(`${place}/trained`, name, (_, rank) => rank >= MOST_TRAINED);
      const held = stack.move();
      return { folder, [Symbol.dispose]: () => held.dispose() };
    },
  };
}

/** @param onFetched told of bytes that came over the network */
async function fetchFile(
  hub: Hub,
  { name, bytes, sha256 }: ServedFile,
  folder: string,
  onFetched: (bytes: number) => void,
): Promise<void> {
  const url = hub.endpoint;
  try {
    await downloadBlob(hub, {
      file: { path: name, size: bytes, hash: sha256 } as Parameters<typeof downloadBlob>[1]["file"],
      url: `${url}/${sha256}`,
      about: { kind: "model", id: name, revision: sha256 },
      ...{ blob: `${folder}/${name}`, lock: `${folder}/.${name}.lock`, onFetched },
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const why = error.message.replace(/^Cannot /, "cannot ");
    throw new UserError(
      `Cannot fetch ${name} (sha256 ${sha256.slice(0, 12)}) from ${url}: ${why}`,
      error instanceof DiskError
        ? "free some space for this worker, or have SOFTCOT_CACHE name a folder on another disk"
        : "the process that gave the job serves it: is it reached from here, by the address of its --serve-weights?",
    );
  }
}

/** What a file of JSON holds; undefined where it is none. */
function jsonIn(path: string): unknown {
  try {
    return parseJson(readPlainText(path));
  } catch {
    return undefined;
  }
}

/** Makes a folder where it is not there, and keeps others from removing it: the system's lock goes with the process. */
async function hold(folder: string, signal?: AbortSignal): Promise<Disposable> {
  for (;;) {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const open = Deno.openSync(folder);
    // Shared among those who use it; whoever removes it has it alone.
    if (locked(open, false) && isStill(open, folder)) return { [Symbol.dispose]: () => open.close() };
    open.close();
    await pause(50, signal);
  }
}

/** File systems without locks know no others who use it. */
function locked(open: Deno.FsFile, alone: boolean): boolean {
  try {
    return open.tryLockSync(alone);
  } catch {
    return true;
  }
}

function isStill(open: Deno.FsFile, folder: string): boolean {
  try {
    return Deno.lstatSync(folder).ino === open.statSync().ino;
  } catch {
    return false; // Removed between making and locking it.
  }
}

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    // Another worker was first.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Removes folders, the newest counted as 0, that are too old and that nobody holds. */
function removeOld(place: string, kept: string, isOld: (age: number, rank: number) => boolean): void {
  const folders = namesIn(place).map((name) => ({ name, time: modifiedAt(`${place}/${name}`) }));
  folders.sort((a, b) => b.time - a.time).forEach(({ name, time }, rank) => {
    if (name === kept || !isOld(Date.now() - time, rank)) return;
    try {
      using open = Deno.openSync(`${place}/${name}`);
      if (locked(open, true)) Deno.removeSync(`${place}/${name}`, { recursive: true });
    } catch {
      // Another worker was first.
    }
  });
}
