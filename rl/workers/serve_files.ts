import { UserError } from "../../gpu/errors.ts";
import { openPlain } from "../../model/files/plain_file.ts";
import { sha256Of } from "../../model/files/sha256_of.ts";
import type { ServedFile } from "./job.ts";

/** Where files are served, and for whom. */
export interface ServeAt {
  /** Address to listen on. */
  host: string;
  /** 0: any that is free. */
  port: number;
}

/** Serves files under the SHA-256 of their bytes, and nothing else: who does not know a hash gets no file, and no list. */
export interface FileServer extends AsyncDisposable {
  /** http://HOST:PORT */
  readonly url: string;
  /** Bytes sent. */
  readonly sent: number;
  /** Serves a file from now on. */
  add(path: string, name: string): ServedFile;
  /** The same of a text. */
  addText(text: string, name: string): ServedFile;
  /** Serves it no more. */
  remove(file: ServedFile): void;
}

/**
 * Serves files over HTTP, in parts where a client asks to go on with one.
 * @throws UserError if the address cannot be listened on
 */
export function serveFiles({ host, port }: ServeAt): FileServer {
  const sources = new Map<string, string | Uint8Array<ArrayBuffer>>();
  let sent = 0;
  const count = (bytes: number) => void (sent += bytes);
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({ hostname: host, port, onListen: () => {}, onError: () => said(500) }, (request) => {
      const source = sources.get(new URL(request.url).pathname.slice(1));
      if (request.method !== "GET") return said(405);
      return source === undefined ? said(404) : answer(request, source, count);
    });
  } catch (error) {
    throw new UserError(
      `Cannot serve the weights to workers on ${host} port ${port}: ${(error as Error).message}`,
      "--serve-weights HOST:PORT names an address of this machine that workers reach, and a free port",
    );
  }
  const add = (source: string | Uint8Array<ArrayBuffer>, name: string, bytes: number): ServedFile => {
    const sha256 = sha256Of([source]);
    sources.set(sha256, source);
    return { name, bytes, sha256 };
  };
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${server.addr.port}`,
    get sent() {
      return sent;
    },
    add: (path, name) => add(path, name, Deno.statSync(path).size),
    addText(text, name) {
      const bytes = new TextEncoder().encode(text);
      return add(bytes, name, bytes.length);
    },
    remove: ({ sha256 }) => void sources.delete(sha256),
    // Who still fetches something fetches it for nothing.
    [Symbol.asyncDispose]: async () => {
      sources.clear();
      await Promise.race([server.shutdown(), new Promise((resolve) => setTimeout(resolve, 500))]);
    },
  };
}

const said = (status: number): Response => new Response(null, { status });

const PIECE = 1024 * 1024;

function answer(
  request: Request,
  source: string | Uint8Array<ArrayBuffer>,
  count: (bytes: number) => void,
): Response {
  const file = typeof source === "string" ? openPlain(source) : undefined;
  const bytes = file ? file.statSync().size : (source as Uint8Array).length;
  const asked = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "");
  const from = asked ? Number(asked[1]) : 0;
  if (from > 0 && from >= bytes) {
    file?.close();
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${bytes}` } });
  }
  const headers = {
    ...{ "content-type": "application/octet-stream", "content-length": `${bytes - from}` },
    ...{ "accept-ranges": "bytes", "cache-control": "no-store", "x-content-type-options": "nosniff" },
    ...(asked ? { "content-range": `bytes ${from}-${bytes - 1}/${bytes}` } : {}),
  };
  const init = { status: asked ? 206 : 200, headers };
  if (!file) {
    count(bytes - from);
    return new Response((source as Uint8Array<ArrayBuffer>).subarray(from), init);
  }
  file.seekSync(from, Deno.SeekMode.Start);
  let left = bytes - from;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = new Uint8Array(Math.min(PIECE, left));
      const got = left === 0 ? null : await file.read(piece);
      if (got === null) {
        file.close();
        return controller.close();
      }
      left -= got;
      count(got);
      controller.enqueue(piece.subarray(0, got));
    },
    cancel: () => file.close(),
  });
  return new Response(body, init);
}
