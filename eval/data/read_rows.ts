import { UserError } from "../../gpu/errors.ts";
import { parseCsv } from "./parse_csv.ts";
import { readParquet, unreadable } from "./read_parquet.ts";
import type { Row } from "./row.ts";
import { readPlain } from "../../model/files/plain_file.ts";
import { parseJson } from "../../model/files/parse_json.ts";

/** Endings of the files that can be read. */
export const DATA_ENDINGS: readonly string[] = [".jsonl", ".json", ".csv", ".parquet"];

/**
 * All rows of a data file, whose form its ending tells: `.jsonl` (an object a line), `.json` (an array of objects), `.csv` or
 * `.parquet`. Numbers that JavaScript's cannot hold become strings of all their digits; its dates become strings. Cells of a
 * CSV are strings, with line breaks as they stand in the file (CRLF stays CRLF).
 *
 * @param path of the file
 * @param options `columns`: the names of the columns of a CSV without a header; else its first line names them
 * @throws UserError if the file is missing, of another kind or damaged, with the line where there is one
 */
export async function readRows(path: string, options: { columns?: readonly string[] } = {}): Promise<Row[]> {
  const ending = DATA_ENDINGS.find((ending) => path.toLowerCase().endsWith(ending));
  if (ending === undefined) {
    throw new UserError(`Cannot read ${path}: a file that ends with ${DATA_ENDINGS.join(", ")} is needed`);
  }
  if (ending === ".parquet") return await readParquet(path);
  const bytes = readBytes(path);
  if (ending === ".jsonl") return jsonLines(bytes, path);
  const text = decode(bytes, path);
  return ending === ".json" ? jsonArray(text, path) : csvRows(text, path, options.columns);
}

/** Longer arrays of bytes are none that V8 makes. */
const MOST_BYTES = 2 ** 32;

function readBytes(path: string): Uint8Array {
  try {
    return readPlain(path, MOST_BYTES);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** What a file of rows may nest. */
const DATA = { deepest: 64, containers: 2 ** 24, keepsDigits: true };

/** Strings of V8 end at about 2^29 characters. */
const MOST_TEXT = 500_000_000;

function decode(bytes: Uint8Array, path: string): string {
  if (bytes.length > MOST_TEXT) {
    throw new UserError(
      `Cannot read ${path}: it has ${bytes.length} bytes, at most ${MOST_TEXT} are needed for this kind of file`,
      "turn it into .jsonl or .parquet",
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`Cannot read ${path}: line ${badLine(bytes)} is not UTF-8, which is needed`);
  }
}

/** The first line, from 1, with bytes that are not UTF-8. */
function badLine(bytes: Uint8Array): number {
  let line = 1;
  for (let from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, from);
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(from, end < 0 ? undefined : end));
    } catch {
      break;
    }
    if (end < 0) break;
    from = end + 1;
  }
  return line;
}

// By bytes and line by line: such files may be longer than a string can be.
function jsonLines(bytes: Uint8Array, path: string): Row[] {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const rows: Row[] = [];
  for (let from = 0, line = 1; from < bytes.length; line++) {
    const found = bytes.indexOf(0x0a, from);
    const end = found < 0 ? bytes.length : found;
    const fault = (why: string, hint?: string) =>
      new UserError(`Cannot read ${path}: line ${line} ${why}`, hint);
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(from, end)).trim();
    } catch {
      throw fault("is not UTF-8, which is needed");
    }
    from = end + 1;
    if (text === "") continue;
    let value: unknown;
    try {
      value = parseJson(text, DATA);
    } catch {
      const strange = notInJson(text);
      if (strange !== undefined) throw fault(`has ${strange}`, NULL_INSTEAD);
      const hint = line === 1 && /^[[{]/.test(text) ? ARRAY_INSTEAD : undefined;
      throw fault(`is no JSON (${beginning(text)}), one whole object a line is needed`, hint);
    }
    if (!isRow(value)) {
      const hint = Array.isArray(value) ? ARRAY_INSTEAD : undefined;
      throw fault(`is no object (${beginning(text)}), one object a line is needed`, hint);
    }
    rows.push(value);
  }
  return rows;
}

function jsonArray(text: string, path: string): Row[] {
  let value: unknown;
  try {
    value = parseJson(text, DATA);
  } catch (error) {
    if (isLines(text)) {
      throw new UserError(
        `Cannot read ${path}: it holds JSON lines, an object a line; a .json file holds one array of objects`,
        "call it .jsonl",
      );
    }
    const strange = notInJson(text);
    if (strange !== undefined) throw new UserError(`Cannot read ${path}: it has ${strange}`, NULL_INSTEAD);
    const position = Number(/position (\d+)/.exec((error as Error).message)?.[1] ?? text.length);
    const line = text.slice(0, position).split("\n").length;
    throw new UserError(`Cannot read ${path}: its JSON breaks in line ${line}, a whole array is needed`);
  }
  if (!Array.isArray(value)) {
    throw new UserError(
      `Cannot read ${path}: it holds no array, an array of objects is needed`,
      isRow(value) ? "a file of one object a line is to be called .jsonl" : undefined,
    );
  }
  const bad = value.findIndex((row) => !isRow(row));
  if (bad >= 0) {
    throw new UserError(
      `Cannot read ${path}: element ${bad + 1} is no object, an array of objects is needed`,
    );
  }
  return value;
}

const ARRAY_INSTEAD = "a file that is one array of objects is to be called .json";
const NULL_INSTEAD =
  "write null or a text in its place (Python's json.dumps refuses it with allow_nan=False)";

/** Whether the first two lines are objects, each whole. */
function isLines(text: string): boolean {
  const [first, second] = text.split("\n", 1000).filter((line) => line.trim() !== "");
  return [first, second].every((line) => {
    try {
      return line !== undefined && isRow(parseJson(line, DATA));
    } catch {
      return false;
    }
  });
}

/** What Python's json module writes of numbers, and JSON does not know, as messages say it. */
function notInJson(text: string): string | undefined {
  // Texts are passed over.
  const found = /"(?:[^"\\]|\\.)*(?:"|$)|(?<![\w.])-?(?:NaN|Infinity|nan|inf|None|True|False)(?!\w)/gs;
  for (const { 0: word, index } of text.matchAll(found)) {
    if (word.startsWith('"')) continue;
    const lines = text.slice(0, index).split("\n").length;
    return `${word}${lines > 1 ? ` in line ${lines}` : ""}, which JSON does not know`;
  }
}

/** More than any table of questions has. */
const MOST_COLUMNS = 10_000;

function csvRows(text: string, path: string, columns?: readonly string[]): Row[] {
  const lines = parseCsv(text, path);
  const names = columns ?? lines.shift()?.cells ?? [];
  if (names.length > MOST_COLUMNS) {
    throw new UserError(
      `Cannot read ${path}: it has ${names.length} columns, at most ${MOST_COLUMNS} are possible`,
    );
  }
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) {
    throw new UserError(`Cannot read ${path}: two columns are called ${JSON.stringify(twice)}`);
  }
  return lines.map(({ line, cells }) => {
    if (cells.length !== names.length) {
      throw new UserError(
        `Cannot read ${path}: line ${line} has ${cells.length} cells, ${names.length} are needed (${
          names.slice(0, 20).join(", ")
        })`,
      );
    }
    return Object.fromEntries(names.map((name, i) => [name, cells[i]]));
  });
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const beginning = (text: string) => JSON.stringify(text.length > 40 ? text.slice(0, 40) + "..." : text);
