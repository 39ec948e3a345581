import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { resolve } from "node:path";
import { root } from "../../support/places.ts";

/** Where a built file is started instead. */
let unpacked: string | undefined;

/** What a process said and how it ended. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the program as a process of its own, without a terminal. */
export async function runSoftcot(args: string[], env: Record<string, string> = {}): Promise<Finished> {
  return told(await softcotCommand(args, { env, stdin: "null" }).output());
}

/** Runs the program, which has to succeed. */
export async function succeed(args: string[]): Promise<Finished> {
  const done = await runSoftcot(args);
  assertEquals(done.code, 0, done.stderr);
  return done;
}

/** Runs the program, which has to end with this status, these words on stderr, and no stack. Returns all of stderr. */
export async function fails(args: string[], code: number, ...messages: string[]): Promise<string> {
  const done = await runSoftcot(args);
  assertEquals([done.code, done.stdout], [code, ""], done.stderr);
  for (const message of messages) assertStringIncludes(done.stderr, message);
  assert(!/^ +at /m.test(done.stderr), "a stack trace");
  return done.stderr;
}

/** The program as a command that is yet to be started, without the colours' switch that the tests themselves are run with. */
export function softcotCommand(args: string[], options: Deno.CommandOptions): Deno.Command {
  const [program, ...first] = programWords();
  const env = { NO_COLOR: "", ...options.env };
  return new Deno.Command(program, { cwd: root, ...options, env, args: [...first, ...args] });
}

/** What starts the program, before its arguments: the built file that SOFTCOT_BINARY names, or the sources. */
export function programWords(): string[] {
  const built = Deno.env.get("SOFTCOT_BINARY");
  if (built) return [unpacked ?? resolve(built)];
  return [
    ...[Deno.execPath(), "run", "-P=softcot", "--no-prompt", "--quiet"],
    ...[...configured(), `${root}cli/main.ts`],
  ];
}

// A built file says on stderr that it unpacks itself, once: before any test listens.
if (Deno.env.get("SOFTCOT_BINARY")) await runSoftcot(["--version"]);

/** Has a built file start from where it is unpacked to here: for tests whose cache folders are no places to unpack to. */
export async function startUnpacked(folder: string): Promise<void> {
  const built = Deno.env.get("SOFTCOT_BINARY");
  if (!built) return;
  const { code, stderr } = await finish(resolve(built), ["--unpack", `${folder}/unpacked`]);
  assertEquals(code, 0, stderr);
  unpacked = `${folder}/unpacked/softcot`;
}

/** Runs another program to its end, in the root of the project. Colours are off unless `env` says otherwise. */
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
  return told(await command.output());
}

/** What a process that has ended said, as text. */
export function told({ code, stdout, stderr }: Deno.CommandOutput): Finished {
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** check:jsr names a configuration whose packages are the real ones. */
export function configured(): string[] {
  const config = Deno.env.get("SOFTCOT_TEST_CONFIG");
  return config ? ["--config", config] : [];
}
