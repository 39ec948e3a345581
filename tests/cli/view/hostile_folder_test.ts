/** Folders and files that mean no good, requests from elsewhere, and what may not be read. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { testFolder } from "../../support/folders.ts";
import { until } from "../../support/until.ts";
import { viewOf } from "./support/viewed_folders.ts";

const folder = await testFolder();
const secret = "SECRET-0123456789";
Deno.writeTextFileSync(`${folder}/secret`, secret);

/** A run's folder with these files. */
function makeRun(path: string, files: Record<string, string>): string {
  Deno.mkdirSync(`${folder}/${path}`, { recursive: true });
  const all = { "config.toml": 'task = "sums"\nthinking = "soft"\nsteps = 2\n', ...files };
  for (const [name, text] of Object.entries(all)) Deno.writeTextFileSync(`${folder}/${path}/${name}`, text);
  return `${folder}/${path}`;
}

const lines = (...records: unknown[]) => records.map((record) => JSON.stringify(record) + "\n").join("");

/** What a raw request to a view is answered with: fetch would set Host and the path itself. */
async function asked(port: number, request: string): Promise<{ status: number; head: string; body: string }> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(request.replaceAll("\n", "\r\n")));
  const parts: Uint8Array[] = [];
  for await (const part of connection.readable) parts.push(part.slice());
  const text = new TextDecoder().decode(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  const [head, ...body] = text.split("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), head, body: body.join("\r\n\r\n") };
}

const get = (path: string, port: number, headers = "") =>
  asked(port, `GET ${path} HTTP/1.1\nHost: 127.0.0.1:${port}\n${headers}Connection: close\n\n`);

Deno.test("other hosts' names, other origins and other sites are refused", async () => {
  await using view = viewOf([makeRun("plain", {})]);
  const { port } = view.served;
  assertEquals((await get("/api/overview", port)).status, 200);
  assertEquals((await get("/api/overview", port, `Origin: http://127.0.0.1:${port}\n`)).status, 200);
  assertEquals(
    (await get("/", port, "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\n")).status,
    200,
    "a link",
  );
  const local = `GET / HTTP/1.1\nHost: localhost:${port}\nConnection: close\n\n`;
  assertEquals((await asked(port, local)).status, 200);
  for (
    const host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      `127.0.0.1:${port + 1}`,
      `[::1]:${port}`,
    ]
  ) {
    for (const path of ["/", "/api/overview", "/api/events"]) {
      const { status, body } = await asked(
        port,
        `GET ${path} HTTP/1.1\nHost: ${host}\nConnection: close\n\n`,
      );
      assertEquals(status, 403, `${host} ${path}`);
      assert(!body.includes("plain"));
    }
  }
  for (
    const headers of [
      "Origin: http://evil.example\n",
      "Origin: null\n",
      `Origin: http://localhost:${port}\n`,
      "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors\n",
      "Sec-Fetch-Site: same-site\nSec-Fetch-Mode: cors\n",
    ]
  ) assertEquals((await get("/api/overview", port, headers)).status, 403, headers);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const request =
      `${method} /api/overview HTTP/1.1\nHost: 127.0.0.1:${port}\nContent-Length: 0\nConnection: close\n\n`;
    assertEquals((await asked(port, request)).status, 405);
  }
});

Deno.test("answers are for the page that asked alone, and no path leads anywhere else", async () => {
  await using view = viewOf([makeRun("paths", {})]);
  const { port } = view.served;
  const { head } = await get("/api/overview", port);
  for (
    const line of [
      "cache-control: no-store",
      "x-content-type-options: nosniff",
      "cross-origin-resource-policy: same-origin",
      "x-frame-options: DENY",
      "content-security-policy: default-src 'none'",
    ]
  ) assertStringIncludes(head.toLowerCase(), line.toLowerCase());
  assert(!/access-control/i.test(head));
  for (
    const path of [
      ...[
        "/../secret",
        "/..%2fsecret",
        "/%2e%2e/secret",
        "//secret",
        "/api/../../secret",
        "/paths/config.toml",
      ],
      ...["/api/__proto__", "/api/constructor", "/api/", "/api"],
    ]
  ) {
    const { status, body } = await get(path, port);
    assert(status === 404 || status === 400, `${path}: ${status}`);
    assert(!body.includes(secret));
  }
  for (const id of ["../secret", "paths/../../secret", "/etc/passwd", "%00", "__proto__", ""]) {
    for (const what of ["metrics", "rollouts", "facets", "tables", "profile"]) {
      const { status, body } = await get(`/api/${what}?id=${encodeURIComponent(id)}`, port);
      assertEquals(status, 404, `${what} ${id}`);
      assert(!body.includes(secret));
    }
  }
  for (
    const query of [
      "limit=-1",
      "limit=x",
      "order=up",
      "correct=1",
      "rewardFrom=NaN",
      "after=1e99",
      "step=0x1",
    ]
  ) {
    const { status, body } = await get(`/api/rollouts?id=paths&${query}`, port);
    assertEquals([status, /Cannot answer/.test(body)], [404, true], query);
  }
});

