import { fileURLToPath } from "node:url";
import { startFlags } from "../permissions/start_flags.ts";
import { isFile } from "../../model/files/on_disk.ts";

/**
 * This program once more, with other arguments, as a process that is yet to be started: as it was started itself, be it from its source
 * or from a bundle by Deno, or as a binary that holds its own code.
 */
export function ownCommand(args: readonly string[], options: Deno.CommandOptions): Deno.Command {
  return new Deno.Command(Deno.execPath(), { ...options, args: [...ownStart(), ...args] });
}

/** What stands before the arguments, after Deno's own path. */
export function ownStart(): string[] {
  if (Deno.build.standalone) return [];
  const main = Deno.mainModule;
  const config = main.startsWith("file:") ? fileURLToPath(new URL("../deno.json", main)) : "";
  return [
    ...["run", "--quiet", "--no-prompt"],
    ...(isFile(config) ? ["--config", config, "-P=softcot"] : ["--no-config", "--no-lock", ...startFlags()]),
    main,
  ];
}
