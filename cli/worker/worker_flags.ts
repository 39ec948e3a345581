import { UserError } from "../../gpu/errors.ts";
import type { NatsPlace } from "../../rl/workers/connect_nats.ts";
import { openPool } from "../../rl/workers/open_pool.ts";
import type { WorkerPool } from "../../rl/workers/worker_pool.ts";
import { OWN_VERSION } from "../facts/own_version.ts";
import { dashed } from "../settings/dashed.ts";
import { shellWord } from "../settings/shell_word.ts";
import { shown } from "../settings/shown.ts";
import { flag, path, text, type Values } from "../settings/setting.ts";
import { serveAddress } from "./serve_address.ts";

const group = "Workers";

/** How a NATS server lets a client in. */
export const natsFlags = {
  creds: path("Credentials for the NATS server, a file as nsc makes it", { group }),
  tlsCa: path("Certificate of who signed the NATS server's, in PEM", { group }),
  tlsCert: path("Own certificate for the NATS server, in PEM", { group }),
  tlsKey: path("Key of the own certificate", { group }),
};

/** How rollouts are given to workers. */
export const workersFlags = {
  workers: text(
    "NATS server whose workers (softcot worker) make rollouts beside this device; env: that of NATS_URL",
    {
      placeholder: "url",
      group,
    },
  ),
  workersOnly: flag("With --workers: this device makes no rollouts itself", { group }),
  serveWeights: text(
    "Address of this machine, or name of its network interface, where workers fetch the weights: HOST, or HOST:PORT where the port matters",
    {
      default: "127.0.0.1",
      placeholder: "address",
      group,
    },
  ),
  ...natsFlags,
};

/** What is told of workers. */
export type WorkersValues = Values<typeof workersFlags>;

/** The server of the environment's NATS_URL. */
const FROM_ENVIRONMENT = "env";

/**
 * The server that a flag or argument names.
 * @throws UserError if the environment is to name it and does not
 */
function natsPlace(
  url: string,
  { creds, tlsCa, tlsCert, tlsKey }: Values<typeof natsFlags>,
): NatsPlace {
  const named = url === FROM_ENVIRONMENT ? Deno.env.get("NATS_URL") : url;
  if (!named) {
    throw new UserError(
      "Cannot use the NATS server of the environment: NATS_URL is not set, an address is needed",
    );
  }
  return { url: named, creds, tlsCa, tlsCert, tlsKey };
}

/** Where a server of this machine is. */
export const USUAL_NATS = "nats://127.0.0.1:4222";

/** The server that is named, else that of the environment, else one of this machine. */
export const usualPlace = (url: string | undefined, flags: Values<typeof natsFlags>): NatsPlace =>
  natsPlace(url ?? (Deno.env.get("NATS_URL") ? FROM_ENVIRONMENT : USUAL_NATS), flags);

/**
 * Begins a session with the workers that are asked for; undefined where none are.
 * @param say told of what happens to them
 * @throws UserError if the server or the address cannot be used
 */
export async function openWorkers(
  values: WorkersValues,
  say: (line: string) => void,
): Promise<WorkerPool | undefined> {
  const { workers, workersOnly, serveWeights } = values;
  if (workers === undefined) {
    if (!workersOnly) return undefined;
    throw new UserError("Cannot leave rollouts to workers: no server is named", "name it with --workers URL");
  }
  const pool = await openPool({
    ...{
      nats: natsPlace(workers, values),
      version: OWN_VERSION,
      serveAt: serveAddress(serveWeights),
      own: !workersOnly,
      say,
    },
  });
  const there = await pool.there();
  const found = (there?.waiting ?? 0) + (there?.atWork ?? 0);
  say(
    `workers  ${found || "none"} at ${pool.place}${
      found ? "" : `: start some with softcot worker ${pool.place}`
    }` +
      `${pool.own ? "; this device makes rollouts, too" : ""}; weights are served at ${pool.files.url}`,
  );
  return pool;
}

/** The flags that ask for these workers once more. */
export function workersWords(asked: Partial<WorkersValues> = {}): string {
  if (asked.workers === undefined) return "";
  return (Object.keys(workersFlags) as (keyof WorkersValues)[]).map((key) => {
    const value = asked[key];
    if (value === undefined || value === workersFlags[key].default) return "";
    return value === true ? ` --${dashed(key)}` : ` --${dashed(key)} ${shellWord(shown(value))}`;
  }).join("");
}
