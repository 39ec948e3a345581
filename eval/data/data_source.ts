import { UserError } from "../../gpu/errors.ts";
import { isFolder } from "../../model/files/on_disk.ts";
import { cachedSnapshot } from "../../model/hub/hub_cache.ts";
import { DATA_ENDINGS } from "./read_rows.ts";

/** The data of a task are not where they were looked for. */
export class DataMissing extends UserError {}

/** Where a task's data come from. */
export interface DataSource {
  /** The data set on the Hugging Face hub, `org/name`. */
  hub: string;
  /** As its authors state it. */
  licence: string;
  /**
   * The files of each split: patterns of paths, `*` standing for any part of a name and `**` for any folders. Of several
   * the first that matches counts, so that a folder may have the hub's form or another.
   */
  splits: Readonly<Record<string, readonly string[]>>;
  /** What `softcot data pull` takes for it; the task's name if left out. */
  pulledAs?: string;
  /** Names of a folder that holds this set, where `data` is a folder of several sets; the task's name if left out. */
  folders?: readonly string[];
}

/** Data that were found. */
export interface FoundData {
  /** For people: the path, or the hub's name with the commit. */
  origin: string;
  /** The commit on the hub, where they lie in its cache. */
  commit?: string;
  /** The files of each split that is there, in the order of their names. */
  files: Record<string, string[]>;
}

/** Which data to take. */
interface LocateOptions {
  /**
   * A file, a folder in the hub's form or the one that the source describes, or a folder of several sets each in a folder
   * of its name; else the hub's cache is looked into.
   */
  data?: string;
  /** The split that a file holds whose name tells none; the last of the source's if it is left out. */
  split?: string;
  /** Branch, tag or commit in the hub's cache. */
  revision?: string;
}

/**
 * Finds the files of a source.
 *
 * @param name of the task, for messages
 * @throws UserError if the path does not exist or holds none of the files, or if nothing was pulled
 */
export function locateData(name: string, source: DataSource, options: LocateOptions = {}): FoundData {
  const { data, split, revision } = options;
  if (data === undefined) return inCache(name, source, revision);
  const info = statOf(name, data);
  if (info.isFile) return oneFile(name, source, data, split);
  for (const folder of foldersOf(name, source, data)) {
    const files = inFolder(source, folder);
    if (Object.keys(files).length > 0) return { origin: folder, files };
  }
  const wanted = Object.values(source.splits).flat();
  throw new DataMissing(
    `Cannot find the data of ${name} in ${data}: files such as ${wanted.slice(0, 4).join(", ")} are needed`,
    "--data takes a folder with such files, or one file",
  );
}

/** The paths among those of a repository that a source needs. */
export function neededPaths(source: DataSource, paths: readonly string[]): string[] {
  return Object.values(filesOf(source, paths)).flat();
}

function inCache(name: string, source: DataSource, revision?: string): FoundData {
  const folder = cachedSnapshot("dataset", source.hub, revision);
  const files = folder === undefined ? {} : inFolder(source, folder);
  if (folder === undefined || Object.keys(files).length === 0) {
    throw new DataMissing(
      `Cannot find the data of ${name}: ${source.hub} is not in the cache of the Hugging Face hub, and no --data is given`,
      `fetch them with: softcot data pull ${source.pulledAs ?? name}; or name a file or folder with --data`,
    );
  }
  const commit = folder.split("/").at(-1)!;
  return { origin: `${source.hub}@${commit.slice(0, 12)}`, commit, files };
}

/** Where to look: a folder of the set's name before any other, whose files may be another set's. */
function foldersOf(name: string, source: DataSource, data: string): string[] {
  const folder = trimmed(data);
  const named = namedFolders(name, source, data);
  return named.includes(folder) ? named : [...named, folder];
}

/**
 * The folders of a set's name at a path: the path itself, and folders inside of it.
 *
 * @param name of the task
 * @param path of a folder, which need not exist
 */
export function namedFolders(name: string, { folders = [name] }: DataSource, path: string): string[] {
  const folder = trimmed(path);
  const base = folder.split("/").at(-1)!;
  const inside = folders.map((each) => `${folder}/${each}`);
  return [...(folders.includes(base) ? [folder] : []), ...inside].filter(isFolder);
}

const trimmed = (path: string) => path.replace(/(?<=.)\/+$/, "");

function statOf(name: string, path: string): Deno.FileInfo {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new DataMissing(
        `Cannot read the data of ${name} from ${path}: there is no such file or folder`,
      );
    }
    throw new UserError(`Cannot read the data of ${name} from ${path}: ${(error as Error).message}`);
  }
}

function oneFile(name: string, source: DataSource, path: string, split?: string): FoundData {
  if (!DATA_ENDINGS.some((ending) => path.toLowerCase().endsWith(ending))) {
    throw new UserError(
      `Cannot read the data of ${name} from ${path}: a file that ends with ${
        DATA_ENDINGS.join(", ")
      } is needed`,
    );
  }
  const base = path.split("/").at(-1)!;
  const splits = Object.keys(source.splits);
  const named = splits.filter((each) =>
    source.splits[each].some((pattern) => matcher(pattern.split("/").at(-1)!).test(base))
  );
  // Where a name fits several splits, or none, it says nothing.
  const held = named.length === 1 ? named[0] : splits.length === 1 ? splits[0] : split ?? splits.at(-1)!;
  return { origin: path, files: { [held]: [path] } };
}

function inFolder(source: DataSource, folder: string): Record<string, string[]> {
  const paths = pathsUnder(folder, "", 0);
  const found = filesOf(source, paths);
  return Object.fromEntries(
    Object.entries(found).map(([split, files]) => [split, files.map((path) => `${folder}/${path}`)]),
  );
}

function filesOf({ splits }: DataSource, paths: readonly string[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [split, patterns] of Object.entries(splits)) {
    for (const pattern of patterns) {
      const matching = paths.filter((path) => matcher(pattern).test(path)).sort();
      if (matching.length === 0) continue;
      found[split] = matching;
      break;
    }
  }
  return found;
}

/** Deep enough for every data set on the hub; a home folder given by mistake is not read to its end. */
const DEEPEST = 4;
const MOST_FILES = 10_000;

function pathsUnder(folder: string, prefix: string, depth: number): string[] {
  const found: string[] = [];
  for (const name of namesIn(folder)) {
    if (name.startsWith(".") || found.length > MOST_FILES) continue;
    const isData = DATA_ENDINGS.some((ending) => name.toLowerCase().endsWith(ending));
    if (isData) found.push(prefix + name);
    else if (depth < DEEPEST && isFolder(`${folder}/${name}`)) {
      found.push(...pathsUnder(`${folder}/${name}`, `${prefix}${name}/`, depth + 1));
    }
  }
  return found;
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    const why = error instanceof Deno.errors.PermissionDenied
      ? "permission denied"
      : (error as Error).message;
    throw new UserError(
      `Cannot look for data in ${folder}: ${why}`,
      "check the permissions of that folder, or name another with --data",
    );
  }
}

function matcher(pattern: string): RegExp {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("**/", "\0").replaceAll("*", "[^/]*").replaceAll("\0", "(?:.*/)?");
  return new RegExp(`^${source}$`);
}
