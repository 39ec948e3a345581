import { basename, join } from "node:path";
import { ALL_MODES } from "../../eval/modes.ts";
import { UserError } from "../../gpu/errors.ts";
import { parseJson } from "../../model/files/parse_json.ts";
import type { Place } from "../../web/data/view_data.ts";
import { readWithin } from "./read_within.ts";

/** A folder that was given. */
export interface Root {
  /** What its places' ids begin with. */
  id: string;
  /** Its real path. */
  path: string;
}

/** A run, a sweep or an evaluation, where it lies. */
export interface FoundPlace extends Pick<Place, "id" | "kind" | "name" | "sweep" | "line"> {
  root: Root;
  /** Its real path. */
  path: string;
}

/** Folders within each other, and in all, that are looked through. */
const [DEEPEST, MOST_FOLDERS] = [6, 5000];

/** What lies in these: weights and other things, many and large, and no runs. */
const PASSED_OVER = ["checkpoints", "node_modules", "base", "logs", "settings", "jobs"];

/**
 * The folders that are to be looked through.
 * @throws UserError if one is not there, or may not be read
 */
export function rootsOf(folders: readonly string[]): Root[] {
  const ids = new Set<string>();
  return folders.map((folder) => {
    const path = realFolder(folder);
    const name = basename(path) || "root";
    let id = name;
    for (let n = 2; ids.has(id); n++) id = `${name}-${n}`;
    ids.add(id);
    return { id, path };
  });
}

function realFolder(folder: string): string {
  try {
    if (!Deno.statSync(folder).isDirectory) {
      throw new UserError(`Cannot view ${folder}: it is a file, a folder is needed`);
    }
    return Deno.realPathSync(folder);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const found = error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : (error as Error).message;
    throw new UserError(`Cannot view ${folder}: ${found}`, "name folders of runs, sweeps or evaluations");
  }
}

/** All runs, sweeps and evaluations in the folders, in the order of their paths. No links are followed. */
export function findPlaces(roots: readonly Root[]): { places: FoundPlace[]; notes: string[] } {
  const places: FoundPlace[] = [];
  const notes: string[] = [];
  let folders = 0;
  const look = (root: Root, path: string, id: string, depth: number, above?: SweepAbove) => {
    if (folders++ === MOST_FOLDERS) notes.push(`only the first ${MOST_FOLDERS} folders are looked through`);
    if (folders > MOST_FOLDERS) return;
    const entries = entriesOf(path, id, notes);
    const has = (name: string) => entries.some((entry) => entry.isFile && entry.name === name);
    const name = basename(path);
    const common = { root, path, id, name, sweep: above?.id ?? null, line: above?.lines[name] ?? null };
    let within = above;
    if (has("config.toml")) return void places.push({ ...common, kind: "run" });
    if (has("settings.json") && (has("report.json") || entries.some((entry) => isRecords(entry.name)))) {
      return void places.push({ ...common, kind: "evaluation" });
    }
    if (has("sweep.json")) {
      places.push({ ...common, kind: "sweep" });
      within = { id, lines: linesOf(root, path, notes, id) };
    }
    if (depth === DEEPEST) return;
    for (const entry of entries) {
      if (!entry.isDirectory || entry.name.startsWith(".") || PASSED_OVER.includes(entry.name)) continue;
      look(root, join(path, entry.name), `${id}/${entry.name}`, depth + 1, within);
    }
  };
  for (const root of roots) look(root, root.path, root.id, 0);
  return { places, notes };
}

interface SweepAbove {
  id: string;
  lines: Readonly<Record<string, string>>;
}

/** Whether a file holds the rollouts of an evaluation's mode. */
export const isRecords = (name: string): boolean =>
  name.endsWith(".jsonl") && ALL_MODES.some((mode) => name.endsWith(`-${mode}.jsonl`));

function entriesOf(path: string, id: string, notes: string[]): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    notes.push(
      error instanceof Deno.errors.NotFound
        ? `${id} is gone`
        : `${id} may not be read: ${(error as Error).name}`,
    );
    return [];
  }
}

function linesOf(root: Root, path: string, notes: string[], id: string): Record<string, string> {
  try {
    const { lines } = parseJson(readWithin(root.path, join(path, "sweep.json"))) as { lines?: unknown };
    const named = Object.entries(lines ?? {}).filter(([, line]) => typeof line === "string");
    return Object.fromEntries(named);
  } catch {
    notes.push(`${id}/sweep.json is damaged`);
    return {};
  }
}
