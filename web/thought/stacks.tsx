import { useEffect, useMemo, useRef } from "preact/hooks";
import type { RolloutView } from "../data/view_data.ts";
import { answerEnd, thinkingEnd } from "./end_in_words.ts";
import type { PlacedStep } from "./placed_steps.ts";
import { ShownText } from "./shown_text.tsx";
import { StepStack } from "./step_stack.tsx";

/** What {@link Stacks} draws. */
interface StacksProps {
  rollout: RolloutView;
  /** Those drawn, of which `first` is the first one's place among all. */
  steps: readonly PlacedStep[];
  first: number;
  count: number;
  chosen: number;
  choose: (step: number) => void;
  id: string;
}

/** Steps as stacks, one of them chosen: by pointer, or by arrow keys, Home and End once the list has the focus. */
export function Stacks({ rollout, steps, first, count, chosen, choose, id }: StacksProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => mark(box.current!, `${id}-${chosen}`), [chosen, steps, id]);
  const drawn = useMemo(() => stackGroups(rollout, steps, first, id), [rollout, steps, first, id]);
  const move = (event: KeyboardEvent) => {
    const target = ({
      ArrowRight: chosen + 1,
      ArrowLeft: chosen - 1,
      PageDown: chosen + 10,
      PageUp: chosen - 10,
      Home: 0,
      End: count - 1,
    } as Record<string, number>)[event.key];
    if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    choose(Math.max(0, Math.min(count - 1, target)));
  };
  const point = (event: Event) => {
    const step = (event.target as Element).closest(".step")?.id;
    if (step) choose(Number(step.slice(id.length + 1)));
  };
  return (
    <div
      class="stacks"
      ref={box}
      role="listbox"
      aria-label="Steps; arrow keys go from one to the next"
      aria-orientation="horizontal"
      aria-activedescendant={`${id}-${chosen}`}
      tabIndex={0}
      onKeyDown={move}
      onMouseOver={point}
      onClick={point}
    >
      {drawn}
    </div>
  );
}

/** Thinking and answer apart, with what was forced between them. */
function stackGroups(rollout: RolloutView, steps: readonly PlacedStep[], first: number, id: string) {
  const drawn = (part: PlacedStep["part"]) =>
    steps.map((placed, i) =>
      placed.part === part && (
        <StepStack
          key={first + i}
          id={`${id}-${first + i}`}
          step={placed.step}
          name={`${part} ${placed.number}`}
        />
      )
    );
  const { thought, answer, forced, continuous, end } = rollout;
  const has = (part: PlacedStep["part"]) => steps.some((placed) => placed.part === part);
  return (
    <>
      {has("thinking") && (
        <div role="group" class="step-group" aria-label="thinking">
          <p class="part-name" role="presentation">
            thinking, {thought.length} {continuous ? "mixtures" : "tokens"}, {thinkingEnd(end)}
          </p>
          {drawn("thinking")}
        </div>
      )}
      {has("answer") && (
        <div role="group" class="step-group answer-group" aria-label="answer">
          <p class="part-name" role="presentation">
            forced{" "}
            <code class="forced-text">
              <ShownText text={forced} limit={200} />
            </code>, then the answer, {answer.length}{" "}
            tokens{answerEnd(rollout.answerEnd) && `, ${answerEnd(rollout.answerEnd)}`}
          </p>
          {drawn("answer")}
        </div>
      )}
    </>
  );
}

/** Marks the chosen step without drawing hundreds anew. */
function mark(box: HTMLElement, chosen: string): void {
  for (const step of box.querySelectorAll("[aria-selected=true]")) {
    step.setAttribute("aria-selected", "false");
  }
  document.getElementById(chosen)?.setAttribute("aria-selected", "true");
}
