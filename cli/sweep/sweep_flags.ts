import { flag, integer, path } from "../settings/setting.ts";

/** Flags of every sweep. */
export const sweepFlags = {
  jobs: integer("Runs at a time, which share the cores of a software device", {
    default: 1,
    min: 1,
    max: 64,
    short: "j",
  }),
  dryRun: flag("List what would run, with the time and memory it will take by the speed of what is done"),
  out: path("Folder of the sweep; the same command goes on with what is there", {
    placeholder: "dir",
    short: "o",
  }),
};
