/** What a program answered. */
export interface ProgramAnswer {
  success: boolean;
  stdout: string;
}

/**
 * Runs a program that tells something of the machine, and waits for it no longer than so many seconds: one that asks a driver may hang
 * for ever, and then may not even end by SIGKILL.
 *
 * @returns "late" where its time was up; undefined where it is not here, or cannot be started
 */
export async function askProgram(
  program: string,
  args: string[],
  seconds: number,
): Promise<ProgramAnswer | "late" | undefined> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
  } catch {
    return undefined;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(resolve, 1000 * seconds, "late"));
  const done = child.output().then(({ success, stdout }) => ({
    success,
    stdout: new TextDecoder().decode(stdout),
  }));
  const answer = await Promise.race([done, late]);
  clearTimeout(timer);
  if (answer === "late") {
    child.unref();
    child.kill("SIGKILL");
  }
  return answer;
}
