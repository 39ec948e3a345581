import { UserError } from "../../gpu/errors.ts";
import { fileSize, namesIn } from "../files/on_disk.ts";
import { hashOfBlob } from "./download_blob.ts";
import { repoFolder } from "./hub_cache.ts";
import { checkRepoId, type RepoKind } from "./repo_id.ts";
import { noteVerified } from "./verified_blobs.ts";

/** What a verification found. */
export interface VerifiedRepo {
  /** Blobs whose hash is their name. */
  whole: string[];
  /** Those whose is not: something has changed them. */
  changed: string[];
  /** Of all. */
  bytes: number;
}

/**
 * Hashes all files of a repository in the cache again, and holds each against its name there, which is its hash.
 *
 * @param signal stops it
 * @throws UserError if it is not in the cache
 */
export async function verifyRepo(kind: RepoKind, id: string, signal?: AbortSignal): Promise<VerifiedRepo> {
  checkRepoId(id);
  const repo = repoFolder(kind, id);
  const blobs = namesIn(`${repo}/blobs`).filter((name) => /^[0-9a-f]{40}$|^[0-9a-f]{64}$/.test(name)).sort();
  if (blobs.length === 0) {
    throw new UserError(
      `Cannot verify the ${kind} ${id}: nothing of it is in the cache, in ${repo}`,
      "softcot model list shows what is",
    );
  }
  const found: VerifiedRepo = { whole: [], changed: [], bytes: 0 };
  for (const hash of blobs) {
    const path = `${repo}/blobs/${hash}`;
    const size = fileSize(path) ?? 0;
    found.bytes += size;
    const isWhole = await hashOfBlob({ signal }, path, { hash, size }).catch(() => {
      signal?.throwIfAborted();
      return "";
    }) === hash;
    if (isWhole) noteVerified(repo, hash);
    (isWhole ? found.whole : found.changed).push(hash);
  }
  return found;
}
