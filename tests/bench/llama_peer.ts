import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** llama.cpp in a process of its own that waits for its turns: `llama_peer.py` says what it can be asked. */
export interface LlamaPeer {
  /** Seconds that a request took, such as `prefill 512`. */
  seconds(request: string): Promise<number>;
  close(): void;
}

/**
 * Starts it.
 *
 * @param python a Python that has llama-cpp-python
 * @param model a GGUF file
 * @param library folder of another build of it, whose GPU is used; that of the package and the CPU otherwise
 */
export async function openLlama(python: string, model: string, library?: string): Promise<LlamaPeer> {
  const script = new URL("./llama_peer.py", import.meta.url).pathname;
  const env = {
    ...Deno.env.toObject(),
    ...(library ? { LLAMA_CPP_LIB_PATH: library, GGML_VK_VISIBLE_DEVICES: "0" } : {}),
  };
  const child = spawn(python, [script, model, ...(library ? ["--gpu"] : [])], {
    stdio: ["pipe", "pipe", "inherit"],
    env,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("Cannot go on timing llama.cpp: its process has ended");
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
