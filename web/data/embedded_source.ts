import { columnSampler } from "./column_sampler.ts";
import { rangesOf } from "./facet_counter.ts";
import { keysAskedFor } from "./keys_asked_for.ts";
import { lineOf, searchedOf, viewOf } from "./read_record.ts";
import type { ReportData, ReportPlace } from "./report_data.ts";
import { isAskedFor, limitOf, nearestStep } from "./select_rollouts.ts";
import type {
  Metrics,
  MetricsQuery,
  RolloutLine,
  RolloutList,
  RolloutQuery,
  Sighting,
  Source,
} from "./view_data.ts";

/** A source over what a report holds: the same answers as {@link httpSource}'s, of what was embedded. */
export function embeddedSource({ overview, places, sampled }: ReportData): Source {
  const wayOf = (id: string) => String(overview.places.find((one) => one.id === id)?.settings.thinking ?? "");
  const lines = new Map<string, RolloutLine[]>();
  const at = (id: string): ReportPlace => {
    if (!Object.hasOwn(places, id)) throw new Error(`There is no ${id} in this report`);
    return places[id];
  };
  const linesOf = (id: string): RolloutLine[] => {
    const known = lines.get(id) ??
      at(id).rollouts.map(({ place, record }) => lineOf(record, place, wayOf(id)));
    lines.set(id, known);
    return known;
  };
  // Whatever is thrown comes as a rejection, as over HTTP.
  const soon = <T>(answer: () => T): Promise<T> => Promise.resolve().then(answer);
  return {
    live: false,
    sampled,
    overview: () => soon(() => overview),
    metrics: (id, query = {}) => soon(() => selectMetrics(at(id).metrics ?? noMetrics(id), query)),
    rollouts: (id, query) => soon(() => selectRollouts(at(id), linesOf(id), query)),
    rollout: (id, place) =>
      soon(() => {
        const found = at(id).rollouts.find((one) => one.place === place);
        if (!found) throw new Error(`Rollout ${place} of ${id} is not in this report`);
        return viewOf(found.record, place, id, wayOf(id));
      }),
    facets: (id) => soon(() => at(id).facets),
    sightings: (question) =>
      soon(() => Object.keys(places).flatMap((id) => sightingOf(id, linesOf(id), question))),
    tables: (id) => soon(() => at(id).tables),
    profile: (id) => soon(() => at(id).profile),
    onChange: () => () => {},
  };
}

const noMetrics = (id: string): Metrics => ({
  ...{ id, from: 0, to: 0, lines: 0, keys: [], columns: {}, sampled: null, skipped: 0 },
});

/** Of metrics that were sampled as they were embedded, no more is known than is there. */
function selectMetrics(metrics: Metrics, { keys, from = 0, to, points }: MetricsQuery): Metrics {
  const wanted = keysAskedFor(Object.keys(metrics.columns), keys);
  const pick = <T>(columns: Record<string, T>) =>
    Object.fromEntries(wanted.map((key) => [key, columns[key]])) as Record<string, T>;
  if (metrics.sampled) {
    const { each, low, high } = metrics.sampled;
    return {
      ...metrics,
      columns: pick(metrics.columns),
      sampled: { each, low: pick(low), high: pick(high) },
    };
  }
  const end = Math.min(to ?? Infinity, metrics.to);
  const sampler = columnSampler(from, end, points);
  for (const key of wanted) sampler.add(key, metrics.from, metrics.columns[key]);
  return { ...metrics, from, to: end, ...sampler.result() };
}

function selectRollouts(
  { rollouts }: ReportPlace,
  lines: readonly RolloutLine[],
  query: RolloutQuery,
): RolloutList {
  const { question, text, nearest, order = "first", after, skip = 0 } = query;
  const ofQuestion = lines.map((line, i) => ({ line, i }))
    .filter(({ line }) => question === undefined || line.question === question);
  const steps = ofQuestion.flatMap(({ line: { step } }) => step ?? []);
  const step = nearest && query.step !== undefined ? nearestStep(steps, query.step) : query.step;
  const needle = text?.toLowerCase();
  const found = ofQuestion.filter(({ line }) => isAskedFor(line, { ...query, step })).filter(({ i }) =>
    needle === undefined ||
    searchedOf(rollouts[i].record).some((one) => one.toLowerCase().includes(needle))
  );
  if (order === "last") found.reverse();
  const isLeft = ({ line: { place } }: { line: RolloutLine }) =>
    after === undefined || (order === "last" ? place < after : place > after);
  const from = found.filter((one) => !isLeft(one)).length;
  const shown = found.slice(from + skip, from + skip + limitOf(query)).map(({ line }) => line);
  const isEnd = from + skip + shown.length >= found.length;
  return {
    lines: shown,
    total: found.length,
    next: isEnd ? null : shown.at(-1)?.place ?? null,
    scanned: needle === undefined ? 0 : ofQuestion.length,
    skipped: 0,
  };
}

function sightingOf(id: string, lines: readonly RolloutLine[], question: string): Sighting[] {
  const found = lines.filter((line) => line.question === question);
  if (found.length === 0) return [];
  const steps = [...new Set(found.flatMap(({ step }) => step ?? []))].sort((a, b) => a - b);
  const modes = [...new Set(found.map(({ mode }) => mode))];
  return [{ id, rollouts: found.length, steps: rangesOf(steps), modes }];
}
