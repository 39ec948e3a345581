import { UserError } from "../../gpu/errors.ts";
import { othersMayRead } from "../files/others_may_read.ts";
import { readPlainText } from "../files/plain_file.ts";
import { isOn, TOKEN_VARIABLES, tokenPath, variable } from "./hub_environment.ts";

/** How the hub is reached. */
export interface Hub {
  /** HF_ENDPOINT, without a slash at its end. */
  endpoint: string;
  /** Sent to the endpoint's own origin (scheme, host and port) alone. */
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
  return isOn(variable("HF_HUB_OFFLINE") === undefined ? "TRANSFORMERS_OFFLINE" : "HF_HUB_OFFLINE");
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
  const refuse = (shown: string, what: string) =>
    new UserError(
      `Cannot use the hub at ${shown}: HF_ENDPOINT names it, ${what}`,
      "unset HF_ENDPOINT to use the usual hub",
    );
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    throw refuse(address, "an address such as https://huggingface.co is needed");
  }
  const { origin, pathname, username, password } = new URL(address);
  if (username === "" && password === "") return address.replace(/\/+$/, "");
  throw refuse(
    origin + pathname,
    "an address without a name or a password in it is needed; HF_TOKEN is the place of a token",
  );
}

/**
 * The token, which goes into a header as it is.
 *
 * @throws UserError, which does not show it, if it is none, or lies in a file that others may read
 */
function findToken(): string | undefined {
  for (const name of TOKEN_VARIABLES) {
    const set = variable(name);
    if (set !== undefined) return checkedToken(set, name);
  }
  const path = tokenPath();
  let text: string;
  try {
    text = readPlainText(path, MOST_TOKEN_BYTES).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw new UserError(
      `Cannot read the token in ${path}: ${(error as Error).message}`,
      "mend the file, or remove it to go on without a token",
    );
  }
  if (text === "") return undefined;
  if (othersMayRead(path)) {
    throw new UserError(
      `Cannot use the token in ${path}: others on this machine may read the file, it has to be its owner's alone`,
      `chmod 600 ${path}; if others may have read it, make a new token`,
    );
  }
  return checkedToken(text, path);
}

const MOST_TOKEN_BYTES = 4096;

function checkedToken(token: string, where: string): string {
  if (/^[\x21-\x7e]{1,4096}$/.test(token)) return token;
  throw new UserError(
    `Cannot use the token in ${where}: it holds a blank, a line end or another character that no token has`,
    "copy it again from the hub's page of tokens",
  );
}
