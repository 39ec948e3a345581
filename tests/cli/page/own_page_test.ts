import { assert, assertEquals } from "@std/assert";
import { testFolder } from "../../support/folders.ts";
import { root } from "../../support/places.ts";

const cache = await testFolder();
const OLD = "page-0123456789abcdef.html";

/** The page as a process of its own gets it, which has another cache than the user's. */
async function pageOfProcess(): Promise<string> {
  const code =
    `import { ownPage } from "${root}cli/page/own_page.ts"; await Deno.stdout.write(new TextEncoder().encode(await ownPage()));`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", `${root}deno.json`, code],
    env: { SOFTCOT_CACHE: cache },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

const kept = () => [...Deno.readDirSync(cache)].map(({ name }) => name);

Deno.test("a checkout's page is made once and kept for its user alone, in place of that of other sources", async () => {
  Deno.chmodSync(cache, 0o700);
  Deno.writeTextFileSync(`${cache}/${OLD}`, "old");
  Deno.writeTextFileSync(`${cache}/page-mine.html`, "a user's own");
  const page = await pageOfProcess();
  assert(page.startsWith("<!doctype html>"));
  const [name] = kept().filter((each) => each !== "page-mine.html");
  assertEquals(kept().length, 2);
  assert(/^page-[0-9a-f]{16}\.html$/.test(name) && name !== OLD, name);
  assertEquals(Deno.statSync(`${cache}/${name}`).mode! & 0o777, 0o600);
  assertEquals(Deno.readTextFileSync(`${cache}/${name}`), page);
  Deno.writeTextFileSync(`${cache}/${name}`, "kept");
  assertEquals(await pageOfProcess(), "kept");
});
