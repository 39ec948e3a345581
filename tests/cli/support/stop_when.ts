import { linesIn } from "../../rl/support/run_files.ts";
import { softcotCommand } from "./run_softcot.ts";

/** How a process ended that was stopped on its way. */
export interface Stopped {
  status: Deno.CommandStatus;
  stderr: string;
}

/** Starts the program and sends a signal once its run has logged `lines` steps. */
export const stopAt = (args: string[], out: string, lines: number, signal: Deno.Signal): Promise<Stopped> =>
  stopWhen(args, () => linesIn(`${out}/metrics.jsonl`) >= lines, signal);

/** Starts the program and sends a signal as soon as `ready`, which is given what stderr says so far. */
export async function stopWhen(
  args: string[],
  ready: (stderr: string) => boolean,
  signal: Deno.Signal,
): Promise<Stopped> {
  const child = softcotCommand(args, { stdin: "null", stdout: "null", stderr: "piped" }).spawn();
  let stderr = "";
  const said = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) stderr += text;
  })();
  let ended = false;
  const status = child.status.finally(() => ended = true);
  while (!ended && !ready(stderr)) await new Promise((resolve) => setTimeout(resolve, 4));
  if (!ended) child.kill(signal);
  const deaf = setTimeout(() => child.kill("SIGKILL"), 120_000);
  await said;
  const result = { status: await status, stderr };
  clearTimeout(deaf);
  return result;
}
