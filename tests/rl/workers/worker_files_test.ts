/** What workers of one machine fetch: weights that one of them is at are not removed by others. */
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
