import { UserError } from "../../gpu/errors.ts";
import type { Hub } from "./hub.ts";
import type { RepoKind } from "./repo_id.ts";

/** A fault that may pass: a connection that broke, a server that is busy. */
export class TransientError extends Error {
  /** What went wrong, and how long the server asks to wait. */
  constructor(message: string, readonly waitSeconds?: number) {
    super(message);
  }
}

/** What a request is about, for messages. */
export interface About {
  kind: RepoKind;
  id: string;
  revision: string;
  path?: string;
  /** What it is for; to pull if not given. */
  does?: "push";
}

/** What a connection's end means: the user's wish, or a fault that may pass. */
export function broken(hub: Hub, error: unknown): unknown {
  hub.signal?.throwIfAborted();
  if (error instanceof UserError || error instanceof TransientError) return error;
  return new TransientError(`the connection broke (${causesOf(error)})`);
}

/** What says no more than that a request was made: the endpoint is named anyhow. */
const GENERAL = /^fetch failed(: |$)|^error sending request for url \([^)]*\)(: |$)/i;

/** The messages of an error and of what caused it, the general ones left out where there are others. */
function causesOf(error: unknown): string {
  const messages: string[] = [];
  for (let at = error; at instanceof Error && messages.length < 5; at = at.cause) messages.push(at.message);
  const plain = messages.map((message) => message.replace(GENERAL, "")).filter((message) => message !== "");
  return [...new Set(plain.length > 0 ? plain : messages)].join(": ").slice(0, 160);
}

/** A server that does not behave like a hub. */
export function strange(hub: Hub, what: string): UserError {
  return new UserError(
    `Cannot use the hub at ${hub.endpoint}: it ${what}`,
    "check HF_ENDPOINT, and whether a proxy answers in the hub's place",
  );
}

export function refusal(hub: Hub, response: Response, about: About): Error {
  const { kind, id, revision, path, does = "pull" } = about;
  const { status, headers } = response;
  const code = headers.get("x-error-code");
  const page = `${hub.endpoint}/${kind === "dataset" ? "datasets/" : ""}${id}`;
  const what = path === undefined ? `the ${kind} ${id}` : `${path} of the ${kind} ${id}`;
  if (status === 429 || status === 408 || status >= 500) {
    const busy = status === 429 ? "it has had too many requests" : "it has trouble of its own";
    return new TransientError(`the server answered ${status}, ${busy}`, waitAsked(headers));
  }
  if (does === "push" && [401, 403].includes(status)) {
    return new UserError(
      `Cannot push ${what}: the hub answered ${status}, this token may not write there`,
      `set HF_TOKEN to a token with the right to write of an account that may write to ${id.split("/")[0]}`,
    );
  }
  if (code === "GatedRepo" || status === 403) {
    return new UserError(
      `Cannot pull ${what}: its owners have not given this ${
        hub.token ? "token" : "(absent) token"
      } access (${status})`,
      `accept the conditions at ${page}, then set HF_TOKEN to a token of that account that may read it`,
    );
  }
  if (status === 401) {
    return new UserError(
      `Cannot pull ${what}: the hub answered 401, it is private, or there is none of that name`,
      hub.token
        ? "check the name; the token that was sent (HF_TOKEN, or the file that `hf auth login` writes) may be old"
        : "check the name; if it is private, set HF_TOKEN to a token that may read it",
    );
  }
  if (status !== 404) return strange(hub, `answered ${status} when asked for ${what}`);
  if (code === "RevisionNotFound") {
    return new UserError(
      `Cannot ${does} ${what}: it has no branch, tag or commit ${revision}`,
      `${page}/tree/main lists its branches and tags`,
    );
  }
  return new UserError(`Cannot ${does} ${what}: ${hub.endpoint} has none (404)`, "check the name");
}

/** Seconds, from Retry-After (a number or a date) or the hub's own `ratelimit: "api";r=0;t=55`. */
function waitAsked(headers: Headers): number | undefined {
  const limit = headers.get("ratelimit")?.match(/r\s*=\s*0\s*;\s*t\s*=\s*(\d+)/)?.[1];
  const after = limit ?? headers.get("retry-after");
  if (after === null || after === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(after)) return Number(after);
  const seconds = (Date.parse(after) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}
