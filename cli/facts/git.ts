/** What git says of a repository; undefined where it fails, or is not installed. */
export function git(cwd: string, ...args: string[]): string | undefined {
  try {
    const { success, stdout } = new Deno.Command("git", { args, cwd, stdin: "null", stderr: "null" })
      .outputSync();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined; // it may not be started
  }
}
