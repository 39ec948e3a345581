import { startOwnCode } from "../../eval/own_code/own_code.ts";
import type { OwnGrant } from "../../eval/own_code/own_process.ts";
import { isTaskFile } from "../../eval/tasks/own_task.ts";
import { say } from "../terminal/print.ts";
import { ownGrants } from "./own_grants.ts";
import { rewardPlaces, tasksNamed } from "./own_places.ts";
import { type Place, placesOf } from "./places.ts";
import { present, text, type Told } from "./told.ts";

/**
 * Starts the own code that a command line names, each file in a process of its own with what the user grants it: before the command gives
 * up the right to start any. A task may read what --data names, too.
 *
 * @param places that the command reads: own code comes from some of them
 */
export async function startOwn(places: readonly Place[], told: Told): Promise<void> {
  const { allowOwn, rewardTimeout, task, reward } = told.values;
  const tasks = [
    ...places.includes("task") ? present(text(task)) : [],
    ...places.includes("tasks") ? tasksNamed(told) : [],
  ].filter((name) => isTaskFile(name) && !name.endsWith(".toml"));
  const rewards = places.includes("reward") ? rewardPlaces(reward) : [];
  if (tasks.length + rewards.length === 0) return;
  const data = places.includes("data") ? await placesOf("data", told) : [];
  const rights = { grants: ownGrants(allowOwn), seconds: rewardTimeout as number | undefined, say };
  const readsData = data.map((value): OwnGrant => ({ kind: "read", value }));
  for (const path of tasks) start(path, { ...rights, grants: [...rights.grants, ...readsData] });
  for (const path of rewards) start(path, rights);
}

/** A file that is not there is told by what loads it. */
function start(path: string, rights: Parameters<typeof startOwnCode>[1]): void {
  try {
    startOwnCode(path, rights);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
