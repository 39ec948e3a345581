import { softcotCommand } from "../../cli/support/run_softcot.ts";

/** A running `softcot view`. */
export interface View extends AsyncDisposable {
  /** Its address, with a slash at the end. */
  url: string;
}

/** Starts `softcot view` over folders on a free port, and waits until it listens. */
export async function viewOf(...folders: string[]): Promise<View> {
  const process = softcotCommand(["view", "--json", ...folders], {
    ...{ stdin: "null", stdout: "piped", stderr: "inherit" },
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("\n}") && !/^\{.*\}\s*$/s.test(said)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`softcot view ended and said: ${said}`);
    said += value;
  }
  const { url } = JSON.parse(said) as { url: string };
  return {
    url: url.endsWith("/") ? url : `${url}/`,
    async [Symbol.asyncDispose]() {
      process.kill("SIGINT");
      await reader.cancel();
      await process.status;
    },
  };
}
