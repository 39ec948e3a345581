import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { UserError } from "../../gpu/errors.ts";
import { boundedCompressors, checkSizes } from "./parquet_limits.ts";
import type { Row, RowValue } from "./row.ts";
import { openPlain, refuseLfsPointer } from "../../model/files/plain_file.ts";

/**
 * All rows of a parquet file.
 *
 * @throws UserError if it is missing or damaged
 */
export async function readParquet(path: string): Promise<Row[]> {
  let file: Deno.FsFile;
  try {
    file = openPlain(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  using _ = file;
  try {
    refuseLfsPointer(file);
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    const buffer = bufferOf(file);
    const metadata = await parquetMetadataAsync(buffer);
    const source = { file: buffer, compressors: boundedCompressors, metadata };
    await checkSizes(buffer, metadata);
    // Whatever could fail at once, or twice, is tried first: it would leave the failure of another column unheard.
    checkColumns(source.metadata);
    await parquetRead(source);
    const rows = await parquetReadObjects(source);
    const budget = { characters: MOST_CHARACTERS + 100 * buffer.byteLength };
    return rows.map((row) => plain(row, budget) as Row);
  } catch (error) {
    throw new UserError(`Cannot read ${path}: as a parquet file it is damaged (${(error as Error).message})`);
  }
}

/** Throws if a column is not in the schema. */
function checkColumns(metadata: FileMetaData): void {
  const schema = parquetSchema(metadata);
  for (const column of metadata.row_groups.flatMap(({ columns }) => columns)) {
    let place: typeof schema | undefined = schema;
    for (const part of column.meta_data?.path_in_schema ?? []) {
      place = place?.children.find(({ element }) => element.name === part);
    }
    if (!place) throw new Error(`no column ${column.meta_data?.path_in_schema.join(".")} is in its schema`);
  }
}

/** Ranges beyond the end give less, as those of any buffer do: what is decoded from them then fails where it is awaited. */
function bufferOf(file: Deno.FsFile): AsyncBuffer {
  const byteLength = file.statSync().size;
  const within = (at: number) => Math.min(byteLength, Math.max(0, at < 0 ? byteLength + at : at)) || 0;
  const slice = (start: number, end = byteLength): ArrayBuffer => {
    const [from, to] = [within(start), within(end)];
    const bytes = new Uint8Array(Math.max(0, to - from));
    file.seekSync(from, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) {
      const got = file.readSync(bytes.subarray(at));
      if (got === null) break;
      at += got;
    }
    return bytes.buffer;
  };
  return { byteLength, slice };
}

/** Of all cells together, beyond a hundred for each byte of the file: a dictionary's text may be that of many. */
const MOST_CHARACTERS = 64 * 2 ** 20;

function plain(value: unknown, budget: { characters: number }): RowValue {
  const inner = (one: unknown) => plain(one, budget);
  if (typeof value === "string" && (budget.characters -= value.length) < 0) {
    throw new Error("its texts come to far more than the file");
  }
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(inner);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>, inner);
  if (typeof value !== "object") return value as RowValue;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, inner(one)]));
}

/** What to say of a file that cannot be opened or read. */
export function unreadable(path: string, error: unknown): UserError {
  const why = error instanceof Deno.errors.NotFound ? "there is no such file" : (error as Error).message;
  return new UserError(`Cannot read ${path}: ${why}`);
}
