import { assertEquals } from "@std/assert";
import { href, parseRoute, withQuery } from "../../../web/app/route.ts";

Deno.test("an address is read as it was made, whatever is in its parts", () => {
  const id = "sweeps/a b%/ü?#=&";
  const address = href("run", [id, "curves"], { x: "tokens", text: "a&b=c #1", none: "", nothing: null });
  assertEquals(parseRoute(address), {
    view: "run",
    path: [id, "curves"],
    query: { x: "tokens", text: "a&b=c #1" },
  });
});

Deno.test("an empty address is that of all runs, which may be filtered", () => {
  for (const hash of ["", "#", "#/"]) assertEquals(parseRoute(hash), { view: "runs", path: [], query: {} });
  assertEquals(href("runs"), "#/");
  assertEquals(parseRoute(href("runs", [], { text: "soft" })), {
    view: "runs",
    path: [],
    query: { text: "soft" },
  });
});

Deno.test("a lone % in an address is a character", () => {
  assertEquals(parseRoute("#/run/100%/curves").path, ["100%", "curves"]);
});

Deno.test("values of an address are changed, and taken out, without the others", () => {
  const route = parseRoute("#/run/a/curves?x=tokens&mean=5");
  assertEquals(parseRoute(withQuery(route, { x: "", log: "y" })).query, { mean: "5", log: "y" });
});
