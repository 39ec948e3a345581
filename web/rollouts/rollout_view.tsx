import { useState } from "preact/hooks";
import { useKeys } from "../app/keys.ts";
import { href, type Route, withQuery } from "../app/route.ts";
import { useShown } from "../app/source_context.ts";
import { useAnswer } from "../app/use_answer.ts";
import { go } from "../app/use_route.ts";
import type { ViewProps } from "../app/view.ts";
import type { RolloutLine, RolloutView as Rollout, Sighting } from "../data/view_data.ts";
import { stepsOf } from "../data/view_data.ts";
import { Waiting } from "../parts/empty.tsx";
import { grouped } from "../parts/format.ts";
import { ShownText } from "../thought/shown_text.tsx";
import { besideOf, besideText, findSight, otherSights, type RolloutAddress } from "./beside.ts";
import { GroupStrip } from "./group_strip.tsx";
import { filtersOf } from "./rollout_filter.ts";
import { RolloutColumn } from "./rollout_column.tsx";
import { StepSlider } from "./step_slider.tsx";
import { useNeighbours } from "./use_neighbours.ts";
import { useRollout } from "./use_rollout.ts";

/** One rollout: its question, its group, the same question at other updates, in other modes and runs, and its thought. */
export function RolloutView({ route }: ViewProps) {
  const { source } = useShown();
  const id = route.path[0];
  const place = Number(route.path[1]);
  const answer = useRollout(source, { id, place });
  if (!answer.value) {
    return (
      <div class="view">
        <Waiting answer={answer} what="the rollout" />
      </div>
    );
  }
  return <Whole route={route} rollout={answer.value} />;
}

function Whole({ route, rollout }: { route: Route; rollout: Rollout }) {
  const { source } = useShown();
  const { id, question } = rollout;
  const sightings = useAnswer(source, [id], question, () => source.sightings(question), 10_000).value ?? [];
  const beside = besideOf(route.query.beside);
  const setBeside = (rollouts: readonly RolloutAddress[]) =>
    go(withQuery(route, { beside: besideText(rollouts) }), "replace");
  return (
    <div class="view rollout">
      <Neighbours route={route} rollout={rollout} />
      <section class="question box" aria-label="Question">
        <h2>Question</h2>
        <p class="question-text">
          <ShownText text={rollout.questionText} />
        </p>
        <p class="soft">
          Right answer:{" "}
          <b class="gold">
            <ShownText text={rollout.gold} limit={200} />
          </b>
        </p>
        {rollout.prompt !== null && (
          <details>
            <summary>Prompt, as the model was given it</summary>
            <p class="question-text mono">
              <ShownText text={rollout.prompt} />
            </p>
          </details>
        )}
      </section>
      <Group route={route} rollout={rollout} />
      <div class="toolbar">
        <OverUpdates route={route} rollout={rollout} sightings={sightings} />
        <BesideChooser rollout={rollout} sightings={sightings} beside={beside} setBeside={setBeside} />
      </div>
      <div class="rollout-columns" data-columns={1 + beside.length}>
        <RolloutColumn rollout={rollout} />
        {beside.map((one) => (
          <Beside
            key={`${one.id} ${one.place}`}
            at={one}
            remove={() => setBeside(beside.filter((other) => other !== one))}
          />
        ))}
      </div>
    </div>
  );
}

function Beside({ at, remove }: { at: RolloutAddress; remove: () => void }) {
  const { source } = useShown();
  const answer = useRollout(source, at);
  if (!answer.value) return <Waiting answer={answer} what="the rollout" />;
  return (
    <RolloutColumn
      rollout={answer.value}
      address={href("rollout", [at.id, at.place])}
      remove={remove}
    />
  );
}

