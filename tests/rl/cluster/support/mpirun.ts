import { root } from "../../../support/places.ts";

/** Why tests of several learners do not run here; undefined where they do. */
export function noMpi(): string | undefined {
  try {
    new Deno.Command("mpirun", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return undefined;
  } catch {
    return "no mpirun here: apt-get install openmpi-bin";
  }
}

/** Registers a test of several learners, which is left out, saying so, where there is no mpirun. */
export function testWithMpi(name: string, test: () => Promise<void>): void {
  const missing = noMpi();
  if (missing) console.log(`skipped: ${name} (${missing})`);
  Deno.test({ name, ignore: missing !== undefined, fn: test });
}

/** Runs a program as so many processes. */
export async function mpirun(
  count: number,
  program: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = ["-n", `${count}`, "--oversubscribe", "--bind-to", "none", ...program];
  const env = {
    OMPI_ALLOW_RUN_AS_ROOT: "1",
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
    LP_NUM_THREADS: "1",
    NO_COLOR: "1",
  };
  const { code, stdout, stderr } = await new Deno.Command("mpirun", { args, env, cwd: root }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
