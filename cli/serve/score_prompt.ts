import { mostPassRows, scoreGroups } from "../../eval/choices/score_groups.ts";
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
    const chunks: Promise<Float32Array>[] = [];
    const [[logp]] = await scoreGroups(model, [group], (z) => {
      if (count > 0) chunks.push(model.gpu.reader.read(z).then((bytes) => new Float32Array(bytes)));
    });
    const rows = (await Promise.all(chunks)).flatMap((values) =>
      Array.from(
        { length: values.length / vocabSize },
        (_, row) => values.subarray(row * vocabSize, row * vocabSize + usedVocabSize),
      )
    );
    return [
      first,
      ...ids.slice(1).map((id, i): TokenLogprob => {
        const chosen = { id, logprob: logp[i] };
        const logits = rows[i];
        if (logits === undefined) return { chosen, top: [] };
        const sum = logits[id] - logp[i];
        const top = topIds(logits, count).map((other) =>
          other === id ? chosen : { id: other, logprob: logits[other] - sum }
        );
        return { chosen, top };
      }),
    ];
  }, signal);
}
