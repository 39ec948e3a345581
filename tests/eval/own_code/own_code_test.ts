/** Own code that throws, hangs, gives nonsense, leaks or ends itself, in each place where own code may stand: told in words, and soon. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { hurryOwnCode, importOwnCode, startOwnCode } from "../../../eval/own_code/own_code.ts";
import { openTask } from "../../../eval/tasks/open_task.ts";
import { UserError } from "../../../gpu/errors.ts";
import { loadRewards, type RewardInput, worthOf } from "../../../rl/reward.ts";
import { testFolder } from "../../support/folders.ts";
import { withEnv } from "../../support/with_env.ts";

const folder = await testFolder();
let files = 0;

function written(code: string, name = "own.ts"): string {
  const path = `${folder}/${++files}/${name}`;
  Deno.mkdirSync(`${folder}/${files}`);
  Deno.writeTextFileSync(path, code);
  return path;
}

const input: RewardInput = {
  ...{ question: "1+1?", gold: "2", text: "\\boxed{2}", shadow: "", boxed: "2", correct: true },
  thinkingTokens: 1,
};

const QUESTIONS = '{ test: [{ question: "2 + 3?", gold: "5" }] }';

/** Where own code stands: a file with it there, and what a command does then. */
const PLACES: Record<string, (body: string) => [code: string, use: (path: string) => Promise<unknown>]> = {
  "the file of a task": (body) => [`const it = () => ${body}; await it(); export default {};`, openTask],
  questions: (body) => [`export default { questions: () => ${body} };`, openTask],
  prompt: (body) => [`export default { questions: ${QUESTIONS}, prompt: () => ${body} };`, openTask],
  grade: (body) => [`export default { questions: ${QUESTIONS}, grade: () => ${body} };`, openTask],
  "the file of a reward": (
    body,
  ) => [`const it = () => ${body}; await it(); export default () => 0;`, (path) => loadRewards([path])],
  "a reward": (body) => [
    `export default () => ${body};`,
    async (path) => await worthOf(await loadRewards([path]), 0, () => input),
  ],
};

const SECONDS = 2;

