import type { Place } from "../data/view_data.ts";
import { settingText } from "../parts/format.ts";
import { type Column, COLUMNS, meanOf } from "./columns.ts";
import type { Group } from "./grouping.ts";

/** The most there is, by {@link atTask}. */
export type Most = ReadonlyMap<string, number>;

/** Scores on other tasks say nothing of one another. */
export const atTask = (column: string, { settings }: Place): string =>
  `${column} ${settingText(settings.task)}`;

/** The most of each column in which more is better, among the runs of a task, if they differ there. */
export const mostOf = ({ lines }: Group): Most =>
  mostAmong(
    lines.flatMap(({ places }) => places).filter(({ kind }) => kind === "run").map((place) => [place]),
    ({ value }, [place]) => Number(value(place)),
  );

/** The same of the means of lines with several seeds. */
export const mostMeansOf = ({ lines }: Group): Most =>
  mostAmong(
    lines.map(({ places }) => places).filter((places) => places.length > 1),
    (column, places) => meanOf(column, places) ?? -Infinity,
  );

function mostAmong(
  rows: readonly (readonly Place[])[],
  valueOf: (column: Column, places: readonly Place[]) => number,
): Most {
  return new Map(
    COLUMNS.filter(({ isScore }) => isScore).flatMap((column) =>
      [...Map.groupBy(rows, ([first]) => atTask(column.name, first))].flatMap(
        ([key, alike]): [string, number][] => {
          const values = alike.map((places) => valueOf(column, places));
          const most = Math.max(...values);
          return most > 0 && values.some((each) => each !== most) ? [[key, most]] : [];
        },
      )
    ),
  );
}
