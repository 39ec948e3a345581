import { openLibc } from "../../gpu/device/system_files.ts";
import { rememberOthers } from "../../model/files/others_may_read.ts";
import { hubVariables, tokenPath } from "../../model/hub/hub_environment.ts";
import { launched } from "../../rl/cluster/launched.ts";
import { gitState } from "../facts/git_state.ts";
import { type Needs, PERMISSIONS, VARIABLES } from "./permission_table.ts";
import { isOwnProcess } from "./own_process.ts";
import { type Place, placesOf } from "./places.ts";
import type { Told } from "./told.ts";
import { ownInterfaces } from "../worker/own_interfaces.ts";

/**
 * Gives up all permissions that a command does not need, for the whole process and for good: what a file then made it try is denied.
 *
 * Deno narrows a grant where it is one of the folder / or of the variables *, as `permissions` of deno.json has it: what is asked for
 * below it is then granted of itself, and stays when the grant above is revoked. Of a grant without a list (--allow-all) only whole kinds
 * can be given up.
 *
 * @param command by its words, such as `model pull`
 */
export async function giveUpPermissions(command: string, told: Told): Promise<void> {
  if (!isOwnProcess()) return;
  const needs = PERMISSIONS[command] ?? PERMISSIONS.help;
  if (needs.libraries.includes("C")) openLibc();
  if (needs.libraries.includes("MPI") && launched()) (await import("../../rl/cluster/mpi.ts")).joinMpi();
  if (needs.read.includes("hub token")) rememberOthers(tokenPath());
  const pathsOf = async (places: readonly Place[]) =>
    (await Promise.all(places.map((place) => placesOf(place, told)))).flat();
  const [read, write] = [await pathsOf(needs.read), await pathsOf(needs.write)];
  const env = needs.env.flatMap((group) =>
    group === "hub" ? [...VARIABLES.hub, ...hubVariables()] : VARIABLES[group]
  );
  if (needs.run.includes("git")) gitState();
  // Where weights may be served: the right goes with that to see memory and disks.
  if (needs.net === "with --workers" && isNetNeeded(needs.net, told)) ownInterfaces();
  const onlyStarts = needs.run.includes("mpirun") && isStarted("mpirun", told);
  if (needs.run.includes("own code") && !onlyStarts) {
    await (await import("./start_own.ts")).startOwn(needs.read, told);
  }
  narrow("read", "path", read);
  narrow("write", "path", write);
  narrow("env", "variable", env);
  for (const variable of PREFIXES) if (!env.includes(variable)) revoke({ name: "env", variable });
  if (!needs.run.some((program) => isStarted(program, told))) revoke({ name: "run" });
  const isNeeded = {
    ...{ net: isNetNeeded(needs.net, told), import: false, sys: needs.sys },
    ffi: needs.libraries.includes("Vulkan"),
  };
  for (const kind of ["net", "import", "sys", "ffi"] as const) if (!isNeeded[kind]) revoke({ name: kind });
}

/** Some commands need it with a flag alone. */
function isNetNeeded(net: Needs["net"], { values }: Told): boolean {
  const flag = typeof net === "string" ? /^with --(.*)$/.exec(net)?.[1] : undefined;
  return flag === undefined ? net !== false : values[flag] !== undefined && values[flag] !== false;
}

/** Gives up whole kinds that a command needs at its beginning alone. */
export function giveUpKinds(...kinds: readonly ("net" | "run" | "sys")[]): void {
  if (isOwnProcess()) kinds.forEach((name) => revoke({ name }));
}

/** Whether a program may be started from now on: git has been asked, own code runs, and mpirun starts learners only where several are asked for. */
function isStarted(program: Needs["run"][number], { values }: Told): boolean {
  if (program === "mpirun") {
    return (Number(values.learners ?? 1) > 1 || values.cluster === true) && !launched();
  }
  return program !== "git" && program !== "own code";
}

/** Grants of deno.json that cannot be made from the one of all variables. */
const PREFIXES = VARIABLES.algebra.filter((name) => name.endsWith("*"));

function narrow(name: "read" | "write" | "env", key: string, kept: readonly string[]): void {
  if (kept.length === 0) return revoke({ name });
  for (const one of kept) Deno.permissions.requestSync({ name, [key]: one } as Deno.PermissionDescriptor);
  const all = name === "env" ? "*" : "/";
  if (!kept.includes(all)) revoke({ name, [key]: all } as Deno.PermissionDescriptor);
}

function revoke(descriptor: Deno.PermissionDescriptor): void {
  Deno.permissions.revokeSync(descriptor);
}
