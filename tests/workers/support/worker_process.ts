import { programWords } from "../../cli/support/run_softcot.ts";
import { root } from "../../support/places.ts";

/** A `softcot worker` that runs as a process of its own. */
export interface WorkerProcess extends AsyncDisposable {
  name: string;
  pid: number;
  /** All of stderr so far. */
  said(): string;
  kill(signal: Deno.Signal): Promise<Deno.CommandStatus>;
}

/** The program as a process, on one core where one is named. */
export function onCore(core: number | undefined, args: readonly string[], options: Deno.CommandOptions) {
  const [program, ...first] = [
    ...(core === undefined ? [] : ["taskset", "-c", `${core}`]),
    ...programWords(),
  ];
  return new Deno.Command(program, { cwd: root, stdin: "null", ...options, args: [...first, ...args] });
}

/** Starts a worker, on one core where one is named, and waits until it waits for jobs; fails where it ends before. */
export async function startWorker(
  url: string,
  name: string,
  { env = {}, core }: { env?: Record<string, string>; core?: number } = {},
): Promise<WorkerProcess> {
  const child = onCore(core, ["worker", url, "--name", name], {
    ...{ env: { NO_COLOR: "1", ...env }, stdout: "null", stderr: "piped" },
  }).spawn();
  let stderr = "";
  const there = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      stderr += text;
      if (stderr.includes("waits for jobs")) there.resolve();
    }
    there.reject(new Error(`worker ${name} ended: ${stderr}`));
  })();
  await there.promise;
  const kill = async (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It has ended.
    }
    await reading;
    return await child.status;
  };
  return {
    ...{ name, pid: child.pid, kill, said: () => stderr },
    [Symbol.asyncDispose]: async () => void await kill("SIGKILL"),
  };
}
