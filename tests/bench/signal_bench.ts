/**
 * The signal to noise of the policy gradient, by way of thinking: how much of a batch's gradient is what many batches have in common. Weights
 * stay as they are; each batch draws its own questions and rollouts, the same questions for every way.
 *
 *     deno run -A tests/bench/signal_bench.ts [--model builtin] [--thinking hard,soft] [--gamma ...] [--task sums] [--batches 32] [--seed 0] [--json]
 *
 * Every setting of `softcot train` that an update depends on can be given (`--questions`, `--group`, `--advantage`, `--antithetic`, ...); those that
 * are not come from the recipe of the task and each way, as in training. `share` is |E g|^2 / E |g|^2 (`support/gradient_signal.ts`): the squared cosine
 * of a batch's gradient with the mean of infinitely many batches, with its jackknife error; `batches` how many must be averaged until signal
 * and noise are equally long. A few batches with huge gradients may decide on it; `cosine` is the same with every gradient scaled to length 1, as
 * clipping to a norm below theirs does: the mean cosine between two batches. Ways that differ by less than two standard errors are not told apart.
 */
import { table } from "../../cli/terminal/table.ts";
import { newValues } from "../../cli/train/new_values.ts";
import { prepareTraining } from "../../cli/train/prepare_training.ts";
import { trainSettings, type TrainValues } from "../../cli/train/train_settings.ts";
import { defineCommand } from "../../cli/settings/define_command.ts";
import { findRecipe } from "../../cli/settings/find_recipe.ts";
import { resolveWithOrigins } from "../../cli/settings/resolve_config.ts";
import { choices, integer } from "../../cli/settings/setting.ts";
import { reportError } from "../../cli/terminal/report_error.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { UserError } from "../../gpu/errors.ts";
import { downloadMatrix } from "../../gpu/matrix.ts";
import { type Way, WAYS } from "../../model/thinking/ways.ts";
import { countParams, matricesOf } from "../../model/transformer/params.ts";
import { learnedParts, policyGradient, scoredGroups } from "../../rl/policy_gradient.ts";
import { drawRollouts, hasSignal } from "../../rl/refill.ts";
import type { Trainer } from "../../rl/trainer.ts";
import {
  compareShares,
  type Estimated,
  estimateShare,
  type Gram,
  gramOf,
  scaledToOne,
} from "./support/gradient_signal.ts";

/** What a gradient is told of: all of it, and its two terms apart. */
const TERMS = ["whole", "thinking", "answer"] as const;
type Term = typeof TERMS[number];

/** Gradients are kept on the CPU until all of them are there. */
const MOST_BYTES = 4 * 2 ** 30;

/** One batch's gradients, each as one vector. */
type BatchGradients = Record<Term, Float32Array>;

/** What a way came to. */
interface Measured {
  way: Way;
  settings: Pick<TrainValues, "questions" | "group" | "gamma" | "advantage" | "antithetic" | "maxThinking">;
  /** Share of right answers, and of questions whose rollouts all earn the same. */
  accuracy: number;
  equalGroups: number;
  grams: Record<Term, Gram>;
}

async function measureWay(values: TrainValues, batches: number): Promise<Measured> {
  const gpu = await openGpu();
  try {
    using prepared = await prepareTraining(gpu, values, undefined);
    const { trainer } = prepared;
    const bytes = TERMS.length * batches * 4 * countParams(trainer.grads);
    if (bytes > MOST_BYTES) {
      throw new UserError(
        `Cannot keep ${batches} gradients of ${values.model}: they take ${
          (bytes / 2 ** 30).toFixed(1)
        } GiB, at most ${MOST_BYTES / 2 ** 30} are allowed`,
        "ask for fewer --batches, or for an adapter's with --lora",
      );
    }
    const kept: BatchGradients[] = [];
    const tallies: { accuracy: number; equal: number }[] = [];
    for (let batch = 1; batch <= batches; batch++) {
      const { gradients, ...tally } = await measureBatch(trainer, batch);
      kept.push(gradients);
      tallies.push(tally);
      console.error(`${values.thinking}: batch ${batch} of ${batches}, ${tally.accuracy.toFixed(2)} right`);
    }
    const mean = (of: (tally: typeof tallies[number]) => number) =>
      tallies.reduce((sum, tally) => sum + of(tally), 0) / batches;
    const { questions, group, gamma, advantage, antithetic, maxThinking } = values;
    return {
      way: values.thinking,
      settings: { questions, group, gamma, advantage, antithetic, maxThinking },
      accuracy: mean(({ accuracy }) => accuracy),
      equalGroups: mean(({ equal }) => equal),
      grams: byTerm((term) => gramOf(kept.map((gradients) => gradients[term]))),
    };
  } finally {
    gpu.close();
  }
}

