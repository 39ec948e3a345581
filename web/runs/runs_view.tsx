import { useMemo, useRef, useState } from "preact/hooks";
import { useKeys } from "../app/keys.ts";
import { href, withQuery } from "../app/route.ts";
import { useShown } from "../app/source_context.ts";
import { go } from "../app/use_route.ts";
import type { ViewProps } from "../app/view.ts";
import type { Place, State } from "../data/view_data.ts";
import { Empty } from "../parts/empty.tsx";
import { type Group, groupPlaces } from "./grouping.ts";
import { matches } from "./matches.ts";
import { RunsTable } from "./runs_table.tsx";

const STATES: readonly State[] = ["running", "ended", "stopped", "failed"];

/** All runs and evaluations by what they belong to; some are chosen here to be seen side by side. */
export function RunsView({ route }: ViewProps) {
  const { overview, source } = useShown();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const filter = useRef<HTMLInputElement>(null);
  const { text = "", state = "" } = route.query;
  const groups = useMemo(
    () => groupPlaces(overview, (place) => matches(place, text) && (state === "" || place.state === state)),
    [overview, text, state],
  );
  useKeys([{ key: "/", says: "filter runs", act: () => filter.current?.focus() }]);
  const ask = (changes: Record<string, string>) => go(withQuery(route, changes), "replace");
  if (overview.places.length === 0) return <NothingYet isLive={source.live} notes={overview.notes} />;
  const choose = (ids: readonly string[], isChosen: boolean) =>
    setChosen((before) =>
      new Set(isChosen ? [...before, ...ids] : [...before].filter((id) => !ids.includes(id)))
    );
  return (
    <section class="view">
      <h1 class="hidden-text">Runs</h1>
      <Notes notes={overview.notes} />
      <div class="toolbar">
        <input
          ref={filter}
          type="search"
          class="filter"
          placeholder="Filter: soft seed=0 lr=1e-4"
          aria-label="Filter runs by words or name=value"
          value={text}
          onInput={(event) => ask({ text: event.currentTarget.value })}
        />
        <label class="field">
          state
          <select value={state} onChange={(event) => ask({ state: event.currentTarget.value })}>
            <option value="">any</option>
            {STATES.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
        </label>
        <span class="soft" role="status">{counted(groups, overview.places)}</span>
        <Actions chosen={[...chosen]} />
      </div>
      {groups.length === 0 && <Empty title="No run matches">Change the filter, or clear it.</Empty>}
      {groups.map((group) => (
        <RunsTable
          key={group.id}
          group={group}
          chosen={chosen}
          onChoose={choose}
          isAlone={groups.length === 1}
        />
      ))}
    </section>
  );
}

function counted(groups: readonly Group[], places: readonly Place[]): string {
  const shown = groups.flatMap(({ lines }) => lines).flatMap(({ places }) => places).length;
  const all = places.filter(({ kind }) => kind !== "sweep").length;
  return shown === all ? `${all} shown` : `${shown} of ${all} shown`;
}

/** What can be done with the runs that are chosen. */
function Actions({ chosen }: { chosen: readonly string[] }) {
  const runs = chosen.join(",");
  return (
    <span class="toolbar push">
      <span class="soft number chosen">{chosen.length} chosen</span>
      <Go to={chosen.length > 0 ? href("compare", [], { runs }) : null}>Curves</Go>
      <Go to={chosen.length > 0 ? href("settings", [], { runs }) : null}>Settings side by side</Go>
    </span>
  );
}

/** A link that leads nowhere as long as nothing is chosen. */
function Go({ to, children }: { to: string | null; children: string }) {
  return to
    ? <a class="button" href={to}>{children}</a>
    : <a class="button" role="link" aria-disabled="true" title="Choose runs first">{children}</a>;
}

function Notes({ notes }: { notes: readonly string[] }) {
  return notes.length === 0 ? null : (
    <details class="notice warn">
      <summary>{notes.length === 1 ? notes[0] : `${notes.length} notes on these folders`}</summary>
      {notes.length > 1 && <ul>{notes.map((note) => <li key={note}>{note}</li>)}</ul>}
    </details>
  );
}

function NothingYet({ isLive, notes }: { isLive: boolean; notes: readonly string[] }) {
  return (
    <section class="view">
      <Notes notes={notes} />
      <Empty title="No runs here yet">
        A run of <code>softcot train</code>, a sweep, or an evaluation with <code>--out</code> is shown here
        {isLive ? " as soon as it begins." : "."}
      </Empty>
    </section>
  );
}
