import { root } from "../../support/places.ts";

/** What a process said and how it ended. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the program as a process of its own, without a terminal. */
export function runSoftcot(args: string[], env: Record<string, string> = {}): Promise<Finished> {
  return runDeno([...configured(), "cli/main.ts", ...args], env);
}

/** Runs `deno run` in the root of the project. */
export function runDeno(args: string[], env: Record<string, string> = {}): Promise<Finished> {
  return finish(Deno.execPath(), ["run", "--allow-all", "--quiet", ...args], env);
}

/** Runs a program to its end. Colours are off unless `env` says otherwise. */
export async function finish(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Finished> {
  const command = new Deno.Command(program, {
    args,
    cwd: root,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** check:jsr names a configuration whose packages are the real ones. */
export function configured(): string[] {
  const config = Deno.env.get("SOFTCOT_TEST_CONFIG");
  return config ? ["--config", config] : [];
}
