import { assert, assertEquals, assertRejects } from "@std/assert";
import { DATA_PLACE, makePage, MOST_BYTES } from "../../../cli/page/make_page.ts";
import { UserError } from "../../../gpu/errors.ts";
import { testFolder } from "../../support/folders.ts";
import { root } from "../../support/places.ts";

const folder = await testFolder();
const page = await makePage(root);

Deno.test("the page is one file below its size, with a place for a report's data, and asks nothing of a network", () => {
  assert(new TextEncoder().encode(page).length < MOST_BYTES);
  assertEquals(page.split(DATA_PLACE).length, 2);
  assertEquals([...page.matchAll(/<script/g)].length, 1);
  assertEquals([...page.matchAll(/(?:src|href)="?(?!data:)[a-z]+:/g)], []);
  // What remains of addresses names kinds of elements, and is never asked.
  const addresses = [...page.matchAll(/https?:\/\/[\w.]+/g)].map(([address]) => address);
  assertEquals(addresses.filter((address) => !address.endsWith("//www.w3.org")), []);
  assert(!page.includes("sourceMappingURL"));
});

Deno.test("the same page is made from another folder", async () => {
  const copy = `${folder}/elsewhere`;
  const links = ["cliffy-command", "std-assert", "std-cli"].map((name) => `offline/${name}`);
  for (const path of ["web", ...links]) await copyFolder(`${root}/${path}`, `${copy}/${path}`);
  for (const file of ["deno.json", "deno.lock"]) Deno.copyFileSync(`${root}/${file}`, `${copy}/${file}`);
  assertEquals(await makePage(copy), page);
});

Deno.test("a page that cannot be bundled is a user's matter, said with what is needed", async () => {
  const error = await assertRejects(() => makePage(folder), UserError);
  assert(error.message.startsWith("Cannot make the page: deno bundle says "), error.message);
  assert(error.hint?.includes("npm registry"));
});

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
