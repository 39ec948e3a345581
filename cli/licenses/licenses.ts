import { textBeside } from "../facts/own_build.ts";
import { defineCommand } from "../settings/define_command.ts";
import { gatherLicenses, LICENSES_FILE } from "./gather_licenses.ts";

/** `softcot licenses`: the licences of everything that is inside. */
export const licensesCommand = defineCommand({
  description: "Show the licences of softcot, of the packages in it, and of Deno.",
  settings: {},
  async run(_, { print }) {
    const text = textBeside(LICENSES_FILE) ?? await gatherLicenses();
    print({ licenses: text }, () => text.trimEnd());
  },
});
