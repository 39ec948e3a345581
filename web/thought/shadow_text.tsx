import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RolloutView, Step } from "../data/view_data.ts";
import { entropyStyle } from "./entropy_legend.tsx";
import { ShownText, SignedParts } from "./shown_text.tsx";
import { visibleParts } from "./visible_text.ts";

/** Steps written out until more are asked for. */
const SHOWN = 2000;

/** The text of all steps: thinking, what was forced, answer, each marked. A step that is pointed at is chosen. */
export function ShadowText({ rollout, chosen, choose }: {
  rollout: RolloutView;
  chosen: number;
  choose: (step: number) => void;
}) {
  const [shown, setShown] = useState(SHOWN);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => mark(box.current!, chosen), [chosen, rollout, shown]);
  const { thought, forced, answer, continuous } = rollout;
  const longest = rollout.tokenized ? TOKEN : WHOLE_TEXT;
  const text = useMemo(() => (
    <>
      <span class="part-name">{continuous ? "shadow of the thinking" : "thinking"}</span>
      <bdi class="thinking-text">{thought.slice(0, shown).map((step, i) => tokenOf(step, i, longest))}</bdi>
      {thought.length > shown && (
        <button type="button" class="more-text" onClick={() => setShown(shown * 10)}>
          … {(thought.length - shown).toLocaleString("en")} more steps
        </button>
      )}
      {forced !== "" && (
        <>
          <span class="part-name">forced</span>
          <bdi class="forced-text">
            <ShownText text={forced} limit={1000} />
          </bdi>
        </>
      )}
      <span class="part-name">answer</span>
      <bdi class="answer-text">
        {answer.slice(0, shown).map((step, i) => tokenOf(step, thought.length + i, longest))}
      </bdi>
    </>
  ), [rollout, shown]);
  const point = (event: Event) => {
    const step = (event.target as Element).closest<HTMLElement>("[data-step]")?.dataset.step;
    if (step !== undefined) choose(Number(step));
  };
  return (
    <div class="shadow-text" ref={box} onMouseOver={point} onClick={point}>
      {text}
    </div>
  );
}

const tokenOf = (step: Step, index: number, longest: number) => (
  <span key={index} data-step={index} class="token" style={entropyStyle(step.entropy)}>
    <SignedParts parts={visibleParts(step.text.slice(0, longest))} />
    {step.text.length > longest && "…"}
  </span>
);

/** Characters of a token that are shown; records of old have the whole text as one step. */
const [TOKEN, WHOLE_TEXT] = [200, 20_000];

/** Marks the chosen step without drawing thousands anew. */
function mark(box: HTMLElement, chosen: number): void {
  box.querySelector(".chosen")?.classList.remove("chosen");
  box.querySelector(`[data-step="${chosen}"]`)?.classList.add("chosen");
}
