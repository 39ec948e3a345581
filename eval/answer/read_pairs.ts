/** Files of pairs to judge: JSON lines, or CSV with a header; columns `gold` and `prediction`. */
import { UserError } from "../../gpu/errors.ts";
import { parseJson } from "../../model/files/parse_json.ts";

/** One row of such a file. */
interface PairRow {
  /** line of the file on which the row starts, from 1 */
  line: number;
  gold: string | string[];
  prediction: string;
}

/**
 * Reads pairs from the text of a file.
 *
 * @param name what messages call the file; `.csv` at its end means CSV, anything else JSON lines
 * @throws UserError where a row has no `gold` or `prediction`
 */
export function readPairs(name: string, text: string): PairRow[] {
  const rows = name.toLowerCase().endsWith(".csv") ? csvRows(name, text) : jsonRows(name, text);
  if (rows.length === 0) {
    throw new UserError(`Cannot judge ${name}: it has no pairs`, "each row needs gold and prediction");
  }
  return rows;
}

function jsonRows(name: string, text: string): PairRow[] {
  const rows: PairRow[] = [];
  text.split("\n").forEach((lineText, k) => {
    if (lineText.trim() === "") return;
    let row: Record<string, unknown>;
    try {
      row = parseJson(lineText, { keepsDigits: true }) as Record<string, unknown>;
    } catch {
      throw new UserError(
        `Cannot judge ${name}: line ${k + 1} is not JSON`,
        "each line holds one object; use .csv for CSV",
      );
    }
    rows.push({
      line: k + 1,
      gold: gold(name, k + 1, row?.gold),
      prediction: field(name, k + 1, "prediction", row?.prediction),
    });
  });
  return rows;
}

function gold(name: string, line: number, value: unknown): string | string[] {
  return Array.isArray(value)
    ? value.map((v) => field(name, line, "gold", v))
    : field(name, line, "gold", value);
}

function field(name: string, line: number, key: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new UserError(
    `Cannot judge ${name}: line ${line} has no text under "${key}"`,
    `each row needs "gold" and "prediction"`,
  );
}

function csvRows(name: string, text: string): PairRow[] {
  const [header, ...records] = parseCsv(text);
  const columns = (header?.cells ?? []).map((cell) => cell.trim());
  const [g, p] = [columns.indexOf("gold"), columns.indexOf("prediction")];
  if (g < 0 || p < 0) {
    throw new UserError(
      `Cannot judge ${name}: its header is ${columns.join(", ") || "empty"}`,
      "columns gold and prediction are needed",
    );
  }
  return records.map(({ line, cells }) => ({
    line,
    gold: field(name, line, "gold", cells[g]),
    prediction: field(name, line, "prediction", cells[p]),
  }));
}

/** Records of CSV as in RFC 4180: quoted cells may hold commas, line breaks and doubled quotes. */
function parseCsv(text: string): { line: number; cells: string[] }[] {
  const records: { line: number; cells: string[] }[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/y;
  const source = text.replace(/^\ufeff/, "");
  let cells: string[] = [];
  let [line, counted] = [1, 0];
  let start = 0;
  for (let at = 0; at <= source.length;) {
    cell.lastIndex = at;
    const m = cell.exec(source);
    if (!m) break;
    cells.push(m[1] !== undefined ? m[1].replaceAll('""', '"') : m[2]);
    at = cell.lastIndex;
    if (m[3] === ",") continue;
    if (cells.length > 1 || cells[0] !== "") {
      for (
        let end = source.indexOf("\n", counted);
        end >= 0 && end < start;
        end = source.indexOf("\n", counted)
      ) {
        line++;
        counted = end + 1;
      }
      records.push({ line, cells });
    }
    cells = [];
    start = at;
    if (m[3] === "") break;
  }
  return records;
}
