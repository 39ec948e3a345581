import { isWhole, type Metadata, textsOf, tokenOf, TokenType } from "./gguf_values.ts";
import { readTypes } from "./read_gguf_tokens.ts";

/** Names of end tokens that files keep quiet about: they state one end token, where a model may have several. */
const END_NAMES = ["<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|eom_id|>", "<|im_end|>"];

/** All end tokens, where softcot wrote the file: GGUF's own keys have room for three. */
export const END_TOKENS = "softcot.end_token_ids";

/**
 * Every end token of a GGUF file's vocabulary: the ones it states (end of sequence, of turn, of message), and control
 * tokens with the names that SmolLM2, Llama 3 and Qwen end texts or turns with, since a file states only one or two. A file that
 * softcot wrote states them all, and ends texts where the model that it was made from does.
 *
 * @returns ids, the stated end of sequence first; empty if there is none
 * @throws UserError if a stated id has no token
 */
export function ggufEndTokenIds(metadata: Metadata): number[] {
  const tokens = textsOf(metadata, "tokenizer.ggml.tokens");
  const written = metadata.get(END_TOKENS);
  if (Array.isArray(written) && written.every((id) => isWhole(id, tokens.length - 1))) {
    return written as number[];
  }
  const types = readTypes(metadata, tokens.length);
  const stated = ["eos", "eot", "eom"].flatMap((role) => tokenOf(metadata, role, tokens)?.id ?? []);
  // What llama.cpp takes where a file of this kind names none.
  if (
    stated.length === 0 && metadata.get("tokenizer.ggml.model") === "llama" && types[2] === TokenType.control
  ) {
    stated.push(2);
  }
  const known = END_NAMES.map((name) => tokens.indexOf(name)).filter((id) => types[id] === TokenType.control);
  return [...new Set([...stated, ...known])];
}
