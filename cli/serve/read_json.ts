import { joinedBytes } from "../../gpu/joined_bytes.ts";
import { ApiError } from "./api_error.ts";

/**
 * The JSON of a request's body.
 *
 * @param most bytes
 * @param seconds in which it has to come
 * @param signal ends the wait for it, too
 * @throws ApiError 413 if it is larger, 408 if it does not come, 400 if it is none
 */
export async function readJson(
  request: Request,
  most: number,
  seconds: number,
  signal: AbortSignal,
): Promise<unknown> {
  const tooLarge = () => new ApiError(413, `Cannot take the request: its body has more than ${most} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > most) throw tooLarge();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = request.body?.getReader();
  const stop = () => void reader?.cancel().catch(() => {});
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    stop();
  }, seconds * 1000);
  signal.addEventListener("abort", stop);
  try {
    for (;;) {
      const { done, value } = await reader?.read() ?? { done: true, value: undefined };
      if (done) break;
      bytes += value.length;
      if (bytes > most) {
        stop();
        throw tooLarge();
      }
      parts.push(value);
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(400, "Cannot read the request: its body was cut");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
  if (isLate || signal.aborted) {
    throw new ApiError(408, "Cannot read the request: its body did not come in time");
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(joinedBytes(parts)));
  } catch {
    throw new ApiError(400, "Cannot read the request: its body is no JSON in UTF-8");
  }
}
