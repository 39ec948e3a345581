/**
 * Stands beside own code in its process, and ends that, whatever own code does: when the command that asks is gone, and when no answer
 * has come for as long as the user waits for one.
 *
 * @module
 */
/// <reference lib="webworker" />

/** A function that is to be called; without a place, the file is to be loaded. */
export interface Call {
  id: number;
  place?: number;
  args: unknown[];
}

const scope = self as unknown as DedicatedWorkerGlobalScope;
const seconds = Number(scope.name);
const open = new Set<number>();
let watch: ReturnType<typeof setTimeout> | undefined;

/** The id of a call that was answered. */
scope.onmessage = ({ data }: MessageEvent<number>) => {
  open.delete(data);
  begin();
};

/** Waits for the next answer. */
function begin(): void {
  clearTimeout(watch);
  watch = open.size > 0 ? setTimeout(giveUp, seconds * 1000) : undefined;
}

async function giveUp(): Promise<void> {
  const line = new TextEncoder().encode(`\n\x1e{"silent":true}\n`);
  // Nobody may be reading.
  await Promise.race([Deno.stdout.write(line), new Promise((resolve) => setTimeout(resolve, 1000))]);
  end();
}

/** A process may always end itself; from a worker, so that nothing that it is at can hold it up. */
const end = () => Deno.kill(Deno.pid, "SIGKILL");

let parts: string[] = [];
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = text.split("\n");
  parts.push(lines[0]);
  if (lines.length === 1) continue;
  const calls = [parts.join(""), ...lines.slice(1, -1)].map((line): Call => JSON.parse(line));
  parts = [lines.at(-1)!];
  for (const { id } of calls) open.add(id);
  if (watch === undefined) begin();
  scope.postMessage(calls);
}
end();
