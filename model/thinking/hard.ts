import { choose } from "../../gpu/ops/choose/choose.ts";
import { filter, type Filters } from "../../gpu/ops/choose/filter.ts";
import { gather } from "../../gpu/ops/gather/gather.ts";
import { Domain } from "../../gpu/random.ts";
import { scoreTokens } from "./importance.ts";
import { keyOf, type Thinking } from "./thinking.ts";

/**
 * Discrete tokens: drawn from softmax(z / tau), or with tau 0 the most probable ones (evaluation only).
 *
 * @param filters tokens that may be drawn at all; statistics are those of the filtered distribution. Such draws cannot be
 * trained on: the method's log-probability is that of the whole softmax (section 4)
 */
export function hardThinking(tau: number, filters: Filters = {}): Thinking {
  const isFiltered = Object.values(filters).some((value) => value !== undefined);
  if (isFiltered) return made(tau, filters, true);
  const known = unfiltered.get(tau) ?? made(tau, filters, false);
  unfiltered.set(tau, known);
  return known;
}

// Made once by temperature: whoever asks for the same steps gets the same function, and can see it.
const unfiltered = new Map<number, Thinking>();

function made(tau: number, filters: Filters, isFiltered: boolean): Thinking {
  return {
    name: "hard",
    tau,
    continuous: false,
    leaves: "logits",
    sigma: 0,
    hasRatio: true,
    step({ model, z, info, shift, record, chosen, next, seed, step }) {
      const key = keyOf({ seed, step }, Domain.tokens);
      const { gpu, config, params } = model;
      if (tau > 0 && isFiltered) filter(gpu, z, config.usedVocabSize, tau, filters);
      choose(
        gpu,
        tau > 0 ? "sample" : "greedy",
        z,
        config.usedVocabSize,
        tau || 1,
        info,
        shift,
        record,
        chosen,
        key,
      );
      gather(gpu, params.embedding, chosen, next);
    },
    score({ model, z, weights, tokens, measured, older }) {
      if (isFiltered) throw new Error("Cannot score filtered thinking: all tokens are needed");
      const vocab = model.config.usedVocabSize;
      scoreTokens(model.gpu, { z, vocab, tau, tokens, weights, logp: measured, older });
      return { logits: z };
    },
  };
}
