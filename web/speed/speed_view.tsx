import { useState } from "preact/hooks";
import { useShown } from "../app/source_context.ts";
import { useAnswer } from "../app/use_answer.ts";
import type { ViewProps } from "../app/view.ts";
import type { Zoom } from "../curves/chart.tsx";
import { ChartCard } from "../curves/chart_card.tsx";
import { Legend } from "../curves/legend.tsx";
import { Empty, Waiting } from "../parts/empty.tsx";
import { bytes, grouped, number } from "../parts/format.ts";
import { KernelTable } from "./kernel_table.tsx";
import { PhaseTable } from "./phase_table.tsx";
import { lastOf, meanOf, phasesOf, SPEED_KEYS } from "./phases.ts";
import { ShareTables } from "./share_tables.tsx";
import { speedFigures } from "./speed_figures.ts";

/** Where the time of a run's updates goes, by phase, worker and learner; tokens a second, memory; by kernel where it was trained with --profile. */
export function SpeedView({ route }: ViewProps) {
  const { source } = useShown();
  const id = route.path[0];
  const [zoom, setZoom] = useState<Zoom | null>(null);
  const metrics = useAnswer(source, [id], `metrics ${id}`, () => source.metrics(id, { keys: SPEED_KEYS }));
  const profile = useAnswer(source, [id], `profile ${id}`, () => source.profile(id), 5000);
  if (!metrics.value) return <Waiting answer={metrics} what="the run's times" />;
  const { columns } = metrics.value;
  const phases = phasesOf(columns);
  if (phases.length === 0) return <Empty title="No times yet">They are kept with each update.</Empty>;
  return (
    <div class="view speed">
      <Figures columns={columns} />
      <section class="speed-phases" aria-label="Phases">
        <h2>Where an update's time goes</h2>
        <PhaseTable phases={phases} />
      </section>
      <ShareTables columns={columns} />
      <div class="charts">
        {speedFigures(columns, phases).map((figure) => (
          <ChartCard
            key={figure.name}
            figure={figure}
            zoom={zoom}
            onZoom={setZoom}
            onRemove={null}
            together="speed"
          >
            {figure.curves.length > 1 && <Legend curves={figure.curves} />}
          </ChartCard>
        ))}
      </div>
      {profile.value ? <KernelTable profile={profile.value} /> : (
        <p class="notice">
          With <code>softcot train --profile</code> the time of each kernel stands here.
        </p>
      )}
    </div>
  );
}

function Figures({ columns }: { columns: Record<string, (number | null)[]> }) {
  const speed = columns["time.rollout_tokens_per_second"] ?? [];
  const figures: [name: string, value: string][] = [
    ["tokens a second, mean", grouped(Math.round(meanOf(speed) ?? 0))],
    ["tokens a second, last", grouped(Math.round(lastOf(speed) ?? 0))],
    ["GFLOP/s of the update, last", number(lastOf(columns["time.update_gflops"]))],
    ["most memory of the process", sizeOf(lastOf(columns["time.process_peak_bytes"]))],
    ["most memory of the device", sizeOf(lastOf(columns["time.device_peak_bytes"]))],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name} class="figure">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const sizeOf = (size: number | null) => size === null ? "–" : bytes(size);
