/** What servers refuse, and where there is none: what is told, and how long it is tried. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { refused, withHub } from "../support/with_hub.ts";

Deno.test("401, 403, 404: what is wrong and what to do", () =>
  withHub(async ({ hub, pull }) => {
    const answer = (status: number, code?: string) => {
      hub.misbehave = () => new Response("", { status, headers: code ? { "x-error-code": code } : {} });
    };
    answer(401);
    await refused(pull(), "the model org/name: the hub answered 401", "the token that was sent");
    Deno.env.set("HF_TOKEN", "");
    await refused(pull(), "it is private, or there is none of that name", "set HF_TOKEN");
    answer(401, "GatedRepo");
    await refused(
      pull(),
      "have not given this (absent) token access",
      `${hub.endpoint}/org/name, then set HF_TOKEN`,
    );
    answer(403);
    await refused(pull({ kind: "dataset" }), "(403)", `${hub.endpoint}/datasets/org/name`);
    hub.misbehave = undefined;
    await refused(pull({ id: "org/nobody" }), "Cannot pull the model org/nobody: http", "check the name");
    await refused(pull({ revision: "v9" }), "it has no branch, tag or commit v9", "/tree/main");
    hub.misbehave = ({ path }) =>
      /resolve.*config.json/.test(path) ? new Response("", { status: 404 }) : undefined;
    await refused(pull(), "Cannot pull config.json of the model org/name", "");
    assert(hub.seen.length < 40, "none of these is worth a second attempt");
  }));

Deno.test("429 and 503 are waited out as long as the server asks; no server is asked for ever", () =>
  withHub(async ({ hub, pull, notices }) => {
    let left = 2;
    hub.misbehave = ({ path }) =>
      path.includes("/tree/") && left-- > 0
        ? new Response("", { status: left ? 503 : 429, headers: { "retry-after": left ? "0" : "1" } })
        : undefined;
    const began = performance.now();
    await pull();
    assert(performance.now() - began >= 1000);
    assertStringIncludes(
      notices.join("\n"),
      "the server answered 503, it has trouble of its own; trying again in 0.0 s",
    );
    assertStringIncludes(
      notices.join("\n"),
      "the server answered 429, it has had too many requests; trying again in 1.0 s",
    );
    hub.misbehave = () => new Response("", { status: 503 });
    await refused(
      pull(),
      "the server answered 503, it has trouble of its own (5 attempts in a row failed)",
      "then try again",
    );
    hub.misbehave = () => new Response("", { status: 429, headers: { ratelimit: '"api";r=0;t=3600' } });
    await refused(pull(), "it asks to wait 3600 s");
    hub.misbehave = () => new Response("<html>sign in to this network</html>");
    await refused(pull(), "answers with something that is not JSON", "proxy");
  }));

Deno.test("no hub at all is an error that names it", () =>
  withHub(async ({ hub, pull }) => {
    const dead = "http://127.0.0.1:1";
    const message = `Cannot ask for org/name from ${dead}: the connection broke`;
    const error = await refused(pull({ hub: { endpoint: dead } }), message, "check the network");
    assert(!/fetch failed\)|kept/.test(error.message + error.hint), error.message);
    assertEquals(hub.seen.length, 0);
    Deno.env.set("HF_ENDPOINT", "banana");
    await refused(pull(), "Cannot use the hub at banana: HF_ENDPOINT names it", "unset HF_ENDPOINT");
  }));
