import { Command } from "@cliffy/command";
import { modelExportCommand } from "./model_export.ts";
import { modelInfoCommand } from "./model_info.ts";
import { modelListCommand } from "./model_list.ts";
import { modelPullCommand } from "./model_pull.ts";
import { modelPushCommand } from "./model_push.ts";
import { modelVerifyCommand } from "./model_verify.ts";

/** `softcot model`: models as files. */
// deno-lint-ignore no-explicit-any
export const modelCommand: Command<any> = new Command()
  .description("Fetch, push, list, describe, convert and verify models.")
  .command("pull", modelPullCommand)
  .command("push", modelPushCommand)
  .command("list", modelListCommand)
  .command("info", modelInfoCommand)
  .command("export", modelExportCommand)
  .command("verify", modelVerifyCommand);
