import type { Place, Source } from "../data/view_data.ts";
import { colours, curveFigures, type CurveRun, keysFor } from "./curve_figures.ts";
import { drawSheet, type Sheet } from "./draw_sheet.ts";
import type { Figure } from "./figure.ts";
import { lineNames } from "./line_names.ts";
import { modesOf, mostSamples, tasksOf } from "./measured.ts";
import { panelOf, PANELS } from "./metric_panels.ts";
import { tableFigures } from "./table_figures.ts";

/** A drawing and what its file is called, without what follows the dot. */
export interface NamedSheet extends Sheet {
  name: string;
}

/** What is drawn. */
export interface SheetChoice {
  /** Metrics by their keys, several in one panel joined by +; the method's own pictures if left out. */
  metrics?: readonly string[];
}

/**
 * The figures of all that a source has, for papers: the curves of its runs on one sheet and each alone, means of ten updates over what was
 * measured, with bands where runs share all but their seed; and of each run, sweep and evaluation that was measured its pass@k and entropy.
 */
export async function reportSheets(source: Source, { metrics }: SheetChoice = {}): Promise<NamedSheet[]> {
  const { places } = await source.overview();
  const curves = await curvesOf(source, places.filter(({ kind }) => kind === "run"), metrics);
  const sheets = curves.length === 0 ? [] : [
    { name: "curves", ...drawSheet(curves, { columns: Math.min(3, curves.length) }) },
    ...curves.map(alone),
  ];
  const measured: NamedSheet[] = [];
  const isWithin = ({ sweep }: Place) => places.some(({ id }) => id === sweep);
  for (const place of places.filter((place) => !isWithin(place))) {
    const figures = await tablesOf(source, place);
    measured.push(
      ...figures.map((figure) => alone({ ...figure, name: `${safe(place.name)}-${figure.name}` })),
    );
  }
  return [...sheets, ...measured];
}

const alone = (figure: Figure): NamedSheet => ({
  name: figure.name,
  ...drawSheet([figure], { panelWidth: 380, panelHeight: 230 }),
});

async function curvesOf(
  source: Source,
  places: readonly Place[],
  metrics: readonly string[] | undefined,
): Promise<Figure[]> {
  const panels = metrics?.map(panelOf) ?? PANELS;
  const lines = lineNames(places);
  const runs: CurveRun[] = [];
  for (const { id, name } of places) {
    const { columns, sampled } = await source.metrics(id, { keys: keysFor(panels) });
    const ends = sampled ? { low: sampled.low, high: sampled.high } : undefined;
    runs.push({ name, line: lines.get(id)!, columns, each: sampled?.each ?? 1, ends });
  }
  const hasSeeds = new Set(lines.values()).size < places.length;
  const options = { along: "step", window: 10, band: hasSeeds ? "sd" : null } as const;
  return curveFigures(colours(runs, hasSeeds), panels, options).filter(({ curves }) => curves.length > 0);
}

/** Of each task in the mode that has most samples: ordinary tokens where several have as many. */
async function tablesOf(source: Source, { id }: Place): Promise<Figure[]> {
  const tables = await source.tables(id);
  const tasks = tasksOf(tables);
  return tasks.flatMap((task) => {
    const modes = modesOf(tables, task);
    const most = Math.max(...modes.map((mode) => mostSamples(tables, task, mode)));
    const own = modes.filter((mode) => mostSamples(tables, task, mode) === most);
    const mode = own.find((mode) => mode === "hard-sample") ?? own[0];
    return tableFigures(tables, task, mode).map((figure) => ({
      ...figure,
      name: tasks.length > 1 ? `${safe(task)}-${figure.name}` : figure.name,
    }));
  });
}

const safe = (name: string): string => name.replaceAll(/[^a-z0-9._-]+/gi, "-");