Deno.test("links lead nowhere: neither files, nor folders, nor what a run keeps beside", async () => {
  const run = makeRun("linked", { "samples.jsonl": lines({ step: 1, question: "own", reward: 0 }) });
  const outside = makeRun("outside/run", {
    "metrics.jsonl": lines({ step: 1, reward: 77 }),
    "tests.json": JSON.stringify({ before: [], secret }),
  });
  Deno.writeTextFileSync(`${outside}/profile.json`, JSON.stringify({ secret }));
  Deno.mkdirSync(`${folder}/given`);
  Deno.renameSync(run, `${folder}/given/run`);
  const given = `${folder}/given/run`;
  Deno.symlinkSync(`${outside}/metrics.jsonl`, `${given}/metrics.jsonl`);
  Deno.symlinkSync(`${outside}/tests.json`, `${given}/tests.json`);
  Deno.symlinkSync(`${outside}/profile.json`, `${given}/profile.json`);
  Deno.symlinkSync(`${folder}/secret`, `${given}/best`);
  Deno.symlinkSync(outside, `${folder}/given/elsewhere`);
  Deno.symlinkSync("..", `${folder}/given/up`);
  await using view = viewOf([`${folder}/given`]);
  const { places, notes } = await view.source.overview();
  assertEquals(places.map(({ id, rollouts }) => [id, rollouts]), [["given/run", 1]]);
  assertMatch(notes.join("\n"), /given\/run\/metrics\.jsonl may not be read: a link leads to it/);
  assertEquals((await view.source.metrics("given/run")).lines, 0);
  const tables = await view.source.tables("given/run");
  assertEquals(tables.measured, []);
  assert(tables.notes.length > 0 && !JSON.stringify(tables).includes(secret));
  assertEquals(await view.source.profile("given/run"), null);
  // Exchanged for a link while it is looked at: one that is longer than the file was, and may have its number.
  Deno.writeTextFileSync(`${outside}/samples.jsonl`, lines({ step: 9, question: secret, reward: 0 }));
  Deno.removeSync(`${given}/samples.jsonl`);
  Deno.symlinkSync(`${outside}/${"./".repeat(100)}samples.jsonl`, `${given}/samples.jsonl`);
  assertEquals((await view.source.rollouts("given/run", {})).lines, []);
});

Deno.test("a file that is written anew in its place is another one, also where it has grown", async () => {
  const run = makeRun("anew", { "samples.jsonl": lines({ step: 1, question: "old", reward: 0 }) });
  await using view = viewOf([run]);
  const told = async () => (await view.source.rollouts("anew", {})).lines.map(({ question }) => question);
  assertEquals(await told(), ["old"]);
  const now = [{ step: 1, question: "first of a new run", reward: 0 }, {
    step: 2,
    question: "second",
    reward: 0,
  }];
  Deno.writeTextFileSync(`${run}/samples.jsonl`, lines(...now));
  assertEquals(await told(), ["first of a new run", "second"]);
});

