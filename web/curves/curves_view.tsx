import { useMemo } from "preact/hooks";
import { useKeys } from "../app/keys.ts";
import { type Route, withQuery } from "../app/route.ts";
import { placeOf, runsOf, useShown } from "../app/source_context.ts";
import { go } from "../app/use_route.ts";
import type { ViewProps } from "../app/view.ts";
import type { Metrics, Place } from "../data/view_data.ts";
import { colours, curveFigures, type CurveRun, keysFor } from "../figures/curve_figures.ts";
import { lineNames } from "../figures/line_names.ts";
import { panelOf, PANELS } from "../figures/metric_panels.ts";
import { Empty, Waiting } from "../parts/empty.tsx";
import { ChartCard } from "./chart_card.tsx";
import { curvesQuery } from "./curves_query.ts";
import { CurvesToolbar } from "./curves_toolbar.tsx";
import { RunList } from "./run_list.tsx";
import { useDetail } from "./use_detail.ts";
import { useMetrics } from "./use_metrics.ts";

/** Curves of a run, of a sweep's runs, or of those that were chosen. */
export function CurvesView({ route }: ViewProps) {
  const { source, overview } = useShown();
  const places = placesFor(route, overview.places, (id) => {
    const place = placeOf(overview, id);
    return place ? runsOf(overview, place) : [];
  });
  const lines = lineNames(places);
  const hasSeeds = new Set(lines.values()).size < places.length;
  const query = curvesQuery(route, hasSeeds);
  const asked = query.panels?.map(panelOf) ?? PANELS;
  const keys = keysFor(asked);
  const answer = useMetrics(source, places, keys);
  const detail = useDetail(source, answer.value, keys, query.along, query.zoom);
  const ask = (changes: Parameters<typeof withQuery>[1]) => go(withQuery(route, changes), "replace");
  useKeys([
    { key: "ArrowRight", says: "on a chart: the next value; with Shift ten further" },
    { key: "ArrowLeft", says: "on a chart: the value before" },
    { key: "0", says: "all of the curves after zooming", act: () => ask({ from: "", to: "" }) },
  ]);

  const drawn = useMemo(
    () => colours(curveRuns(places, lines, answer.value, detail), query.band !== null),
    [answer.value, detail, query.band, places.length],
  );
  const figures = useMemo(() => {
    const shown = drawn.filter(({ name }) => !query.hidden.includes(name));
    return curveFigures(shown, asked, query);
  }, [drawn, route]);
  if (places.length === 0) return <Empty title="No runs to draw">Choose some in the table of runs.</Empty>;
  if (!answer.value) return <Waiting answer={answer} what="the curves" />;
  const there = query.panels ? figures : figures.filter(({ curves }) => curves.length > 0);
  const known = [...new Set([...answer.value.values()].flatMap(({ keys }) => keys))];
  return (
    <section class="view curves">
      {route.view === "compare" && <h1 class="hidden-text">Curves of chosen runs</h1>}
      {answer.error && <p class="notice bad" role="alert">Not all can be shown: {answer.error}</p>}
      <CurvesToolbar {...{ query, hasSeeds, known, ask }} panels={there.map(({ name }) => name)} />
      <div class="curves-body">
        <RunList
          drawn={drawn}
          places={places}
          hidden={query.hidden}
          onHide={(hide) => ask({ hide: hide.join("|") })}
        />
        <div class="charts">
          {there.map((figure, i) => (
            <ChartCard
              key={figure.name}
              figure={figure}
              zoom={query.zoom}
              onZoom={(zoom) => ask({ from: zoom?.[0] ?? "", to: zoom?.[1] ?? "" })}
              onRemove={query.panels
                ? () => ask({ panels: query.panels!.filter((_, at) => at !== i).join(",") })
                : null}
            />
          ))}
          {there.length === 0 && <Empty title="No values yet">The first update brings them.</Empty>}
        </div>
      </div>
      <Skipped metrics={[...answer.value.values()]} places={places} />
    </section>
  );
}

/** Runs of the address: one place's, or those that it lists. */
function placesFor(route: Route, all: readonly Place[], of: (id: string) => Place[]): Place[] {
  const ids = route.view === "compare" ? (route.query.runs ?? "").split(",") : [route.path[0]];
  const found = ids.flatMap(of).filter(({ kind }) => kind === "run");
  return all.filter((place) => found.includes(place));
}

function curveRuns(
  places: readonly Place[],
  lines: ReadonlyMap<string, string>,
  metrics: ReadonlyMap<string, Metrics> | undefined,
  detail: ReadonlyMap<string, Metrics>,
): CurveRun[] {
  const names = places.map(({ name }) => name);
  return places.flatMap(({ id, name }) => {
    const own = detail.get(id) ?? metrics?.get(id);
    if (!own) return [];
    const { columns, sampled } = own;
    const isUnique = names.indexOf(name) === names.lastIndexOf(name);
    return [{
      ...{ name: isUnique ? name : id, line: lines.get(id)!, columns, each: sampled?.each ?? 1 },
      ends: sampled ? { low: sampled.low, high: sampled.high } : undefined,
    }];
  });
}

function Skipped({ metrics, places }: { metrics: readonly Metrics[]; places: readonly Place[] }) {
  const damaged = metrics.filter(({ skipped }) => skipped > 0);
  const thin = metrics.filter(({ sampled }) => sampled);
  if (damaged.length + thin.length === 0) return null;
  const nameOf = (id: string) => places.find((place) => place.id === id)?.name ?? id;
  return (
    <footer class="soft">
      {thin.length > 0 && (
        <p>
          Long runs are thinned out, each point the mean of several updates ({thin.map(({ id, sampled }) =>
            `${nameOf(id)}: ${sampled!.each}`
          ).join(", ")}); the shade around a curve is the least and the most of these. Zoom in to see them.
        </p>
      )}
      {damaged.map(({ id, skipped }) => <p key={id}>{nameOf(id)}: {skipped} damaged lines are left out.</p>)}
    </footer>
  );
}
