/**
 * A server that behaves like the Hugging Face hub, as far as pulls and pushes go, and a content network beside it; each can
 * be told to misbehave.
 *
 * @module
 */
import { blobSha1, sha256 } from "./content_hashes.ts";
import { type PushedHub, takeContent, takePush } from "./take_push.ts";

/** One request that came. */
export interface Seen {
  server: "hub" | "cdn";
  path: string;
  range: string | null;
  authorization: string | null;
}

/** Decides on a request before the well-behaved server does; undefined leaves it to that. */
export type Misbehaviour = (
  seen: Seen,
  request: Request,
) => Response | undefined | Promise<Response | undefined>;

/** A hub and its content network. */
export interface FakeHub extends PushedHub, AsyncDisposable {
  /** Every request in order. */
  seen: Seen[];
  /** Set by a test. */
  misbehave?: Misbehaviour;
  /** Set by a test: what the listing says is passed through it. */
  relist(entries: Record<string, unknown>[]): Record<string, unknown>[];
  /** Entries on one page of the listing. */
  page: number;
}

/** Files of this many bytes are large ones: SHA-256, and served by the content network. */
const LARGE = 1000;
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** Bytes that do not repeat soon. */
export function someBytes(count: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length: count }, () => (state = (state * 1103515245 + 12345) % 2 ** 31) >> 16);
}

/** A hub with one repository, which is both the model and the dataset of that name. */
export function fakeHub(files: Record<string, string | Uint8Array<ArrayBuffer>>, id = "org/name"): FakeHub {
  const encoder = new TextEncoder();
  const contents = new Map(
    Object.entries(files).map((
      [path, data],
    ) => [path, typeof data === "string" ? encoder.encode(data) : data]),
  );
  const hub: FakeHub = {
    endpoint: "",
    id,
    files: contents,
    commit: COMMIT,
    seen: [],
    relist: (entries) => entries,
    page: 1000,
    isThere: true,
    pushes: { stored: new Map(), summaries: [], parts: new Map() },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([server.shutdown(), cdn.shutdown()]);
    },
  };
  const guarded =
    (name: Seen["server"], behave: (request: Request) => Response | Promise<Response>) =>
    async (request: Request) => {
      const { pathname, search } = new URL(request.url);
      const { headers } = request;
      const seen = {
        server: name,
        path: decodeURIComponent(pathname) + search,
        range: headers.get("range"),
        authorization: headers.get("authorization"),
      };
      hub.seen.push(seen);
      return await hub.misbehave?.(seen, request) ?? behave(request);
    };
  const quiet = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
  const cdn = Deno.serve(
    quiet,
    guarded("cdn", (request) => request.method === "PUT" ? takeContent(hub, request) : content(hub, request)),
  );
  const server = Deno.serve(
    quiet,
    guarded("hub", async (request) => {
      const taken = request.method === "GET" ? undefined : await takePush(hub, request, cdn.addr.port);
      return taken ?? answer(hub, request, cdn.addr.port);
    }),
  );
  hub.endpoint = `http://127.0.0.1:${server.addr.port}`;
  return hub;
}

/** Bytes of a file, or the part of them that a Range header asks for. */
export function ranged(bytes: Uint8Array<ArrayBuffer>, range: string | null): Response {
  const from = Number(range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0);
  if (range === null) return new Response(bytes);
  if (from >= bytes.length) return new Response("", { status: 416 });
  const headers = { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  return new Response(bytes.subarray(from), { status: 206, headers });
}

function content(hub: FakeHub, request: Request): Response {
  const name = new URL(request.url).pathname.slice(1);
  const bytes = [...hub.files.values()].find((data) => sha256(data) === name);
  return bytes ? ranged(bytes, request.headers.get("range")) : new Response("", { status: 404 });
}

function answer(hub: FakeHub, request: Request, cdnPort: number): Response {
  const url = new URL(request.url);
  // Below, its name is org/name.
  const path = decodeURIComponent(url.pathname).replace(`/${hub.id}/`, "/org/name/");
  const notFound = (code: string) => new Response("", { status: 404, headers: { "x-error-code": code } });
  const [, , revision] = path.match(/^\/api\/(models|datasets)\/org\/name\/revision\/(.*)$/) ?? [];
  if (revision !== undefined) {
    if (!hub.isThere) return notFound("RepoNotFound");
    const known = ["main", "v1", "refs/pr/2", hub.commit].includes(revision);
    const info = { _id: "0", id: hub.id, sha: hub.commit, siblings: [], tags: [] };
    return known ? Response.json(info) : notFound("RevisionNotFound");
  }
  if (/^\/api\/(models|datasets)\/org\/name\/tree\//.test(path)) return listing(hub, url);
  const [, , commit, name] = path.match(/^\/(datasets\/)?org\/name\/resolve\/([^/]+)\/(.*)$/) ?? [];
  if (name === undefined) return notFound("RepoNotFound");
  const bytes = hub.files.get(name);
  if (!bytes || commit !== hub.commit) return notFound("EntryNotFound");
  const headers = { "x-repo-commit": hub.commit, etag: `"${blobSha1(bytes)}"` };
  if (bytes.length < LARGE) {
    // The hub sends small files on to a cache of its own, by a relative address.
    if (!url.searchParams.has("cached")) {
      return new Response("", { status: 307, headers: { ...headers, location: `${url.pathname}?cached=1` } });
    }
    return new Response(bytes, { headers });
  }
  const hash = sha256(bytes);
  const linked = { "x-linked-size": `${bytes.length}`, "x-linked-etag": `"${hash}"` };
  const location = `http://localhost:${cdnPort}/${hash}`;
  return new Response("", { status: 302, headers: { ...headers, ...linked, location } });
}

function listing(hub: FakeHub, url: URL): Response {
  const from = Number(url.searchParams.get("cursor") ?? 0);
  const entries = [...hub.files].map(([path, bytes]): Record<string, unknown> => {
    const common = { type: "file", path, size: bytes.length };
    if (bytes.length < LARGE) return { ...common, oid: blobSha1(bytes) };
    const pointer = new TextEncoder().encode(`oid sha256:${sha256(bytes)}`);
    const lfs = { oid: sha256(bytes), size: bytes.length, pointerSize: pointer.length };
    return { ...common, oid: blobSha1(pointer), lfs };
  });
  const folders = [...new Set([...hub.files.keys()].filter((path) => path.includes("/")))]
    .map((path) => ({ type: "directory", path: path.split("/")[0], oid: "0".repeat(40), size: 0 }));
  const all = hub.relist([...folders, ...entries]);
  const next = from + hub.page < all.length
    ? { link: `<${url.origin}${url.pathname}?cursor=${from + hub.page}>; rel="next"` }
    : undefined;
  return Response.json(all.slice(from, from + hub.page), { headers: next });
}
