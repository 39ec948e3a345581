// deno-lint-ignore-file no-explicit-any
import { assert } from "@std/assert";
import { softcotCommand } from "./run_softcot.ts";

/** A server that runs as a process of its own. */
export interface Served extends AsyncDisposable {
  url: string;
  process: Deno.ChildProcess;
  /** All of stderr so far. */
  said(): string;
  /** The answer to a body, or to a GET without one. */
  ask(
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Headers; data: any }>;
  /** The events of a stream, `[DONE]` left out. */
  events(path: string, body: unknown): Promise<any[]>;
  /** A figure of /metrics by its name and labels. */
  figure(name: string): Promise<number>;
}

/** Starts `softcot serve`, on a port that is free where none is given, and waits until it is ready. */
export async function startServer(args: string[], env: Record<string, string> = {}): Promise<Served> {
  // Kernels are compiled by the first requests, unless the port is told: most servers here answer few.
  const how = args.includes("--port") ? [] : ["--port", "0", "--cold"];
  const process = softcotCommand(["serve", ...how, ...args], {
    ...{ env, stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  let stderr = "";
  const listening = (async () => {
    for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) stderr += text;
  })();
  let stdout = "";
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!stdout.includes("\n")) {
    const { done, value } = await reader.read();
    assert(!done, stderr);
    stdout += value;
  }
  const url = /http:\S+/.exec(stdout)![0];
  const ask: Served["ask"] = async (path, body, headers = {}) => {
    const init = body === undefined
      ? {}
      : { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, { ...init, headers });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, headers: response.headers, data: isJson ? JSON.parse(text) : text };
  };
  return {
    ...{ url, process, said: () => stderr, ask },
    async events(path, body) {
      const { status, data } = await ask(path, { stream: true, ...body as object });
      assert(status === 200, `${status}: ${JSON.stringify(data)}`);
      const events = (data as string).split("\n\n").filter((event) => event !== "");
      assert(events.every((event) => event.startsWith("data: ")) && events.at(-1) === "data: [DONE]", data);
      return events.slice(0, -1).map((event) => JSON.parse(event.slice("data: ".length)));
    },
    async figure(name) {
      const { data } = await ask("/metrics");
      const line = (data as string).split("\n").find((line) => line.startsWith(`softcot_${name} `));
      return Number(line?.split(" ").at(-1));
    },
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await process.status;
      await listening;
      await reader.cancel();
    },
  };
}
