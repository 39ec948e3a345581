import { statfsSync } from "node:fs";
import { UserError } from "../../gpu/errors.ts";
import { fileSize, isOwnFile } from "../files/on_disk.ts";
import { readPlainText } from "../files/plain_file.ts";
import { downloadBlob, hashOfBlob } from "./download_blob.ts";
import { isVerified, noteVerified } from "./verified_blobs.ts";
import { guardDisk } from "./guard_disk.ts";
import { type Hub, isOffline, openHub } from "./hub.ts";
import { type HubFile, listFiles, resolveCommit } from "./hub_api.ts";
import {
  cachedSnapshot,
  linkBlob,
  repoFolder,
  repoFolderName,
  snapshotFiles,
  writeRef,
} from "./hub_cache.ts";
import { hubCacheFolder } from "./hub_environment.ts";
import { checkRepoId, isCommit, isSafePath, type RepoKind } from "./repo_id.ts";

/** What is to be pulled. */
export interface PullOptions {
  /** A model's repository or a data set's. */
  kind: RepoKind;
  /** `org/name`. */
  id: string;
  /** Branch, tag or commit; main if not given. */
  revision?: string;
  /**
   * Chooses among the paths of all files; throws a UserError if what is needed is not among them. `read` brings one of them into
   * the cache and gives its text.
   */
  files?(paths: readonly string[], read: (path: string) => Promise<string>): string[] | Promise<string[]>;
  /** Told as bytes come, and of what is waited for. */
  onProgress?(progress: PullProgress): void;
  /** Stops the pull; what has come is kept. */
  signal?: AbortSignal;
  /** How the hub is reached, where it is not as the environment says: for tests. */
  hub?: Partial<Hub>;
}

/** How far a pull is. */
export interface PullProgress {
  /** Bytes that are in the cache. */
  bytes: number;
  /** All that are to be. */
  totalBytes: number;
  /** Files that are whole. */
  files: number;
  /** Files in all; 0 before the hub has listed them. */
  totalFiles: number;
  /** What happened, for people: a wait, a new attempt. */
  notice?: string;
}

/** What a pull left in the cache. */
export interface PulledRepo {
  /** The snapshot's folder. */
  folder: string;
  /** What the revision stands for. */
  commit: string;
  /** The paths that were asked for. */
  files: string[];
  /** Their bytes. */
  bytes: number;
  /** Those of them that had to be fetched. */
  fetchedBytes: number;
}

/** Files that are fetched at the same time. */
const AT_ONCE = 4;

/**
 * Brings files of a repository on the Hugging Face hub into the cache, where Python's huggingface_hub finds them too:
 * the revision is resolved to a commit first, files that are there are left alone, interrupted ones are gone on with,
 * each is checked against the hub's hash. The branch's name moves to the new commit only when all is there.
 *
 * Reads HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_TOKEN_PATH, HF_ENDPOINT and HF_HUB_OFFLINE.
 *
 * @throws UserError that says what the hub, the network, the disk or the request has wrong
 */
export async function pullRepo(options: PullOptions): Promise<PulledRepo> {
  const { kind, id, revision = "main" } = options;
  checkRepoId(id);
  if (!isSafePath(revision)) {
    throw new UserError(`Cannot pull ${id}: ${JSON.stringify(revision)} is no branch, tag or commit`);
  }
  if (isOffline()) return await fromCache(options, revision);
  const progress: PullProgress = { bytes: 0, totalBytes: 0, files: 0, totalFiles: 0 };
  const tell = (notice?: string) => options.onProgress?.({ ...progress, notice });
  // The first failure stops the other downloads.
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const hub = openHub({ notice: tell, ...options.hub, signal });
  const commit = isCommit(revision) ? revision : await resolveCommit(hub, kind, id, revision);
  const listed = await listFiles(hub, kind, id, commit);
  const repo = repoFolder(kind, id);
  const makeFolder = () => guardDisk(repo, () => Deno.mkdirSync(`${repo}/blobs`, { recursive: true }));
  const read = async (path: string) => {
    makeFolder();
    await bring(hub, kind, id, commit, listed.find((file) => file.path === path)!, () => {});
    return readPlainText(`${repo}/snapshots/${commit}/${path}`);
  };
  const chosen = await choose(options, listed, read);
  makeFolder();
  progress.totalFiles = chosen.length;
  progress.totalBytes = chosen.reduce((sum, file) => sum + file.size, 0);
  const toFetch = checkSpace(repo, chosen);
  tell();
  // Files of equal content are one blob: the second one waits for the first here, not for its lock.
  const coming = new Map<string, Promise<void>>();
  const fetchOne = async (file: HubFile) => {
    const first = coming.get(file.hash);
    if (first) await first;
    let counted = 0;
    const onBytes = (bytes: number) => {
      progress.bytes += bytes - counted;
      counted = bytes;
      tell();
    };
    const brought = bring(hub, kind, id, commit, file, onBytes);
    coming.set(file.hash, brought);
    await brought;
    progress.files++;
    tell();
  };
  await inTurns(chosen, AT_ONCE, stop, fetchOne);
  guardDisk(repo, () => writeRef(repo, revision, commit));
  return {
    folder: `${repo}/snapshots/${commit}`,
    commit,
    files: chosen.map(({ path }) => path),
    bytes: progress.totalBytes,
    fetchedBytes: toFetch,
  };
}

