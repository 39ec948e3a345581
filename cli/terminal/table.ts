import { unicodeWidth } from "@std/cli";
import { safeLine } from "./safe_text.ts";

/** How a table is laid out. */
interface TableOptions {
  /** First row, with a line under it. */
  header?: readonly string[];
  /** By column; numbers and what looks like numbers go right, the rest left, where nothing is said. */
  align?: readonly ("left" | "right")[];
  /** Spaces between columns; 2 if not given. */
  gap?: number;
  /** Places that a line has; those of the terminal that results go to, if not given, and as many as are needed where they go elsewhere. */
  width?: number;
}

/**
 * Lays rows out in columns, as wide as a terminal shows them (CJK and emoji take two places). A table that is wider than the terminal
 * is folded: columns that find no place come in a table below, behind the first column again.
 *
 * @param rows cells; null and undefined become empty
 * @returns lines without a final newline, none ending in spaces
 */
export function table(rows: readonly (readonly unknown[])[], options: TableOptions = {}): string {
  const body = rows.map((row) => row.map((cell) => safeLine(String(cell ?? ""))));
  const all = options.header ? [options.header.map(safeLine), ...body] : body;
  const columns = Math.max(0, ...all.map((row) => row.length));
  const cell = (row: readonly string[], column: number) => row[column] ?? "";
  const widths: number[] = [], right: boolean[] = [];
  for (let column = 0; column < columns; column++) {
    widths.push(Math.max(...all.map((row) => unicodeWidth(cell(row, column)))));
    const filled = body.map((row) => cell(row, column)).filter((text) => text !== "" && text !== "-");
    const numeric = filled.length > 0 && filled.every((text) => /^[+-]?[\d.,]+(e[+-]?\d+)?%?$/i.test(text));
    right.push(options.align?.[column] ? options.align[column] === "right" : numeric);
  }
  const gap = " ".repeat(options.gap ?? 2);
  const line = (row: readonly string[], shown: readonly number[]) =>
    shown.map((column) => {
      const text = cell(row, column), space = " ".repeat(widths[column] - unicodeWidth(text));
      return right[column] ? space + text : text + space;
    }).join(gap).trimEnd();
  const part = (shown: readonly number[]) => {
    const lines = all.map((row) => line(row, shown));
    if (options.header) lines.splice(1, 0, shown.map((column) => "-".repeat(widths[column])).join(gap));
    return lines.join("\n");
  };
  return folded(widths, gap.length, options.width ?? terminalWidth()).map(part).join("\n\n");
}

/** The columns of each table that a wide one is folded into; the first stands in all of them. */
function folded(widths: readonly number[], gap: number, most: number): number[][] {
  const [first = 0, ...others] = widths;
  const parts: number[][] = [[0]];
  let taken = first;
  others.forEach((width, i) => {
    if (taken + gap + width > most && parts.at(-1)!.length > 1) {
      parts.push([0]);
      taken = first;
    }
    parts.at(-1)!.push(i + 1);
    taken += gap + width;
  });
  return widths.length === 0 ? [[]] : parts;
}

function terminalWidth(): number {
  if (!Deno.stdout.isTerminal()) return Infinity;
  try {
    return Deno.consoleSize().columns || Infinity;
  } catch {
    return Infinity;
  }
}
