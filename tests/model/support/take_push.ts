import { sha256 } from "./content_hashes.ts";

/** A hub's one repository, as far as pushes change it. */
export interface PushedHub {
  /** For HF_ENDPOINT. */
  endpoint: string;
  /** Name of its one repository. */
  id: string;
  /** The files of that repository, as of its one commit. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
  commit: string;
  /** The repository is there; false where a push is to make it. */
  isThere: boolean;
  pushes: Pushes;
}

/** What a hub keeps of pushes. */
export interface Pushes {
  /** How its repository was made; undefined where it was there. */
  made?: { private: boolean };
  /** Contents that came into the store, by SHA-256. */
  stored: Map<string, Uint8Array<ArrayBuffer>>;
  /** First lines of the commits' messages. */
  summaries: string[];
  /** Content in the store's parts of this many bytes, where a test sets it. */
  chunk?: number;
  parts: Map<string, Uint8Array<ArrayBuffer>>;
}

/** Small files are taken as text, large ones go to the store: as the hub decides by size and by .gitattributes. */
const isLarge = (file: { path: string; size: number }) => file.size >= 1000;

/** The hub's own answers to what is sent to it; undefined where it knows no such address. */
export async function takePush(
  hub: PushedHub,
  request: Request,
  cdnPort: number,
): Promise<Response | undefined> {
  const { pathname } = new URL(request.url);
  if (request.headers.get("authorization") === null) return new Response("", { status: 401 });
  const refused = () => new Response("", { status: 404, headers: { "x-error-code": "RepoNotFound" } });
  if (pathname === "/api/repos/create") {
    const { organization, name, private: isPrivate, type } = await request.json();
    if (type !== "model" || `${organization}/${name}` !== hub.id) return new Response("", { status: 403 });
    if (hub.isThere) return new Response("{}", { status: 409 });
    hub.pushes.made = { private: isPrivate };
    hub.isThere = true;
    return Response.json({ url: `${hub.endpoint}/${hub.id}` });
  }
  if (!hub.isThere || !pathname.includes(hub.id)) return refused();
  if (pathname === `/api/models/${hub.id}/preupload/main`) {
    const { files } = await request.json();
    return Response.json({
      files: files.map((file: { path: string; size: number }) => ({
        path: file.path,
        uploadMode: isLarge(file) ? "lfs" : "regular",
      })),
    });
  }
  if (pathname === `/${hub.id}.git/info/lfs/objects/batch`) return await batch(hub, request, cdnPort);
  if (pathname === `/api/models/${hub.id}/commit/main`) return await commit(hub, request);
  if (pathname === `/${hub.id}/joined`) return await join(hub, request);
  if (pathname === `/${hub.id}/verify`) {
    const { oid, size } = await request.json();
    return new Response("", { status: hub.pushes.stored.get(oid)?.length === size ? 200 : 404 });
  }
  return undefined;
}

async function batch(hub: PushedHub, request: Request, cdnPort: number): Promise<Response> {
  const { objects, operation } = await request.json();
  if (operation !== "upload") return new Response("", { status: 422 });
  const store = `http://localhost:${cdnPort}`;
  return Response.json({
    objects: objects.map(({ oid, size }: { oid: string; size: number }) => {
      if (hub.pushes.stored.has(oid)) return { oid, size };
      const verify = { href: `${hub.endpoint}/${hub.id}/verify` };
      const { chunk } = hub.pushes;
      if (chunk === undefined) {
        return {
          oid,
          size,
          actions: { upload: { href: `${store}/${oid}`, header: { "x-right": "yes" } }, verify },
        };
      }
      const parts = Array.from({ length: Math.ceil(size / chunk) }, (_, i) => {
        const key = String(i + 1).padStart(5, "0");
        return [key, `${store}/${oid}.${key}`];
      });
      const header = { chunk_size: String(chunk), ...Object.fromEntries(parts) };
      return { oid, size, actions: { upload: { href: `${hub.endpoint}/${hub.id}/joined`, header }, verify } };
    }),
  });
}

async function join(hub: PushedHub, request: Request): Promise<Response> {
  const { oid, parts } = await request.json();
  const found = parts.map((part: { partNumber: number; etag: string }) => {
    const bytes = hub.pushes.parts.get(`${oid}.${String(part.partNumber).padStart(5, "0")}`);
    return bytes && part.etag === `"${sha256(bytes)}"` ? bytes : new Uint8Array();
  });
  const whole = new Uint8Array(await new Blob(found).arrayBuffer());
  if (sha256(whole) !== oid) return new Response("", { status: 422 });
  hub.pushes.stored.set(oid, whole);
  return Response.json({});
}

/** The store's answer to content: it wants to know its length beforehand, and no token. */
export async function takeContent(hub: PushedHub, request: Request): Promise<Response> {
  const name = new URL(request.url).pathname.slice(1);
  if (request.headers.get("authorization") !== null) return new Response("", { status: 400 });
  if (request.headers.get("content-length") === null) return new Response("", { status: 411 });
  const bytes = new Uint8Array(await request.arrayBuffer());
  const etag = `"${sha256(bytes)}"`;
  if (name.includes(".")) hub.pushes.parts.set(name, bytes);
  else if (sha256(bytes) !== name || request.headers.get("x-right") !== "yes") {
    return new Response("", { status: 403 });
  } else hub.pushes.stored.set(name, bytes);
  return new Response("", { headers: { etag } });
}

async function commit(hub: PushedHub, request: Request): Promise<Response> {
  const lines = (await request.text()).split("\n").map((line) => JSON.parse(line));
  const [{ key, value: { summary, parentCommit } }, ...files] = lines;
  if (key !== "header" || parentCommit !== hub.commit) return new Response("", { status: 412 });
  for (const { key, value } of files) {
    const bytes = key === "file" ? Uint8Array.fromBase64(value.content) : hub.pushes.stored.get(value.oid);
    if (!bytes) return new Response("", { status: 422 });
    hub.files.set(value.path, bytes);
  }
  hub.pushes.summaries.push(summary);
  hub.commit = sha256(new TextEncoder().encode(hub.commit)).slice(0, 40);
  return Response.json({ commitOid: hub.commit, commitUrl: "", success: true });
}
