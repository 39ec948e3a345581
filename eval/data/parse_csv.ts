import { UserError } from "../../gpu/errors.ts";

/**
 * Splits comma-separated text into lines of cells (RFC 4180): cells in double quotes may hold commas, doubled quotes
 * and line breaks, which are kept as they stand; lines end with LF, CRLF or CR; empty lines are skipped.
 *
 * @param text all of the file
 * @param path for messages
 * @returns each line's cells with the number of the line it began on, from 1
 * @throws UserError at a quote that is never closed, or text behind a closing quote
 */
export function parseCsv(text: string, path: string): { line: number; cells: string[] }[] {
  const rows: { line: number; cells: string[] }[] = [];
  let [at, line] = [0, 1];
  while (at < text.length) {
    const row = { line, cells: [] as string[] };
    for (let ended = false; !ended;) {
      const cell = text[at] === '"' ? quotedCell(text, at, line, path) : bareCell(text, at);
      row.cells.push(cell.text);
      line += cell.breaks;
      at = cell.end;
      ended = text[at] !== ",";
      if (!ended) at++;
    }
    if (row.cells.length > 1 || row.cells[0] !== "") rows.push(row);
    if (at < text.length) {
      at += text.startsWith("\r\n", at) ? 2 : 1;
      line++;
    }
  }
  return rows;
}

interface Cell {
  text: string;
  /** Where the comma, the line's end or the text's end stands. */
  end: number;
  /** Line breaks inside. */
  breaks: number;
}

function bareCell(text: string, from: number): Cell {
  let end = from;
  while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end++;
  return { text: text.slice(from, end), end, breaks: 0 };
}

function quotedCell(text: string, from: number, line: number, path: string): Cell {
  let end = from + 1;
  for (;; end += 2) {
    end = text.indexOf('"', end);
    if (end < 0) {
      throw new UserError(
        `Cannot read ${path}: line ${line} opens a quote that is never closed, a closing quote is needed`,
      );
    }
    if (text[end + 1] !== '"') break;
  }
  const inside = text.slice(from + 1, end);
  const breaks = inside.match(/\r\n|\r|\n/g)?.length ?? 0;
  const next = text[end + 1];
  if (next !== undefined && next !== "," && next !== "\n" && next !== "\r") {
    throw new UserError(
      `Cannot read ${path}: line ${line + breaks} goes on behind a closing quote with ${
        JSON.stringify(next)
      }, a comma ` +
        "or the line's end is needed",
    );
  }
  return { text: inside.replaceAll('""', '"'), end: end + 1, breaks };
}
