import { UserError } from "../../gpu/errors.ts";
import { expanded, hubHome, variable } from "./hub_environment.ts";

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
