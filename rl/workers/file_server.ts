/** The worker of serve_files.ts: serves the files that it is told of, whatever keeps the process itself busy. */
/// <reference lib="webworker" />
import { pause } from "../../gpu/pause.ts";
import { openPlain } from "../../model/files/plain_file.ts";

/** What the worker is told: where to listen, a file or bytes to serve from now on under a hash, or one to serve no more. */
export type ServeOrder =
  | { listen: { hostname: string; port: number } }
  | { add: string; source: string | Uint8Array<ArrayBuffer> }
  | { remove: string };

/** What it says: the port that it listens on, or why it does not. */
export type ServeAnswer = { port: number } | { error: string };

const scope = self as unknown as DedicatedWorkerGlobalScope;
const sources = new Map<string, string | Uint8Array<ArrayBuffer>>();

scope.onmessage = ({ data }: MessageEvent<ServeOrder>) => {
  if ("listen" in data) scope.postMessage(listen(data.listen));
  else if ("add" in data) sources.set(data.add, data.source);
  else sources.delete(data.remove);
};

function listen(address: { hostname: string; port: number }): ServeAnswer {
  try {
    const { addr } = Deno.serve(
      { ...address, onListen: () => {}, onError: () => said(500) },
      async (request) => {
        if (request.method !== "GET") return said(405);
        const source = await sourceOf(new URL(request.url).pathname.slice(1));
        return source === undefined ? said(404) : answer(request, source);
      },
    );
    return { port: addr.port };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** What is served is told by another way than requests come, and may come later than what asks for it. */
async function sourceOf(hash: string): Promise<string | Uint8Array<ArrayBuffer> | undefined> {
  for (let tries = 0; tries < 10 && !sources.has(hash); tries++) await pause(50);
  return sources.get(hash);
}

const said = (status: number): Response => new Response(null, { status });

const PIECE = 1024 * 1024;

function answer(request: Request, source: string | Uint8Array<ArrayBuffer>): Response {
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
  if (!file) return new Response((source as Uint8Array<ArrayBuffer>).subarray(from), init);
  file.seekSync(from, Deno.SeekMode.Start);
  let left = bytes - from;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = new Uint8Array(Math.min(PIECE, left));
      let got: number | null;
      try {
        got = left === 0 ? null : await file.read(piece);
      } catch (error) {
        file.close();
        throw error;
      }
      if (got === null) {
        file.close();
        return controller.close();
      }
      left -= got;
      controller.enqueue(piece.subarray(0, got));
    },
    cancel: () => file.close(),
  });
  return new Response(body, init);
}
