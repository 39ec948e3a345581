import type { MeasuredMode, Tables } from "../data/view_data.ts";
import type { Curve, Figure } from "./figure.ts";
import { type Column, columnsOf, endsOf, measuredIn, mostSamples, passMean } from "./measured.ts";

/** The pictures of a task in a mode; none of those that would be of points alone. */
export function tableFigures(tables: Tables, task: string, mode: string): Figure[] {
  const all = [
    passFigure(tables, task, mode),
    tradeFigure(tables, task, mode),
    entropyFigure(tables, task, mode),
  ];
  const isDrawn = ({ curves }: Figure) => curves.some(({ x }) => x.length > 1);
  return all.filter((figure) => figure !== null).filter(isDrawn);
}

/** The place of grey in the palette. */
const GREY = 7;

/** The models at the ends of training and what each is drawn with: a colour a line, the same in all pictures, grey and broken before training. */
function coloured(
  tables: Tables,
  task: string,
): { column: Column; look: { colour: number; dash: number } }[] {
  const columns = endsOf(columnsOf(tables, task));
  const trained = columns.filter(({ when }) => when !== "before");
  const lines = [...new Set(trained.map(({ line }) => line))];
  return columns.map((column) => {
    const within = trained.filter(({ line }) => line === column.line).indexOf(column);
    const colour = lines.length > 1 ? lines.indexOf(column.line) : within;
    const dash = lines.length > 1 ? Math.max(0, within) : 0;
    return { column, look: column.when === "before" ? { colour: GREY, dash: 1 } : { colour, dash } };
  });
}

/** pass@k of the models at their ends, over k, with bands: standard deviations over seeds, or standard errors. */
function passFigure(tables: Tables, task: string, mode: string): Figure {
  const curves = coloured(tables, task).flatMap(({ column, look }): Curve[] => {
    const measured = measuredIn(tables, task, mode, column);
    const ks = measured[0]?.passAt.map(({ k }) => k) ?? [];
    const means = ks.flatMap((k) => {
      const mean = passMean(measured, k);
      return mean ? [{ k, ...mean }] : [];
    });
    if (means.length === 0) return [];
    return [{
      ...{ name: column.name, ...look, look: means.length > 1 ? "line" : "points" },
      x: means.map(({ k }) => k),
      y: means.map(({ value }) => value),
      low: means.map(({ value, error }) => Math.max(0, value - error)),
      high: means.map(({ value, error }) => Math.min(1, value + error)),
    }];
  });
  const ticks = [...new Set(curves.flatMap(({ x }) => x))].sort((a, b) => a - b);
  return {
    name: `pass-at-k-${mode}`,
    title: "pass@k",
    x: { label: "samples k", isLog: true, ticks },
    y: { label: mode, from: 0, to: 1 },
    curves,
  };
}

/** pass@k against pass@1 over the checkpoints of each line: what only follows from how far a model has come lies on one curve. */
function tradeFigure(tables: Tables, task: string, mode: string): Figure | null {
  const k = mostSamples(tables, task, mode);
  if (k < 2) return null;
  const columns = columnsOf(tables, task);
  const before = columns.filter(({ when }) => when === "before");
  const lines = Map.groupBy(columns.filter(({ when }) => when !== "before"), ({ line }) => line);
  const drawn = lines.size > 0 ? lines : new Map([["before", [] as Column[]]]);
  const curves = [...drawn].flatMap(([name, own], colour): Curve[] => {
    const points = [...beginOf(before, name), ...own.toSorted((a, b) => (a.step ?? 0) - (b.step ?? 0))]
      .flatMap((column) => {
        const measured = measuredIn(tables, task, mode, column);
        const [one, most] = [passMean(measured, 1), passMean(measured, k)];
        return one && most ? [{ x: one.value, y: most.value, error: most.error }] : [];
      });
    if (points.length === 0) return [];
    return [{
      ...{ name, colour, dash: 0, look: "both" },
      x: points.map(({ x }) => x),
      y: points.map(({ y }) => y),
      low: points.map(({ y, error }) => y - error),
      high: points.map(({ y, error }) => y + error),
    }];
  });
  return {
    name: `pass-at-${k}-against-pass-at-1-${mode}`,
    title: `pass@${k} against pass@1 over checkpoints`,
    x: { label: "pass@1" },
    y: { label: mode },
    curves,
  };
}

/** Where a line begins: at its own model before training, or at the one that all share. */
function beginOf(before: readonly Column[], line: string): Column[] {
  const own = before.filter((column) => column.line === line);
  return own.length > 0 ? own : before.slice(0, 1);
}

/** Positions where fewer steps than this were taken are noise. */
const FEWEST = 20;

/** Entropy of the next token by position of the thinking, with the standard error of its mean. */
function entropyFigure(tables: Tables, task: string, mode: string): Figure {
  const curves = coloured(tables, task).flatMap(({ column, look }): Curve[] => {
    const rows = pooled(measuredIn(tables, task, mode, column));
    if (rows.length === 0) return [];
    return [{
      ...{ name: column.name, ...look, look: "line" },
      x: rows.map(({ at }) => at),
      y: rows.map(({ mean }) => mean),
      low: rows.map(({ mean, error }) => Math.max(0, mean - error)),
      high: rows.map(({ mean, error }) => mean + error),
    }];
  });
  return {
    name: `entropy-by-position-${mode}`,
    title: "Entropy by position",
    x: { label: `step of the thinking, as far as ${FEWEST} rollouts came` },
    y: { label: `nats, ${mode}`, from: 0 },
    curves,
  };
}

/** All steps of all runs at a position, each weighing alike; from 1, as people count. */
function pooled(measured: readonly MeasuredMode[]): { at: number; mean: number; error: number }[] {
  const rows = Map.groupBy(
    measured.flatMap(({ entropyByPosition }) => entropyByPosition),
    ({ position }) => position,
  );
  return [...rows].sort(([a], [b]) => a - b).flatMap(([position, own]) => {
    const count = own.reduce((sum, row) => sum + row.count, 0);
    if (count < FEWEST) return [];
    const mean = own.reduce((sum, row) => sum + row.mean * row.count, 0) / count;
    const error = Math.sqrt(own.reduce((sum, row) => sum + (row.standardError * row.count / count) ** 2, 0));
    return [{ at: (position + 1 + own[0].end) / 2, mean, error }];
  });
}
