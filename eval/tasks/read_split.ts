import { UserError } from "../../gpu/errors.ts";
import { readRows } from "../data/read_rows.ts";
import type { Row } from "../data/row.ts";
import { RowError } from "../data/row_fields.ts";

/** What was read of a split. */
interface SplitItems<T> {
  /** In the order of the files. */
  items: T[];
  /** Rows in the files. */
  rows: number;
  /** Those left out, by reason. */
  dropped: Map<string, number>;
}

/** How rows are read. */
interface RowReader<T> {
  /** Of the task, for messages. */
  name: string;
  /** Columns of CSV files, which have no header. */
  columns?: readonly string[];
  /** What a row holds, or why it is left out; throws {@linkcode RowError} where it is in no known form. */
  read(row: Row, file: string): T | { drop: string };
}

/**
 * Reads all rows of a split's files.
 * @throws UserError if a file cannot be read, or a row is in no known form
 */
export async function readSplit<T extends object>(
  reader: RowReader<T>,
  files: readonly string[],
): Promise<SplitItems<T>> {
  const split: SplitItems<T> = { items: [], rows: 0, dropped: new Map() };
  for (const file of files) {
    const rows = await readRows(file, { columns: reader.columns });
    split.rows += rows.length;
    rows.forEach((row, index) => {
      const reading = readRow(reader, file, row, index);
      if ("drop" in reading) countDropped(split.dropped, reading.drop);
      else split.items.push(reading);
    });
  }
  return split;
}

/** What each split comes to, by its name. */
export const mapSplits = <V, W>(splits: Record<string, V>, map: (split: V) => W): Record<string, W> =>
  Object.fromEntries(Object.entries(splits).map(([name, split]) => [name, map(split)]));

/** Counts one more row that is left out. */
export function countDropped(dropped: Map<string, number>, reason: string): void {
  dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
}

function readRow<T>(
  { name, read }: RowReader<T>,
  file: string,
  row: Row,
  index: number,
): T | { drop: string } {
  try {
    return read(row, file);
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    throw new UserError(
      `Cannot read ${name} from ${file}: row ${index + 1} ${error.message}`,
      `its fields are ${Object.keys(row).join(", ") || "none"}`,
    );
  }
}