/** The gradient of one batch as an update would have it, and its terms: the answer's is what the thinking's leaves. */
async function measureBatch(trainer: Trainer, step: number) {
  const { model, settings, grads } = trainer;
  using scratch = model.gpu.arena.scratch();
  const batch = await drawRollouts(trainer, step, scratch);
  const parts = learnedParts(scoredGroups(batch, settings), settings.microRows);
  const gradient = async (term?: "thinking"): Promise<Float32Array> => {
    for (const fetch of await policyGradient(trainer, grads, parts, batch, step, term)) await fetch();
    const whole = new Float32Array(countParams(grads));
    let at = 0;
    for (const matrix of matricesOf(grads)) {
      const values = await downloadMatrix(model.gpu, matrix);
      whole.set(values, at);
      at += values.length;
    }
    return whole;
  };
  const whole = await gradient();
  const thinking = await gradient("thinking");
  const answer = whole.map((value, i) => value - thinking[i]);
  const rollouts = batch.groups.flatMap((group) => group.rollouts);
  return {
    gradients: { whole, thinking, answer },
    accuracy: rollouts.filter(({ grade }) => grade.correct).length / rollouts.length,
    equal: 1 - batch.groups.filter(hasSignal).length / batch.groups.length,
  };
}

const byTerm = <T>(of: (term: Term) => T): Record<Term, T> =>
  Object.fromEntries(TERMS.map((term) => [term, of(term)])) as Record<Term, T>;

/** Root mean square length of a batch's gradient. */
const lengthOf = (gram: Gram): number =>
  Math.sqrt(gram.reduce((sum, row, i) => sum + row[i], 0) / gram.length);

/** What is told of a term's gradient: the signal's share as it is, and with each batch scaled to length 1. */
const MEASURES = { share: (gram: Gram) => gram, cosine: scaledToOne };
type Measure = keyof typeof MEASURES;

/** Two ways in one term: by how much the first has more, and whether that is more than two standard errors. */
interface Comparison {
  term: Term;
  first: Way;
  second: Way;
  by: Record<Measure, Estimated & { apart: boolean }>;
}

function compareAll(ways: readonly Measured[]): Comparison[] {
  const compare = (a: Gram, b: Gram, of: (gram: Gram) => Gram) => {
    const difference = compareShares(of(a), of(b));
    return { ...difference, apart: Math.abs(difference.value) > 2 * difference.error };
  };
  return TERMS.flatMap((term) =>
    ways.flatMap((first, i) =>
      ways.slice(i + 1).map((second): Comparison => {
        const [a, b] = [first.grams[term], second.grams[term]];
        const by = { share: compare(a, b, MEASURES.share), cosine: compare(a, b, MEASURES.cosine) };
        return { term, first: first.way, second: second.way, by };
      })
    )
  );
}

const told = ({ value, error }: Estimated): string => `${value.toFixed(4)} ± ${error.toFixed(4)}`;

function describe(ways: readonly Measured[], comparisons: readonly Comparison[]): string {
  const rows = ways.flatMap(({ way, accuracy, equalGroups, grams }) =>
    TERMS.map((term) => {
      const [share, cosine] = [estimateShare(grams[term]), estimateShare(scaledToOne(grams[term]))];
      const needed = share.value > 2 * share.error ? ((1 - share.value) / share.value).toFixed(1) : "-";
      const length = lengthOf(grams[term]).toPrecision(3);
      return [
        way,
        accuracy.toFixed(3),
        equalGroups.toFixed(2),
        term,
        length,
        told(share),
        needed,
        told(cosine),
      ];
    })
  );
  const header = ["thinking", "right", "equal groups", "term", "length", "share", "batches", "cosine"];
  const verdict = ({ value, error, apart }: Comparison["by"][Measure]) =>
    `${told({ value, error })}${apart ? "" : ", cannot be told apart"}`;
  const pairs = comparisons.map(({ term, first, second, by }) => [
    ...[term, `${first} less ${second}`],
    ...[verdict(by.share), verdict(by.cosine)],
  ]);
  return [
    table(rows, { header, align: ["left"] }),
    table(pairs, {
      header: ["term", "difference", "share", "cosine"],
      align: ["left", "left", "left", "left"],
    }),
  ].slice(0, pairs.length > 0 ? 2 : 1).join("\n\n");
}

const command = defineCommand({
  description: "Measure the signal to noise of the policy gradient, by way of thinking.",
  settings: {
    ...trainSettings,
    thinking: choices(WAYS, "Ways of thinking", { default: ["hard", "soft"] }),
    batches: integer("Batches of each way", { default: 32, min: 3 }),
  },
  async run({ batches, thinking, ...values }, { origins, print }) {
    const given = Object.fromEntries(
      Object.entries(values).filter(([key]) =>
        ["flag", "config"].includes(origins[key as keyof typeof values])
      ),
    );
    const ways: Measured[] = [];
    for (const way of thinking) {
      const flags = { ...given, thinking: way };
      const resolved = resolveWithOrigins(trainSettings, { flags, recipe: findRecipe });
      ways.push(await measureWay(await newValues(resolved.values, resolved.origins), batches));
    }
    const comparisons = compareAll(ways);
    const { model, task, seed } = values;
    const results = ways.map(({ grams, ...way }) => ({
      ...way,
      terms: byTerm((term) => ({
        length: lengthOf(grams[term]),
        share: estimateShare(grams[term]),
        cosine: estimateShare(scaledToOne(grams[term])),
      })),
    }));
    print({ model, task, seed, batches, ways: results, comparisons }, () => describe(ways, comparisons));
  },
});

try {
  await command.name("signal_bench.ts").globalOption("--json", "Print the result as JSON").throwErrors()
    .parse(Deno.args);
  Deno.exit(0);
} catch (error) {
  Deno.exit(reportError(error));
}
