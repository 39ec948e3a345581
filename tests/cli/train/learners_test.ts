/**
 * `softcot train --learners N`: one of them is killed, one is stopped, the others say so, and the run goes on as if nothing had happened, with as
 * many or alone.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findLearner } from "../../learners/support/find_learner.ts";
import { weightDifference } from "../../learners/support/run_weights.ts";
import { testWithMpi } from "../../rl/cluster/support/mpirun.ts";
import { assertSameRun, linesIn, metricsOf } from "../../rl/support/run_files.ts";
import { assertLinesFit } from "../../support/schemas.ts";
import { runSoftcot, softcotCommand, succeed } from "../support/run_softcot.ts";
import { smallModel } from "../support/small_model.ts";
import { resumeArgs, trainArgs } from "../support/train_args.ts";

const LEARNERS = ["--learners", "2"];

testWithMpi(
  "two learners: one is killed, one stopped, the run ends by name and goes on to the bit; alone it goes on nearly so",
  async () => {
    const { folder, model } = await smallModel();
    const args = (out: string) => [...trainArgs({ model, questions: 3, steps: 9, out }), ...LEARNERS];
    const [whole, killed, alone] = ["whole", "killed", "alone"].map((name) => `${folder}/${name}`);
    await succeed(args(whole));
    assertLinesFit("metrics", `${whole}/metrics.jsonl`);
    const goOn = [...resumeArgs(killed), ...LEARNERS];
    for (
      const [command, signal, lines, said] of [
        [args(killed), "SIGKILL", 4, "is gone"],
        [goOn, "SIGSTOP", 7, "has been stopped for 10 s"],
      ] as const
    ) {
      const { stderr, code, seconds } = await signalAt(command, signal, killed, lines);
      assertEquals(code, 1, stderr);
      assert(seconds < 30, `ended after ${seconds} s`);
      assertMatch(
        stderr,
        new RegExp(`error: Cannot go on: learner 1 of 2 is lost: its process [0-9]+ ${said}`),
      );
      assertStringIncludes(stderr, `hint: go on with: softcot train --resume --out ${killed} --learners 2`);
    }
    await copyFolder(killed, alone);
    await succeed([...goOn, "--shard-optimizer"]);
    assertSameRun(killed, whole);
    await succeed(resumeArgs(alone));
    const rewards = (out: string) => metricsOf(out).map(({ reward }) => reward);
    assertEquals(rewards(alone), rewards(whole));
    const difference = weightDifference(alone, whole);
    assert(difference < 1e-5, `the last weights differ by ${difference}`);
  },
);

testWithMpi("softcot doctor --cluster tries sums among two processes, and looks for NATS", async () => {
  const nobody = ["--workers", "nats://127.0.0.1:9"];
  const { stdout } = await succeed(["doctor", "--cluster", "--json", ...nobody]);
  const found = JSON.parse(stdout);
  assertEquals([found.right, found.machines.length, found.machines[0].learners], [true, 1, 2]);
  assert(found.gigabytesPerSecond > 0);
  assertStringIncludes(found.nats.problem, "Cannot reach a NATS server at nats://127.0.0.1:9");
});

testWithMpi("learners without mpirun are refused, saying how it is installed", async () => {
  const missing = await runSoftcot(["train", ...LEARNERS], { PATH: "/nowhere" });
  assertEquals(missing.code, 1);
  assertStringIncludes(missing.stderr, "Cannot start 2 learners: there is no mpirun on the PATH");
  assertStringIncludes(missing.stderr, "apt-get install openmpi-bin");
});

/** Sends learner 1 a signal once the run has logged so many updates, and waits for the end of the job. */
async function signalAt(args: string[], signal: Deno.Signal, out: string, lines: number) {
  const options = { stdin: "null", stdout: "null", stderr: "piped" } as const;
  const child = softcotCommand(args, options).spawn();
  const output = child.output();
  while (linesIn(`${out}/metrics.jsonl`) < lines) await new Promise((resolve) => setTimeout(resolve, 4));
  Deno.kill(findLearner(1, out)!, signal);
  const sent = performance.now();
  const { code, stderr } = await output;
  return {
    code,
    stderr: new TextDecoder().decode(stderr),
    seconds: (performance.now() - sent) / 1000,
  };
}

async function copyFolder(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", { args: ["-r", from, to] }).output();
  assert(success);
}
