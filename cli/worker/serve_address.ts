import { UserError } from "../../gpu/errors.ts";
import { launched } from "../../rl/cluster/launched.ts";
import type { ServeAt } from "../../rl/workers/serve_files.ts";
import { ownInterfaces } from "./own_interfaces.ts";

/** An address of this machine on one of its networks. */
export type Interface = Pick<Deno.NetworkInterfaceInfo, "name" | "family" | "address">;

/**
 * Where weights are served, as --serve-weights says: an address of this machine, or the name of one of its network interfaces, which learners on
 * several machines can all be told. Learners of one machine take ports one after another from the named one on.
 * @param localRank number of this learner on its machine
 * @throws UserError if it names neither
 */
export function serveAddress(
  text: string,
  interfaces: () => readonly Interface[] = ownInterfaces,
  localRank = launched()?.localRank ?? 0,
): ServeAt {
  const found = /^(\[[0-9a-f:.]+\]|[^:\s/]+)(?::(\d{1,5}))?$/i.exec(text);
  const named = Number(found?.[2] ?? 0);
  const port = named === 0 ? 0 : named + localRank;
  const host = found?.[1].replace(/^\[|\]$/g, "");
  if (host && port <= 65535 && host !== "0.0.0.0" && host !== "::") {
    return { host: addressOn(host, interfaces()) ?? host, port };
  }
  throw new UserError(
    `Cannot serve the weights at ${text}: an address of this machine by which workers reach it is needed, HOST or HOST:PORT`,
    "the name of a network interface, such as eth0, does, too",
  );
}

/** The address of an interface; of several one of IPv4, and none that is good on its link alone. */
function addressOn(name: string, interfaces: readonly Interface[]): string | undefined {
  const own = interfaces.filter((one) => one.name === name && !/^(fe80:|169\.254\.)/i.test(one.address));
  return (own.find(({ family }) => family === "IPv4") ?? own[0])?.address;
}
