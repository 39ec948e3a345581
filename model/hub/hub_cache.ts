/**
 * The cache of the Hugging Face hub on disk, laid out as Python's huggingface_hub does, so that either program
 * finds what the other has fetched:
 *
 *     CACHE/models--ORG--NAME/refs/REVISION             the commit that a branch or tag was last seen at
 *                             blobs/HASH                contents: git's SHA-1 of small files, SHA-256 of large ones
 *                             snapshots/COMMIT/PATH     links to ../../blobs/HASH; copies where there are no links
 *     CACHE/.locks/models--ORG--NAME/HASH.lock          held while a blob is fetched
 *
 * @module
 */
import { makeLink } from "../../gpu/device/system_files.ts";
import { fileSize, isFolder, isOwnFile, linkTarget, namesIn } from "../files/on_disk.ts";
import { hubCacheFolder, isOn } from "./hub_environment.ts";
import { isCommit, isRepoId, isSafePath, type RepoKind } from "./repo_id.ts";
import { readPlainText } from "../files/plain_file.ts";
import { nameBeside, removeLeftBehind } from "../files/left_behind.ts";
import { createBeside } from "../files/own_file.ts";
import { writeWhole } from "../files/write_whole.ts";

/** A repository in the cache. */
export interface CachedRepo {
  kind: RepoKind;
  /** `org/name`. */
  id: string;
  /** The commits that are there. */
  snapshots: CachedSnapshot[];
}

/** One commit of a repository in the cache. */
interface CachedSnapshot {
  commit: string;
  /** Its folder. */
  folder: string;
  /** Branches and tags that were last seen at this commit. */
  revisions: string[];
  /** Paths of its files, and their bytes together. */
  files: string[];
  bytes: number;
}

/** The folder of a repository in the cache, there or not. */
export function repoFolder(kind: RepoKind, id: string): string {
  return `${hubCacheFolder()}/${repoFolderName(kind, id)}`;
}

/** `models--ORG--NAME`. */
export function repoFolderName(kind: RepoKind, id: string): string {
  return [`${kind}s`, ...id.split("/")].join("--");
}

/**
 * The folder of a repository's files in the cache, as `softcot model pull`, or Python, left it there.
 *
 * @param revision a branch, tag or commit
 * @returns undefined if it is not in the cache
 */
export function cachedSnapshot(kind: RepoKind, id: string, revision = "main"): string | undefined {
  if (!isRepoId(id) || !isSafePath(revision)) return undefined;
  const repo = repoFolder(kind, id);
  const commit = isCommit(revision) ? revision : readRef(repo, revision);
  if (commit === undefined || !isCommit(commit)) return undefined;
  const folder = `${repo}/snapshots/${commit}`;
  return isFolder(folder) ? folder : undefined;
}

/** Every repository of a kind in the cache, by name. */
export function cachedRepos(kind: RepoKind): CachedRepo[] {
  const cache = hubCacheFolder();
  const prefix = `${kind}s--`;
  return namesIn(cache).filter((name) => name.startsWith(prefix)).sort().map((name) => {
    const folder = `${cache}/${name}`;
    const refs = new Map(pathsIn(`${folder}/refs`).map((ref) => [ref, readRef(folder, ref)]));
    const snapshots = namesIn(`${folder}/snapshots`).filter(isCommit).sort().map((commit) => {
      const revisions = [...refs].filter(([_, at]) => at === commit).map(([ref]) => ref).sort();
      return snapshotOf(`${folder}/snapshots/${commit}`, commit, revisions);
    });
    return { kind, id: name.slice(prefix.length).replace("--", "/"), snapshots };
  });
}

function snapshotOf(folder: string, commit: string, revisions: string[]): CachedSnapshot {
  const files = snapshotFiles(folder);
  const bytes = files.reduce((sum, path) => sum + fileSize(`${folder}/${path}`)!, 0);
  return { commit, folder, revisions, files, bytes };
}

/** Paths of a snapshot's files, in order; links that lead nowhere are none. */
export function snapshotFiles(folder: string): string[] {
  return pathsIn(folder).filter((path) => fileSize(`${folder}/${path}`) !== undefined).sort();
}

/** Notes the commit that a branch or tag was seen at. */
export function writeRef(repo: string, revision: string, commit: string): void {
  if (revision === commit || readRef(repo, revision) === commit) return;
  const path = `${repo}/refs/${revision}`;
  Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
  writeWhole(path, commit);
}

/**
 * Makes a file of a snapshot stand for a blob: a relative link, so that the cache may be moved; a copy where the file system has no
 * links, or HF_HUB_DISABLE_SYMLINKS says so.
 */
export function linkBlob(repo: string, commit: string, path: string, blob: string): void {
  const place = `${repo}/snapshots/${commit}/${path}`;
  const target = `${"../".repeat(path.split("/").length + 1)}blobs/${blob}`;
  const wantsCopy = isOn("HF_HUB_DISABLE_SYMLINKS");
  if (linkTarget(place) === target && !wantsCopy || isCopyOf(place, `${repo}/blobs/${blob}`)) return;
  Deno.mkdirSync(place.replace(/\/[^/]*$/, ""), { recursive: true });
  removeLeftBehind(place);
  const link = nameBeside(place, "tmp");
  if (!wantsCopy && tryLink(target, link)) return putInPlace(link, place);
  const { file, beside } = createBeside(place);
  using _ = file;
  putInPlace(beside, place, () => Deno.copyFileSync(`${repo}/blobs/${blob}`, beside));
}

function putInPlace(beside: string, place: string, fill: () => void = () => {}): void {
  try {
    fill();
    Deno.renameSync(beside, place);
  } catch (error) {
    removeIfThere(beside);
    throw error;
  }
}

/** Whether a link could be made: FAT, exFAT and some network's file systems have none. */
function tryLink(target: string, at: string): boolean {
  try {
    Deno.symlinkSync(target, at);
    return true;
  } catch (error) {
    // Deno makes none where the right to write is narrowed to folders. What a copy would meet as well is told of the copy.
    return error instanceof Deno.errors.NotCapable && makeLink(target, at);
  }
}

/** Whether a file of a snapshot was copied from a blob that is still as it was. */
function isCopyOf(place: string, blob: string): boolean {
  if (!isOwnFile(place)) return false;
  const [copy, source] = [Deno.statSync(place), Deno.statSync(blob)];
  return copy.size === source.size && (copy.mtime?.getTime() ?? 0) >= (source.mtime?.getTime() ?? Infinity);
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It was never made.
  }
}

function readRef(repo: string, revision: string): string | undefined {
  try {
    return readPlainText(`${repo}/refs/${revision}`, 4096).trim();
  } catch {
    return undefined;
  }
}

/** Paths of all files below a folder. */
function pathsIn(folder: string, prefix = ""): string[] {
  return namesIn(`${folder}/${prefix}`).flatMap((name) =>
    isRealFolder(`${folder}/${prefix}${name}`) ? pathsIn(folder, `${prefix}${name}/`) : [`${prefix}${name}`]
  );
}

function isRealFolder(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}