async function bring(
  hub: Hub,
  kind: RepoKind,
  id: string,
  commit: string,
  file: HubFile,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const repo = repoFolder(kind, id);
  const name = repoFolderName(kind, id);
  const blob = `${repo}/blobs/${file.hash}`;
  if (await isThereAsCopy(hub, repo, commit, file)) return onBytes(file.size);
  if (await isWhole(hub, repo, file)) onBytes(file.size);
  else {
    const prefix = kind === "dataset" ? "datasets/" : "";
    const path = file.path.split("/").map(encodeURIComponent).join("/");
    await downloadBlob(hub, {
      file,
      url: `${hub.endpoint}/${prefix}${id}/resolve/${commit}/${path}`,
      about: { kind, id, revision: commit },
      blob,
      lock: `${hubCacheFolder()}/.locks/${name}/${file.hash}.lock`,
      onBytes,
    });
    guardDisk(repo, () => noteVerified(repo, file.hash));
  }
  guardDisk(repo, () => linkBlob(repo, commit, file.path, file.hash));
}

/** Python moves a blob into the snapshot where the cache has no links: then the file itself is there, and no blob. */
async function isThereAsCopy(hub: Hub, repo: string, commit: string, file: HubFile): Promise<boolean> {
  const place = `${repo}/snapshots/${commit}/${file.path}`;
  if (
    !isOwnFile(place) || fileSize(place) !== file.size || fileSize(`${repo}/blobs/${file.hash}`) !== undefined
  ) return false;
  return await hashOfBlob(hub, place, file) === file.hash;
}

/** Whether a blob is there and what its name says: one that has changed since it was verified is hashed again, or removed. */
async function isWhole(hub: Hub, repo: string, file: HubFile): Promise<boolean> {
  const blob = `${repo}/blobs/${file.hash}`;
  if (fileSize(blob) !== file.size) return false;
  if (isVerified(repo, file.hash, file.size)) return true;
  if (await hashOfBlob(hub, blob, file) === file.hash) {
    guardDisk(repo, () => noteVerified(repo, file.hash));
    return true;
  }
  hub.notice(`${file.path} in the cache is not what was fetched: it is fetched again`);
  guardDisk(blob, () => Deno.removeSync(blob));
  return false;
}

async function choose(
  { kind, id, files }: PullOptions,
  listed: HubFile[],
  read: (path: string) => Promise<string>,
): Promise<HubFile[]> {
  const hostile = listed.find(({ path }) => !isSafePath(path));
  if (hostile) {
    throw new UserError(
      `Cannot pull the ${kind} ${id}: it lists a file ${
        JSON.stringify(hostile.path.slice(0, 120))
      }, a path within ` +
        "the repository is needed",
      "do not trust this repository: such a name would be written outside its folder",
    );
  }
  const paths = listed.map(({ path }) => path);
  const wanted = new Set(files ? await files(paths, read) : paths);
  return listed.filter(({ path }) => wanted.has(path));
}

/** The bytes that are to come; refuses what the disk cannot hold. Files of equal content come once. */
function checkSpace(repo: string, files: readonly HubFile[]): number {
  const kept = (file: HubFile) => {
    const blob = `${repo}/blobs/${file.hash}`;
    return Math.min(file.size, fileSize(blob) ?? fileSize(`${blob}.incomplete`) ?? 0);
  };
  const blobs = new Map(files.map((file) => [file.hash, file]));
  const toCome = [...blobs.values()].reduce((sum, file) => sum + file.size - kept(file), 0);
  let free: number;
  try {
    const { bavail, bsize } = statfsSync(repo);
    free = bavail * bsize;
  } catch {
    // Some file systems do not tell.
    return toCome;
  }
  if (toCome <= free) return toCome;
  const inMb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  throw new UserError(
    `Cannot pull into ${repo}: ${inMb(toCome)} are to come, ${inMb(free)} of the disk are free`,
    "free some space, or set HF_HUB_CACHE to a folder on another disk",
  );
}

/** With HF_HUB_OFFLINE: what the cache has. */
async function fromCache({ kind, id, files }: PullOptions, revision: string): Promise<PulledRepo> {
  const folder = cachedSnapshot(kind, id, revision);
  const found = folder === undefined ? [] : snapshotFiles(folder);
  const read = (path: string) => Promise.resolve(readPlainText(`${folder}/${path}`));
  const chosen = folder === undefined ? [] : files ? await files(found, read) : found;
  if (folder === undefined || chosen.length === 0) {
    throw new UserError(
      `Cannot pull the ${kind} ${id}: HF_HUB_OFFLINE is set, and ${revision} of it is not in ${hubCacheFolder()}`,
      "unset HF_HUB_OFFLINE to fetch it",
    );
  }
  const bytes = chosen.reduce((sum, path) => sum + (fileSize(`${folder}/${path}`) ?? 0), 0);
  return { folder, commit: folder.slice(-40), files: chosen, bytes, fetchedBytes: 0 };
}

/** Works on all items, a few at the same time; the first error stops the others, and is thrown when they have. */
async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  stop: AbortController,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  let failure: { error: unknown } | undefined;
  const worker = async () => {
    try {
      for (const item of rest) await work(item);
    } catch (error) {
      failure ??= { error };
      stop.abort();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failure) throw failure.error;
}
