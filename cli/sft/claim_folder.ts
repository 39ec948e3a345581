import { UserError } from "../../gpu/errors.ts";
import { isThere, namesIn } from "../../model/files/on_disk.ts";
import { isBare } from "../../rl/run/run.ts";

/** How the files are named that are made to find out whether a folder can be written to. */
const PROBE = ".softcot-";

/**
 * Finds out before the training whether the model can be written.
 * @throws UserError if the folder cannot be written to, or holds anything
 */
export function claimFolder(out: string): void {
  const isNew = !isThere(out);
  try {
    Deno.mkdirSync(out, { recursive: true });
    Deno.removeSync(Deno.makeTempFileSync({ dir: out, prefix: PROBE }));
    if (isNew) return Deno.removeSync(out);
  } catch (error) {
    throw new UserError(`Cannot write to ${out}: ${(error as Error).message}, a writable folder is needed`);
  }
  // What killed commands left that had only begun is none: probes, and a folder that holds no settings yet.
  const isNone = !isThere(`${out}/unfinished/config.toml`);
  const [first] = namesIn(out).filter((name) =>
    !name.startsWith(PROBE) && !(isNone && name === "unfinished" && isBare(`${out}/${name}`))
  );
  if (first === undefined) return;
  if (!isNone) {
    throw new UserError(
      `Cannot start a training in ${out}: it holds an unfinished one`,
      `go on with it by: softcot sft --resume --out ${out}; or name a new folder with --out`,
    );
  }
  // A model among other files, such as those of a run, would change what its name means.
  const held = isThere(`${out}/model.safetensors`) ? "one already" : `other files, such as ${first}`;
  throw new UserError(
    `Cannot write a model to ${out}: it holds ${held}, an empty or new folder is needed`,
    "name a new folder with --out",
  );
}
