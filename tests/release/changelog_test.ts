import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { UserError } from "../../gpu/errors.ts";
import { releaseNotes } from "../../release/changelog.ts";
import { root } from "../support/places.ts";

const OLD = "\n## 0.1.0 (2026-01-02)\n\n- Old.\n";

Deno.test("a release's notes are the newest section of the changelog, dated and of the same version", () => {
  const notes = releaseNotes(`# Changelog\n\n## 0.2.0 (2026-02-03)\n\n- New.\n- \`a ## b\`\n${OLD}`, "0.2.0");
  assertEquals(notes, "- New.\n- `a ## b`");
  const refused = (text: string, told: string) =>
    assertStringIncludes(assertThrows(() => releaseNotes(text, "0.2.0"), UserError).message, told);
  refused(`# Changelog\n${OLD}`, "begins with 0.1.0");
  refused("# Changelog\n", "begins with no version");
  refused(`## 0.2.0 (unreleased)\n\n- New.\n${OLD}`, "calls it unreleased, a day is needed");
  refused(`## 0.2.0 (2026-02-03)\n${OLD}`, "says nothing of it");
});

Deno.test("the changelog begins with the version in deno.json", () => {
  const [, version] = /^## (\S+) \(/m.exec(Deno.readTextFileSync(`${root}CHANGELOG.md`))!;
  assertEquals(version, project.version);
});
