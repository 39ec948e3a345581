import { UserError } from "../../gpu/errors.ts";
import { fileSize } from "../files/on_disk.ts";
import { readPlain } from "../files/plain_file.ts";
import { hashOfBlob } from "./download_blob.ts";
import { type Hub, isOffline, openHub } from "./hub.ts";
import { type HubFile, listFiles, readJson, resolveCommit } from "./hub_api.ts";
import { type About, strange } from "./hub_errors.ts";
import { checkRepoId, isCommit } from "./repo_id.ts";
import { type LargeFile, uploadLarge } from "./upload_large.ts";

/** What is to be pushed. */
export interface PushOptions {
  /** `org/name`. */
  id: string;
  /** Paths on disk by the names that the files get in the repository. */
  files: ReadonlyMap<string, string>;
  /** Everybody may see the repository, where it is made; else its owners alone. */
  isPublic?: boolean;
  /** First line of the commit's message. */
  message: string;
  onProgress?(progress: { bytes: number; totalBytes: number; notice?: string }): void;
  signal?: AbortSignal;
  /** How the hub is reached, where it is not as the environment says: for tests. */
  hub?: Partial<Hub>;
}

/** What a push did. */
export interface PushedRepo {
  /** That the repository's main branch is at. */
  commit: string;
  /** Address of the repository's page. */
  url: string;
  isNew: boolean;
  /** Names of the files that were not there already. */
  pushed: string[];
  /** Their bytes. */
  bytes: number;
}

/** The hub takes no larger files into a commit itself. */
const MOST_REGULAR = 64 * 2 ** 20;

/**
 * Brings files to the main branch of a model's repository on the Hugging Face hub, in one commit, and makes the repository where there is
 * none. Files that are there as they are stay out of it; others of the repository stay as they are.
 *
 * @throws UserError if there is no token, or the hub refuses
 */
export async function pushRepo(options: PushOptions): Promise<PushedRepo> {
  const { id, onProgress, signal } = options;
  checkPush(id);
  const progress = { bytes: 0, totalBytes: 0 };
  const tell = (notice?: string) => onProgress?.({ ...progress, notice });
  const hub = openHub({ notice: tell, ...options.hub, signal });
  if (hub.token === undefined) {
    throw new UserError(
      `Cannot push ${id}: there is no token, the hub wants one with the right to write`,
      "set HF_TOKEN, or have `hf auth login` write the token's file",
    );
  }
  const about: About = { kind: "model", id, revision: "main", does: "push" };
  const isNew = await makeRepo(hub, about, options.isPublic === true);
  const head = await resolveCommit(hub, "model", id, "main");
  const changed = await changedFiles(hub, options.files, await listFiles(hub, "model", id, head));
  const told = { url: `${hub.endpoint}/${id}`, isNew, pushed: changed.map(({ name }) => name) };
  if (changed.length === 0) return { commit: head, ...told, bytes: 0 };
  const large = await chooseLarge(hub, about, changed);
  progress.totalBytes = large.reduce((sum, { size }) => sum + size, 0);
  tell();
  await uploadLarge(hub, about, large, (bytes) => {
    progress.bytes = bytes;
    tell();
  });
  const commit = await makeCommit(hub, about, options.message, head, changed, large);
  return { commit, ...told, bytes: changed.reduce((sum, { size }) => sum + size, 0) };
}

function checkPush(id: string): void {
  checkRepoId(id);
  if (!id.includes("/")) {
    throw new UserError(`Cannot push to ${id}: an owner and a name are needed`, `such as you/${id}`);
  }
  if (!isOffline()) return;
  throw new UserError(`Cannot push ${id}: HF_HUB_OFFLINE is set`, "unset it to reach the hub");
}

/** Makes the repository where it is not there; whether it was made. */
async function makeRepo(hub: Hub, about: About, isPublic: boolean): Promise<boolean> {
  try {
    await resolveCommit(hub, "model", about.id, "main");
    return false;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  const [organization, name] = about.id.split("/");
  const { status } = await readJson(hub, `${hub.endpoint}/api/repos/create`, about, {
    ...{ method: "POST", type: "application/json", also: [201, 409] },
    body: JSON.stringify({ type: "model", organization, name, private: !isPublic }),
  });
  return status !== 409; // there, and not ours to see, or made meanwhile: what follows tells
}

interface LocalFile {
  name: string;
  path: string;
  size: number;
}

async function changedFiles(
  hub: Hub,
  files: PushOptions["files"],
  listed: readonly HubFile[],
): Promise<LocalFile[]> {
  const there = new Map(listed.map((file) => [file.path, file]));
  const changed: LocalFile[] = [];
  for (const [name, path] of files) {
    const size = fileSize(path);
    if (size === undefined) throw new UserError(`Cannot push ${path}: there is no such file`);
    const known = there.get(name);
    if (known?.size === size && await hashOfBlob(hub, path, known) === known.hash) continue;
    changed.push({ name, path, size });
  }
  return changed;
}

/** Those that the hub wants in its store, with their hashes. */
async function chooseLarge(hub: Hub, about: About, files: readonly LocalFile[]): Promise<LargeFile[]> {
  const { json } = await readJson(hub, `${hub.endpoint}/api/models/${about.id}/preupload/main`, about, {
    ...{ method: "POST", type: "application/json" },
    body: JSON.stringify({
      files: files.map(({ name, path, size }) => ({ path: name, size, sample: firstBytes(path) })),
    }),
  });
  const modes = (json as { files?: { path?: string; uploadMode?: string }[] } | null)?.files;
  if (!Array.isArray(modes)) throw strange(hub, "does not say how files are to come");
  const large: LargeFile[] = [];
  for (const file of files) {
    const mode = modes.find((one) => one?.path === file.name)?.uploadMode;
    if (mode === "lfs") {
      const sha256 = { hash: "0".repeat(64), size: file.size };
      large.push({ ...file, oid: await hashOfBlob(hub, file.path, sha256) });
    } else if (mode !== "regular" || file.size > MOST_REGULAR) {
      throw strange(hub, `wants ${file.name}, of ${file.size} bytes, in a way that is not known: ${mode}`);
    }
  }
  return large;
}

async function makeCommit(
  hub: Hub,
  about: About,
  summary: string,
  parentCommit: string,
  changed: readonly LocalFile[],
  large: readonly LargeFile[],
): Promise<string> {
  const regular = changed.filter(({ name }) => !large.some((file) => file.name === name));
  const lines = [
    { key: "header", value: { summary, description: "", parentCommit } },
    ...regular.map(({ name, path }) => ({
      key: "file",
      value: { path: name, encoding: "base64", content: readPlain(path, MOST_REGULAR).toBase64() },
    })),
    ...large.map(({ name, oid, size }) => ({
      key: "lfsFile",
      value: { path: name, algo: "sha256", oid, size },
    })),
  ];
  const { json } = await readJson(hub, `${hub.endpoint}/api/models/${about.id}/commit/main`, about, {
    ...{ method: "POST", type: "application/x-ndjson" },
    body: lines.map((line) => JSON.stringify(line)).join("\n"),
  });
  const commit = (json as { commitOid?: unknown } | null)?.commitOid;
  if (typeof commit === "string" && isCommit(commit)) return commit;
  throw strange(hub, `names no commit after a push to ${about.id}`);
}

/** As many as the hub looks at to tell text from the rest, in base64. */
function firstBytes(path: string): string {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(512);
  return buffer.subarray(0, file.readSync(buffer) ?? 0).toBase64();
}
