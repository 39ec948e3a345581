/**
 * Parquet files that say of themselves whatever a test wants: Thrift's compact form, by hand.
 *
 * @module
 */

/** A value as Thrift has it: 32 bits, 64 bits (bigint), a text, a list, a structure. */
type Value = number | bigint | string | readonly Value[] | Struct;
/** Values by the numbers of their fields, in order. */
type Struct = { readonly [field: number]: Value };

/** What a file says; only the page's bytes are there. */
export interface Said {
  rows: number;
  /** Of the page. */
  values: number;
  /** Bytes of the page when it is decompressed. */
  whole: number;
  /** 0 none, 1 snappy, 2 gzip, 4 brotli, 6 zstd. */
  codec: number;
  /** Columns that share the page. */
  columns?: number;
}

/** A file whose columns of 32-bit numbers share one page of these bytes. */
export function parquetBytes(page: Uint8Array, said: Said): Uint8Array<ArrayBuffer> {
  const { rows, values, whole, codec, columns = 1 } = said;
  const header = struct({ 1: 0, 2: whole, 3: page.length, 5: { 1: values, 2: 0, 3: 3, 4: 3 } });
  const size = BigInt(header.length + page.length);
  const names = Array.from({ length: columns }, (_, i) => `c${i}`);
  const facts = { 5: BigInt(values), 6: BigInt(whole), 7: size, 9: 4n };
  const chunks = names.map((name) => ({ 2: 4n, 3: { 1: 1, 2: [0], 3: [name], 4: codec, ...facts } }));
  const footer = struct({
    1: 1,
    2: [{ 4: "root", 5: columns }, ...names.map((name) => ({ 1: 1, 3: 0, 4: name }))],
    3: BigInt(rows),
    4: [{ 1: chunks, 2: BigInt(whole), 3: BigInt(rows) }],
  });
  const length = new Uint8Array(Uint32Array.of(footer.length).buffer);
  const mark = new TextEncoder().encode("PAR1");
  return new Uint8Array([...mark, ...header, ...page, ...footer, ...length, ...mark]);
}

function struct(fields: Struct): number[] {
  let last = 0;
  const bytes = Object.entries(fields).flatMap(([key, value]) => {
    const field = Number(key);
    const head = (field - last) << 4 | typeOf(value);
    last = field;
    return [head, ...bytesOf(value)];
  });
  return [...bytes, 0];
}

function typeOf(value: Value): number {
  if (typeof value === "number") return 5;
  if (typeof value === "bigint") return 6;
  if (typeof value === "string") return 8;
  return Array.isArray(value) ? 9 : 12;
}

function bytesOf(value: Value): number[] {
  if (typeof value === "number" || typeof value === "bigint") return varint(BigInt(value) * 2n);
  if (typeof value === "string") return [...varint(BigInt(value.length)), ...new TextEncoder().encode(value)];
  if (!Array.isArray(value)) return struct(value as Struct);
  const head = value.length < 15
    ? [value.length << 4 | typeOf(value[0])]
    : [0xf0 | typeOf(value[0]), ...varint(BigInt(value.length))];
  return [...head, ...value.flatMap(bytesOf)];
}

function varint(value: bigint): number[] {
  const low = Number(value & 127n);
  return value < 128n ? [low] : [low | 128, ...varint(value >> 7n)];
}
