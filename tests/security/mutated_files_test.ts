/** Templates, tokenizers, parquet and CSV files with bytes changed at random: read or refused, in time and memory. */
import { assert } from "@std/assert";
import { readRows } from "../../eval/data/read_rows.ts";
import { UserError } from "../../gpu/errors.ts";
import { chatTemplate } from "../../model/tokenizer/chat_template.ts";
import { loadTokenizer } from "../../model/tokenizer/tokenizer.ts";
import { byteLevelFiles } from "../model/support/byte_level_files.ts";
import { forgetPeak, peakMemory } from "../support/peak_memory.ts";
import { inFolder } from "../support/folders.ts";
import { root } from "../support/places.ts";

/** Of each kind. */
const FILES = 500;

/** Numbers from 0 to below `n`, the same in every run. */
function draws(seed: number): (n: number) => number {
  let state = seed;
  return (n) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n;
}

/** Pieces that are put in at random places, beside changed, doubled and lost bytes. */
const PIECES = [
  "(",
  ")*",
  "+",
  "{%",
  "%}",
  "{{",
  "range(10**9)",
  "999999999999",
  "-1",
  "null",
  "[",
  "]",
  '"',
  "\0",
  ",",
];

function mutated(bytes: Uint8Array, draw: (n: number) => number): Uint8Array {
  let out = Array.from(bytes);
  for (let i = 0; i <= draw(4); i++) {
    const at = draw(out.length + 1);
    const kind = draw(5);
    if (kind === 0) out[Math.min(at, out.length - 1)] = draw(256);
    else if (kind === 1) out.splice(at, draw(16));
    else if (kind === 2) out.splice(at, 0, ...out.slice(at, at + draw(64)));
    else if (kind === 3) out.splice(at, 0, ...new TextEncoder().encode(PIECES[draw(PIECES.length)]));
    else out = out.slice(0, Math.max(1, at));
  }
  return Uint8Array.from(out);
}

/** Opens many forms of a file; each has 10 seconds, and 1 GB of memory beyond what was held before, at its peak. */
async function tryAll(bytes: Uint8Array, seed: number, open: (bytes: Uint8Array) => unknown): Promise<void> {
  const draw = draws(seed);
  forgetPeak();
  const memory = peakMemory();
  for (let i = 0; i < FILES; i++) {
    const began = performance.now();
    try {
      await open(mutated(bytes, draw));
    } catch (error) {
      assert(error instanceof UserError, `file ${i}: ${(error as Error).stack}`);
    }
    assert(performance.now() - began < 10_000, `file ${i} took ${performance.now() - began} ms`);
    const taken = peakMemory() - memory;
    assert(taken < 1e9, `file ${i} took ${taken} bytes`);
  }
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytesOf = (content: string) => new TextEncoder().encode(content);
const files = byteLevelFiles({ tokens: [..."abc "], merges: [["a", "b"]], special: ["<|end|>"] });
const TEMPLATE =
  "{% for message in messages %}{% if loop.first and message.role == 'system' %}{{ raise_exception('no') }}" +
  "{% endif %}{{ '<|end|>' + message['content'] | trim }}{% for i in range(3) %}{{ i * 2 }}{% endfor %}{% endfor %}";

Deno.test(`${FILES} mutated chat templates are rendered or refused`, () =>
  tryAll(bytesOf(TEMPLATE), 1, (bytes) => {
    const tokenizer = loadTokenizer({ ...files, "chat_template.jinja": text(bytes) });
    return chatTemplate(tokenizer).render([{ role: "user", content: "abc" }]);
  }));

Deno.test(`${FILES} mutated tokenizers are opened or refused, and encode in time`, () =>
  tryAll(bytesOf(files["tokenizer.json"]), 2, (bytes) => {
    const tokenizer = loadTokenizer({ ...files, "tokenizer.json": text(bytes) });
    return tokenizer.decode(tokenizer.encode("abc cab".repeat(20)));
  }));

for (
  const [kind, seed, path] of [
    ["parquet", 3, "tests/eval/fixtures/math/hub/algebra/train-00000-of-00001.parquet"],
    ["csv", 4, ""],
  ] as const
) {
  Deno.test(`${FILES} mutated files of ${kind} are read or refused`, () =>
    inFolder(async (folder) => {
      const whole = path === "" ? bytesOf('a,b\n1,"2\n3"\n'.repeat(20)) : Deno.readFileSync(root + path);
      await tryAll(whole, seed, async (bytes) => {
        Deno.writeFileSync(`${folder}/x.${kind}`, bytes);
        return await readRows(`${folder}/x.${kind}`);
      });
    }));
}
