import { UserError } from "../gpu/errors.ts";

/** Runs this Deno to its end and returns what it said; what it says on stderr is told where it fails. */
export async function deno(
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, ...options }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new UserError(`Cannot run deno ${args[0]}: it says ${decoder.decode(stderr).trim()}`);
}
