/**
 * Serves the files of a folder as `org/name` of a hub, until it is ended; prints its address.
 *
 *     deno run -A tests/golden/serve_fake_hub.ts FOLDER
 *
 * @module
 */
import { fakeHub } from "../model/support/fake_hub.ts";

const [folder] = Deno.args;

function read(path = ""): [string, Uint8Array<ArrayBuffer>][] {
  return [...Deno.readDirSync(`${folder}/${path}`)].flatMap(({ name, isDirectory }) =>
    isDirectory ? read(`${path}${name}/`) : [[path + name, Deno.readFileSync(`${folder}/${path}${name}`)]]
  );
}

console.log(fakeHub(Object.fromEntries(read())).endpoint);
