import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Another program in a process of its own that waits for its turns. */
export interface TimedProcess {
  /** Seconds that a request took, which is one line. */
  seconds(request: string): Promise<number>;
  close(): void;
}

/**
 * Starts a script that says `ready` and then answers each line with seconds.
 *
 * @param runner the program that runs it, with the flags that come before the script if there are any
 */
export async function openTimed(
  runner: string | readonly string[],
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<TimedProcess> {
  const path = new URL(`../${script}`, import.meta.url).pathname;
  const [program, ...flags] = [runner].flat();
  const child = spawn(program, [...flags, path, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...Deno.env.toObject(), ...env },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`Cannot go on timing ${script}: its process has ended`);
    return value;
  };
  await next();
  return {
    async seconds(request) {
      child.stdin.write(`${request}\n`);
      const seconds = Number(await next());
      // Its threads go on spinning for a while, and would slow down whoever comes next.
      await new Promise((resolve) => setTimeout(resolve, 300));
      return seconds;
    },
    close: () => void child.kill(),
  };
}
