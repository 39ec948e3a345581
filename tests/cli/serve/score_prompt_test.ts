/** Scores of a prompt whose logits do not fit into one chunk of the head. */
import { assert, assertEquals } from "@std/assert";
import { scorePrompt } from "../../../cli/serve/score_prompt.ts";
import type { ServedModel } from "../../../cli/serve/served_model.ts";
import { scoreGroups } from "../../../eval/choices/score_groups.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { tinyModel } from "../../rl/support/tiny_model.ts";

const ROWS = 64;

Deno.test("a long prompt's logits are looked at a chunk at a time", async () => {
  const { gpu } = await openTestGpu({ maxBinding: 4 * ROWS * 1024 });
  const model = tinyModel(gpu, { vocabSize: 1024, usedVocabSize: 1000, maxPosition: 512 });
  const ids = Array.from({ length: 300 }, (_, i) => (37 * i) % 1000);
  let [chunks, open, most] = [0, 0, 0];
  const group = { context: ids.slice(0, 1), choices: [0], continuations: [ids.slice(1)] };
  const [[logp]] = await scoreGroups(model, [group], async ({ shape: [rows] }) => {
    assert(rows <= ROWS, `${rows}`);
    chunks++;
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve));
    open--;
  });
  assert(chunks > 2 && most === 1, `${chunks} chunks, ${most} at once`);

  let parts = 0;
  const engine = {
    async between(_: object, work: AsyncGenerator<void, unknown>) {
      for (;;) {
        parts++;
        const { done, value } = await work.next();
        if (done) return value;
      }
    },
  };
  const served = { engine, found: { model } } as unknown as ServedModel;
  const asked = { request: {}, signal: new AbortController().signal };
  const scored = await scorePrompt(served, asked, ids, 5);
  assertEquals(parts, 3);
  assertEquals(
    scored.slice(1).map(({ chosen }) => chosen),
    ids.slice(1).map((id, i) => ({ id, logprob: logp[i] })),
  );
  for (const { chosen, top } of scored.slice(1)) {
    assertEquals(top.length, 5);
    assert(top.every(({ logprob }, i) => i === 0 || logprob <= top[i - 1].logprob));
    const found = top.find(({ id }) => id === chosen.id);
    assert(found ? found === chosen : chosen.logprob <= top[4].logprob);
  }
  gpu.close();
});
