import type { Hub } from "./hub.ts";
import { type About, broken, strange } from "./hub_errors.ts";
import { retry } from "./retry.ts";
import { isCommit, type RepoKind } from "./repo_id.ts";
import { follow, nextAddress, type Sent, startRequest } from "./request.ts";
import { parseJson } from "../files/parse_json.ts";

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
    if (page === 10_000 || files.length > MOST_FILES) {
      throw strange(hub, `lists the files of ${id} without an end`);
    }
    const found: { json: unknown; next?: string } = await readJson(hub, url, { kind, id, revision: commit });
    if (!Array.isArray(found.json)) throw strange(hub, `gives no list of the files of ${id}`);
    for (const entry of found.json) if (entry?.type === "file") files.push(hubFile(hub, entry));
    url = found.next;
  }
  return files;
}

/** More than any repository has: the hub itself asks for fewer than 100,000. */
const MOST_FILES = 1_000_000;

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

/**
 * What the hub's API answers to a request, tried again where a fault may pass.
 *
 * @throws UserError if it refuses, or answers with something that is not JSON
 */
export async function readJson(
  hub: Hub,
  url: string,
  about: About,
  sent?: Sent,
): Promise<{ status: number; json: unknown; next?: string }> {
  return await retry(hub, `ask for ${about.id}`, async () => {
    using request = startRequest(hub);
    const response = await follow(hub, url, about, {}, request.signal, () => {}, sent);
    const next = nextPage(hub, response, url);
    const text = await readText(hub, response, request.alive);
    try {
      return { status: response.status, json: text === "" && sent ? null : parseJson(text), next };
    } catch {
      throw strange(hub, `answers with something that is not JSON: ${JSON.stringify(text.slice(0, 60))}`);
    }
  });
}

/** An answer of the hub's API, which tells about a repository and is no file: as much as one may be. */
async function readText(hub: Hub, response: Response, alive: () => void): Promise<string> {
  const began = performance.now();
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let [text, bytes] = ["", 0];
  for (;;) {
    const { value, done } = await reader?.read().catch((error) => {
      throw broken(hub, error);
    }) ?? { done: true };
    if (done) return text + decoder.decode();
    alive();
    bytes += value.length;
    if (bytes > MOST_BYTES) {
      throw strange(hub, `answers with more than ${MOST_BYTES / 2 ** 20} MiB where it lists files`);
    }
    if (performance.now() - began > MOST_PATIENCE * hub.patience) {
      throw strange(hub, "answers without an end");
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** A page lists a thousand files in some hundred bytes each. */
const MOST_BYTES = 16 * 2 ** 20;

/** Of a whole answer, in times that may pass without a byte. */
const MOST_PATIENCE = 5;

function nextPage(hub: Hub, response: Response, url: string): string | undefined {
  const next = response.headers.get("link")?.match(/<([^>]*)>;\s*rel="?next"?/)?.[1];
  return next === undefined ? undefined : nextAddress(hub, url, next);
}
