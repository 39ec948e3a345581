import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { tuningFolder } from "../../gpu/tuning.ts";
import { driverPlaces } from "../../gpu/device/vulkan_driver.ts";
import { hubCacheFolder, tokenPath } from "../../model/hub/hub_environment.ts";
import { cachePlaces } from "../cache/cache_places.ts";
import { ownBuild, ownFolder } from "../facts/own_build.ts";
import { lastRun } from "../defaults/last_run.ts";
import { savedValues } from "../defaults/saved_values.ts";
import { present, quietly, text, type Told } from "./told.ts";

/** What stands for folders and files that a command line names, or that are always in the same place; see {@link placesOf}. */
export type Place = keyof typeof PLACES;

/**
 * The paths that a place stands for, and where their links lead, since some are opened by their real paths. Small files, a run's settings and an
 * adapter's, are read for it: they name the base model and the data that the command opens, too.
 */
export async function placesOf(place: Place, told: Told): Promise<string[]> {
  const { values } = told;
  const saved = values.resume === true ? savedOf(String(values.out ?? lastRun())) : {};
  const paths = await PLACES[place]({ ...told, values: { ...values, ...saved, out: values.out } });
  return [...new Set(paths.map((path) => resolve(path)).flatMap((path) => [path, realPath(path)]))];
}

// Loaded where a command needs them: most of them take longer to load than to ask.
const loadModelPlaces = () => import("./model_places.ts");
const loadOwnPlaces = () => import("./own_places.ts");
const loadDataPlaces = () => import("./data_places.ts");

type Answer = string[] | Promise<string[]>;

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
  /** Of --model or the argument. */
  model: async ({ values: { model }, args }: Told) =>
    (await loadModelPlaces()).modelPlaces(text(model) ?? args[0]),
  adapter: async ({ values: { adapter } }: Told) => (await loadModelPlaces()).modelPlaces(text(adapter)),
  /** Of --api-key, where it is a file. */
  "api key": ({ values: { apiKey } }: Told) => present(text(apiKey)),
  data: ({ values: { data } }: Told) => present(text(data)),
  /** Of --rates. */
  rates: ({ values: { rates } }: Told) => present(text(rates)),
  /** Folders named after tasks, which may have questions in common. */
  "beside the data": async ({ values: { data } }: Told) =>
    (await loadDataPlaces()).besideData(present(text(data))),
  task: async ({ values: { task } }: Told) => (await loadOwnPlaces()).taskPlaces(text(task) ?? ""),
  /** Of the arguments, else of the config file. */
  tasks: async (told: Told) => {
    const { tasksNamed, taskPlaces } = await loadOwnPlaces();
    return tasksNamed(told).flatMap(taskPlaces);
  },
  reward: async ({ values: { reward } }: Told) => (await loadOwnPlaces()).rewardPlaces(reward),
  /** Of --out; without it a new folder in runs/. */
  run: ({ values: { out } }: Told) => [text(out) ?? "runs"],
  results: ({ values: { out } }: Told) => present(text(out)),
  "beside the export": ({ values: { out } }: Told) => [dirname(text(out) ?? ".")],
  "beside the report": ({ values: { out, png, svg } }: Told) => [
    ...present(text(out)).map(dirname),
    ...[png, svg].flatMap((folder) => present(text(folder))),
  ],
  runs: ({ values: { runs } }: Told) => present(text(runs)),
  /** What lets into a NATS server. */
  nats: ({ values: { creds, tlsCa, tlsCert, tlsKey } }: Told) =>
    [creds, tlsCa, tlsCert, tlsKey].flatMap((file) => present(text(file))),
  /** What workers fetch. */
  "worker files": async () => present((await import("../worker/worker_folder.ts")).workerFolder()),
  /** The files that tell Vulkan's loader of drivers. */
  drivers: () => driverPlaces(),
  /** What softcot keeps of itself, and the Deno that runs. */
  caches: () => [...cachePlaces(), Deno.execPath()],
  /** Where Deno keeps packages, whose licences a built copy has within. */
  packages: () => ownBuild() ? [] : present(denoFolder()),
  "sweep file": ({ args: [file] }: Told) => present(text(file)),
  sweep: ({ values: { out } }: Told) => [text(out) ?? "sweeps"],
  "compared runs": ({ args }: Told) => [...args],
  /** Of the arguments, else where runs and sweeps are. */
  viewed,
  /** The index lies beside what it is of. */
  index: (told: Told) => told.values.readOnly === true ? [] : viewed(told),
  /** Where the page is made from its sources, and kept; a built copy has it within. */
  page: () => ownBuild() ? [] : cachePlaces(),
  /** Who may write to these decides whether the page is kept there. */
  "beside the page": () => ownBuild() ? [] : [...cachePlaces().map(dirname), Deno.execPath()],
  /** Of --file, which workers judge. */
  pairs: ({ values: { file } }: Told) =>
    text(file) === undefined ? [] : [...present(text(file)), ...program()],
} satisfies Record<string, (told: Told) => Answer>;

function viewed({ args }: Told): string[] {
  return args.length > 0 ? [...args] : ["runs", "sweeps"];
}

/** Of a run; of a supervised training it lies within. */
const savedOf = (out: string) => ({ ...savedValues(`${out}/unfinished`), ...savedValues(out) });

function program(): string[] {
  return [ownBuild() ? ownFolder() : fileURLToPath(new URL("../../", import.meta.url))];
}

function denoFolder(): string | undefined {
  const [set, cache, home] = ["DENO_DIR", "XDG_CACHE_HOME", "HOME"].map((name) => Deno.env.get(name));
  if (set) return set;
  if (Deno.build.os === "darwin") return home && `${home}/Library/Caches/deno`;
  return cache && isAbsolute(cache) ? `${cache}/deno` : home && `${home}/.cache/deno`;
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
