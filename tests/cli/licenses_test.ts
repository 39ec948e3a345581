import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { standardLicense } from "../../cli/licenses/standard_license.ts";
import { UserError } from "../../gpu/errors.ts";
import { succeed } from "./support/run_softcot.ts";

Deno.test("licenses shows a text for every package, also for those that bring none", async () => {
  const { stdout } = await succeed(["licenses"]);
  const entries = stdout.split(/^(?=\S+ \S+\n=+$)/m);
  assert(entries.length > 10);
  assertEquals(
    entries.filter((entry) => !/without warrant|warranties|warranty|Mozilla Public/i.test(entry)).map((
      entry,
    ) => entry.slice(0, 200)),
    [],
  );
  const of = (name: string) => entries.find((entry) => entry.startsWith(`${name} `)) ?? "";
  assertMatch(
    of("@resvg/resvg-wasm"),
    /had under the same licence at https:\/\/github.com\/yisibl\/resvg-js$/m,
  );
  assertMatch(
    of("@arnog/colors"),
    /^MIT License\n\nCopyright \(c\) the authors of @arnog\/colors\n\nPermission is/m,
  );
  assertMatch(of("@bomb.sh/tab"), /^Copyright \(c\) Bombshell Authors$/m);
});

Deno.test("a package without a text of its licence that names none known is refused", () => {
  const told = { name: "a", version: "1.0.0" };
  assertThrows(
    () => standardLicense(told, ""),
    UserError,
    "Cannot tell the licence of a: it holds no text, and its package.json says nothing",
  );
  assertThrows(() => standardLicense({ ...told, license: "MPL-2.0" }, ""), UserError, "says MPL-2.0");
});
