import { defineCommand } from "../settings/define_command.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { table } from "../terminal/table.ts";
import { keptCopies } from "./kept_copies.ts";

/** `softcot cache list`: which versions lie in the cache folders. */
export const cacheListCommand = defineCommand({
  description: "List the versions of softcot and of Deno in the cache folders.",
  settings: {},
  run(_, { print }) {
    const copies = keptCopies();
    const rows = copies.map(({ path, bytes, started, running }) => [
      path,
      inBytes(bytes),
      running ? "runs now" : started?.toISOString().slice(0, 10) ?? "-",
    ]);
    const header = ["folder", "size", "last start"];
    print(
      { copies },
      () => rows.length > 0 ? table(rows, { header, align: ["left", "right", "left"] }) : "Nothing is kept.",
    );
  },
});
