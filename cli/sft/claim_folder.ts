import { UserError } from "../../gpu/errors.ts";
import { isThere } from "../../model/files/on_disk.ts";

/**
 * Finds out before the training whether the model can be written.
 * @throws UserError if the folder cannot be written to, or holds a model
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
  if ([...Deno.readDirSync(out)].some(({ name }) => name === "model.safetensors")) {
    throw new UserError(
      `Cannot write a model to ${out}: it holds one already`,
      "name a new folder with --out",
    );
  }
}
