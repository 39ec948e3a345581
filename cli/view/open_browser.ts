import { say } from "../terminal/print.ts";

/** What opens an address in the user's browser, by system. */
export const OPENERS = { linux: "xdg-open", darwin: "open", windows: "explorer" } as const;

/** Opens an address in the user's browser; says so where that does not work. */
export function openBrowser(url: string): void {
  const { os } = Deno.build;
  const opener = os === "darwin" || os === "windows" ? OPENERS[os] : OPENERS.linux;
  try {
    const child = new Deno.Command(opener, { args: [url], stdin: "null", stdout: "null", stderr: "null" })
      .spawn();
    child.unref();
    child.status.then(({ success }) => {
      if (!success && os !== "windows") say(`${opener} could not open it: open ${url} yourself.`);
    });
  } catch (error) {
    say(`Cannot start ${opener} (${(error as Error).name}): open ${url} yourself.`);
  }
}
