import { brotliDecompressSync, zstdDecompressSync } from "node:zlib";
import type { AsyncBuffer, Compressors, FileMetaData } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { compressors } from "hyparquet-compressors";

/** Bytes that a file's pages come to, beyond what a hundred times its own would be; cells, likewise. */
const FREE_BYTES = 64 * 2 ** 20;
const FREE_CELLS = 2 ** 21;
const MOST_COLUMNS = 10_000;

/**
 * Holds what a parquet file says of itself against its size, before anything is decoded: columns may share their bytes, and a few
 * bytes may stand for any number of pages' bytes, rows or cells.
 *
 * @throws Error that says what is too much
 */
export async function checkSizes(file: AsyncBuffer, metadata: FileMetaData): Promise<void> {
  const { byteLength } = file;
  const columns = metadata.row_groups.reduce((sum, group) => sum + group.columns.length, 0);
  const rows = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  const each = Math.max(1, metadata.schema.length - 1);
  const mostCells = FREE_CELLS + 64 * byteLength;
  if (each > MOST_COLUMNS || columns * 8 > byteLength) {
    throw new Error(`it is said to have ${columns} columns in ${byteLength} bytes`);
  }
  if (!(rows >= 0 && rows * each <= mostCells)) {
    throw new Error(`it is said to have ${rows} rows of ${each} columns in ${byteLength} bytes`);
  }
  const budget = { bytes: FREE_BYTES + 100 * byteLength, cells: mostCells };
  for (const column of metadata.row_groups.flatMap((group) => group.columns)) {
    const { meta_data: facts } = column;
    if (!facts) continue;
    const start = Number(facts.dictionary_page_offset ?? facts.data_page_offset);
    const bytes = await file.slice(start, start + Number(facts.total_compressed_size));
    checkPages(bytes, budget);
  }
}

/** Takes what the pages of a column are said to come to from what is left. */
function checkPages(bytes: ArrayBuffer, budget: { bytes: number; cells: number }): void {
  const reader = { view: new DataView(bytes), offset: 0 };
  while (reader.offset < bytes.byteLength - 1) {
    const page = parquetHeader(reader);
    const { compressed_page_size: size, uncompressed_page_size: whole } = page;
    const of = page.data_page_header ?? page.data_page_header_v2 ?? page.dictionary_page_header;
    if (!(size >= 0 && whole >= 0 && (of?.num_values ?? 0) >= 0)) {
      throw new Error("a page is said to have less than nothing");
    }
    budget.bytes -= whole;
    budget.cells -= of?.num_values ?? 0;
    if (budget.bytes < 0 || budget.cells < 0) {
      throw new Error("its pages are said to come to far more than the file");
    }
    reader.offset += size;
  }
}

/** As many bytes as a page is said to have, and no more: these two would go on beyond. */
export const boundedCompressors: Compressors = {
  ...compressors,
  ZSTD: (input, length) =>
    new Uint8Array(zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) })),
  BROTLI: (input, length) =>
    new Uint8Array(brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) })),
};
