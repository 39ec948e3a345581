import { Command } from "@cliffy/command";
import { cacheClearCommand } from "./cache_clear.ts";
import { cacheListCommand } from "./cache_list.ts";

/** `softcot cache`: what softcot keeps of itself. */
// deno-lint-ignore no-explicit-any
export const cacheCommand: Command<any> = new Command()
  .description(`List and clear what softcot keeps of itself.

The one file for servers unpacks itself at its first start: below SOFTCOT_CACHE, XDG_CACHE_HOME or ~/.cache, else in /var/tmp, \
TMPDIR or /dev/shm. A version that nobody has started for 30 days goes when another one unpacks. ./softcot keeps its Deno \
in such a folder, too. Models and data are not among it: those are the hub's cache.`)
  .command("list", cacheListCommand)
  .command("clear", cacheClearCommand);
