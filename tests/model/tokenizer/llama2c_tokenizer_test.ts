import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { llama2cTokenizerFiles } from "../../../model/tokenizer/llama2c_tokenizer.ts";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";

/** Bytes of a tokenizer.bin: special tokens and bytes, then these pieces with scores 0, -1, -2, ... */
function tokenizerBin(pieces: string[], special = ["<unk>", "\n<s>\n", "\n</s>\n"]): Uint8Array {
  const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, "0");
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${hex(byte)}>`);
  const fixed = [...special, ...bytes].map((text) => ({ text, score: 0 }));
  const entries = [...fixed, ...pieces.map((text, i) => ({ text, score: -i }))].map(({ text, score }) => {
    const utf8 = new TextEncoder().encode(text);
    const entry = new Uint8Array(8 + utf8.length);
    new DataView(entry.buffer).setFloat32(0, score, true);
    new DataView(entry.buffer).setInt32(4, utf8.length, true);
    entry.set(utf8, 8);
    return [...entry];
  });
  return Uint8Array.from([27, 0, 0, 0, ...entries.flat()]);
}

Deno.test("a llama2.c tokenizer joins by score, and writes characters without a token as bytes", () => {
  const pieces = ["bc", "ab", "abc", " a", "a", "b", "c", " "];
  const id = (piece: string) => 259 + pieces.indexOf(piece);
  const tokenizer = loadTokenizer(llama2cTokenizerFiles(tokenizerBin(pieces), 267));
  assertEquals([tokenizer.bosId, tokenizer.eosId, tokenizer.size], [1, 2, 267]);
  // "bc" is worth more than "ab", and " a" less than both.
  assertEquals(tokenizer.encode("abc"), [id(" "), id("abc")]);
  assertEquals(tokenizer.encode("aab"), [id(" a"), id("ab")]);
  assertEquals(tokenizer.encode("é"), [id(" "), 3 + 0xc3, 3 + 0xa9]);
  assertEquals(tokenizer.encode(""), []);
  for (const text of ["abc aab", "  é▁\n", "<s>a</s>", "<0x41>", "🙂"]) {
    assertEquals(tokenizer.decode([1, ...tokenizer.encode(text), 2]), text);
  }
});

Deno.test("a llama2.c tokenizer that does not fit its model is refused", () => {
  const good = tokenizerBin(["a", "b"]);
  const refused = (bytes: Uint8Array, size: number, message: string) =>
    assertThrows(() => llama2cTokenizerFiles(bytes, size), UserError, message);
  refused(good, 260, "9 bytes follow the 260 tokens");
  refused(good, 262, "ends after 261 tokens, 262 are needed");
  refused(good, 32, "259 to");
  refused(good, 2 ** 31, "259 to");
  refused(good.subarray(0, 3), 261, "ends after 0 tokens");
  refused(good.subarray(0, -1), 261, "the file is damaged");
  refused(tokenizerBin(["a", "a"]), 261, 'tokens 259 and 260 are both "a"');
  refused(tokenizerBin(["a", "b"], ["<unk>", "<bos>", "</s>"]), 261, 'token 1 is "<bos>", "<s>" is needed');
  const [long, nan, binary] = [good.slice(), good.slice(), good.slice()];
  new DataView(long.buffer).setInt32(8, -1, true);
  new DataView(nan.buffer).setFloat32(4, NaN, true);
  binary[binary.length - 1] = 0xff;
  refused(long, 261, "the file is damaged");
  refused(nan, 261, "the file is damaged");
  refused(binary, 261, "token 260 is no text");
});
