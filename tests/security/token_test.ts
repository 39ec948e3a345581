/** The hub's token goes to the endpoint's exact origin alone, and no message shows it. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UserError } from "../../gpu/errors.ts";
import { othersMayRead } from "../../model/files/others_may_read.ts";
import { openHub } from "../../model/hub/hub.ts";
import { nextAddress } from "../../model/hub/request.ts";
import { runSoftcot } from "../cli/support/run_softcot.ts";
import { refused, withHub } from "../model/support/with_hub.ts";
import { inFolder } from "../support/folders.ts";
import { withEnv } from "../support/with_env.ts";

const TOKEN = "hf_" + "a1B2c3D4e5".repeat(3);

Deno.test("from https nothing leads to http, and an address that a server names carries no name or password", () => {
  const hub = openHub({ endpoint: "https://hub.example", token: TOKEN });
  for (
    const [from, named] of [
      ["https://hub.example/a", "http://hub.example/a"],
      ["https://hub.example/a", "http://cdn.example/a"],
      ["https://cdn.example/a", "http://hub.example/a"],
      ["https://hub.example/a", "HTTP://hub.example:443/a"],
    ]
  ) {
    const { message } = assertThrows(() => nextAddress(hub, from, named), UserError, "plain http");
    assert(!message.includes(TOKEN));
  }
  for (const named of [null, "", "file:///etc/passwd", "data:,x", "javascript:1", "http://", "ws://h/"]) {
    const from = "https://hub.example/a";
    if (named === "") assertThrows(() => nextAddress(hub, from, named), UserError, "nowhere");
    else assertThrows(() => nextAddress(hub, from, named), UserError, "sends us on to nowhere");
  }
  assertEquals(nextAddress(hub, "https://hub.example/a/b", "../c?d"), "https://hub.example/c?d");
  assertEquals(nextAddress(hub, "https://h/", "https://me:pass@cdn.example/x"), "https://cdn.example/x");
});

Deno.test("an https hub that sends us on to http of the same host gets no token there", async () => {
  const tools = await new Deno.Command("openssl", { args: ["version"], stdout: "null" }).output()
    .catch(() => undefined);
  if (!tools?.success) return console.log("skipped: openssl makes the certificate, and is not here");
  await inFolder(async (folder) => {
    const [cert, key] = [`${folder}/cert.pem`, `${folder}/key.pem`];
    const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const rest = [
      "-addext",
      "basicConstraints=critical,CA:FALSE",
      "-days",
      "2",
      "-keyout",
      key,
      "-out",
      cert,
      ...names,
    ];
    await new Deno.Command("openssl", { args: [...kind, ...rest], stderr: "null" }).output();
    const seen: [string, string | null][] = [];
    const note = (request: Request) => {
      seen.push([new URL(request.url).protocol, request.headers.get("authorization")]);
    };
    const quiet = { port: 0, hostname: "localhost", onListen: () => {} };
    await using plain = Deno.serve(quiet, (request) => {
      note(request);
      return Response.json({ sha: "0".repeat(40) });
    });
    await using secure = Deno.serve(
      { ...quiet, cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) },
      (request) => {
        note(request);
        const location = `http://localhost:${plain.addr.port}${new URL(request.url).pathname}`;
        return new Response("", { status: 302, headers: { location } });
      },
    );
    const { code, stderr } = await runSoftcot(["model", "pull", "org/name"], {
      ...{ HF_ENDPOINT: `https://localhost:${secure.addr.port}`, HF_HUB_OFFLINE: "", HF_HOME: folder },
      ...{ HF_TOKEN: TOKEN, DENO_CERT: cert },
    });
    assertEquals([code, seen], [1, [["https:", `Bearer ${TOKEN}`]]], stderr);
    assertStringIncludes(stderr, "sends us on from https to plain http");
  });
});

Deno.test("a token with a line end, and an endpoint with a password, are refused and not shown", async () => {
  for (
    const bad of [`${TOKEN}\nx`, `${TOKEN}\r\nevil: 1`, `${TOKEN} ` + "x", `${TOKEN}\u00e9`, "a".repeat(5000)]
  ) {
    const { code, stdout, stderr } = await runSoftcot(["model", "pull", "org/name"], {
      ...{ HF_TOKEN: bad, HF_HUB_OFFLINE: "", HF_ENDPOINT: "http://127.0.0.1:9" },
    });
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, "Cannot use the token in HF_TOKEN: it holds a blank, a line end");
    assert(!(stdout + stderr).includes(bad.slice(0, 12)), stderr);
  }
  for (
    const address of ["http://user:hunter2@127.0.0.1:9", "https://user:hunter2@", "http://user:hunter2@a b/"]
  ) {
    const { code, stderr } = await runSoftcot(["model", "pull", "org/name"], { HF_ENDPOINT: address });
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, "HF_ENDPOINT");
    assert(!stderr.includes("hunter2"), stderr);
  }
});

Deno.test("a token's file that others may read is refused; one in a folder of its owner's alone is not", () =>
  withHub(async ({ hub, cache, pull }) => {
    const path = `${cache}/token`;
    const asked = () => withEnv({ HF_TOKEN: "", HF_TOKEN_PATH: path }, pull);
    Deno.writeTextFileSync(path, `${TOKEN}\n`);
    Deno.chmodSync(path, 0o644);
    Deno.chmodSync(cache, 0o755);
    assertEquals(othersMayRead(path), true);
    const { message } = await refused(asked(), `others on this machine may read the file`, "chmod 600");
    assert(!message.includes(TOKEN));
    assertEquals(hub.seen, []);
    Deno.chmodSync(cache, 0o700);
    assertEquals(othersMayRead(path), false);
    Deno.chmodSync(cache, 0o755);
    Deno.chmodSync(path, 0o600);
    await asked();
    assertEquals(hub.seen[0].authorization, `Bearer ${TOKEN}`);
  }));

Deno.test("an answer of the hub's API that does not end is given up, by bytes and by time", () =>
  withHub(async ({ hub, pull }) => {
    let sent = 0;
    const endless = (delay: number) =>
      new ReadableStream<Uint8Array>({
        async pull(stream) {
          await new Promise((resolve) => setTimeout(resolve, delay));
          const piece = new Uint8Array(delay > 0 ? 1 : 2 ** 20).fill(0x20);
          stream.enqueue(piece);
          sent += piece.length;
        },
      });
    for (const part of ["/revision/", "/tree/"]) {
      hub.misbehave = ({ path }) => path.includes(part) ? new Response(endless(0)) : undefined;
      sent = 0;
      await refused(pull(), "answers with more than 16 MiB where it lists files");
      assert(sent < 64 * 2 ** 20, `${sent} bytes were taken`);
    }
    hub.misbehave = ({ path }) => path.includes("/tree/") ? new Response(endless(20)) : undefined;
    await refused(pull({ hub: { patience: 100 } }), "answers without an end");
  }));
