import type { ErrorLog } from "./error_log.ts";

/**
 * The bytes of a part of a buffer, which is then mapped: of one that was made mapped, and unmapped once, since `getMappedRange` must not be
 * called while a buffer's very first mapAsync is pending. mapAsync sleeps 10 ms in Deno before its promise resolves, though the bytes are
 * there at once; `getMappedRange` is tried first.
 * @param mode always the same for a buffer
 */
export async function mappedRange(
  buffer: GPUBuffer,
  mode: GPUMapModeFlags,
  { at, bytes }: { at: number; bytes: number },
  errors: ErrorLog,
): Promise<ArrayBuffer> {
  const mapped = buffer.mapAsync(mode, at, bytes);
  mapped.catch(() => {});
  try {
    return buffer.getMappedRange(at, bytes);
  } catch {
    await mapped.catch(async (error) => {
      throw await errors.explain(error);
    });
    return buffer.getMappedRange(at, bytes);
  }
}
