import { UserError } from "../../gpu/errors.ts";
import { expanded, hubHome, type RepoKind, variable } from "./hub_cache.ts";

/** How the hub is reached. */
export interface Hub {
  /** HF_ENDPOINT, without a slash at its end. */
  endpoint: string;
  /** Sent to the endpoint's own host alone. */
  token?: string;
  /** Aborts what is under way. */
  signal?: AbortSignal;
  /** Milliseconds before the first new attempt; they double with each. */
  retryDelay: number;
  /** Milliseconds without a byte after which a connection counts as broken. */
  patience: number;
  /** Told while something is waited for. */
  notice(text: string): void;
}

/** Times that something is tried again before it counts as failed. */
const MOST_ATTEMPTS = 5;
/** Seconds that a server may ask to wait before that, too, counts as failed. */
const MOST_SECONDS = 600;

/** A fault that may pass: a connection that broke, a server that is busy. */
export class TransientError extends Error {
  /** What went wrong, and how long the server asks to wait. */
  constructor(message: string, readonly waitSeconds?: number) {
    super(message);
  }
}

/** Whether HF_HUB_OFFLINE says that nothing is to be fetched. */
export function isOffline(): boolean {
  const value = variable("HF_HUB_OFFLINE") ?? variable("TRANSFORMERS_OFFLINE");
  return value !== undefined && ["1", "ON", "YES", "TRUE"].includes(value.toUpperCase());
}

/**
 * The hub as the environment describes it: HF_ENDPOINT, HF_TOKEN or the token's file.
 *
 * @throws UserError if HF_ENDPOINT is no address
 */
export function openHub(options: Partial<Hub> = {}): Hub {
  return {
    endpoint: endpointOf(variable("HF_ENDPOINT") ?? "https://huggingface.co"),
    token: findToken(),
    retryDelay: 1000,
    patience: 60_000,
    notice: () => {},
    ...options,
  };
}

function endpointOf(address: string): string {
  if (/^https?:\/\//.test(address) && URL.canParse(address)) return address.replace(/\/+$/, "");
  throw new UserError(
    `Cannot use the hub at ${address}: HF_ENDPOINT names it, an address such as https://huggingface.co is needed`,
    "unset HF_ENDPOINT to use the usual hub",
  );
}

function findToken(): string | undefined {
  const set = variable("HF_TOKEN") ?? variable("HUGGING_FACE_HUB_TOKEN");
  if (set !== undefined) return set;
  try {
    const path = expanded(variable("HF_TOKEN_PATH") ?? `${hubHome()}/token`);
    return Deno.readTextFileSync(path).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** What a request is about, for messages. */
export interface About {
  kind: RepoKind;
  id: string;
  revision: string;
  path?: string;
}

/** A request in the making; `alive` is told of each sign of life, for without one it is aborted. */
export interface RequestClock extends Disposable {
  signal: AbortSignal;
  alive(): void;
}

/** Starts the clock of a request. */
export function startRequest(hub: Hub): RequestClock {
  const controller = new AbortController();
  const give = () => controller.abort(new TransientError(`nothing came for ${hub.patience / 1000} s`));
  let timer = setTimeout(give, hub.patience);
  const stop = () => controller.abort(hub.signal!.reason);
  if (hub.signal?.aborted) stop();
  hub.signal?.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    alive: () => {
      clearTimeout(timer);
      timer = setTimeout(give, hub.patience);
    },
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      hub.signal?.removeEventListener("abort", stop);
      // Lets go of a connection whose body was not read to its end.
      controller.abort();
    },
  };
}

/**
 * Sends a request and follows where it is sent on; the token goes to the endpoint's host alone, for a link to a
 * content network carries its own rights, and the token is nobody else's business.
 *
 * @returns a response of status 200, 206 or 416
 * @throws TransientError if trying again may help, UserError if it will not
 */
export async function follow(
  hub: Hub,
  url: string,
  about: About,
  headers: Record<string, string>,
  signal: AbortSignal,
  onHop: (response: Response) => void = () => {},
): Promise<Response> {
  for (let hops = 0; hops < 10; hops++) {
    const own = new URL(url).host === new URL(hub.endpoint).host;
    const identity = { "user-agent": "softcot", "accept-encoding": "identity", ...headers };
    const rights: Record<string, string> = own && hub.token ? { authorization: `Bearer ${hub.token}` } : {};
    let response: Response;
    try {
      response = await fetch(url, { headers: { ...identity, ...rights }, redirect: "manual", signal });
    } catch (error) {
      throw broken(hub, error);
    }
    if ([200, 206, 416].includes(response.status)) {
      onHop(response);
      return response;
    }
    await response.body?.cancel().catch(() => {});
    if (response.status < 300 || response.status >= 400) throw refusal(hub, response, about);
    onHop(response);
    const location = response.headers.get("location");
    if (!location || !/^https?:/.test(new URL(location, url).href)) {
      throw strange(hub, "sends us on to nowhere");
    }
    url = new URL(location, url).href;
  }
  throw strange(hub, "sends us on more than ten times");
}

/**
 * Tries again what failed for a passing reason, longer and longer after each time.
 *
 * @param hasMoved whether something came since it was last asked
 * @param keeps whether anything that came lies in the cache, for the hint
 */
export async function persist<T>(
  hub: Hub,
  what: string,
  attempt: (isFirst: boolean) => Promise<T>,
  hasMoved: () => boolean = () => false,
  keeps: () => boolean = () => false,
): Promise<T> {
  for (let failures = 0, first = true;; first = false) {
    try {
      return await attempt(first);
    } catch (error) {
      hub.signal?.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      failures = hasMoved() ? 1 : failures + 1;
      const seconds = error.waitSeconds ?? hub.retryDelay * 2 ** (failures - 1) / 1000;
      if (failures >= MOST_ATTEMPTS || seconds > MOST_SECONDS) {
        const how = failures >= MOST_ATTEMPTS
          ? `${failures} attempts in a row failed`
          : `it asks to wait ${seconds} s`;
        throw new UserError(
          `Cannot ${what} from ${hub.endpoint}: ${error.message} (${how})`,
          keeps()
            ? "what has come is kept: the same command goes on from there"
            : "check the network, and HF_ENDPOINT and the proxy where they are set; then try again",
        );
      }
      hub.notice(`${error.message}; trying again in ${seconds < 10 ? seconds.toPrecision(2) : seconds} s`);
      await pause(seconds * 1000, hub.signal);
    }
  }
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
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

function refusal(hub: Hub, response: Response, { kind, id, revision, path }: About): Error {
  const { status, headers } = response;
  const code = headers.get("x-error-code");
  const page = `${hub.endpoint}/${kind === "dataset" ? "datasets/" : ""}${id}`;
  const what = path === undefined ? `the ${kind} ${id}` : `${path} of the ${kind} ${id}`;
  if (status === 429 || status === 408 || status >= 500) {
    const busy = status === 429 ? "it has had too many requests" : "it has trouble of its own";
    return new TransientError(`the server answered ${status}, ${busy}`, waitAsked(headers));
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
      `Cannot pull ${what}: it has no branch, tag or commit ${revision}`,
      `${page}/tree/main lists its branches and tags`,
    );
  }
  return new UserError(`Cannot pull ${what}: ${hub.endpoint} has none (404)`, "check the name");
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
