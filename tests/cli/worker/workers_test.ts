/** `softcot worker`, and what train and eval make of workers: the same to the bit, whatever happens to these. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "@nats-io/transport-node";
import { assertSameRun, linesIn } from "../../rl/support/run_files.ts";
import type { WorkerTime } from "../../../rl/workers/worker_time.ts";
import { jsonLines } from "../../support/json_lines.ts";
import { assertLinesFit } from "../../support/schemas.ts";
import { until } from "../../support/until.ts";
import { madeUp, sendResult, takeJob } from "../../workers/support/liar.ts";
import { startNats, testWithNats } from "../../workers/support/nats_server.ts";
import { startWorker } from "../../workers/support/worker_process.ts";
import { fails, softcotCommand, succeed } from "../support/run_softcot.ts";
import { smallModel } from "../support/small_model.ts";
import { resumeArgs, trainArgs } from "../support/train_args.ts";

const SOFT = { thinking: "soft", questions: 4 } as const;

/** Starts a command; `said` is what of stderr has come. */
function start(args: string[]) {
  const child = softcotCommand(args, {
    ...{ env: { NO_COLOR: "1" }, stdin: "null", stdout: "null", stderr: "piped" },
  }).spawn();
  let stderr = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) stderr += text;
  })();
  const ended = async () => {
    await reading;
    return { code: (await child.status).code, stderr };
  };
  return { child, said: () => stderr, ended };
}

