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
}

/**
 * Lays rows out in columns, as wide as a terminal shows them (CJK and emoji take two places).
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
  const line = (row: readonly string[]) =>
    widths.map((width, column) => {
      const text = cell(row, column), space = " ".repeat(width - unicodeWidth(text));
      return right[column] ? space + text : text + space;
    }).join(" ".repeat(options.gap ?? 2)).trimEnd();
  const lines = all.map(line);
  if (options.header) {
    lines.splice(
      1,
      0,
      widths.map((width) => "-".repeat(width)).join(" ".repeat(options.gap ?? 2)),
    );
  }
  return lines.join("\n");
}
