import type { Hub } from "./hub.ts";
import { readJson } from "./hub_api.ts";
import { type About, strange } from "./hub_errors.ts";
import { putPart } from "./put_part.ts";
import { nextAddress, type Sent } from "./request.ts";
import { retry } from "./retry.ts";

/** A file whose content goes to the hub's store. */
export interface LargeFile {
  /** Within the repository. */
  name: string;
  /** On disk. */
  path: string;
  size: number;
  /** SHA-256 in hexadecimal. */
  oid: string;
}

/** What the batch API of Git LFS says of one file. */
interface Answered {
  oid: string;
  error?: { message?: string };
  actions?: { upload?: Action; verify?: Action };
}

interface Action {
  href: string;
  header?: Record<string, string>;
}

const LFS = "application/vnd.git-lfs+json";
const post = (data: unknown): Sent => ({
  ...{ method: "POST", type: LFS, body: JSON.stringify(data), also: [201, 204] },
});

/**
 * Brings the content of large files to the hub's store, by the batch API of Git LFS: at once or in parts, as the hub says; what is there
 * already is not sent.
 *
 * @param onBytes told of the bytes of all files that have gone
 * @throws UserError if the hub or its store refuses
 */
export async function uploadLarge(
  hub: Hub,
  about: About,
  files: readonly LargeFile[],
  onBytes: (bytes: number) => void,
): Promise<void> {
  if (files.length === 0) return;
  let before = 0;
  const unique = [...new Map(files.map((file) => [file.oid, file])).values()];
  const { json } = await readJson(
    hub,
    `${hub.endpoint}/${about.id}.git/info/lfs/objects/batch`,
    about,
    post({
      ...{
        operation: "upload",
        transfers: ["basic", "multipart"],
        hash_algo: "sha256",
        ref: { name: "main" },
      },
      objects: unique.map(({ oid, size }) => ({ oid, size })),
    }),
  );
  const objects = (json as { objects?: unknown } | null)?.objects;
  if (!Array.isArray(objects)) throw strange(hub, "does not say where large files go");
  for (const file of unique) {
    const said = (objects as Answered[]).find((object) => object?.oid === file.oid);
    if (said === undefined || said.error) {
      throw strange(hub, `takes no content of ${file.name}: ${said?.error?.message ?? "no word of it"}`);
    }
    const { upload, verify } = said.actions ?? {};
    if (upload) await send(hub, about, file, upload, (bytes) => onBytes(before + bytes));
    if (verify) {
      const url = nextAddress(hub, hub.endpoint, verify.href);
      await readJson(hub, url, about, post({ oid: file.oid, size: file.size }));
    }
    onBytes(before += file.size);
  }
}

async function send(
  hub: Hub,
  about: About,
  { name, path, size, oid }: LargeFile,
  { href, header = {} }: Action,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const put = (part: Parameters<typeof putPart>[1]) =>
    retry(
      hub,
      `get an answer about ${name}`,
      () => putPart(hub, part, (bytes) => onBytes(part.from + bytes)),
    );
  const { chunk_size: chunk, ...rest } = header;
  if (chunk === undefined) {
    await put({ path, from: 0, bytes: size, url: href, headers: rest });
    return;
  }
  const [step, urls] = [Number(chunk), Object.keys(rest).filter((key) => /^\d+$/.test(key)).sort()];
  if (!(step > 0) || urls.length !== Math.ceil(size / step)) {
    throw strange(hub, `names ${urls.length} parts of ${chunk} bytes for the ${size} of ${name}`);
  }
  const parts: { partNumber: number; etag: string }[] = [];
  for (const [i, key] of urls.entries()) {
    const bytes = Math.min(step, size - i * step);
    const etag = await put({ path, from: i * step, bytes, url: rest[key], headers: {} });
    parts.push({ partNumber: Number(key), etag });
  }
  await readJson(hub, nextAddress(hub, hub.endpoint, href), about, post({ oid, parts }));
}
