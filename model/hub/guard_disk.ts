import { UserError } from "../../gpu/errors.ts";

/** The disk, or who may write there, is at fault. */
export class DiskError extends UserError {}

/** Says what a full disk, or a folder that may not be written to, means here. */
export function guardDisk<T>(path: string, action: () => T): T {
  const explain = (error: unknown) => {
    const { code, message } = error as Error & { code?: string };
    if (code === "ENOSPC" || code === "EDQUOT") {
      return new DiskError(
        `Cannot go on pulling: the disk of ${path} is full`,
        "free some space, or set HF_HUB_CACHE to a folder on another disk; what has come is kept",
      );
    }
    if (code === undefined || !/^E[A-Z]+$/.test(code) || error instanceof UserError) return error;
    return new DiskError(
      `Cannot write ${path}: ${message}`,
      "HF_HUB_CACHE names another folder for the cache",
    );
  };
  try {
    const result = action();
    if (!(result instanceof Promise)) return result;
    return result.catch((error) => {
      throw explain(error);
    }) as T;
  } catch (error) {
    throw explain(error);
  }
}
