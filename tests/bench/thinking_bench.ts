/**
 * Soft and fuzzy rollouts beside hard ones of the same length: their tokens a second as a share of hard ones', on models of
 * random weights, where probabilities are peaked (as trained models' mostly are) and where they are flat, so that each
 * mixture reads all of the embedding. For flat ones the bound is FLOPs(hard) / FLOPs(soft).
 *
 *     deno run -A tests/bench/thinking_bench.ts [--vocabularies 80,49152,128256] [--rounds 5] [--group 16] [--cpu] [--json] [--profile]
 *
 * A vocabulary of 80 comes with the embedded model's shape, the others with that of SmolLM2-135M. Ways of thinking take turns
 * within each round, so that ratios do not depend on the machine's load; what is shown are the medians of the rounds' ratios.
 * `--cpu` takes processor seconds of this process for seconds, where other work makes the wall's too uneven (software devices).
 */
import { cpuUsage } from "node:process";
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/terminal/table.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { attentionFlops, blockFlops, headFlops } from "../../model/transformer/flops.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import { randomModel } from "../model/support/small_models.ts";
import { PROMPT, rolloutSteps, shapeLogits, shapeOf } from "./support/rollout_steps.ts";

const { values } = parseArgs({
  options: {
    vocabularies: { type: "string", default: "80,49152,128256" },
    rounds: { type: "string", default: "5" },
    group: { type: "string", default: "16" },
    cpu: { type: "boolean", default: false },
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
const KINDS = ["hard", "soft", "fuzzy"] as const;
const SHAPES = ["peaked", "flat"] as const;

/** Operations of a hard step as a share of those of a continuous one, halfway through the steps. */
function boundOf(config: ModelConfig, steps: number): number {
  const hard = blockFlops(config) + headFlops(config) + attentionFlops(config, PROMPT + steps / 2, 1);
  return hard / (hard + headFlops(config));
}

interface Result {
  vocabulary: number;
  shape: typeof SHAPES[number];
  /** Hard rollouts' tokens a second; the medians of the others' shares of it. */
  hard: number;
  soft: number;
  fuzzy: number;
  bound: number;
}

async function measure(vocabSize: number): Promise<Result[]> {
  const config = shapeOf({ vocabSize, ...(vocabSize <= 128 ? SMALL : SMOLLM2) });
  const steps = vocabSize <= 128 ? 40 : 8;
  const model = randomModel(gpu, config);
  const results: Result[] = [];
  for (const shape of SHAPES) {
    shapeLogits(model, shape);
    const shares = { hard: [] as number[], soft: [] as number[], fuzzy: [] as number[] };
    for (let round = 0; round <= rounds; round++) {
      const seconds = { hard: 0, soft: 0, fuzzy: 0 };
      for (const kind of KINDS) {
        gpu.profile.phase = round === 0 ? "compile" : `${vocabSize} ${shape} ${kind}`;
        seconds[kind] = await rolloutSteps(model, group, steps, kind, clock);
      }
      if (round === 0) continue; // kernels are compiled
      shares.hard.push(group * steps / seconds.hard);
      for (const kind of ["soft", "fuzzy"] as const) shares[kind].push(seconds.hard / seconds[kind]);
    }
    const [hard, soft, fuzzy] = KINDS.map((kind) => median(shares[kind]));
    results.push({ vocabulary: vocabSize, shape, hard, soft, fuzzy, bound: boundOf(config, steps) });
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
    results.map(({ vocabulary, shape, hard, soft, fuzzy, bound }) => [
      vocabulary,
      shape,
      hard.toFixed(1),
      soft.toFixed(3),
      fuzzy.toFixed(3),
      bound.toFixed(3),
      ...[soft, fuzzy].map((share) => shape === "flat" ? (share / bound).toFixed(2) : ""),
    ]),
    {
      header: [
        "vocabulary",
        "probabilities",
        "hard tokens/s",
        "soft / hard",
        "fuzzy / hard",
        "FLOPs hard / soft",
        "soft / that",
        "fuzzy / that",
      ],
    },
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
