import { UserError } from "../../gpu/errors.ts";
import { isThere } from "../../model/files/on_disk.ts";

/**
 * Finds out before the training whether the model can be written.
 * @throws UserError if the folder cannot be written to, or holds anything
 */
export function claimFolder(out: string): void {
  const isNew = !isThere(out);
  try {
    Deno.mkdirSync(out, { recursive: true });
    Deno.removeSync(Deno.makeTempFileSync({ dir: out, prefix: ".softcot-" }));
    if (isNew) return Deno.removeSync(out);
  } catch (error) {
    throw new UserError(`Cannot write to ${out}: ${(error as Error).message}, a writable folder is needed`);
  }
  const [first] = Deno.readDirSync(out);
  if (first === undefined) return;
  if (isThere(`${out}/unfinished/config.toml`)) {
    throw new UserError(
      `Cannot start a training in ${out}: it holds an unfinished one`,
      `go on with it by: softcot sft --resume --out ${out}; or name a new folder with --out`,
    );
  }
  // A model among other files, such as those of a run, would change what its name means.
  const held = isThere(`${out}/model.safetensors`) ? "one already" : `other files, such as ${first.name}`;
  throw new UserError(
    `Cannot write a model to ${out}: it holds ${held}, an empty or new folder is needed`,
    "name a new folder with --out",
  );
}