testWithNats(
  "workers join, die and leave, the server is killed, liars lie: the run is the one without them",
  async (t) => {
    const { folder, model } = await smallModel();
    const [alone, shared, lied] = ["alone", "shared", "lied"].map((name) => `${folder}/${name}`);
    await succeed(trainArgs({ model, ...SOFT, out: alone }));
    await using nats = await startNats();

    await t.step(
      "workers alone, of which one is killed, while the server is killed and starts again",
      async () => {
        await using first = await startWorker(nats.url, "first");
        const run = start([
          ...trainArgs({ model, ...SOFT, out: shared, workers: nats.url, "workers-only": true }),
        ]);
        await until(() => linesIn(`${shared}/metrics.jsonl`) > 0, "an update", 120);
        await using second = await startWorker(nats.url, "second");
        await nats.restart();
        await until(() => linesIn(`${shared}/metrics.jsonl`) > 2, "a third update", 120);
        await first.kill("SIGKILL");
        const { code, stderr } = await run.ended();
        assertEquals(code, 0, stderr);
        assertSameRun(shared, alone);
        assertLinesFit("metrics", `${shared}/metrics.jsonl`);
        const by = new Set(
          jsonLines(`${shared}/metrics.jsonl`).flatMap(({ time }) => time.workers).map(({ name }) => name),
        );
        assert(by.has("second") && !by.has("here"), [...by].join());
        assertEquals([...Deno.readDirSync(shared)].some(({ name }) => name.startsWith("served")), false);
        const { code: status } = await second.kill("SIGTERM");
        assertEquals(status, 0, second.said());
      },
    );

    await t.step("what is no result is refused by name, and what nobody brings is made here", async () => {
      const connection = await connect({ servers: nats.url.slice("nats://".length) });
      const run = start([...trainArgs({ model, ...SOFT, out: lied, workers: nats.url })]);
      const { job } = await takeJob(connection);
      const lies: [string, Uint8Array<ArrayBuffer>, number?][] = [
        ["gigabyte", new Uint8Array(100), 2 ** 30],
        ["garbage", crypto.getRandomValues(new Uint8Array(400))],
        ["otherWeights", madeUp(job, { weights: "0".repeat(64) }, -1, 16)],
        ["otherVersion", madeUp(job, { version: "0.0.1 on Deno 1" }, -1, 16)],
        ["narrow", madeUp(job, {}, -1, 15)],
        ["noNumber", madeUp(job, {}, NaN, 16)],
        ["tooSure", madeUp(job, {}, 1, 16)],
        ["lyingHash", madeUp(job, {}, -1, 16)],
      ];
      for (const [name, bytes, announced] of lies) await sendResult(connection, job, name, bytes, announced);
      const { code, stderr } = await run.ended();
      await connection.close();
      assertEquals(code, 0, stderr);
      assertSameRun(lied, alone);
      const said = (name: string) =>
        stderr.split("\n").find((line) => line.includes(`of worker ${name}:`)) ?? "";
      assertStringIncludes(said("gigabyte"), "it has 1073741824 bytes");
      assertStringIncludes(said("garbage"), "it is no result");
      assertStringIncludes(said("otherWeights"), "it was made with the weights 000000000000");
      assertStringIncludes(said("otherVersion"), "it was made by softcot 0.0.1 on Deno 1");
      assertStringIncludes(said("narrow"), "belong to its rollouts");
      assertStringIncludes(said("noNumber"), "it has numbers that are none");
      assertStringIncludes(said("tooSure"), "it has a ln p of 1.00");
      assertStringIncludes(said("lyingHash"), "it is not of the weights that it is said to be of");
      const refused = jsonLines(`${lied}/metrics.jsonl`).flatMap(({ time }) => time.workers)
        .filter(({ refused }) => refused > 0).map(({ name }) => name);
      assertEquals(refused.sort(), lies.map(([name]) => name).sort());
    });

    await t.step("an evaluation", async () => {
      await using _ = await startWorker(nats.url, "third");
      const args = [
        "eval",
        "sums",
        "--model",
        model,
        "--limit",
        "12",
        "--mode",
        "hard-sample,soft-sample",
        "--samples",
      ];
      const common = [...args, "4", "--max-thinking", "6", "--keep-mixtures", "3", "--out"];
      await succeed([...common, `${folder}/e1`]);
      const { stderr, stdout } = await succeed(
        [...common, `${folder}/e2`, "--workers", nats.url, "--serve-weights", "localhost"],
      );
      const { workers: used } = JSON.parse(Deno.readTextFileSync(`${folder}/e2/report.json`)).tasks[0];
      const made = used.workers.reduce((sum: number, { rollouts }: WorkerTime) => sum + rollouts, 0);
      assertEquals([made, Object.values(used.devices)], [2 * 4 * 12, [2 * 4 * 12]]);
      assertMatch(stdout, /^worker +device +rollouts +rollouts\/s/m);
      assertMatch(stdout, /^third +llvmpipe.* +[0-9]+ +[0-9.]+ /m);
      assertStringIncludes(stderr, "weights are served at http://localhost:");
      for (const mode of ["hard-sample", "soft-sample"]) {
        const rollouts = (out: string) =>
          jsonLines(`${folder}/${out}/sums-${mode}.jsonl`).map(({ time: _, ...rest }) => rest);
        assertEquals(rollouts("e2"), rollouts("e1"));
      }
    });

    await t.step(
      "rollouts of older weights: one worker is killed, the run is stopped, and goes on with this device beside the other",
      async () => {
        const old = { model, ...SOFT, staleness: 1, steps: 10 };
        const [whole, stopped] = [`${folder}/old`, `${folder}/old-shared`];
        await succeed(trainArgs({ ...old, out: whole }));
        await using killed = await startWorker(nats.url, "fourth");
        await using _ = await startWorker(nats.url, "fifth");
        const run = start(trainArgs({ ...old, out: stopped, workers: nats.url, "workers-only": true }));
        await until(() => linesIn(`${stopped}/metrics.jsonl`) > 1, "a second update", 120);
        await killed.kill("SIGKILL");
        await until(() => linesIn(`${stopped}/metrics.jsonl`) > 3, "a fourth update", 120);
        run.child.kill("SIGINT");
        const { code, stderr } = await run.ended();
        assertEquals(code, 130, stderr);
        assertStringIncludes(stderr, "off-policy");
        await succeed([...resumeArgs(stopped), "--workers", nats.url]);
        assertSameRun(stopped, whole);
        assertLinesFit("metrics", `${stopped}/metrics.jsonl`);
        const ages = jsonLines(`${stopped}/metrics.jsonl`).map(({ rollout_age }) => rollout_age);
        assertEquals(ages, [0, ...Array(9).fill(1)]);
      },
    );

    await t.step("nobody is there: it is said, and Ctrl-C ends it", async () => {
      const run = start(
        trainArgs({ model, ...SOFT, out: `${folder}/nobody`, workers: nats.url, "workers-only": true }),
      );
      await until(() => run.said().includes("no worker is there"), "it is said", 120);
      run.child.kill("SIGINT");
      const { code, stderr } = await run.ended();
      assertEquals(code, 130, stderr);
      assertStringIncludes(
        stderr,
        `no worker is there to make rollouts: start one with softcot worker ${nats.url}`,
      );
      assertStringIncludes(stderr, `--workers ${nats.url} --workers-only`);
    });
  },
);

testWithNats("a server that is not there, or has no JetStream, is told with what to do", async () => {
  const nobody = "nats://127.0.0.1:9";
  for (const args of [["worker", nobody], ["eval", "--workers", nobody], ["train", "--workers", nobody]]) {
    await fails(args, 1, `Cannot reach a NATS server at ${nobody}`, "apt-get install nats-server");
  }
  await fails(["worker", "http://x"], 1, 'Cannot use "http://x" as the address of a NATS server');
  for (const address of ["0.0.0.0", "10.0.0.7:port"]) {
    const args = ["eval", "--workers", nobody, "--serve-weights", address];
    await fails(args, 1, `Cannot serve the weights at ${address}: an address of this machine`);
  }
  await fails(["eval", "--workers-only"], 1, "Cannot leave rollouts to workers: no server is named");
});
