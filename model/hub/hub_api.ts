import type { Hub } from "./hub.ts";
import { type About, broken, strange } from "./hub_errors.ts";
import { retry } from "./retry.ts";
import { isCommit, type RepoKind } from "./repo_id.ts";
import { follow, startRequest } from "./request.ts";

/** A file as the hub lists it. */
export interface HubFile {
  /** Within the repository. */
  path: string;
  /** In bytes. */
  size: number;
  /** Its content's name in the cache: SHA-256 of a large file, git's SHA-1 of a small one. */
  hash: string;
}

/**
 * The commit that a branch, tag or commit stands for.
 *
 * @throws UserError if the repository or the revision is not there, or not for everybody
 */
export async function resolveCommit(hub: Hub, kind: RepoKind, id: string, revision: string): Promise<string> {
  const url = `${hub.endpoint}/api/${kind}s/${id}/revision/${encodeURIComponent(revision)}`;
  const { json } = await readJson(hub, url, { kind, id, revision });
  const sha = (json as { sha?: unknown } | null)?.sha;
  if (typeof sha === "string" && isCommit(sha)) return sha;
  throw strange(hub, `names no commit for ${revision} of ${id}`);
}

/** All files of a commit, by path. */
export async function listFiles(hub: Hub, kind: RepoKind, id: string, commit: string): Promise<HubFile[]> {
  const files: HubFile[] = [];
  let url: string | undefined =
    `${hub.endpoint}/api/${kind}s/${id}/tree/${commit}?recursive=true&expand=false`;
  for (let page = 0; url !== undefined; page++) {
    if (page === 10_000) throw strange(hub, `lists the files of ${id} without an end`);
    const found: { json: unknown; next?: string } = await readJson(hub, url, { kind, id, revision: commit });
    if (!Array.isArray(found.json)) throw strange(hub, `gives no list of the files of ${id}`);
    for (const entry of found.json) if (entry?.type === "file") files.push(hubFile(hub, entry));
    url = found.next;
  }
  return files;
}

function hubFile(hub: Hub, entry: Record<string, unknown>): HubFile {
  const lfs = entry.lfs as { oid?: unknown; size?: unknown } | null | undefined;
  const { path, size, hash } = {
    path: entry.path,
    size: lfs?.size ?? entry.size,
    hash: lfs?.oid ?? entry.oid,
  };
  const isHash = typeof hash === "string" && (lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(hash);
  if (typeof path === "string" && Number.isSafeInteger(size) && (size as number) >= 0 && isHash) {
    return { path, size: size as number, hash };
  }
  throw strange(
    hub,
    `lists a file without a proper path, size or hash: ${JSON.stringify(entry).slice(0, 120)}`,
  );
}

async function readJson(hub: Hub, url: string, about: About): Promise<{ json: unknown; next?: string }> {
  return await retry(hub, `ask for ${about.id}`, async () => {
    using request = startRequest(hub);
    const response = await follow(hub, url, about, {}, request.signal);
    let text: string;
    try {
      text = await response.text();
    } catch (error) {
      throw broken(hub, error);
    }
    try {
      return { json: JSON.parse(text), next: nextPage(response, url) };
    } catch {
      throw strange(hub, `answers with something that is not JSON: ${JSON.stringify(text.slice(0, 60))}`);
    }
  });
}

function nextPage(response: Response, url: string): string | undefined {
  const next = response.headers.get("link")?.match(/<([^>]*)>;\s*rel="?next"?/)?.[1];
  return next === undefined ? undefined : new URL(next, url).href;
}
