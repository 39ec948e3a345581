import { openLibc } from "../../gpu/device/system_files.ts";
import { rememberOthers } from "../../model/files/others_may_read.ts";
import { hubVariables, tokenPath } from "../../model/hub/hub_environment.ts";
import { launched } from "../../rl/cluster/launched.ts";
import { gitState } from "../facts/git_state.ts";
import { type OwnGrant, ownGrants } from "./own_grants.ts";
import { type Needs, PERMISSIONS, VARIABLES } from "./permission_table.ts";
import { isOwnProcess } from "./own_process.ts";
import { type Place, placesOf } from "./places.ts";
import type { Told } from "./told.ts";

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
  const granted = ownGrants(told.values.allowOwn);
  const of = (kind: OwnGrant["kind"]) => granted.filter((one) => one.kind === kind).map(({ value }) => value);
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
  const usesVulkan = needs.libraries.includes("Vulkan") && !await runsOwnCode(needs, told);
  if (needs.libraries.includes("Vulkan") && !usesVulkan) await lookAhead();
  narrow("read", "path", [...read, ...of("read")]);
  narrow("write", "path", [...write, ...of("write")]);
  narrow("env", "variable", [...env, ...of("env")]);
  for (const variable of PREFIXES) if (!env.includes(variable)) revoke({ name: "env", variable });
  if (!needs.run.some((program) => isStarted(program, told))) revoke({ name: "run" });
  const isNeeded = { net: needs.net !== false, import: false, sys: needs.sys, ffi: usesVulkan };
  for (const kind of ["net", "import", "sys", "ffi"] as const) {
    if (!isNeeded[kind] && of(kind).length === 0) revoke({ name: kind });
  }
}

/** Gives up whole kinds that a command needs at its beginning alone. */
export function giveUpKinds(...kinds: readonly ("net" | "run" | "sys")[]): void {
  if (isOwnProcess()) kinds.forEach((name) => revoke({ name }));
}

/** Whether a program may be started from now on: git has been asked, and mpirun starts learners only where several are asked for. */
const isStarted = (program: Needs["run"][number], { values }: Told): boolean =>
  program === "mpirun" ? Number(values.learners ?? 1) > 1 && !launched() : program !== "git";

/** Foreign functions reach everything: with own code Vulkan is asked all that it will be asked before the right to them is given up. */
async function lookAhead(): Promise<void> {
  const wanted = Deno.env.get("SOFTCOT_GPU");
  if (wanted) (await import("../../gpu/device/choose_device.ts")).chooseDevice(wanted);
  (await import("../../gpu/device/vulkan_devices.ts")).rememberDevices();
}

async function runsOwnCode({ read }: Needs, told: Told): Promise<boolean> {
  return CODE.some((place) => read.includes(place)) && (await import("./own_code.ts")).hasOwnCode(told);
}

/** Places that own code comes from. */
const CODE: readonly Place[] = ["task", "tasks", "reward"];

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
