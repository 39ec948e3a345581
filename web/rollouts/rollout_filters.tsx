import { useEffect, useRef, useState } from "preact/hooks";
import { go } from "../app/use_route.ts";
import { type Route, withQuery } from "../app/route.ts";
import { useKeys } from "../app/keys.ts";
import type { Count, Facets } from "../data/view_data.ts";
import { stepsOf } from "../data/view_data.ts";
import { grouped } from "../parts/format.ts";
import { FILTER_NAMES, filtersOf } from "./rollout_filter.ts";
import { shortNumber } from "./explain_reward.ts";
import { StepSlider } from "./step_slider.tsx";

/** What the list is narrowed by; each choice stands in the address. */
export function RolloutFilters({ route, facets }: { route: Route; facets: Facets | undefined }) {
  const set = (changes: Record<string, string | number | null>) => go(withQuery(route, changes), "replace");
  const { query } = route;
  const counted = (counts: readonly Count[] = []): Option[] =>
    counts.map(({ name, rollouts }) => [name, `${name} (${grouped(rollouts)})`]);
  const [wide] = useState(() => matchMedia("(min-width: 700px)").matches);
  const isFiltered = Object.keys(filtersOf(query)).length > 0;
  return (
    <form class="toolbar rollout-filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <TextFilter text={query.text ?? ""} onText={(text) => set({ text })} />
      {facets && facets.steps.length > 0 && (
        <StepSlider
          label="update"
          steps={stepsOf(facets.steps)}
          step={query.step === undefined ? null : Number(query.step)}
          onStep={(step) => set({ step })}
          all
        />
      )}
      <details class="more-filters" open={wide}>
        <summary>filters</summary>
        <div class="toolbar">
          <Select name="reward" value={query.reward} onChoose={set} of={rewardOptions(facets)} />
          <Select
            name="verdict"
            value={query.verdict}
            onChoose={set}
            of={[["right", "right"], ["wrong", "wrong"]]}
          />
          <Select name="rule" value={query.rule} onChoose={set} of={counted(facets?.rules)} />
          <Select
            name="end"
            label="thinking ended by"
            value={query.end}
            onChoose={set}
            of={counted(facets?.ends)}
          />
          {(facets?.modes.length ?? 0) > 1 && (
            <Select name="mode" value={query.mode} onChoose={set} of={counted(facets?.modes)} />
          )}
          {facets && facets.steps.length > 0 && (
            <Select
              name="only"
              label="groups"
              value={query.only}
              onChoose={set}
              of={[["different", "with a difference"], ["equal", "equal"], ["refilled", "refilled"]]}
            />
          )}
          <Select
            name="question"
            value={query.question}
            onChoose={set}
            of={questionOptions(facets, query.question)}
          />
        </div>
      </details>
      <button
        type="button"
        class="button"
        disabled={!isFiltered}
        onClick={() => set(Object.fromEntries(FILTER_NAMES.map((name) => [name, null])))}
      >
        All rollouts
      </button>
    </form>
  );
}

type Option = readonly [value: string, word: string];

function rewardOptions(facets: Facets | undefined): Option[] {
  if (!facets) return [];
  const rewards = facets.rewards;
  if (rewards.length <= 12) {
    return rewards.map((
      { value, rollouts },
    ) => [String(value), `${shortNumber(value)} (${grouped(rollouts)})`]);
  }
  const [low, high] = [Math.min(...rewards.map((r) => r.value)), Math.max(...rewards.map((r) => r.value))];
  return Array.from({ length: 5 }, (_, i) => {
    const [from, to] = [low + (high - low) * i / 5, low + (high - low) * (i + 1) / 5];
    return [`${from}..${to}`, `${shortNumber(from)} to ${shortNumber(to)}`];
  });
}

/** Those asked most often; and the one that is chosen, however seldom. */
function questionOptions(facets: Facets | undefined, chosen: string | undefined): Option[] {
  const often = facets?.often.slice(0, 50).map((
    { question, head, rollouts },
  ): Option => [question, `${head.slice(0, 60)} (${grouped(rollouts)})`]) ?? [];
  return chosen === undefined || often.some(([question]) => question === chosen)
    ? often
    : [[chosen, "the chosen question"], ...often];
}

function Select({ name, label = name, value = "", of, onChoose }: {
  name: string;
  label?: string;
  value: string | undefined;
  of: readonly Option[];
  onChoose: (changes: Record<string, string | null>) => void;
}) {
  return (
    <label class="field">
      {label}
      <select
        name={name}
        value={value}
        onChange={(event) => onChoose({ [name]: event.currentTarget.value || null })}
      >
        <option value="">any</option>
        {of.map(([each, word]) => <option key={each} value={each}>{word}</option>)}
      </select>
    </label>
  );
}

/** Looks a moment after the last letter, or at Enter. */
function TextFilter({ text, onText }: { text: string; onText: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed === text) return;
    const timer = setTimeout(() => onText(typed), 400);
    return () => clearTimeout(timer);
  }, [typed]);
  useKeys([{ key: "/", says: "search in the texts", act: () => field.current!.focus() }]);
  return (
    <input
      ref={field}
      type="search"
      class="text-filter"
      placeholder="Search in question, thinking and answer"
      aria-label="Search in question, thinking and answer"
      value={typed}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Enter" && onText(typed)}
    />
  );
}
