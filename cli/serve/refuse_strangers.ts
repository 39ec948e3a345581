import { ApiError } from "./api_error.ts";
import type { KeyCheck } from "./api_key.ts";

/** Who is answered. */
export interface Acquaintances {
  isKey: KeyCheck;
  /** Names by which the server may be asked for: of a server on loopback, lest a page of another site asks it. Undefined: any. */
  hosts?: readonly string[];
}

/** What is answered without a key: nothing of it says anything of the model. */
export const OPEN: readonly string[] = ["/", "/health"];

/**
 * Refuses a request that is for another host, from a page of another site, or without the key.
 *
 * @param path what is asked for; empty where the host that the request names is none
 * @throws ApiError 400, 403, 401
 */
export function refuseStrangers({ isKey, hosts }: Acquaintances, { headers }: Request, path: string): void {
  const host = headers.get("host") ?? "";
  const origin = headers.get("origin");
  if (path === "") {
    throw new ApiError(400, `Cannot read the host ${JSON.stringify(host)}: a name is needed`);
  }
  if (hosts && !hosts.includes(host.replace(/:\d+$/, "").toLowerCase())) {
    throw new ApiError(
      403,
      `Cannot answer for the host ${JSON.stringify(host)}: this is a server of this machine alone`,
    );
  }
  if (origin !== null && URL.parse(origin)?.host !== host) {
    throw new ApiError(403, "Cannot answer a page of another site");
  }
  if (OPEN.includes(path) || isKey(headers.get("authorization"))) return;
  throw new ApiError(
    401,
    "Cannot answer without the server's key: send it as a bearer token",
    null,
    "invalid_api_key",
    { "www-authenticate": "Bearer" },
  );
}
