/** `softcot view` as a process: what it says, writes and may do, and how it ends. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { writeLargeRun } from "../../bench/support/large_run.ts";
import { testFolder } from "../../support/folders.ts";
import { httpSource } from "../../../web/data/http_source.ts";
import { fails, softcotCommand } from "../support/run_softcot.ts";
import { until } from "../../support/until.ts";

const folder = await testFolder();
const run = `${folder}/long`;
writeLargeRun(run, { updates: 1500, rollouts: 3000, steps: 2 });

/** Starts a view, uses it, and ends it by Ctrl-C. */
async function viewing<T>(args: string[], use: (url: string) => Promise<T>): Promise<T> {
  const options = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
  const child = softcotCommand(["view", ...args], options).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("\n")) said += (await reader.read()).value ?? "\n";
  try {
    return await use(said.trim());
  } finally {
    child.kill("SIGINT");
    const { code } = await child.status;
    const stderr = await new Response(child.stderr).text();
    await reader.cancel();
    assertEquals([code, stderr.trim()], [0, "Ctrl-C ends it."]);
  }
}

const names = () => [...Deno.readDirSync(run)].map(({ name }) => name).sort();
const FILES = ["checkpoints", "config.toml", "metrics.jsonl", "samples.jsonl"];

Deno.test("it prints where the page is, answers, writes an index and nothing else, and ends by Ctrl-C", async () => {
  await viewing([run, "--read-only"], async (url) => {
    assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const page = await fetch(url);
    const html = await page.text();
    const policy = page.headers.get("content-security-policy")!;
    assertMatch(
      policy,
      /^default-src 'none'; script-src 'sha256-[\w+/]+='; img-src data: blob:; connect-src 'self';/,
    );
    assert(!policy.includes("unsafe") && html.includes('<div id="root">') && html.length < 300_000);
    assert(!/(src|href)="(?!data:)[^"#]/.test(html), "it asks for nothing else");
    await readToTheEnd(url);
  });
  assertEquals(names(), FILES, "--read-only");
  await viewing([run], async (url) => {
    await readToTheEnd(url);
    // A second one, beside it.
    await viewing([run], readToTheEnd);
  });
  assertEquals(names(), [...FILES, "metrics.jsonl.index", "samples.jsonl.index"].sort());
  await viewing([run], readToTheEnd);
});

async function readToTheEnd(url: string): Promise<void> {
  const source = httpSource(url.replace(/\/$/, ""));
  await until(async () => (await source.overview()).places[0].indexed === 1, "all is indexed", 60);
  const { places: [place], notes } = await source.overview();
  assertEquals([place.steps, place.rollouts, notes], [1500, 3000, []]);
  assertEquals((await source.rollouts("long", { order: "last", limit: 1 })).lines[0].step, 1500);
}

Deno.test("mistakes are told in a line", async () => {
  await fails(["view", `${folder}/none`], 1, "Cannot view", "there is no such folder");
  await fails(["view", `${run}/config.toml`], 1, "it is a file, a folder is needed");
  await fails(["view", run, "--port", "0"], 2, "must be an integer of at least 1 and at most 65535");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await fails(
    ["view", run, "--port", `${listener.addr.port}`],
    1,
    "another program has it, a free one is needed",
  );
  listener.close();
});
