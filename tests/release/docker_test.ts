import { assert, assertEquals } from "@std/assert";
import { root } from "../support/places.ts";

Deno.test("docker build is given built files alone, and the one that people are told to name is among them", () => {
  const lines = Deno.readTextFileSync(`${root}.dockerignore`).trim().split("\n").filter((line) =>
    !line.startsWith("#")
  );
  assertEquals(lines[0], "*");
  const given = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  for (const path of ["docs/servers.md", "docs/Dockerfile"]) {
    const [, named] = /--build-arg FILE=(\S+)/.exec(Deno.readTextFileSync(root + path))!;
    assert(
      given.some((pattern) => pattern.endsWith("*") && named.startsWith(pattern.slice(0, -1))),
      `${path}: ${named}`,
    );
  }
});
