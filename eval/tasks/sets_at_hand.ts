import { UserError } from "../../gpu/errors.ts";
import { namedFolders } from "../data/data_source.ts";
import { type Overlap, overlapsOf, type SplitTexts } from "../data/overlap.ts";
import type { TaskEntry } from "./task_entry.ts";
import { TASKS } from "./tasks.ts";

/** A set of questions that can be compared with others. */
interface SetAtHand {
  /** Of the task. */
  name: string;
  /** The texts of its splits. */
  texts: SplitTexts;
}

/**
 * The sets that can be read without asking for anything: those in folders of their names at some paths, else those in the
 * hub's cache. Damaged ones are passed over.
 *
 * @param paths folders that may hold sets, or be one
 */
export async function setsAtHand(paths: readonly string[]): Promise<SetAtHand[]> {
  const sets: SetAtHand[] = [];
  for (const entry of TASKS) {
    const texts = await firstTexts(entry, paths);
    if (texts) sets.push({ name: entry.name, texts });
  }
  return sets;
}

async function firstTexts(entry: TaskEntry, paths: readonly string[]): Promise<SplitTexts | undefined> {
  if (!entry.source || !entry.texts) return undefined;
  const { name, source } = entry;
  for (const data of [...paths.flatMap((path) => namedFolders(name, source, path)), undefined]) {
    try {
      return await entry.texts({ data });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return undefined;
}

/** What a set has in common with others, its own other splits among them. */
export function overlapsWith(name: string, texts: SplitTexts, sets: readonly SetAtHand[]): Overlap[] {
  const splits = Object.keys(texts);
  const inside = overlapsOf(texts, name, texts)
    .filter(({ split, otherSplit }) => splits.indexOf(split) < splits.indexOf(otherSplit));
  return [
    ...inside,
    ...sets.filter((set) => set.name !== name).flatMap((set) => overlapsOf(texts, set.name, set.texts)),
  ];
}
