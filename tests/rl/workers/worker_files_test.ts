/**
 * What workers of one machine fetch: weights that one of them is at are not removed by others, what came before is gone on with and not counted,
 * what is damaged is fetched again.
 */
import { assert, assertEquals } from "@std/assert";
import { isThere } from "../../../model/files/on_disk.ts";
import { serveFiles } from "../../../rl/workers/serve_files.ts";
import { workerFiles } from "../../../rl/workers/worker_files.ts";
import { testFolder } from "../../support/folders.ts";

const folder = await testFolder();

Deno.test("of trained weights the newest stay, and those that a worker is loading", async () => {
  using server = await serveFiles({ host: "127.0.0.1", port: 0 });
  const [one, other] = [0, 1].map(() => workerFiles(`${folder}/worker`, () => {}));
  const fetch = (files: typeof one, step: number) =>
    files.trained(server.url, [server.addText(`weights ${step}`, "model.safetensors")]);
  const texts = (held: string) => Deno.readTextFileSync(`${held}/model.safetensors`);
  const folders: string[] = [];
  {
    using slow = await fetch(one, 0);
    for (let step = 1; step <= 6; step++) {
      using held = await fetch(other, step);
      assertEquals(texts(held.folder), `weights ${step}`);
      folders.push(held.folder);
    }
    assertEquals(texts(slow.folder), "weights 0");
    folders.unshift(slow.folder);
  }
  using _ = await fetch(one, 7);
  assertEquals(folders.map((folder) => isThere(folder)), [false, false, false, false, true, true, true]);
  // What was removed is fetched again.
  using again = await fetch(one, 1);
  assertEquals(texts(again.folder), "weights 1");
  assert(one.fetched > 0 && other.fetched > 0);
});

Deno.test("what a worker fetched is what came over the network: of a part the rest, of what is there nothing", async () => {
  using server = await serveFiles({ host: "127.0.0.1", port: 0 });
  // More than a piece of the server's, of an odd length.
  const bytes = new Uint8Array(2 ** 20 + 12_345).map((_, i) => i % 251);
  Deno.writeFileSync(`${folder}/weights`, bytes);
  const file = server.add(`${folder}/weights`, "model.safetensors");
  const place = `${folder}/counted`;
  const said: string[] = [];
  const fetch = async () => {
    const files = workerFiles(place, (line) => said.push(line));
    using held = await files.trained(server.url, [file]);
    assertEquals(Deno.readFileSync(`${held.folder}/model.safetensors`), bytes);
    return { fetched: files.fetched, path: `${held.folder}/model.safetensors` };
  };
  const { fetched, path } = await fetch();
  assertEquals([fetched, (await fetch()).fetched], [bytes.length, 0]);
  Deno.removeSync(path);
  Deno.writeFileSync(`${path}.incomplete`, bytes.subarray(0, 700_001));
  assertEquals((await fetch()).fetched, bytes.length - 700_001);
  // Of the right size all the same.
  Deno.writeFileSync(path, bytes.with(77, 255));
  assertEquals((await fetch()).fetched, bytes.length);
  // A part that is something else is seen by the whole's hash.
  Deno.removeSync(path);
  Deno.writeFileSync(`${path}.incomplete`, new Uint8Array(1000));
  assertEquals((await fetch()).fetched, 2 * bytes.length - 1000);
  // Nothing of it took a second try.
  assertEquals(said, []);
});

Deno.test("the server of weights goes on with parts of files and texts, and says where there is no more", async () => {
  using server = await serveFiles({ host: "127.0.0.1", port: 0 });
  Deno.writeTextFileSync(`${folder}/digits`, "0123456789");
  for (const { sha256 } of [server.add(`${folder}/digits`, "digits"), server.addText("9876543210", "text")]) {
    const get = async (range?: string, method = "GET") => {
      const response = await fetch(`${server.url}/${sha256}`, { method, headers: range ? { range } : {} });
      return [response.status, await response.text(), response.headers.get("content-range")];
    };
    const [, whole] = await get();
    assertEquals(await get(), [200, whole, null]);
    assertEquals(await get("bytes=0-"), [206, whole, "bytes 0-9/10"]);
    assertEquals(await get("bytes=7-"), [206, `${whole}`.slice(7), "bytes 7-9/10"]);
    assertEquals(await get("bytes=10-"), [416, "", "bytes */10"]);
    // One that is not known is no range: all of it comes.
    assertEquals(await get("bytes=1-2"), [200, whole, null]);
    assertEquals((await get(undefined, "POST"))[0], 405);
  }
  const missing = await fetch(`${server.url}/${"0".repeat(64)}`);
  assertEquals(missing.status, 404);
  await missing.body?.cancel();
});
