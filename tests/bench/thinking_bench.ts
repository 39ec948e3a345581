/**
 * Every way of thinking beside hard tokens of the same length: its tokens a second as a share of hard ones', on models of
 * random weights, where probabilities are peaked (as trained models' mostly are) and where they are flat, so that each
 * mixture of soft and fuzzy thinking reads all of the embedding: their bound is then FLOPs(hard) / FLOPs(soft).
 *
 *     deno run -A tests/bench/thinking_bench.ts [--vocabularies 80,49152,128256] [--ways soft,soft@hidden,gumbel] [--rounds 5] [--group 16] [--cpu] [--json]
 *         [--updates] [--profile]
 *
 * `soft@hidden` is soft thinking with `--noise-on hidden`. A vocabulary of 80 comes with the embedded model's shape, the others with that of SmolLM2-135M. Ways of thinking take turns
 * within each round, so that ratios do not depend on the machine's load; what is shown are the medians of the rounds' ratios.
 * `--updates` times updates on such rollouts instead, of made-up rewards.
 * `--cpu` takes processor seconds of this process for seconds, where other work makes the wall's too uneven (software devices).
 */
import { cpuUsage } from "node:process";
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/terminal/table.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { attentionFlops, blockFlops, headFlops } from "../../model/transformer/flops.ts";
import type { NoisePlace } from "../../model/thinking/noise_on.ts";
import { type Way, WAYS } from "../../model/thinking/ways.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import { randomModel } from "../model/support/small_models.ts";
import { PROMPT, rolloutSteps, shapeLogits, shapeOf, updates } from "./support/rollout_steps.ts";

const { values } = parseArgs({
  options: {
    vocabularies: { type: "string", default: "80,49152,128256" },
    ways: { type: "string", default: WAYS.filter((way) => way !== "hard").join(",") },
    rounds: { type: "string", default: "5" },
    group: { type: "string", default: "16" },
    cpu: { type: "boolean", default: false },
    updates: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
  },
});
const [rounds, group] = [Number(values.rounds), Number(values.group)];
const clock = () => {
  if (!values.cpu) return performance.now();
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
};
const gpu = await openGpu({ profile: values.profile });

const SMALL = { hiddenSize: 64, layers: 3, heads: 4, kvHeads: 4, headDim: 16, intermediateSize: 176 };
const SMOLLM2 = { hiddenSize: 576, layers: 30, heads: 9, kvHeads: 3, intermediateSize: 1536 };
const OTHERS = values.ways.split(",");
const SHAPES = ["peaked", "flat"] as const;

/** Operations of a hard step as a share of those of a continuous one, halfway through the steps. */
function boundOf(config: ModelConfig, steps: number): number {
  const hard = blockFlops(config) + headFlops(config) + attentionFlops(config, PROMPT + steps / 2, 1);
  return hard / (hard + headFlops(config));
}

interface Result {
  vocabulary: number;
  shape: typeof SHAPES[number];
  /** Hard rollouts' tokens a second. */
  hard: number;
  /** The medians of the others' shares of it, in the order of `--ways`. */
  shares: number[];
  /** What soft thinking may reach where distributions are flat. */
  bound: number;
}

async function measure(vocabSize: number): Promise<Result[]> {
  const config = shapeOf({ vocabSize, ...(vocabSize <= 128 ? SMALL : SMOLLM2) });
  const steps = vocabSize <= 128 ? 40 : 8;
  const model = randomModel(gpu, config);
  const update = values.updates ? updates(model, group, steps) : undefined;
  const results: Result[] = [];
  for (const shape of SHAPES) {
    shapeLogits(model, shape);
    const hard: number[] = [];
    const shares = OTHERS.map((): number[] => []);
    for (let round = 0; round <= rounds; round++) {
      const secondsOf = async (name: string) => {
        gpu.profile.phase = round === 0 ? "compile" : `${vocabSize} ${shape} ${name}`;
        const [way, noiseOn] = name.split("@") as [Way, NoisePlace | undefined];
        return await (update?.(way, { noiseOn }, clock) ??
          rolloutSteps(model, group, steps, way, { noiseOn }, clock));
      };
      const base = await secondsOf("hard");
      for (const [i, way] of OTHERS.entries()) {
        const seconds = await secondsOf(way);
        if (round > 0) shares[i].push(base / seconds); // round 0 compiles kernels
      }
      if (round > 0) hard.push(group * steps / base);
    }
    const bound = boundOf(config, steps);
    results.push({ vocabulary: vocabSize, shape, hard: median(hard), shares: shares.map(median), bound });
  }
  freeModel(model);
  return results;
}

const results: Result[] = [];
for (const vocabulary of values.vocabularies.split(",")) results.push(...await measure(Number(vocabulary)));
if (values.json) console.log(JSON.stringify({ device: gpu.adapter.name, rounds, group, results }));
else {
  console.log(`device: ${gpu.adapter.name}; ${group} rollouts, medians of ${rounds} rounds`);
  console.log(table(
    results.map(({ vocabulary, shape, hard, shares, bound }) => [
      ...[vocabulary, shape, hard.toFixed(1), bound.toFixed(3)],
      ...shares.map((share) => share.toFixed(3)),
    ]),
    { header: ["vocabulary", "probabilities", "hard tokens/s", "FLOPs hard / soft", ...OTHERS] },
  ));
}
if (values.profile) {
  const report = (await gpu.profile.report()).filter(({ phase, nanoseconds }) =>
    phase !== "compile" && phase !== "" && nanoseconds > 1e6
  );
  console.log(table(
    report.toSorted((a, b) => a.phase.localeCompare(b.phase)).map((
      { phase, label, nanoseconds, dispatches },
    ) => [phase, label, dispatches, (nanoseconds / 1e6).toFixed(1)]),
    { header: ["vocabulary, probabilities, thinking", "kernel", "dispatches", "ms"] },
  ));
}
gpu.close();
Deno.exit(0);
