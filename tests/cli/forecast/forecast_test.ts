/** `softcot forecast`: seconds and memory of clusters that are not here. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { trainingStateBytes } from "../../../model/memory/count_weights.ts";
import { toHfConfig } from "../../../model/files/hf_config.ts";
import { KNOWN_SHAPES } from "../../../model/transformer/known_shapes.ts";
import { BUCKET } from "../../../rl/cluster/buckets.ts";
import { CARD_SHEETS, ratesOfCard } from "../../../rl/scaling/rates.ts";
import { sumSeconds } from "../../../rl/scaling/update_seconds.ts";
import { testFolder } from "../../support/folders.ts";
import { fails, succeed } from "../support/run_softcot.ts";

const folder = await testFolder();
const SHORT = ["--prompt", "32", "--max-thinking", "32", "--answer-tokens", "8"];

Deno.test("8B on 64 GPUs: parts, speed-up and memory with and without sharded moments", async () => {
  const { stdout } = await succeed([
    ...["forecast", "--model", "Llama-3.1-8B", "--learners", "64", "--questions", "128", "--json"],
    ...["--card", "h200", "--recompute", "--micro-rows", "1024", "--group", "8", "--shard-optimizer"],
  ]);
  const { model, learners, memory, pays, rates } = JSON.parse(stdout);
  assertEquals([model.parameters, model.trained], [8_030_261_248, 8_030_261_248]);
  assertEquals(learners.map(({ learners }: { learners: number }) => learners), [1, 2, 4, 8, 16, 32, 64]);
  assertEquals(rates, ratesOfCard(CARD_SHEETS.h200, { share: 0.25, memoryShare: 0.6, link: 25e9 }));
  const last = learners.at(-1);
  assertEquals(last.parts.sum, sumSeconds(model.trained, 64, rates));
  assert(last.parts.spread > 0 && last.speedUp > 1 && last.each < learners[1].each);
  const { rollout, passes, optimizer, sum, spread, total } = last.parts;
  assert(Math.abs(rollout + passes + optimizer + sum + spread - total) < 1e-9 * total);
  assert(pays.learners >= 1 && pays.learners <= 128);
  // Both moments of 63 in 64 parts are elsewhere.
  const state = trainingStateBytes(KNOWN_SHAPES["Llama-3.1-8B"]);
  const buckets = 4 * 4 * BUCKET;
  assert(Math.abs(memory.learner.state / (state + buckets) - 1) < 1e-3, `${memory.learner.state}`);
  const saved = state / 2 * 63 / 64;
  assert(Math.abs((memory.learner.state - memory.sharded.state) / saved - 1) < 1e-3);
  assertEquals(memory.worker, null);
});

Deno.test("a table for people, with workers and an adapter", async () => {
  const { stdout } = await succeed([
    ...[
      "forecast",
      "--model",
      "SmolLM2-135M",
      ...SHORT,
      "--learners",
      "3",
      "--workers",
      "2",
      "--lora",
      "--questions",
      "12",
    ],
  ]);
  assertStringIncludes(stdout, "SmolLM2-135M: 134,515,008 parameters, ");
  assertStringIncludes(stdout, "of an adapter trained");
  assertStringIncludes(stdout, "NVIDIA H100 by data sheet, assumed to reach 25% of 67 TFLOP/s");
  assertMatch(stdout, /^learners +seconds +rollouts +of it weights +passes/m);
  assertEquals(stdout.match(/^ +[123] .*%$/gm)?.length, 3, stdout);
  assertMatch(stdout, /^(By learner the speed-up is 50% or more|Adding learners stops paying after \d)/m);
  assertMatch(stdout, /^Without workers an update of 3 learners takes \S+ s, one of 5 learners \S+ s\.$/m);
  assertMatch(stdout, /^\* a worker +\S+ MiB/m);
});

Deno.test("rates of a file, and the shape of a config.json without a model", async () => {
  const rates = {
    ...{ update: 1e10, rollout: 1e10, memory: 1e10, dispatch: 1e-5, copy: 1e9, add: 1e9, link: 1e9 },
    ...{ message: 1e-5, save: 1e9, fetch: 1e9, load: 1e9, queue: 1e8 },
  };
  const [file, config] = [`${folder}/rates.json`, `${folder}/config.json`];
  Deno.writeTextFileSync(file, JSON.stringify(rates));
  Deno.writeTextFileSync(config, JSON.stringify(toHfConfig(KNOWN_SHAPES["SmolLM2-135M"])));
  const { stdout } = await succeed(["forecast", ...SHORT, "--model", config, "--rates", file, "--json"]);
  const forecast = JSON.parse(stdout);
  assertEquals(forecast.rates, rates);
  assertEquals(forecast.model.parameters, 134_515_008);
  assertEquals(forecast.pays.learners, 2, "both questions' learners pay");

  await fails(["forecast", "--rates", file, "--link", "3"], 1, "--rates and --link");
  Deno.writeTextFileSync(file, JSON.stringify({ ...rates, link: 0 }));
  await fails(["forecast", "--rates", file], 1, `Cannot use the rates in ${file}: link: `);
  await fails(["forecast", "--rates", `${folder}/none.json`], 1, "Cannot read the rates in");
});

Deno.test("what cannot be is refused in words", async () => {
  await fails(["forecast", "--learners", "4", "--questions", "3"], 1, "4 learners and 3 questions");
  await fails(["forecast", "--workers-only"], 1, "--workers N is needed");
  await fails(["forecast", "--max-thinking", "200000"], 1, "the model's context is 131072");
  await fails(["forecast", "--model", "Llama-9"], 1, "Llama-3.1-8B, Qwen2.5-0.5B");
  await fails(["forecast", "--learners", "0"], 2);
});

Deno.test("what does not fit is told with what would", async () => {
  const { stdout } = await succeed([
    ...["forecast", "--model", "Llama-3.2-3B", "--card", "rtx4090", "--learners", "4", "--group", "2"],
    ...[...SHORT, "--json"],
  ]);
  const { memory, learners } = JSON.parse(stdout);
  assert(memory.learner.state > memory.card && memory.learner.peak === memory.learner.state);
  assertMatch(memory.instead, /^--lora needs about \S+ GiB$|^--shard-optimizer/);
  assert(memory.slots.learner > 4, "as if it had room");
  assert(learners[0].seconds > 0);
});
