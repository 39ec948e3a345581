import { categorical } from "../../gpu/ops/categorical.ts";
import { choose } from "../../gpu/ops/choose.ts";
import { gather } from "../../gpu/ops/gather.ts";
import { Domain } from "../../gpu/random.ts";
import { keyOf, type Thinking } from "./thinking.ts";

/** Discrete tokens: drawn from softmax(z / tau), or with tau 0 the most probable ones (evaluation only). */
export function hardThinking(tau: number): Thinking {
  return {
    name: "hard",
    tau,
    continuous: false,
    sigma: 0,
    step({ model, z, info, shift, record, chosen, next, seed, step }) {
      const key = keyOf({ seed, step }, Domain.tokens);
      const { gpu, config, params } = model;
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
    score({ model, z, weights, tokens, measured }) {
      categorical(model.gpu, z, model.config.usedVocabSize, tau, tokens, weights, measured, true);
      return z;
    },
  };
}
