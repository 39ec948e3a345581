import { assertEquals, assertThrows } from "@std/assert";
import { git } from "../../cli/facts/git.ts";
import { UserError } from "../../gpu/errors.ts";
import { refuseTag } from "../../release/refuse_tag.ts";
import { testFolder } from "../support/folders.ts";

Deno.test("a version that has a tag is not released again", async () => {
  const folder = await testFolder();
  const person = ["-c", "user.name=a", "-c", "user.email=a@b"];
  git(folder, "init", "--quiet");
  assertEquals(git(folder, ...person, "commit", "--quiet", "--allow-empty", "--message", "one"), "");
  assertEquals(git(folder, "tag", "v0.2.0"), "");
  assertThrows(
    () => refuseTag(folder, "0.2.0"),
    UserError,
    "Cannot release 0.2.0: the tag v0.2.0 is there already",
  );
  refuseTag(folder, "0.2.1");
  refuseTag(folder, "0.2");
});
