/**
 * Makes a model the embedded one: writes weights.base64, config.json and softcot.json from a folder whose weights are
 * f16, as `softcot sft` writes it, and whose tokenizer is the embedded one.
 *
 *     deno run --allow-read --allow-write=model/builtin model/builtin/embed_weights.ts FOLDER
 *
 * Base64 in lines, because text is the one kind of import that run, check, bundle and compile all take.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import { readModelConfig } from "../files/hf_config.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { loadTokenizer } from "../tokenizer/tokenizer.ts";
import { builtinTokenizer } from "./builtin_tokenizer.ts";

/**
 * The files' contents by name.
 *
 * @param folder a Hugging Face folder
 * @throws UserError if it is damaged, its weights are not f16, or its tokenizer is another one
 */
export function makeEmbeddedFiles(folder: string): Record<string, string> {
  readModelConfig(folder);
  const path = `${folder}/model.safetensors`;
  const file = openSafetensors(path);
  const wide = [...file.tensors.values()].find(({ dtype }) => dtype !== "F16");
  file.close();
  if (wide) throw new UserError(`Cannot embed ${path}: ${wide.name} is ${wide.dtype}, F16 is needed`);
  const own = builtinTokenizer().files["tokenizer.json"];
  if (loadTokenizer(folder).files["tokenizer.json"] !== own) {
    throw new UserError(`Cannot embed ${folder}: its tokenizer.json is not the embedded model's own`);
  }
  const text = Deno.readFileSync(path).toBase64().replace(/.{1,120}/g, "$&\n");
  return {
    "weights.base64": text,
    "config.json": Deno.readTextFileSync(`${folder}/config.json`),
    "softcot.json": Deno.readTextFileSync(`${folder}/softcot.json`),
  };
}

if (import.meta.main) {
  try {
    if (Deno.args.length !== 1) throw new UserError("Cannot embed a model: give its folder");
    for (const [name, text] of Object.entries(makeEmbeddedFiles(Deno.args[0]))) {
      Deno.writeTextFileSync(new URL(name, import.meta.url), text);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(`error: ${error.message}`);
    Deno.exit(1);
  }
}
