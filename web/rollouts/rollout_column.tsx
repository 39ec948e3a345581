import type { RolloutView } from "../data/view_data.ts";
import { Thought } from "../thought/thought.tsx";
import { ShownText } from "../thought/shown_text.tsx";
import { grouped } from "../parts/format.ts";
import { explainReward, shortNumber } from "./explain_reward.ts";

/** One rollout: what it got and why, and its thought. */
export function RolloutColumn({ rollout, address, remove }: {
  rollout: RolloutView;
  /** Where it is shown alone; not of the one that is. */
  address?: string;
  remove?: () => void;
}) {
  const { id, step, mode, sample, reward, correct, boxed } = rollout;
  const name = [id, step === null ? null : `update ${grouped(step)}`, mode, `rollout ${sample + 1}`]
    .filter((part) => part !== null).join(" · ");
  return (
    <article class="rollout-column box" aria-label={name}>
      <header class="rollout-head">
        <h2>{address ? <a href={address}>{name}</a> : name}</h2>
        <span class={`badge ${correct ? "good" : "bad"}`}>{correct ? "✓ right" : "✕ wrong"}</span>
        <span class="rollout-reward">reward {shortNumber(reward)}</span>
        <span class="soft">
          answered {boxed === null ? "nothing" : (
            <b>
              <ShownText text={boxed} limit={80} />
            </b>
          )}
          {lengthOf(rollout)}
        </span>
        {remove && (
          <button type="button" class="button bare" onClick={remove} aria-label={`Take ${name} away`}>
            ✕
          </button>
        )}
      </header>
      <ul class="reward-reasons">
        {explainReward(rollout).map((reason) => (
          <li key={reason}>
            <bdi>{reason}</bdi>
          </li>
        ))}
      </ul>
      <Thought rollout={rollout} />
    </article>
  );
}

/** Steps of thinking where they are kept one by one, else all tokens; older records have neither. */
function lengthOf({ tokenized, thought, tokens }: RolloutView): string {
  if (tokenized) return `, ${grouped(thought.length)} ${thought.length === 1 ? "step" : "steps"} of thinking`;
  return tokens === 0 ? "" : `, ${grouped(tokens)} tokens`;
}
