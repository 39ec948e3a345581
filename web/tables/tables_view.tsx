import { useState } from "preact/hooks";
import { useShown } from "../app/source_context.ts";
import { withQuery } from "../app/route.ts";
import { go } from "../app/use_route.ts";
import { useAnswer } from "../app/use_answer.ts";
import type { ViewProps } from "../app/view.ts";
import type { Zoom } from "../curves/chart.tsx";
import { ChartCard } from "../curves/chart_card.tsx";
import { Legend } from "../curves/legend.tsx";
import type { Figure } from "../figures/figure.ts";
import { Choice } from "../parts/choice.tsx";
import { Empty, Waiting } from "../parts/empty.tsx";
import { ChoicesTable } from "./choices_table.tsx";
import { modesOf, tasksOf } from "../figures/measured.ts";
import { ModesTable } from "./modes_table.tsx";
import { tableFigures } from "../figures/table_figures.ts";

/** What was measured of a run, a sweep or an evaluation, with errors. */
export function TablesView({ route }: ViewProps) {
  const { source, overview } = useShown();
  const id = route.path[0];
  const sweep = overview.places.filter((place) => place.sweep === id).map((place) => place.id);
  const answer = useAnswer(source, [id, ...sweep], id, () => source.tables(id), 15_000);
  const tables = answer.value;
  if (!tables) return <Waiting answer={answer} what="the tables" />;
  const tasks = tasksOf(tables);
  if (tasks.length === 0 && tables.choices.length === 0) {
    return (
      <Empty title="Nothing has been measured yet">
        A training tests its model before and after unless it was told <code>--test-questions 0</code>;{" "}
        <code>softcot eval TASK --model RUN --out FOLDER</code> measures it at any time.
      </Empty>
    );
  }
  const task = tasks.includes(route.query.task) ? route.query.task : tasks[0];
  const modes = task === undefined ? [] : modesOf(tables, task);
  const drawing = modes.filter((mode) =>
    tables.measured.some((one) => one.mode === mode && one.task === task && one.samples > 1)
  );
  const usual = drawing.find((mode) => mode === "hard-sample") ?? drawing[0] ?? modes[0];
  const mode = modes.includes(route.query.mode) ? route.query.mode : usual;
  const ask = (changes: Record<string, string>) => go(withQuery(route, changes), "replace");
  return (
    <section class="view measured">
      {tables.notes.map((note) => <p key={note} class="notice warn">{note}</p>)}
      {tasks.length > 1 && (
        <div class="toolbar">
          <Choice
            label="Task"
            value={task}
            of={tasks.map((each) => [each, each] as const)}
            onChoose={(task) => ask({ task })}
          />
        </div>
      )}
      {task !== undefined && <ModesTable tables={tables} task={task} modes={modes} />}
      {task !== undefined && mode !== undefined && (
        <>
          <div class="toolbar">
            <h2>By samples, checkpoints and position</h2>
            <label class="field">
              mode
              <select value={mode} onChange={(event) => ask({ mode: event.currentTarget.value })}>
                {modes.map((each) => <option key={each} value={each}>{each}</option>)}
              </select>
            </label>
          </div>
          <Figures figures={tableFigures(tables, task, mode)} />
        </>
      )}
      <ChoicesTable choices={tables.choices} />
    </section>
  );
}

function Figures({ figures }: { figures: readonly Figure[] }) {
  if (figures.length === 0) {
    return (
      <p class="soft">This mode has one answer a question and nothing by position: see the table above.</p>
    );
  }
  return (
    <div class="charts">
      {figures.map((figure) => <FigureCard key={figure.name} figure={figure} />)}
    </div>
  );
}

function FigureCard({ figure }: { figure: Figure }) {
  const [zoom, setZoom] = useState<Zoom | null>(null);
  return (
    <ChartCard
      figure={figure}
      zoom={zoom}
      onZoom={setZoom}
      onRemove={null}
      height={260}
      together={figure.name}
    >
      <Legend curves={figure.curves} />
    </ChartCard>
  );
}
