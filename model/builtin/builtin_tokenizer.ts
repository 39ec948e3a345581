import { loadTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import tokenizerJson from "./tokenizer.json" with { type: "text" };
import tokenizerConfigJson from "./tokenizer_config.json" with { type: "text" };

/** The embedded model's tokenizer (words.ts lists its tokens; make_tokenizer.ts wrote its files). */
export function builtinTokenizer(): Tokenizer {
  return loadTokenizer({ "tokenizer.json": tokenizerJson, "tokenizer_config.json": tokenizerConfigJson });
}
