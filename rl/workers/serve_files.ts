import { UserError } from "../../gpu/errors.ts";
import { sha256Of } from "../../model/files/sha256_of.ts";
import type { ServeAnswer, ServeOrder } from "./file_server.ts";
import type { ServedFile } from "./job.ts";

/** Where files are served, and for whom. */
export interface ServeAt {
  /** Address to listen on. */
  host: string;
  /** 0: any that is free. */
  port: number;
}

/** Serves files under the SHA-256 of their bytes, and nothing else: who does not know a hash gets no file, and no list. */
export interface FileServer extends Disposable {
  /** http://HOST:PORT */
  readonly url: string;
  /** Serves a file from now on. */
  add(path: string, name: string): ServedFile;
  /** The same of a text. */
  addText(text: string, name: string): ServedFile;
  /** Serves it no more. */
  remove(file: ServedFile): void;
}

/**
 * Serves files over HTTP, in parts where a client asks to go on with one. By a thread of its own: generation lets events in ten times a
 * second, and a file needs many.
 * @throws UserError if the address cannot be listened on
 */
export async function serveFiles({ host, port }: ServeAt): Promise<FileServer> {
  const server = new Worker(new URL("./file_server.ts", import.meta.url), { type: "module" });
  const order = (order: ServeOrder) => server.postMessage(order);
  const listening = new Promise<ServeAnswer>((resolve) => {
    server.onmessage = ({ data }) => resolve(data);
    server.onerror = (event) => {
      event.preventDefault();
      resolve({ error: event.message });
    };
  });
  order({ listen: { hostname: host, port } });
  const answer = await listening;
  if ("error" in answer) {
    server.terminate();
    throw new UserError(
      `Cannot serve the weights to workers on ${host} port ${port}: ${answer.error}`,
      "--serve-weights HOST:PORT names an address of this machine that workers reach, and a free port",
    );
  }
  const add = (source: string | Uint8Array<ArrayBuffer>, name: string, bytes: number): ServedFile => {
    const sha256 = sha256Of([source]);
    order({ add: sha256, source });
    return { name, bytes, sha256 };
  };
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${answer.port}`,
    add: (path, name) => add(path, name, Deno.statSync(path).size),
    addText(text, name) {
      const bytes = new TextEncoder().encode(text);
      return add(bytes, name, bytes.length);
    },
    remove: ({ sha256 }) => order({ remove: sha256 }),
    // Who still fetches something fetches it for nothing.
    [Symbol.dispose]: () => server.terminate(),
  };
}
