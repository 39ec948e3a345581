import type { RolloutView } from "../data/view_data.ts";
import { plainToken } from "../thought/visible_text.ts";

/** Why a rollout got what it got, in sentences: what was read, how it was judged, and what that was worth to its group. */
export function explainReward(rollout: RolloutView): string[] {
  return [rewardReason(rollout), ...advantageReason(rollout)];
}

function rewardReason({ reward, correct, boxed, gold, rule, answerEnd }: RolloutView): string {
  const by = rule === null ? "" : ` (rule: ${rule.slice(0, 200)})`;
  const [answer, right] = [boxed === null ? "" : plainToken(boxed), plainToken(gold)];
  const usual = correct ? 100 : boxed === null ? 0 : 10;
  const worth = reward === usual
    ? `${shortNumber(reward)} of 100`
    : `${shortNumber(reward)}, by the run's own rewards`;
  if (correct) return `${worth}: its box holds ${answer}, equal to the right answer ${right}${by}.`;
  if (boxed !== null) {
    return `${worth}: its box holds ${answer}, an answer that can be read, but the right one is ${right}${by}.`;
  }
  const why = answerEnd === "limit"
    ? ": the answer was stopped at its limit, the box still open"
    : answerEnd === "end-token"
    ? ": the answer ended before the box was closed"
    : "";
  return `${worth}: no answer can be read${why}; the right one is ${right}.`;
}

function advantageReason({ advantage, equal }: RolloutView): string[] {
  if (equal) return ["All of its group got the same, so nothing was learned from it."];
  if (advantage === null) return [];
  const side = advantage > 0
    ? "better than the others of its group, so it was made more probable"
    : advantage < 0
    ? "worse than the others of its group, so it was made less probable"
    : "as good as the others of its group";
  return [`Advantage ${signed(advantage)}: ${side}.`];
}

/** A number with its sign, of three decimals. */
export const signed = (value: number): string =>
  `${value < 0 ? "−" : value > 0 ? "+" : "±"}${Math.abs(value).toFixed(3)}`;

/** A reward without decimals that say nothing. */
export const shortNumber = (value: number): string => String(Number(value.toPrecision(5)));
