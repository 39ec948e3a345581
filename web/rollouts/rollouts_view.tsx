import { useCallback, useId } from "preact/hooks";
import { href } from "../app/route.ts";
import { useShown } from "../app/source_context.ts";
import { useAnswer } from "../app/use_answer.ts";
import { go } from "../app/use_route.ts";
import type { ViewProps } from "../app/view.ts";
import type { RolloutLine } from "../data/view_data.ts";
import { Empty } from "../parts/empty.tsx";
import { grouped } from "../parts/format.ts";
import { COLUMNS, RolloutRow } from "./rollout_row.tsx";
import { RolloutFilters } from "./rollout_filters.tsx";
import { filtersOf, rolloutQuery } from "./rollout_filter.ts";
import { type RolloutLines, useRolloutLines } from "./use_rollout_lines.ts";
import { WindowedList } from "./windowed_list.tsx";

const ROW_PIXELS = 34;

/** All rollouts that a run or an evaluation kept: filters above, below a list of any length. */
export function RolloutsView({ route }: ViewProps) {
  const { source } = useShown();
  const id = route.path[0];
  const filters = filtersOf(route.query);
  const facets = useAnswer(source, [id], id, () => source.facets(id), 5000);
  const lines = useRolloutLines(source, id, rolloutQuery(route.query));
  const address = (line: RolloutLine) => href("rollout", [id, line.place], filters);
  const open = (index: number) => {
    const line = lines.at(index);
    if (line) go(address(line));
  };
  const prefix = useId();
  const seen = useCallback((from: number, to: number) => lines.seen(from, to), [lines.seen]);
  const isTraining = (facets.value?.steps.length ?? 1) > 0;
  const isModes = (facets.value?.modes.length ?? 2) > 1;
  return (
    <div class={`view rollouts${isTraining ? "" : " no-steps"}${isModes ? "" : " one-mode"}`}>
      <RolloutFilters route={route} facets={facets.value} />
      <p class="soft rollouts-count" role="status">{countInWords(lines, facets.value?.rollouts)}</p>
      {lines.error && <p class="notice bad" role="alert">Cannot read the rollouts: {lines.error}</p>}
      {lines.total === 0 && !lines.searching
        ? <Empty title="No rollout is like that">Take a filter away, or look for another text.</Empty>
        : (
          <div class="rollouts-table">
            <div class="rollouts-head" aria-hidden="true">
              {COLUMNS.map(([name, title]) => <div key={name} class={`cell cell-${name}`}>{title}</div>)}
            </div>
            <WindowedList
              id={prefix}
              label="Rollouts; arrow keys choose one, Enter opens it"
              total={lines.total ?? 0}
              rowHeight={ROW_PIXELS}
              seen={seen}
              open={open}
              row={(index) => {
                const line = lines.at(index);
                if (!line) return { cells: <div role="gridcell" class="cell soft">…</div> };
                const begins = isFirst(line, lines.at(index - 1));
                return {
                  cells: <RolloutRow line={line} isFirst={begins} address={address(line)} />,
                  look: begins ? "begins" : "",
                };
              }}
            />
          </div>
        )}
    </div>
  );
}

/** Whether a line begins a group; in runs of old, which kept none, a question. */
const isFirst = (line: RolloutLine, before: RolloutLine | undefined) =>
  !before || before.step !== line.step || before.group !== line.group || before.question !== line.question ||
  before.mode !== line.mode;

function countInWords({ total, searching, skipped }: RolloutLines, all: number | undefined): string {
  if (total === null) return "Reading…";
  const damaged = skipped > 0 ? `; ${grouped(skipped)} damaged lines are left out` : "";
  if (searching) return `${grouped(total)} found in ${grouped(searching.scanned)} read so far…${damaged}`;
  // Of a run that grows all of them were counted a moment before.
  const of = all === undefined || all <= total ? "" : ` of ${grouped(all)}`;
  return `${grouped(total)}${of} rollouts${damaged}`;
}
