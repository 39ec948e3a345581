import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inFolder } from "../../support/folders.ts";
import { runSoftcot } from "../support/run_softcot.ts";
import { withHubEnv } from "../support/with_hub_env.ts";

const fixtures = "tests/eval/fixtures";

const read = (path: string) => Deno.readFileSync(`${fixtures}/${path}`);

/** A hub that has these files as GSM8K, and a program that knows it. */
const withGsm8k = (
  files: Parameters<typeof withHubEnv>[0],
  test: (env: Record<string, string>) => Promise<void>,
) => withHubEnv(files, (_, env) => test(env), "openai/gsm8k");

const GSM8K = {
  "README.md": "# GSM8K",
  ...Object.fromEntries(
    ["main/train", "main/test", "socratic/test"].map((name) => {
      const path = `${name}-00000-of-00001.parquet`;
      return [path, read(`gsm8k/hub/${path}`)];
    }),
  ),
};

Deno.test("own code has nothing to pull, and is not run to find out", async () => {
  const { code, stderr } = await runSoftcot(["data", "pull", "./none.ts"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Cannot pull ./none.ts: own code brings its questions itself");
});

Deno.test("data pull fetches the files that a task reads; list and show then find them", () =>
  withGsm8k(GSM8K, async (env) => {
    const missing = await runSoftcot(["data", "show", "gsm8k"], env);
    assertEquals([missing.code, missing.stdout], [1, ""]);
    assertStringIncludes(missing.stderr, "Cannot find the data of gsm8k: openai/gsm8k is not in the cache");
    assertStringIncludes(
      missing.stderr,
      "hint: fetch them with: softcot data pull gsm8k; or name a file or folder",
    );

    const pulled = await runSoftcot(["data", "pull", "gsm8k"], env);
    assertEquals(pulled.code, 0, pulled.stderr);
    assertMatch(
      pulled.stdout,
      /^openai\/gsm8k at 0123456789ab: 3 files, .* of them fetched now\nlicence: MIT\n/,
    );
    const snapshot = `${env.HF_HOME}/hub/datasets--openai--gsm8k/snapshots`;
    assertEquals(
      Deno.statSync(`${snapshot}/0123456789abcdef0123456789abcdef01234567/main`).isDirectory,
      true,
    );

    const list = await runSoftcot(["data", "list"], env);
    assertMatch(list.stdout, /^gsm8k +generation +yes +train 6, test 3 +openai\/gsm8k +MIT$/m);
    assertMatch(list.stdout, /^math +generation +no +EleutherAI\/hendrycks_math +MIT$/m);
    assertMatch(list.stdout, /^sums +generation +made up$/m);

    const show = await runSoftcot(["data", "show", "gsm8k", "--limit", "1"], env);
    assertStringIncludes(show.stdout, "read from   openai/gsm8k@0123456789ab");
    assertMatch(show.stdout, /^train +6 +3 +3 held out for validation$/m);
    assertMatch(show.stdout, /^test +3 +2 +1 no answer after ####$/m);
    assertStringIncludes(show.stdout, "Bo packs 30 boxes of 40 pens. How many pens?\ngold: 1200\n");
    assertStringIncludes(show.stdout, "prompt of the first:\nA conversation between User and Assistant.");
    assert(!show.stdout.includes("cools by 7"));
  }));

Deno.test("a task of one's own may name a data set of the hub", () =>
  withGsm8k(GSM8K, (env) =>
    inFolder(async (folder) => {
      const task = `${folder}/pens.toml`;
      const fields = 'file = "main/test-*.parquet"\ngold-after = "####"\nlicence = "MIT"\n';
      Deno.writeTextFileSync(task, `hub = "openai/gsm8k"\n${fields}`);
      const missing = await runSoftcot(["data", "show", task], env);
      assertStringIncludes(missing.stderr, `hint: fetch them with: softcot data pull ${task}; or`);
      const pulled = await runSoftcot(["data", "pull", task], env);
      assertEquals(pulled.code, 0, pulled.stderr);
      assertMatch(pulled.stdout, /^openai\/gsm8k at 0123456789ab: 2 files, .*\nlicence: MIT\n/);
      const show = await runSoftcot(["data", "show", task, "--limit", "1"], env);
      assertMatch(show.stdout, /^test +3 +2 +1 no answer$/m, show.stderr);
      assertStringIncludes(show.stdout, "read from   openai/gsm8k@0123456789ab");
    })));

Deno.test("data pull says what is wrong: no hub's task, a repository without the files", () =>
  withGsm8k({ "README.md": "moved" }, async (env) => {
    const made = await runSoftcot(["data", "pull", "sums"], env);
    assertEquals(made.code, 1);
    assertStringIncludes(
      made.stderr,
      "Cannot pull sums: its questions do not come from the hub, one of gsm8k, math",
    );
    const moved = await runSoftcot(["data", "pull", "gsm8k"], env);
    assertEquals(moved.code, 1);
    assertStringIncludes(
      moved.stderr,
      "openai/gsm8k has none of the files that it reads, such as main/train-*.parquet",
    );
    assertEquals((await runSoftcot(["data", "pull"], env)).code, 2);
  }));

Deno.test("data show tells what sets in the same folder have in common, as text and as JSON", () =>
  inFolder(async (folder) => {
    const env = { HF_HUB_CACHE: `${folder}/none` };
    for (
      const [set, file] of [["math", "train"], ["math", "test"], ["math-500", "math500"], ["aime", "aime"]]
    ) {
      Deno.mkdirSync(`${folder}/${set}`, { recursive: true });
      const ending = set === "aime" ? "json" : "jsonl";
      Deno.copyFileSync(`${fixtures}/${set}/local/${file}.${ending}`, `${folder}/${set}/${file}.${ending}`);
    }
    const text = await runSoftcot(["data", "show", "math", "--data", folder], env);
    assertEquals(text.code, 0, text.stderr);
    assertStringIncludes(text.stdout, `read from   ${folder}/math\n`);
    assertMatch(text.stdout, /^train +math test +1$/m);
    assertMatch(text.stdout, /^test +math-500 test +2$/m);
    assertStringIncludes(text.stdout, "compared with math-500, aime");
    const args = ["data", "show", "math-500", "--data", `${folder}/math-500`, "--json"];
    const json = JSON.parse((await runSoftcot(args, env)).stdout);
    assertEquals(json.overlaps, [
      { split: "test", other: "math", otherSplit: "train", questions: 1 },
      { split: "test", other: "math", otherSplit: "test", questions: 2 },
    ]);
    assertEquals(json.shown.map(({ gold }: { gold: string }) => gold), ["2", "7\\text{ m}"]);
    assertEquals([json.checking, json.rows, json.promptHash.length], [{ percent: true }, { test: 2 }, 64]);
    const one = await runSoftcot(["data", "show", "aime", "--data", `${folder}/aime/aime.json`], env);
    assertStringIncludes(one.stdout, "no question in common with another set; compared with math, math-500");
    Deno.writeTextFileSync(`${folder}/aime/aime.json`, "[{]");
    const list = await runSoftcot(["data", "list", "--data", folder, "--json"], env);
    const here = Object.fromEntries(
      JSON.parse(list.stdout).tasks.map((row: { name: string; here: string }) => [row.name, row.here]),
    );
    assertEquals([here.math, here.gsm8k, here.sums], ["yes", "no", "made up"]);
    assertMatch(here.aime, /^damaged: Cannot read .*aime.json: its JSON breaks in line 1/);
  }));

Deno.test("data show of a choice task, of a task of one's own, and of no task", async () => {
  const choice = await runSoftcot([
    "data",
    "show",
    "arc-challenge",
    "--data",
    `${fixtures}/arc-challenge/local`,
  ]);
  assertEquals(choice.code, 0, choice.stderr);
  assertMatch(choice.stdout, /^ {2}- a stone\n {2}\* ice\n {2}- sand$/m);
  const trained = ["data", "show", "deepscaler", "--data", `${fixtures}/deepscaler/local`];
  const train = await runSoftcot(trained);
  assertEquals(train.code, 0, train.stderr);
  assertMatch(train.stdout, /^the first 3 questions of train$/m);
  const test = await runSoftcot([...trained, "--split", "test"]);
  assertEquals([test.code, test.stdout], [1, ""]);
  assertStringIncludes(test.stderr, "Cannot take test questions of deepscaler: there are none, it has ");
  assertStringIncludes(test.stderr, "hint: choose with --split ");
  const none = await runSoftcot(["data", "show", "gsm9k"]);
  assertEquals(none.code, 1);
  assertStringIncludes(none.stderr, 'Cannot find the task "gsm9k": one of sums, sums-slips, owners, gsm8k');
  assertStringIncludes(none.stderr, "hint: or the path of a task of your own, a .toml or .ts file");
  const sums = await runSoftcot(["data", "show", "sums", "--limit", "1"]);
  assertMatch(sums.stdout, /^train +- +no end +-$/m);
});
