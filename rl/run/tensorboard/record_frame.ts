/**
 * Records of an events file (TFRecord): length u64, its check, the bytes, their check; all of it little-endian. A check is the bytes'
 * CRC-32C, turned by 15 bits and moved, so that a check of checks is none.
 *
 * @module
 */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0x82F63B78 : crc >>> 1;
  return crc;
});

/** CRC-32C (Castagnoli), turned and moved as TensorFlow does. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xFFFFFFFF;
  for (const byte of bytes) crc = crc >>> 8 ^ TABLE[(crc ^ byte) & 0xFF];
  crc = ~crc >>> 0;
  return (crc >>> 15 | crc << 17) + 0xA282EAD8 >>> 0;
}

/** A record that holds these bytes. */
export function frameRecord(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return record;
}

/** A whole record's bytes and where it lies in its file. */
interface FramedRecord {
  start: number;
  /** Frame counted. */
  bytes: number;
  data: Uint8Array;
}

// Ours are of kilobytes: a length beyond this is no length.
const MOST = 1 << 28;

/** The records of a file up to the first that is not whole. */
export function* recordsOf(file: Deno.FsFile): Generator<FramedRecord> {
  const read = (count: number): Uint8Array<ArrayBuffer> | undefined => {
    const bytes = new Uint8Array(count);
    let at = 0;
    for (let more = 1; at < count && more; at += more) more = file.readSync(bytes.subarray(at)) ?? 0;
    return at === count ? bytes : undefined;
  };
  for (let start = 0;;) {
    const head = read(12);
    if (!head) return;
    const view = new DataView(head.buffer);
    const length = Number(view.getBigUint64(0, true));
    if (view.getUint32(8, true) !== maskedCrc(head.subarray(0, 8)) || length > MOST) return;
    const rest = read(length + 4);
    if (!rest) return;
    const data = rest.subarray(0, length);
    if (new DataView(rest.buffer).getUint32(length, true) !== maskedCrc(data)) return;
    yield { start, bytes: length + 16, data };
    start += length + 16;
  }
}
