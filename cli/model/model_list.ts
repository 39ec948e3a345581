import { BUILTIN } from "../../model/builtin/builtin_model.ts";
import { ARCHITECTURES } from "../../model/files/architectures.ts";
import { bestCheckpoint } from "../../model/files/best_checkpoint.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import { fileSize, linkTarget, namesIn } from "../../model/files/on_disk.ts";
import { openGguf } from "../../model/formats/gguf.ts";
import { type CachedRepo, cachedRepos } from "../../model/hub/hub_cache.ts";
import { readVerified } from "../../model/hub/verified_blobs.ts";
import { hubCacheFolder } from "../../model/hub/hub_environment.ts";
import { defineCommand } from "../settings/define_command.ts";
import { path } from "../settings/setting.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { table } from "../terminal/table.ts";
import { readPlainText } from "../../model/files/plain_file.ts";
import { parseJson } from "../../model/files/parse_json.ts";

/** A model that is at hand. */
interface Listed {
  /** What `--model` takes. */
  name: string;
  where: "embedded" | "hub cache" | "run";
  /** Null where the files do not tell. */
  architecture: string | null;
  isSupported: boolean;
  /** Of the weights. */
  bytes: number;
  /** Branch and commit, or the checkpoints of a run. */
  revision: string;
  /** When its files were last hashed, as ISO 8601; null where they were not, or not all, or are no hub's. */
  verified: string | null;
}

/** `softcot model list`: the models at hand. */
export const modelListCommand = defineCommand({
  description: `List the models at hand: the embedded one, those in the hub's cache, and runs.

The first column is what --model takes.`,
  settings: { runs: path("Folder that holds runs", { default: "runs", placeholder: "dir" }) },
  examples: [["What can be used now", "softcot model list"]],
  run({ runs }, { print }) {
    const models = [builtin(), ...cachedRepos("model").flatMap(fromCache), ...fromRuns(runs)];
    print({ models }, () => {
      const rows = models.map(({ name, architecture, isSupported, bytes, revision, where, verified }) => [
        name,
        `${architecture ?? "unknown"}${isSupported ? "" : " (not supported)"}`,
        inBytes(bytes),
        revision,
        where,
        verified?.slice(0, 10) ?? "-",
      ]);
      const header = ["model", "architecture", "weights", "revision", "where", "verified"];
      const cache = models.some(({ where }) => where === "hub cache")
        ? `\n\nhub cache: ${hubCacheFolder()}`
        : "";
      return table(rows, { header, align: ["left", "left", "right", "left", "left", "left"] }) + cache;
    });
  },
});

function builtin(): Listed {
  using files = openModelFiles(BUILTIN);
  const bytes = [...files.weights.tensors.values()].reduce((sum, { begin, end }) => sum + end - begin, 0);
  return {
    name: BUILTIN,
    where: "embedded",
    architecture: files.config.architecture,
    isSupported: true,
    bytes,
    revision: "-",
    verified: null,
  };
}

/** A snapshot is one model, or one for each of its GGUF files. */
function fromCache({ id, snapshots }: CachedRepo): Listed[] {
  return snapshots.flatMap(({ commit, folder, revisions, files }) => {
    const revision = [...revisions, commit.slice(0, 12)].join(" ");
    const name = revisions.includes("main") ? id : folder;
    const gguf = files.filter((file) => file.endsWith(".gguf"));
    const single = (file: string): Listed => ({
      ...{ name: gguf.length === 1 ? name : `${folder}/${file}`, where: "hub cache", revision },
      verified: lastVerified(folder, [file]),
      ...described(ggufArchitecture(`${folder}/${file}`)),
      bytes: fileSize(`${folder}/${file}`) ?? 0,
    });
    if (gguf.length > 0) return gguf.map(single);
    const bytes = weightBytes(folder);
    return bytes === 0 ? [] : [{
      name,
      where: "hub cache",
      revision,
      verified: lastVerified(folder, files),
      ...described(folderArchitecture(folder)),
      bytes,
    }];
  });
}

function fromRuns(runs: string): Listed[] {
  return namesIn(runs).sort().flatMap((name): Listed[] => {
    const run = `${runs}/${name}`;
    const steps = namesIn(`${run}/checkpoints`).filter((entry) => /^step-\d+$/.test(entry)).sort();
    if (steps.length === 0) return [];
    const newest = steps.at(-1)!;
    const best = /step-(\d+)$/.exec(bestCheckpoint(run) ?? "")?.[1];
    const folder = `${run}/checkpoints/${best === undefined ? newest : `step-${best}`}`;
    const step = `step ${Number(newest.slice(5))}${best === undefined ? "" : `, best ${Number(best)}`}`;
    const found = { ...described(folderArchitecture(folder)), bytes: weightBytes(folder) };
    return [{ name: run, where: "run", revision: step, verified: null, ...found }];
  });
}

/** When the oldest of a snapshot's files was verified. */
function lastVerified(folder: string, files: readonly string[]): string | null {
  const known = readVerified(folder.replace(/\/snapshots\/[^/]*$/, ""));
  const dates = files.map((file) =>
    known[linkTarget(`${folder}/${file}`)?.split("/").at(-1) ?? ""]?.at ?? ""
  );
  return dates.length === 0 || dates.includes("") ? null : dates.sort()[0];
}

function described(architecture: string | null): Pick<Listed, "architecture" | "isSupported"> {
  const known: readonly (string | null)[] = [...ARCHITECTURES, "LoRA adapter"];
  return { architecture, isSupported: known.includes(architecture) };
}

function folderArchitecture(folder: string): string | null {
  const type = readJson(`${folder}/config.json`)?.model_type;
  if (typeof type === "string") return type;
  return readJson(`${folder}/adapter_config.json`) ? "LoRA adapter" : null;
}

function ggufArchitecture(path: string): string | null {
  try {
    const file = openGguf(path);
    const name = file.metadata.get("general.architecture");
    file.close();
    return typeof name === "string" ? name : null;
  } catch {
    // Damaged, or of a type that cannot be read: using it says why.
    return null;
  }
}

const weightBytes = (folder: string) =>
  namesIn(folder).filter((name) => /^(adapter_)?model.*\.safetensors$|^stories.*\.bin$/.test(name))
    .reduce((sum, name) => sum + (fileSize(`${folder}/${name}`) ?? 0), 0);

function readJson(path: string): Record<string, unknown> | undefined {
  try {
    return parseJson(readPlainText(path)) as Record<string, unknown> ?? undefined;
  } catch {
    return undefined;
  }
}
