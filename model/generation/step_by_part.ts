import { gather } from "../../gpu/ops/gather/gather.ts";
import { firstRows, type Tensor } from "../../gpu/tensor.ts";
import type { StepInput, Thinking } from "../thinking/thinking.ts";
import type { PartRecord, TakeStep } from "./decode_state.ts";
import type { GenerationSettings } from "./rollout.ts";

/** Whether thinking takes the very steps that answers take: one kernel then serves both. */
export const isAlike = (thinking: Thinking, answering: Thinking): boolean =>
  thinking.name === answering.name && thinking.tau === answering.tau;

/** Steps of rollouts that have all settings in common: rows of answers, which come first, and rows that think. */
export function stepByPart(settings: GenerationSettings, answering: Thinking): TakeStep {
  const alike = isAlike(settings.thinking, answering);
  return (state, sequences, { y, z, temporary, t }) => {
    const { model } = state;
    const n = sequences.length;
    const answers = alike ? 0 : sequences.findLastIndex(({ part }) => part === "answer") + 1;
    const chosen = temporary.u32([n], "chosen");
    const input = (count: number, { tokens, stats }: PartRecord, chosen: Tensor): StepInput => ({
      model,
      y: firstRows(y, count),
      z: firstRows(z, count),
      info: firstRows(state.info, count),
      shift: t,
      record: { tokens, stats, column: t },
      chosen: { ...chosen, shape: [count] },
      next: firstRows(state.rows, count),
      fed: state.fed,
      seed: settings.seed,
      step: settings.step,
    });
    // Thinking may overwrite the logits, so answers come first; it takes all rows, since views of others may not begin anywhere.
    if (answers > 0) answering.step(input(answers, state.answer, chosen));
    if (answers < n) {
      const shadows = answers > 0 ? temporary.u32([n], "shadows") : chosen;
      settings.thinking.step(input(n, state.thinking, shadows));
      if (answers > 0) {
        const to = firstRows(state.rows, answers);
        gather(model.gpu, model.params.embedding, { ...chosen, shape: [answers] }, to);
      }
    }
    settings.onStep?.({
      rows: sequences.map(({ index, part, steps }) => ({ index, part, step: steps + t })),
      z,
    });
  };
}