/** Back to the list, and to the rollouts before and after within its filters; by j and k, too. */
function Neighbours({ route, rollout }: { route: Route; rollout: Rollout }) {
  const { source } = useShown();
  const filters = filtersOf(route.query);
  const { before, after, soon } = useNeighbours(source, rollout, filters);
  const address = (place: number) => href("rollout", [rollout.id, place], filters);
  const list = href("rollouts", [rollout.id], filters);
  const to = async (side: "before" | "after") => {
    const place = (await soon())[side];
    if (place !== null) go(address(place), "replace");
  };
  useKeys([
    { key: "j", says: "next rollout", act: () => to("after") },
    { key: "k", says: "previous rollout", act: () => to("before") },
    { key: "u", says: "up to the list", act: () => go(list) },
  ]);
  const link = (place: number | null, word: string, key: string) =>
    place === null
      ? (
        <span class="button" aria-disabled="true">
          {word} <kbd>{key}</kbd>
        </span>
      )
      : (
        <a class="button" href={address(place)}>
          {word} <kbd>{key}</kbd>
        </a>
      );
  return (
    <nav class="toolbar" aria-label="Rollouts">
      <a class="button" href={list}>
        ↑ List <kbd>u</kbd>
      </a>
      {link(before, "← Previous", "k")}
      {link(after, "Next →", "j")}
    </nav>
  );
}

/** The rollouts that it was compared with. */
function Group({ route, rollout }: { route: Route; rollout: Rollout }) {
  const { source } = useShown();
  const { id, group, mode, question } = rollout;
  const key = `${id} ${group} ${mode} ${question}`;
  const answer = useAnswer(
    source,
    [id],
    key,
    () =>
      source.rollouts(id, group === "" ? { question, limit: 200 } : { group, question, mode, limit: 200 }),
    10_000,
  );
  const lines = answer.value?.lines ?? [];
  if (lines.length < 2) return null;
  const filters = filtersOf(route.query);
  return (
    <section aria-label="Group">
      <h2 class="soft">
        {rollout.step === null ? "Its samples" : `Its group in update ${grouped(rollout.step)}`}: rewards of
        {" "}
        {lines.length} rollouts
      </h2>
      <GroupStrip
        lines={lines}
        place={rollout.place}
        address={(line: RolloutLine) => href("rollout", [id, line.place], filters)}
      />
    </section>
  );
}

/** The same question at the updates that kept it. */
function OverUpdates(
  { route, rollout, sightings }: { route: Route; rollout: Rollout; sightings: Sighting[] },
) {
  const { source } = useShown();
  const steps = stepsOf(sightings.find(({ id }) => id === rollout.id)?.steps ?? []);
  if (rollout.step === null || steps.length === 0) return null;
  if (steps.length === 1) {
    return <span class="soft">This run kept the question at update {grouped(steps[0])} alone.</span>;
  }
  const show = async (step: number | null) => {
    const found = await findSight(source, { id: rollout.id, mode: null, step }, rollout);
    if (found) go(href("rollout", [found.id, found.place], { beside: route.query.beside }), "replace");
  };
  return <StepSlider label="this question at update" steps={steps} step={rollout.step} onStep={show} />;
}

function BesideChooser({ rollout, sightings, beside, setBeside }: {
  rollout: Rollout;
  sightings: Sighting[];
  beside: readonly RolloutAddress[];
  setBeside: (rollouts: readonly RolloutAddress[]) => void;
}) {
  const { source } = useShown();
  const [error, setError] = useState("");
  const sights = otherSights(sightings, rollout);
  if (sights.length === 0) return null;
  const add = async (added: typeof sights) => {
    const found = await Promise.all(added.map((sight) => findSight(source, sight, rollout)));
    const fresh = found.filter((one) =>
      one !== null && !beside.some(({ id, place }) => id === one.id && place === one.place)
    );
    setError(fresh.length === 0 ? "It is not there any more, or beside already." : "");
    setBeside([...beside, ...fresh as RolloutAddress[]]);
  };
  const own = sights.filter(({ id, mode }) => id === rollout.id && mode !== null);
  return (
    <>
      <label class="field">
        the same question beside it
        <select
          value=""
          onChange={(event) => {
            const sight = sights[Number(event.currentTarget.value)];
            event.currentTarget.value = "";
            if (sight) add([sight]);
          }}
        >
          <option value="">choose…</option>
          {sights.map(({ id, mode, step }, i) => (
            <option key={i} value={i}>
              {id === rollout.id ? (mode === null ? "this run · " : "") : `${id} · `}
              {mode ?? `update ${step}`}
            </option>
          ))}
        </select>
      </label>
      {own.length > 0 && (
        <button type="button" class="button" onClick={() => add(own)}>All its modes side by side</button>
      )}
      {error && <span class="soft" role="status">{error}</span>}
    </>
  );
}
