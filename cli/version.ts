import project from "../deno.json" with { type: "json" };
import { gitState } from "./facts/git_state.ts";
import { ownBuild } from "./facts/own_build.ts";
import { defineCommand } from "./settings/define_command.ts";
import { table } from "./terminal/table.ts";

/** `softcot version`: which softcot this is, to the commit. */
export const versionCommand = defineCommand({
  description: "Show the version, the commit it was made from, and what it runs on.",
  settings: {},
  examples: [["For a bug report or a script", "softcot version --json"]],
  run(_, { print }) {
    const { v8, deno } = Deno.version;
    const form = ownBuild() ? "built" : "source";
    const version = { softcot: project.version, ...gitState(), form, deno, v8, target: Deno.build.target };
    print(version, () => {
      const { modified, ...facts } = version;
      const rows = Object.entries(facts).map(([name, value]) => [
        name,
        name === "commit" && modified ? `${value}, with changes` : value,
      ]);
      return table(rows, { align: ["left", "left"] });
    });
  },
});
