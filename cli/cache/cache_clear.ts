import { UserError } from "../../gpu/errors.ts";
import { defineCommand } from "../settings/define_command.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { keptCopies } from "./kept_copies.ts";

/** `softcot cache clear`: removes the versions that do not run now. */
export const cacheClearCommand = defineCommand({
  description:
    `Remove the versions of softcot and of Deno from the cache folders, but not the one that runs this.

Each unpacks itself again when it is started. One that another process runs from loses its files, too: wait for it to end.`,
  settings: {},
  run(_, { print }) {
    const removed = keptCopies().filter(({ running }) => !running);
    for (const { path } of removed) {
      try {
        Deno.removeSync(path, { recursive: true });
      } catch (error) {
        throw new UserError(`Cannot remove ${path}: ${(error as Error).message}`);
      }
    }
    const bytes = removed.reduce((sum, copy) => sum + copy.bytes, 0);
    const paths = removed.map(({ path }) => path);
    print(
      { removed: paths, bytes },
      () =>
        paths.length > 0
          ? `${paths.map((path) => `removed ${path}`).join("\n")}\n${inBytes(bytes)} are free again`
          : "Nothing was there to be removed.",
    );
  },
});
