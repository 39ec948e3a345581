import { scoreText } from "../../eval/choices/score_text.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { prefillRowsOf } from "../../model/serving/plan_prefill.ts";
import type { TokenLogprob } from "./run_choices.ts";
import type { ServedModel } from "./served_model.ts";
import { topIds } from "./top_tokens.ts";

/**
 * ln p of each token of a text given those before it, as the choices of tasks are scored: the same numbers to the bit. It is computed a part
 * at a time, so that those who are being answered go on meanwhile.
 *
 * @param ids of the text
 * @param count likeliest tokens that are told beside each
 * @returns one entry a token; NaN for the first, which nothing stands before
 */
export async function scorePrompt(
  { engine, found: { model } }: ServedModel,
  { request, signal }: { request: object; signal: AbortSignal },
  ids: readonly number[],
  count: number,
): Promise<TokenLogprob[]> {
  const first: TokenLogprob = { chosen: { id: ids[0], logprob: NaN }, top: [] };
  if (ids.length === 1) return [first];
  const { vocabSize, usedVocabSize } = model.config;
  const rowOf = (logits: Float32Array, id: number) => ({
    own: logits[id],
    top: topIds(logits, count).map((id) => ({ id, logit: logits[id] })),
  });
  const rows: ReturnType<typeof rowOf>[] = [];
  // A chunk at a time: all logits of a long text are gigabytes.
  const look = async (z: Tensor) => {
    const values = new Float32Array(await model.gpu.reader.read(z));
    for (let at = 0; at < values.length; at += vocabSize) {
      rows.push(rowOf(values.subarray(at, at + usedVocabSize), ids[rows.length + 1]));
    }
  };
  const parts = scoreText(model, ids, prefillRowsOf(model.gpu), count > 0 ? look : undefined);
  const logp = await engine.between(request, parts, signal);
  return [
    first,
    ...ids.slice(1).map((id, i): TokenLogprob => {
      const chosen = { id, logprob: logp[i] };
      if (count === 0) return { chosen, top: [] };
      const { own, top } = rows[i];
      const sum = own - logp[i];
      return {
        chosen,
        top: top.map((other) => other.id === id ? chosen : { id: other.id, logprob: other.logit - sum }),
      };
    }),
  ];
}
