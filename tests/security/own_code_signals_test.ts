/** Own code that hangs keeps no command from hearing signals, and outlives none. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { metricsOf } from "../rl/support/run_files.ts";
import { runSoftcot, softcotCommand } from "../cli/support/run_softcot.ts";
import { smallModel } from "../cli/support/small_model.ts";
import { resumeArgs, trainArgs } from "../cli/support/train_args.ts";
import { isAlive } from "../support/is_alive.ts";

const { folder, model } = await smallModel();

function written(name: string, code: string): string {
  const path = `${folder}/${name}`;
  Deno.writeTextFileSync(path, code);
  return path;
}

/** Says who it is, and never ends. */
const HANG = "console.error(`HANGS ${Deno.pid}`); for (;;);";

interface Ended {
  code: number;
  signal: Deno.Signal | null;
  /** From the signal on. */
  milliseconds: number;
  stderr: string;
}

/** Starts a command, sends it a signal once own code hangs, and sees to it that own code's process is gone soon after. */
async function signalled(args: string[], signal: Deno.Signal): Promise<Ended> {
  const child = softcotCommand(args, {
    ...{ stdin: "null", stdout: "null", stderr: "piped" },
  }).spawn();
  let stderr = "";
  let began = 0;
  let own = 0;
  const killed = setTimeout(() => child.kill("SIGKILL"), 100_000);
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    stderr += text;
    const hangs = /HANGS (\d+)/.exec(stderr);
    if (!hangs || began > 0) continue;
    own = Number(hangs[1]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    began = performance.now();
    child.kill(signal);
  }
  const { code, signal: by } = await child.status;
  const milliseconds = performance.now() - began;
  clearTimeout(killed);
  assert(own > 0, stderr);
  for (let i = 0; isAlive(own); i++) {
    assert(i < 50, "own code outlives its command");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { code, signal: by, milliseconds, stderr };
}

const ignore = Deno.build.os !== "linux";

Deno.test({
  name: "Ctrl-C while a reward hangs saves the last whole update within 3 s, and the run goes on from there",
  ignore,
  async fn() {
    const [out, whole] = [`${folder}/run`, `${folder}/whole`];
    const mark = `${folder}/mark`;
    // Hangs in the third update, unless it is marked not to.
    const reward = written(
      "reward.ts",
      `let calls = 0; export default ({ thinkingTokens }) => {
        try { Deno.statSync(${JSON.stringify(mark)}); } catch { if (++calls > 24) { ${HANG} } }
        return thinkingTokens;
      };`,
    );
    const rights = { "allow-own": "sys,env=TZ", "reward-timeout": 55 };
    const flags = { model, reward, steps: 4, "validate-every": 0, "save-every": 100, ...rights };
    const { code, milliseconds, stderr } = await signalled(trainArgs({ ...flags, out }), "SIGINT");
    assertEquals(code, 130, stderr);
    assert(milliseconds < 3000 + 1500, `${milliseconds} ms`);
    assertStringIncludes(
      stderr,
      `Saved step 2. Go on with: softcot train --resume --out ${out} --reward ${reward} --allow-own sys,env=TZ --reward-timeout 55\n`,
    );
    Deno.writeTextFileSync(mark, "");
    const resumed = await runSoftcot([...resumeArgs(out), "--reward", reward]);
    assertEquals(resumed.code, 0, resumed.stderr);
    assertEquals((await runSoftcot(trainArgs({ ...flags, out: whole }))).code, 0);
    const lines = (run: string) => metricsOf(run).map(({ time: _, ...line }) => line);
    assertEquals(lines(out), lines(whole), "as if it had never stopped");
  },
});

Deno.test({
  name: "Ctrl-C while a grade hangs ends an evaluation within 3 s, and what had ended is kept",
  ignore,
  async fn() {
    const task = written(
      "task.ts",
      `let calls = 0;
      const ask = (n) => ({ question: \`Sam has \${n} coins. How many coins does Sam have?\`, gold: \`\${n}\` });
      export default {
        questions: { test: [1, 2, 3, 4, 5, 6].map(ask) },
        limits: { maxThinkingEval: 4, answerTokens: 3 },
        prompt: (question) => \`User: \${question} Assistant:\`,
        grade: (gold, text) => { if (++calls > 4) { ${HANG} } return { correct: false, reward: 10 }; },
      };`,
    );
    const args = ["eval", task, "--model", model, "--mode", "hard-greedy", "--out", `${folder}/results`];
    const { code, milliseconds, stderr } = await signalled(args, "SIGINT");
    assertEquals(code, 130, stderr);
    assert(milliseconds < 3000 + 1500, `${milliseconds} ms`);
    assertStringIncludes(stderr, `Stopped; 3 of 6 rollouts of task are kept in ${folder}/results`);
  },
});

Deno.test({
  name:
    "Ctrl-C ends a command whose questions hang at once, and a command that is killed takes own code with it",
  ignore,
  async fn() {
    const task = written("questions.ts", `export default { questions: () => { ${HANG} } };`);
    for (const signal of ["SIGINT", "SIGKILL"] as const) {
      const ended = await signalled(["data", "show", task], signal);
      assertEquals(ended.signal, signal);
      assert(ended.milliseconds < 3000, `${ended.milliseconds} ms`);
    }
  },
});

Deno.test("--reward-timeout ends a training whose reward hangs, naming the file and what waits longer", async () => {
  const reward = written("hangs.ts", "export default () => new Promise(() => {});");
  const out = `${folder}/timed`;
  const args = trainArgs({ model, reward, steps: 1, "reward-timeout": 0.5, out });
  const { code, stderr } = await runSoftcot(args);
  assertEquals(code, 1, stderr);
  assertStringIncludes(stderr, `error: Cannot reward a rollout by ${reward}: it gave no answer for 0.5 s\n`);
  assertMatch(stderr, /^hint: .*--reward-timeout SECONDS waits longer$/m);
});