/** What it does, and what is told of it. */
const DEEDS: [what: string, body: string, told: RegExp][] = [
  ["throws", '{ throw new Error("broken"); }', / failed with "broken \(line 1, column \d+\)"$/],
  ["throws no error", '{ throw "a text"; }', / failed with "a text"$/],
  ["rejects", 'Promise.reject(new Error("broken"))', / failed with "broken/],
  ["loops", "{ for (;;); }", / gave no answer for 2 s$/],
  ["loops later", "new Promise(() => setTimeout(() => { for (;;); }, 10))", / gave no answer for 2 s$/],
  ["never resolves", "new Promise(() => {})", / gave no answer for 2 s$/],
  ["ends its process", "Deno.exit(3)", / process ended, with status 3$/],
  ["ends it with 0", "Deno.exit()", / process ended, with status 0$/],
  ["kills itself", 'Deno.kill(Deno.pid, "SIGKILL")', / process ended, by SIGKILL$/],
  [
    "fails beside",
    '(setTimeout(() => { throw new Error("later"); }), new Promise(() => {}))',
    / failed with "later/,
  ],
  [
    "writes what is no answer",
    String.raw`(Deno.stdout.writeSync(new TextEncoder().encode("\x1e{bad\n")), new Promise(() => {}))`,
    / wrote a line as only softcot writes them$/,
  ],
  ["takes memory in large arrays", "[1, 2, 3, 4].map(() => new Uint8Array(2 ** 30)).length", /allocation/],
];

for (const [place, make] of Object.entries(PLACES)) {
  Deno.test(`own code in ${place} neither hangs nor ends the command`, async () => {
    await Promise.all(DEEDS.map(async ([what, body, told]) => {
      if (what.includes("large arrays") && (Deno.build.os !== "linux" || place.startsWith("the file"))) {
        return;
      }
      const [code, use] = make(body);
      const path = written(code);
      startOwnCode(path, { seconds: SECONDS, say: () => {} });
      const began = performance.now();
      const error = await assertRejects(() => use(path), UserError, path, `${place}: ${what}`);
      assert(told.test(error.message), `${place} that ${what}: ${error.message}`);
      assert(performance.now() - began < 30_000, what);
    }));
  });
}

Deno.test("what is no prompt, no grade and no reward is told with its file before the first question", async () => {
  const task = (part: string, told: string) =>
    assertRejects(
      () => openTask(written(`export default { questions: ${QUESTIONS}, ${part} };`)),
      UserError,
      told,
    );
  await Promise.all([
    task("prompt: () => 5", "its prompt gave 5, a text is needed"),
    task("prompt: () => undefined", "its prompt gave undefined"),
    task('grade: () => ({ correct: "yes", reward: NaN })', 'its grade gave { correct: "yes", reward: NaN }'),
    task("grade: async () => ({ correct: true, reward: Infinity })", "reward: Infinity }"),
    task('grade: () => ({ correct: "yes", reward: 100 })', 'correct: "yes", reward: 100 }'),
    task("grade: () => ({ reward: 100 })", "{ reward: 100 }"),
    task('grade: () => ({ correct: true, reward: "100" })', 'reward: "100" }'),
    task("grade: () => ({ correct: true, reward: 100n })", "reward: 100n }"),
    task("grade: () => ({ correct: true, reward: 1, answer: 7 })", "answer: 7 }"),
    task("grade: () => ({ correct: true, reward: 1, rule: {} })", "rule: {} }"),
    task(
      "grade: () => undefined",
      "its grade gave undefined, { correct: boolean, reward: a finite number } is needed",
    ),
    task("grade: () => null", "its grade gave null"),
    task("grade: () => { const a = {}; a.a = a; return a; }", "circular"),
  ]);
});

Deno.test("what is no number of a reward is told, whatever it is", async () => {
  for (
    const [value, told] of [
      ['"much"', 'it gave "much"'],
      ['{ toString: "no" }', 'it gave { toString: "no" }'],
      ["{ toString: null, valueOf: null }", "it gave { toString: null, valueOf: null }"],
      ["NaN", "it gave NaN"],
      ["null", "it gave null"],
    ]
  ) {
    const rewards = await loadRewards([written(`export default () => (${value});`)]);
    const { message } = await assertRejects(() => worthOf(rewards, 0, () => input), UserError);
    assertStringIncludes(message, `${told}, a finite number is needed`);
  }
});

Deno.test("an async grade is awaited, and one that names no answer has what the box holds", async () => {
  const grade = "async (gold, text) => ({ correct: text.startsWith(gold), reward: -0 })";
  const task = await openTask(written(`export default { questions: ${QUESTIONS}, grade: ${grade} };`));
  assertEquals(await task.grade("5", "5} and more"), { correct: true, reward: -0, answer: "5", rule: null });
  assertEquals(await task.grade("5", "no box"), { correct: false, reward: -0, answer: null, rule: null });
});

Deno.test("values come out of own code as they went in", async () => {
  const values = [0, -0, NaN, Infinity, 0.1 + 0.2, 5e-324, "\ud800", "\u2028\n\x1e\0softcot", null, [[], {}]];
  const path = written(
    `const all = [0, -0, NaN, Infinity, 0.1 + 0.2, 5e-324, "\\ud800", "\\u2028\\n\\x1e\\0softcot", null, [[], {}]];
    export default { all, nothing: undefined, big: 10n ** 30n, count: (...args) => args.length, echo: (one) => one };`,
  );
  const parts = ["all", "nothing", "big", "count", "echo", "absent"];
  const exported = await importOwnCode(path, parts) as Record<
    string,
    (...args: unknown[]) => Promise<unknown>
  >;
  assertEquals<unknown>(exported.all, values);
  assert(Object.is((exported.all as unknown as number[])[1], -0));
  assertEquals<unknown>([exported.nothing, exported.big, exported.absent], [
    undefined,
    10n ** 30n,
    undefined,
  ]);
  assertEquals([await exported.count(1, undefined), await exported.count(undefined, 2)], [1, 2]);
  for (const value of ["\ud800", "\u2028\n\x1e", 1e308]) assertEquals(await exported.echo(value), value);
});

Deno.test("a long answer is one, however its bytes come", async () => {
  const path = written(String.raw`
    const send = (text) => {
      Deno.stdout.writeSync(new TextEncoder().encode(text));
      return new Promise((resolve) => setTimeout(resolve, 50));
    };
    export default async () => {
      const answer = JSON.stringify({ id: 2, value: "x".repeat(70_000) });
      for (const part of ["\n", "\x1e" + answer.slice(0, 69_000), answer.slice(69_000) + "\n"]) await send(part);
      return await new Promise(() => {});
    };`);
  const call = await importOwnCode(path, []) as () => Promise<string>;
  assertEquals((await call()).length, 70_000);
});

Deno.test("what own code prints, on stdout too, is told and is no answer", async () => {
  const said: string[] = [];
  const path = written(`console.log("one"); Deno.stdout.writeSync(new TextEncoder().encode("two"));
    console.error("three"); export default () => { console.log('{"id":1,"value":7}'); return 5; };`);
  startOwnCode(path, { say: (line) => said.push(line) });
  const [reward] = await loadRewards([path]);
  assertEquals(await reward.score!(input), 5);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assertEquals(said.sort(), ["one", "three", "two", '{"id":1,"value":7}']);
});

Deno.test("calls run side by side, and many that each take a while are no silence", async () => {
  const path = written(`let at = 0, most = 0;
    export default async ({ thinkingTokens: ms }) => {
      most = Math.max(most, ++at);
      await new Promise((resolve) => setTimeout(resolve, ms));
      at--;
      return most;
    };`);
  startOwnCode(path, { seconds: SECONDS });
  const [{ score }] = await loadRewards([path]);
  const given = await Promise.all(
    Array.from({ length: 20 }, (_, i) => score!({ ...input, thinkingTokens: 400 + i * 130 })),
  );
  assertEquals(given.at(-1), 20);
  const busy = "(ms) => { const end = Date.now() + ms; while (Date.now() < end); return ms; }";
  for (const kind of ["", "async "]) {
    const path = written(
      `const busy = ${busy}; export default ${kind}({ thinkingTokens }) => busy(thinkingTokens);`,
    );
    startOwnCode(path, { seconds: SECONDS });
    const [{ score }] = await loadRewards([path]);
    const times = Array.from({ length: 8 }, () => 400);
    assertEquals(
      await Promise.all(times.map((thinkingTokens) => score!({ ...input, thinkingTokens }))),
      times,
    );
  }
});

Deno.test("after Ctrl-C own code that gives no answer is ended, and what waits gets an AbortError", async () => {
  const [{ score }] = await loadRewards([written("export default () => { for (;;); };")]);
  const waiting = assertRejects(() => score!(input) as Promise<number>, DOMException, "gave no answer");
  const began = performance.now();
  hurryOwnCode();
  assertEquals((await waiting).name, "AbortError");
  assert(performance.now() - began < 3000);
});

Deno.test("mistakes of grammar are told with their line, whichever file they are in", async () => {
  const path = written("const a = 1;\nexport default { questions: +; };\n");
  const told = /^Cannot load the task \S+: it failed with "SyntaxError: .* \(line 2, column 30\)"$/;
  assertMatch((await assertRejects(() => openTask(path), UserError)).message, told);
  const outer = written('import "./beside.ts";\nexport default {};');
  const beside = outer.replace("own.ts", "beside.ts");
  Deno.writeTextFileSync(beside, "\n\nlet 5;\n");
  assertStringIncludes((await assertRejects(() => openTask(outer), UserError)).message, `(${beside}:3)`);
  const thrown = written("\n\nnull.x;\nexport default {};");
  assertStringIncludes((await assertRejects(() => openTask(thrown), UserError)).message, "(line 3, column");
});

Deno.test("own code may import what lies beside it, softcot's modules and fetched packages; other files and packages want a grant", async () => {
  const beside = written(
    'import { gold } from "./beside.mjs";\nexport default { questions: { test: [{ question: "a?", gold }] } };',
  );
  Deno.writeTextFileSync(beside.replace("own.ts", "beside.mjs"), 'export const gold = "5";');
  assertEquals((await openTask(beside)).question("test", 0, 0).gold, "5");

  const checker = new URL("../../../eval/answer/verify.ts", import.meta.url).href;
  const verifying = written(`import { verify } from ${JSON.stringify(checker)};
    import { parse } from "npm:smol-toml@1.9.1";
    export default ({ boxed }) => verify("1/2", boxed).equal ? parse("a = 7").a : 0;`);
  const [{ score }] = await loadRewards([verifying]);
  assertEquals(await score!({ ...input, boxed: "0.5" }), 7);

  const elsewhere = written("export const x = 1;");
  const reaching = written(`import { x } from ${JSON.stringify(elsewhere)};\nexport default () => x;`);
  const refused = await assertRejects(() => loadRewards([reaching]), UserError, `Requires read access to`);
  assertStringIncludes(refused.message, "(line 1, column");
  assertStringIncludes(refused.hint!, "--allow-own");
  const package_ = written('import "npm:softcot-no-such-package@1.0.0";\nexport default () => 0;');
  const unfetched = await assertRejects(() => loadRewards([package_]), UserError, "not found in cache");
  assertEquals(unfetched.hint, "--allow-own import lets it fetch packages");
});

Deno.test({
  name: "own code that keeps more and more is ended, and told why",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const path = written(
      "const kept = []; export default () => { for (;;) kept.push(new Array(1e6).fill(1.5)); };",
    );
    const [{ score }] = await loadRewards([path]);
    await assertRejects(async () => await score!(input), Error, "it took more than the 2 GB of memory");
  },
});

Deno.test("a path with a comma is refused in words", async () => {
  const path = written("export default () => 0;", "a,b.ts");
  assertEquals(await (await loadRewards([path]))[0].score!(input), 0);
  Deno.mkdirSync(`${folder}/c,d`);
  Deno.writeTextFileSync(`${folder}/c,d/own.ts`, "export default () => 0;");
  await assertRejects(() => loadRewards([`${folder}/c,d/own.ts`]), UserError, "has a comma");
});

Deno.test("own code of a built copy, which has a folder of Deno's of its own, finds packages where its user says", () =>
  withEnv({ SOFTCOT_OWN_DENO_DIR: `${folder}/packages` }, async () => {
    const path = written(
      `export default () => Deno.env.get("DENO_DIR") === ${JSON.stringify(`${folder}/packages`)} ? 1 : 0;`,
    );
    startOwnCode(path, { grants: [{ kind: "env", value: "DENO_DIR" }] });
    assertEquals((await worthOf(await loadRewards([path]), 0, () => input)).total, 1);
  }));