Deno.test("an index that is a link is not written through, and one that lies is not believed", async () => {
  const many = Array.from({ length: 3000 }, (_, step) => ({ step, question: `q${step}`, reward: 10 }));
  const run = makeRun("index", { "samples.jsonl": lines(...many) });
  Deno.writeTextFileSync(`${folder}/target`, "untouched");
  Deno.symlinkSync(`${folder}/target`, `${run}/samples.jsonl.index`);
  {
    await using view = viewOf([run]);
    await until(async () => (await view.source.overview()).places[0].indexed === 1, "it is indexed");
    assertMatch((await view.source.overview()).notes.join(), /index of index is in memory alone/);
    assertEquals((await view.source.rollouts("index", {})).total, 3000);
  }
  assertEquals(Deno.readTextFileSync(`${folder}/target`), "untouched");
  Deno.removeSync(`${run}/samples.jsonl.index`);
  {
    await using view = viewOf([run]);
    await until(async () => (await view.source.overview()).places[0].indexed === 1, "it is indexed");
  }
  const index = Deno.readFileSync(`${run}/samples.jsonl.index`);
  // Places far beyond the file, in the first column of the first block.
  const body = new TextDecoder("latin1").decode(index).indexOf("\n", index.indexOf(10) + 1) + 1;
  new DataView(index.buffer).setFloat64(body, 1e15, true);
  Deno.writeFileSync(`${run}/samples.jsonl.index`, index);
  await using view = viewOf([run]);
  const { lines: [first, second] } = await view.source.rollouts("index", { limit: 2 });
  assertEquals([first.head, second.head], ["(damaged)", "q1"]);
});

Deno.test("hostile texts come as they are, and values of other kinds as none", async () => {
  const nasty = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\u202e\u2066right to left\u0000\u001b[31m",
    "\ud800 half a character",
    "__proto__",
  ];
  const odd = [
    ...[{}, { step: -1 }, { step: "x", reward: [], question: {}, thinking_end: 5, mode: null }],
    { version: 2, step: 1, mixtures: [[["a", {}]], 5, null], thinking_tokens: ["x", {}], pieces: { x: 5 } },
    { version: 2, step: 1e300, group: 1.5, sample: -5, reward: 1e308, advantage: "x", pieces: null },
    JSON.parse('{"__proto__":{"reward":5},"step":1,"constructor":5}'),
  ];
  const texts = nasty.map((question) => ({
    step: 1,
    id: question,
    question,
    thinking: question,
    answer: "",
    reward: 0,
  }));
  const run = makeRun("nasty", {
    "samples.jsonl": lines(...texts, ...odd) + lines({ step: 1, question: "y".repeat(1e6), reward: 100 }),
    "metrics.jsonl": lines({ step: 1, "<b>": 1, time: { step: 1 } }, {
      step: 2,
      __proto__: 5,
      deep: { a: { b: { c: { d: 1 } } } },
    }) +
      '{"step":3,"__proto__":7}\n' +
      lines(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i]))),
  });
  Deno.writeTextFileSync(`${run}/tests.json`, '{"before":[{"mode":');
  await using view = viewOf([run]);
  const { source } = view;
  const { lines: found, total, skipped } = await source.rollouts("nasty", {});
  assertEquals([total, skipped, found.length], [
    texts.length + odd.length + 1,
    0,
    texts.length + odd.length + 1,
  ]);
  assertEquals(found.slice(0, 3).map(({ head }) => head), nasty.slice(0, 3));
  assertEquals(found.at(-1)!.head.length, 120);
  for (const { place } of found) {
    const one = await source.rollout("nasty", place);
    assert(Array.isArray(one.thought) && typeof one.questionText === "string");
  }
  assertEquals((await source.rollouts("nasty", { question: nasty[0] })).total, 1);
  assertEquals((await source.rollouts("nasty", { text: "RIGHT TO LEFT" })).lines.length, 1);
  await source.facets("nasty");
  const { lines: count, keys } = await source.metrics("nasty");
  assert(count === 4 && keys.includes("<b>") && keys.length <= 405, `${keys.length}`);
  assertMatch((await source.tables("nasty")).notes[0], /^Cannot compare: nasty\/tests\.json is damaged/);
});

Deno.test("a folder without rights is told, and one that is given has to be there", async () => {
  const run = makeRun("closed/run", {});
  Deno.chmodSync(run, 0);
  try {
    await using view = viewOf([`${folder}/closed`]);
    const { places, notes } = await view.source.overview();
    // Root reads everything.
    if (Deno.uid() !== 0) {
      assertEquals([places, notes], [[], ["closed/run may not be read: PermissionDenied"]]);
    } else assertEquals(places.length, 1);
  } finally {
    Deno.chmodSync(run, 0o700);
  }
});
