import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { UserError } from "../../gpu/errors.ts";
import type { Row, RowValue } from "./row.ts";
import { openPlain } from "../../model/files/plain_file.ts";

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
    const buffer = bufferOf(file);
    const source = { file: buffer, compressors, metadata: await parquetMetadataAsync(buffer) };
    // Whatever could fail at once, or twice, is tried first: it would leave the failure of another column unheard.
    checkColumns(source.metadata);
    await parquetRead(source);
    const rows = await parquetReadObjects(source);
    return rows.map((row) => plain(row) as Row);
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

function plain(value: unknown): RowValue {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>, plain);
  if (typeof value !== "object") return value as RowValue;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

/** What to say of a file that cannot be opened or read. */
export function unreadable(path: string, error: unknown): UserError {
  const why = error instanceof Deno.errors.NotFound ? "there is no such file" : (error as Error).message;
  return new UserError(`Cannot read ${path}: ${why}`);
}
