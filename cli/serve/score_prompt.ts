import { mostPassRows, scoreGroups } from "../../eval/choices/score_groups.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { ApiError } from "./api_error.ts";
import type { TokenLogprob } from "./run_choices.ts";
import type { ServedModel } from "./served_model.ts";
import { topIds } from "./top_tokens.ts";

/**
 * ln p of each token of a text given those before it, by the pass that scores the choices of tasks: the same numbers to the bit.
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
  const most = mostPassRows(model);
  if (ids.length > most) {
    throw new ApiError(
      400,
      `Cannot score ${ids.length} tokens: ${most} fit into a pass of this device`,
      "prompt",
    );
  }
  const group = { context: ids.slice(0, 1), choices: [0], continuations: [ids.slice(1)] };
  return await engine.between(request, async () => {
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
    const [[logp]] = await scoreGroups(model, [group], count > 0 ? look : undefined);
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
  }, signal);
}
