import { isTaskFile } from "../../eval/tasks/own_task.ts";
import { chooseDevice } from "../../gpu/device/choose_device.ts";
import { rememberDevices } from "../../gpu/device/vulkan_devices.ts";
import { openLibc } from "../../gpu/device/system_files.ts";
import { rememberOthers } from "../../model/files/others_may_read.ts";
import { hubVariables, tokenPath } from "../../model/hub/hub_environment.ts";
import { rewardFiles } from "../../rl/reward.ts";
import { gitState } from "../facts/git_state.ts";
import { type OwnGrant, ownGrants } from "./own_grants.ts";
import { PERMISSIONS, VARIABLES } from "./permission_table.ts";
import { placesOf, type Told } from "./places.ts";

let isOwnProcess = false;

/** To be called by the program itself: who calls a command from a process of their own keeps their permissions. */
export function ownProcess(): void {
  isOwnProcess = true;
}

/**
 * Gives up all permissions that a command does not need, for the whole process and for good: what a file then made it try is denied.
 *
 * Deno narrows a grant where it is one of the folder / or of the variables *, as `permissions` of deno.json has it: what is asked for
 * below it is then granted of itself, and stays when the grant above is revoked. Of a grant without a list (--allow-all) only whole kinds
 * can be given up.
 *
 * @param command by its words, such as `model pull`
 */
export function giveUpPermissions(command: string, told: Told): void {
  if (!isOwnProcess) return;
  const needs = PERMISSIONS[command];
  const granted = ownGrants(told.values.allowOwn);
  const of = (kind: OwnGrant["kind"]) => granted.filter((one) => one.kind === kind).map(({ value }) => value);
  if (needs.libraries.includes("C")) openLibc();
  if (needs.read.includes("hub token")) rememberOthers(tokenPath());
  const [read, write] = ([needs.read, needs.write] as const).map((places) =>
    places.flatMap((place) => placesOf(place, told))
  );
  const env = needs.env.flatMap((group) =>
    group === "hub" ? [...VARIABLES.hub, ...hubVariables()] : VARIABLES[group]
  );
  if (needs.run.includes("git")) gitState();
  const usesVulkan = needs.libraries.includes("Vulkan") && !hasOwnCode(told);
  if (needs.libraries.includes("Vulkan") && !usesVulkan) lookAhead();
  narrow("read", "path", [...read, ...of("read")]);
  narrow("write", "path", [...write, ...of("write")]);
  narrow("env", "variable", [...env, ...of("env")]);
  for (const variable of PREFIXES) if (!env.includes(variable)) revoke({ name: "env", variable });
  if (needs.run.every((program) => program === "git")) revoke({ name: "run" });
  const isNeeded = { net: needs.net, import: false, sys: needs.sys, ffi: usesVulkan };
  for (const kind of ["net", "import", "sys", "ffi"] as const) {
    if (!isNeeded[kind] && of(kind).length === 0) revoke({ name: kind });
  }
}

/** Foreign functions reach everything: with own code Vulkan is asked all that it will be asked before the right to them is given up. */
function lookAhead(): void {
  const wanted = Deno.env.get("SOFTCOT_GPU");
  if (wanted) chooseDevice(wanted);
  rememberDevices();
}

/** Grants of deno.json that cannot be made from the one of all variables. */
const PREFIXES = VARIABLES.algebra.filter((name) => name.endsWith("*"));

function hasOwnCode({ values: { task, reward }, args }: Told): boolean {
  const tasks = [...args, ...typeof task === "string" ? [task] : []];
  return tasks.some((name) => isTaskFile(name) && !name.endsWith(".toml")) ||
    rewardFiles((reward ?? []) as string[]).length > 0;
}

function narrow(name: "read" | "write" | "env", key: string, kept: readonly string[]): void {
  if (kept.length === 0) return revoke({ name });
  for (const one of kept) Deno.permissions.requestSync({ name, [key]: one } as Deno.PermissionDescriptor);
  revoke({ name, [key]: name === "env" ? "*" : "/" } as Deno.PermissionDescriptor);
}

function revoke(descriptor: Deno.PermissionDescriptor): void {
  Deno.permissions.revokeSync(descriptor);
}
