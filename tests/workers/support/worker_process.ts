import { softcotCommand } from "../../cli/support/run_softcot.ts";

/** A `softcot worker` that runs as a process of its own. */
export interface WorkerProcess extends AsyncDisposable {
  name: string;
  pid: number;
  /** All of stderr so far. */
  said(): string;
  kill(signal: Deno.Signal): Promise<Deno.CommandStatus>;
}

/** Starts a worker, and waits until it waits for jobs. */
export async function startWorker(
  url: string,
  name: string,
  env: Record<string, string> = {},
): Promise<WorkerProcess> {
  const child = softcotCommand(["worker", url, "--name", name], {
    ...{ env: { NO_COLOR: "1", ...env }, stdin: "null", stdout: "null", stderr: "piped" },
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
