import { Command } from "@cliffy/command";
import { dataListCommand } from "./data_list.ts";
import { dataPullCommand } from "./data_pull.ts";
import { dataShowCommand } from "./data_show.ts";

/** `softcot data`: the questions of tasks. */
// deno-lint-ignore no-explicit-any
export const dataCommand: Command<any> = new Command()
  .description("Fetch, list and look at the questions of tasks.")
  .command("list", dataListCommand)
  .command("pull", dataPullCommand)
  .command("show", dataShowCommand);
