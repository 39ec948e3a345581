import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { namedFolders } from "../../eval/data/data_source.ts";
import { TASKS } from "../../eval/tasks/tasks.ts";
import { locateModel } from "../../model/files/locate_model.ts";
import { isTaskFile } from "../../eval/tasks/own_task.ts";
import { taskFiles } from "../../eval/tasks/toml_task.ts";
import { tuningFolder } from "../../gpu/tuning.ts";
import { BUILTIN } from "../../model/builtin/builtin_model.ts";
import { behindBest } from "../../model/files/best_checkpoint.ts";
import { hubCacheFolder, tokenPath } from "../../model/hub/hub_environment.ts";
import { baseOf } from "../../model/lora/adapter_config.ts";
import { findAdapter } from "../../model/lora/locate_adapter.ts";
import { rewardFiles } from "../../rl/reward.ts";
import { driverPlaces } from "../../gpu/device/vulkan_driver.ts";
import { cachePlaces } from "../cache/cache_places.ts";
import { ownBuild, ownFolder } from "../facts/own_build.ts";
import { runFolderOf, savedValues } from "../defaults/run_values.ts";

/** What a command was told: its values and its positional arguments. */
export interface Told {
  values: Readonly<Record<string, unknown>>;
  args: readonly string[];
}

/** What stands for folders and files that a command line names, or that are always in the same place; see {@link placesOf}. */
export type Place = keyof typeof PLACES;

/**
 * The paths that a place stands for, and where their links lead: Deno asks for the right to both. Small files, a run's settings and an
 * adapter's, are read for it: they name the base model and the data that the command opens, too.
 */
export function placesOf(place: Place, told: Told): string[] {
  const resumed = told.values.resume === true ? savedValues(String(told.values.out)) : {};
  const paths = PLACES[place]({ ...told, values: { ...told.values, ...resumed, out: told.values.out } });
  return [...new Set(paths.map((path) => resolve(path)).flatMap((path) => [path, realPath(path)]))];
}

const PLACES = {
  /** Its workers are loaded from there. */
  program,
  /** Repositories that are links to another disk, too. */
  "hub cache": () => {
    const cache = hubCacheFolder();
    const links = entriesOf(cache).filter(({ isSymlink }) => isSymlink);
    return [cache, ...links.map(({ name }) => `${cache}/${name}`)];
  },
  "hub token": () => [tokenPath()],
  tunings: () => present(tuningFolder()),
  /** Of --model or the argument: a run with the data it was trained on, an adapter with its base, a llama2.c file with its tokenizer. */
  model: ({ values: { model }, args }: Told) => modelPlaces(text(model) ?? args[0]),
  adapter: ({ values: { adapter } }: Told) => modelPlaces(text(adapter)),
  data: ({ values: { data } }: Told) => present(text(data)),
  /** Folders named after tasks, which may have questions in common. */
  "beside the data": ({ values: { data } }: Told) =>
    present(text(data)).flatMap((path) => [path, dirname(path), dirname(dirname(path))]).flatMap((path) =>
      TASKS.flatMap(({ name, source }) => source ? namedFolders(name, source, path) : [])
    ),
  /** A file with what lies beside it: own code may import it; and the data that a TOML file names. */
  task: ({ values: { task } }: Told) => taskPlaces(text(task)),
  tasks: ({ args }: Told) => args.flatMap(taskPlaces),
  reward: ({ values: { reward } }: Told) => rewardFiles((reward ?? []) as string[]).flatMap(codePlaces),
  /** Of --out; without it a new folder in runs/. */
  run: ({ values: { out } }: Told) => [text(out) ?? "runs"],
  results: ({ values: { out } }: Told) => present(text(out)),
  "beside the export": ({ values: { out } }: Told) => [dirname(text(out) ?? ".")],
  runs: ({ values: { runs } }: Told) => present(text(runs)),
  /** The files that tell Vulkan's loader of drivers. */
  drivers: () => driverPlaces(),
  /** What softcot keeps of itself, and the Deno that runs. */
  caches: () => [...cachePlaces(), Deno.execPath()],
  /** Where Deno keeps packages, whose licences a built copy has within. */
  packages: () => ownBuild() ? [] : present(denoFolder()),
  "sweep file": ({ args: [file] }: Told) => present(text(file)),
  sweep: ({ values: { out } }: Told) => [text(out) ?? "sweeps"],
  "compared runs": ({ args }: Told) => [...args],
  /** Of --file, which workers judge. */
  pairs: ({ values: { file } }: Told) =>
    text(file) === undefined ? [] : [...present(text(file)), ...program()],
} satisfies Record<string, (told: Told) => string[]>;

function denoFolder(): string | undefined {
  const [set, cache, home] = ["DENO_DIR", "XDG_CACHE_HOME", "HOME"].map((name) => Deno.env.get(name));
  if (set) return set;
  if (Deno.build.os === "darwin") return home && `${home}/Library/Caches/deno`;
  return cache ? `${cache}/deno` : home && `${home}/.cache/deno`;
}

function program(): string[] {
  return [ownBuild() ? ownFolder() : fileURLToPath(new URL("../../", import.meta.url))];
}

function modelPlaces(name: string | undefined): string[] {
  if (name === undefined || name === BUILTIN) return [];
  const run = runFolderOf(name);
  const { data } = run === undefined ? {} : savedValues(run);
  const beside = name.endsWith(".bin") ? [dirname(name)] : [];
  const adapter = quietly(() => findAdapter(name));
  const base = adapter && quietly(() => baseOf(adapter).name);
  return [
    ...[name, behindBest(name), ...present(quietly(() => locateModel(name).path)), ...present(adapter)],
    ...[...present(run), ...present(text(data)), ...beside],
    // An adapter's base is a whole model: one that has an adapter of its own is refused.
    ...(base === undefined || base === name ? [] : modelPlaces(base)),
  ];
}

function taskPlaces(task: string | undefined): string[] {
  if (task === undefined || !isTaskFile(task)) return [];
  return task.endsWith(".toml") ? [task, ...quietly(() => taskFiles(task)) ?? []] : codePlaces(task);
}

/** A module is loaded by its real path. */
function codePlaces(path: string): string[] {
  return [dirname(path), ...present(quietly(() => dirname(Deno.realPathSync(path))))];
}

/** What cannot be read, the command itself will say. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Where the links of a path lead, of one that is yet to be made those of the folders above it. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realPath(above), basename(path));
  }
}

function entriesOf(folder: string): Deno.DirEntry[] {
  return quietly(() => [...Deno.readDirSync(folder)]) ?? [];
}

const text = (value: unknown) => typeof value === "string" && value !== "" ? value : undefined;
const present = (path: string | undefined) => path === undefined ? [] : [path];
