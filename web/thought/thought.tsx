import { useEffect, useId, useMemo, useState } from "preact/hooks";
import type { RolloutView } from "../data/view_data.ts";
import { EntropyLegend } from "./entropy_legend.tsx";
import { placedSteps } from "./placed_steps.ts";
import { ShadowText } from "./shadow_text.tsx";
import { Stacks } from "./stacks.tsx";
import { StepDetails } from "./step_details.tsx";

/** Stacks drawn at once: a thought of thousands of steps is shown a part at a time. */
const PART = 400;

/**
 * A rollout's thinking and answer, step by step: the text (of mixtures their shadows) above, below each step as a stack of its tokens by
 * weight, coloured by entropy. One step is chosen by pointer or arrow keys, and told in full beside.
 */
export function Thought({ rollout }: { rollout: RolloutView }) {
  const steps = useMemo(() => placedSteps(rollout), [rollout]);
  const [wanted, choose] = useState(0);
  const chosen = Math.min(wanted, steps.length - 1);
  const first = Math.floor(chosen / PART) * PART;
  const shown = useMemo(() => steps.slice(first, first + PART), [steps, first]);
  const id = useId();
  useEffect(() => choose(0), [rollout.id, rollout.place]);
  if (steps.length === 0) return <p class="note">Nothing was generated.</p>;
  const mixed = rollout.continuous && steps[chosen].part === "thinking";
  return (
    <section class="thought" aria-label="Thinking and answer, step by step">
      <div class="thought-columns">
        <div class="thought-steps">
          <ShadowText rollout={rollout} chosen={chosen} choose={choose} />
          {rollout.tokenized && <EntropyLegend />}
          {steps.length > PART && <PartLinks first={first} count={steps.length} open={choose} />}
          {rollout.tokenized && (
            <Stacks
              id={id}
              rollout={rollout}
              steps={shown}
              first={first}
              count={steps.length}
              chosen={chosen}
              choose={choose}
            />
          )}
        </div>
        {rollout.tokenized ? <StepDetails placed={steps[chosen]} mixed={mixed} /> : (
          <p class="note">
            Of this rollout texts alone were kept, no steps. Runs keep them now; of an evaluation{" "}
            <code>--keep-mixtures N</code> keeps those of its first N questions.
          </p>
        )}
      </div>
    </section>
  );
}

/** Which part of a long thought is drawn. */
function PartLinks({ first, count, open }: { first: number; count: number; open: (step: number) => void }) {
  const starts = Array.from({ length: Math.ceil(count / PART) }, (_, i) => i * PART);
  return (
    <p class="part-links">
      steps
      <select
        aria-label="Steps drawn"
        value={first}
        onChange={(event) => open(Number(event.currentTarget.value))}
      >
        {starts.map((at) => <option key={at} value={at}>{at + 1} to {Math.min(count, at + PART)}</option>)}
      </select>{" "}
      of {count.toLocaleString("en")}
    </p>
  );
}
