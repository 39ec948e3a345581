import { DataMissing, namedFolders } from "../../eval/data/data_source.ts";
import type { TaskEntry } from "../../eval/tasks/task_entry.ts";
import { TASKS } from "../../eval/tasks/tasks.ts";
import { UserError } from "../../gpu/errors.ts";
import { defineCommand } from "../settings/define_command.ts";
import { path } from "../settings/setting.ts";
import { table } from "../terminal/table.ts";

/** `softcot data list`: every task, and where its questions are. */
export const dataListCommand = defineCommand({
  description: `List all tasks, where their questions come from, and which of them are here.

Sizes are rows of the files that are here: in the cache of the Hugging Face hub, or in the folder given by --data.`,
  settings: {
    data: path("Folder of data sets, each in a folder of its name", {
      defaultText: "those of softcot data pull",
    }),
  },
  examples: [["What there is", "softcot data list"], [
    "What a folder holds",
    "softcot data list --data ../data",
  ]],
  async run({ data }, { print }) {
    const listed = await Promise.all(
      TASKS.map(async (entry) => ({ ...facts(entry), ...await whereabouts(entry, data) })),
    );
    print({ tasks: listed }, () =>
      table(
        listed.map(({ name, kind, here, rows, hub, licence }) => [
          name,
          kind,
          here,
          Object.entries(rows).map(([split, count]) => `${split} ${count.toLocaleString("en")}`).join(", "),
          hub,
          licence,
        ]),
        { header: ["task", "kind", "here", "rows", "on the hub", "licence"], align: Array(6).fill("left") },
      ));
  },
});

function facts({ name, kind, version, about, source }: TaskEntry) {
  return { name, kind, version, about, hub: source?.hub ?? null, licence: source?.licence ?? null };
}

interface Whereabouts {
  /** `yes`, `no`, `made up`, or what is wrong with the files. */
  here: string;
  origin: string | null;
  rows: Record<string, number>;
}

async function whereabouts(entry: TaskEntry, data?: string): Promise<Whereabouts> {
  const { name, source } = entry;
  if (!source) return { here: "made up", origin: null, rows: {} };
  const folder = data === undefined ? undefined : namedFolders(name, source, data)[0];
  if (data !== undefined && folder === undefined) return { here: "no", origin: null, rows: {} };
  try {
    const { data: read } = await entry.open({ data: folder });
    return { here: "yes", origin: read?.origin ?? null, rows: read?.rows ?? {} };
  } catch (error) {
    if (error instanceof DataMissing) return { here: "no", origin: null, rows: {} };
    if (error instanceof UserError) return { here: `damaged: ${error.message}`, origin: null, rows: {} };
    throw error;
  }
}
