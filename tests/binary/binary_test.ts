/**
 * The one file for servers in short: built from the Deno that runs this, or the one that SOFTCOT_BINARY names. odd_places.ts
 * and two_builds.ts beside this are the long form, and `SOFTCOT_BINARY=FILE` makes all of tests/cli run against the file.
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { gitState } from "../../cli/facts/git_state.ts";
import { PAGE_FILE } from "../../cli/page/own_page.ts";
import { RENDERER_FILES } from "../../cli/report/renderer_files.ts";
import { UserError } from "../../gpu/errors.ts";
import { bundleApp } from "../../release/bundle_app.ts";
import { buildBinaries } from "../../release/binary.ts";
import { TARGETS } from "../../release/targets.ts";
import { byteModel } from "../cli/support/model_folder.ts";
import { type Finished, told } from "../cli/support/run_softcot.ts";
import { importGraph } from "../support/import_graph.ts";
import { root } from "../support/places.ts";
import { testFolder } from "../support/folders.ts";
import { ODD_PLACES } from "./support/odd_places.ts";
import { complaint, visitPlace } from "./support/visit_place.ts";

const here = TARGETS.find(({ triple }) => triple === Deno.build.target);
const folder = await testFolder();
const given = Deno.env.get("SOFTCOT_BINARY");

/** The most that people are to copy, in bytes. */
const MOST_BYTES = 45e6;

async function start(args: string[], cwd = folder): Promise<Finished> {
  const env = { SOFTCOT_CACHE: `${folder}/cache`, NO_COLOR: "1" };
  return told(await new Deno.Command(await file(), { args, cwd, env, stdin: "null" }).output());
}

let built: Promise<string> | undefined;
const file = (): Promise<string> =>
  built ??= given
    ? Promise.resolve(given)
    : buildBinaries({ targets: [here!.name], out: `${folder}/dist` }).then(([path]) => path);

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: here === undefined, fn: run });
}

test("a file is built, small enough, with its hash and without a source map", async () => {
  const path = await file();
  assert(Deno.statSync(path).size < MOST_BYTES);
  const check = new Deno.Command("sha256sum", { args: ["--check", `${path}.sha256`], cwd: `${path}/..` });
  if (!given) assertEquals(told(await check.output()).code, 0);
  const { code, stderr } = await start(["--unpack", `${folder}/app`]);
  assertEquals(code, 0, stderr);
  const names = [...Deno.readDirSync(`${folder}/app`)].map(({ name }) => name);
  const carried = [
    "main.js",
    "answer_worker.js",
    "deno",
    "softcot",
    PAGE_FILE,
    ...Object.keys(RENDERER_FILES),
  ];
  assertEquals(carried.filter((name) => !names.includes(name)), []);
  assertEquals(names.filter((name) => name.endsWith(".map")), []);
  assert(!Deno.readTextFileSync(`${folder}/app/main.js`).includes("sourceMappingURL"));
});

test("a folder for it that cannot be is told", async () => {
  for (const out of ["/dev/null", "/dev/null/in"]) {
    await assertRejects(() => buildBinaries({ out }), UserError, `Cannot write to ${out}: `);
  }
});

test("its launcher stays short", () => {
  assert(Deno.readTextFileSync(`${root}release/launcher.sh`).trimEnd().split("\n").length <= 80);
  return Promise.resolve();
});

test("what is declared by using is disposed of in the bundle, too", async () => {
  const bundle = `${folder}/bundle`;
  const workers = await bundleApp(bundle);
  assertEquals(workers.sort(), [
    "answer_worker.js",
    "file_server.js",
    "own_code_guard.js",
    "own_code_host.js",
  ]);
  const declared = (text: string) => text.match(/^ *(await )?using \w+ =/gm)?.length ?? 0;
  const files = [...Deno.readDirSync(bundle)].filter(({ name }) => name.endsWith(".js"));
  const bundled = files.reduce(
    (sum, { name }) => sum + declared(Deno.readTextFileSync(`${bundle}/${name}`)),
    0,
  );
  const graph = await importGraph(["cli/main.ts"]);
  const own = [...graph.keys()].filter((name) => name.endsWith(".ts"));
  assertEquals(bundled, own.reduce((sum, name) => sum + declared(Deno.readTextFileSync(root + name)), 0));
});

test("it knows its version and commit, and the licences of what is inside", async () => {
  const version = JSON.parse((await start(["version", "--json"])).stdout);
  assertEquals([version.softcot, version.form, version.deno], [project.version, "built", Deno.version.deno]);
  if (!given) assertEquals(version.commit, gitState()?.commit);
  assertMatch((await start(["--version"])).stdout, /^softcot \d/);
  const { stdout } = await start(["licenses"]);
  for (const name of ["softcot", "commander", "zod", "Deno"]) {
    assertMatch(stdout, new RegExp(`^${name} \\d`, "m"));
  }
  assert(!/undefined|no licence named/.test(stdout));
});

test("it trains a step with a reward of one's own, and a checker's workers and its library work", async () => {
  const reward = `${folder}/reward.ts`;
  Deno.writeTextFileSync(
    reward,
    `try { Deno.readTextFileSync("/etc/passwd"); } catch (error) { console.error(error.name); }
    export default ({ thinkingTokens }: { thinkingTokens: number }): number => thinkingTokens;`,
  );
  const short = ["--steps", "1", "--test-questions", "0", "--out", `${folder}/run`];
  const run = await start(["train", ...short, "--reward", reward]);
  assertEquals(run.code, 0, run.stderr);
  assertMatch(run.stderr, /^NotCapable$/m);
  assertMatch((await start(["eval", "check", "\\sqrt{8}", "2\\sqrt{2}"])).stdout, /^equal$/m);
  const flags = ["--data", `${root}tests/eval/fixtures/gsm8k/hub`, "--model", await byteModel(folder)];
  const few = ["--limit", "2", "--max-thinking", "4", "--mode", "hard-greedy"];
  const asked = await start(["eval", "gsm8k", ...flags, ...few]);
  assertEquals(asked.code, 0, asked.stderr);
});

for (const place of ODD_PLACES.filter(({ short }) => short)) {
  test(`it starts, or is refused, as it should: ${place.what}`, async () => {
    const done = await visitPlace(await file(), place);
    if (done) assertEquals(complaint(place, done), undefined);
  });
}
