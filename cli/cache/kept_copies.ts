import { join } from "node:path";
import { fileSize, isFile, namesIn } from "../../model/files/on_disk.ts";
import { ownFolder } from "../facts/own_build.ts";
import { cachePlaces } from "./cache_places.ts";

/** A version of softcot, or a Deno, that was put into a cache folder. */
export interface KeptCopy {
  path: string;
  bytes: number;
  /** When it was started last; of a Deno that ./softcot installed nobody writes it down. */
  started?: Date;
  /** This very process runs from it. */
  running: boolean;
}

/** The copies in all cache folders, by path. */
export function keptCopies(): KeptCopy[] {
  const self = Deno.realPathSync(ownFolder());
  return cachePlaces().flatMap((place) =>
    namesIn(place).filter((name) => isCopy(place, name)).map((name) => {
      const path = join(place, name);
      const real = Deno.realPathSync(path);
      const running = self === real || Deno.realPathSync(Deno.execPath()).startsWith(`${real}/`);
      return {
        path,
        bytes: bytesIn(path),
        started: name.startsWith("softcot-") ? Deno.statSync(path).mtime! : undefined,
        running,
      };
    })
  ).sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Names as the launchers give them, and a Deno within: what else lies in a folder is the user's. */
const isCopy = (place: string, name: string): boolean =>
  /^(softcot-\d+\.\d+\.\d+\S*-[0-9a-f]{12}|deno-\d+\.\d+\.\d+)$/.test(name) &&
  isFile(join(place, name, "deno"));

const bytesIn = (folder: string): number =>
  namesIn(folder).reduce((sum, name) => sum + (fileSize(join(folder, name)) ?? 0), 0);
