import { inBytes } from "../terminal/in_bytes.ts";
import { percent } from "../terminal/percent.ts";
import { table } from "../terminal/table.ts";
import type { Forecast } from "./forecast_update.ts";

/** A forecast as people read it. */
export function describeForecast(forecast: Forecast): string {
  const { model, cluster: { questions, workers, workersOnly }, group, lengths, source } = forecast;
  const { prompt, thinking, answer } = lengths;
  const all = model.trained === model.parameters;
  return [
    [
      `${model.name}: ${model.parameters.toLocaleString("en")} parameters, ` +
      (all ? "all of them trained" : `${model.trained.toLocaleString("en")} of an adapter trained`),
      `${questions} questions x ${group} rollouts an update; ${prompt} + ${thinking} + ${answer} tokens` +
      (workers === 0 ? "" : `; ${workers} ${workers === 1 ? "worker" : "workers"}`) +
      (workersOnly ? ", which make all rollouts" : ""),
      source,
    ].join("\n"),
    secondsTable(forecast),
    [whereItStops(forecast), ...insteadOf(forecast)].join("\n"),
    memoryTable(forecast),
  ].join("\n\n");
}

function secondsTable({ learners, cluster: { workers } }: Forecast): string {
  const rows = learners.map(({ learners, seconds, speedUp, each, parts }) => [
    ...[learners, shown(seconds), shown(parts.rollout), ...(workers > 0 ? [shown(parts.weights)] : [])],
    ...[shown(parts.passes), shown(parts.optimizer), shown(parts.sum), shown(parts.spread)],
    ...[speedUp.toFixed(2), `${Math.round(100 * each)}%`],
  ]);
  return table(rows, {
    header: [
      ...["learners", "seconds", "rollouts", ...(workers > 0 ? ["of it weights"] : [])],
      ...["passes", "AdamW", "sums", "spread", "speed-up", "by learner"],
    ],
    align: Array(10).fill("right"),
  });
}

function whereItStops({ pays, cluster: { learners, questions } }: Forecast): string {
  const worth = percent(pays.worth);
  if (pays.learners === questions) {
    return `By learner the speed-up is ${worth} or more with up to ${questions} learners, one for each question.`;
  }
  return `Adding learners stops paying after ${pays.learners}: with more, the speed-up by learner is below ${worth}` +
    (learners > pays.learners ? ". More questions an update would keep them at work." : ".");
}

function insteadOf({ instead, cluster: { learners, workers } }: Forecast): string[] {
  if (instead === null) return [];
  const { alone, asLearners } = instead;
  return [
    `Without workers an update of ${learners} ${learners === 1 ? "learner" : "learners"} takes ${
      shown(alone)
    } s` +
    (asLearners === null ? "." : `, one of ${learners + workers} learners ${shown(asLearners)} s.`),
  ];
}

function memoryTable({ memory, cluster: { learners, shardOptimizer } }: Forecast): string {
  const { card, learner, sharded, worker, slots, instead } = memory;
  const row = (what: string, { state, peak }: { state: number; peak: number }, asked: boolean) => [
    `${asked ? "* " : "  "}${what}`,
    inBytes(state),
    state > card ? "more than that" : inBytes(peak),
    peak <= card ? "fits" : "does not fit",
  ];
  const rows = [
    row("a learner", learner, !shardOptimizer || learners === 1),
    ...(learners > 1 ? [row("a learner, --shard-optimizer", sharded, shardOptimizer)] : []),
    ...(worker ? [row("a worker", worker, true)] : []),
  ];
  const most = worker ? `, a worker's ${slots.worker}` : "";
  return [
    table(rows, {
      header: ["  memory of", "held", "at the peak", `in ${inBytes(card)}`],
      align: ["left", "right", "right", "left"],
    }),
    ...(instead === null
      ? []
      : [`A learner as asked for does not fit (seconds are those of a card where it would): ${instead}.`]),
    `A learner's device has room for ${slots.learner} rollouts at once${most}.`,
  ].join("\n");
}

const shown = (seconds: number): string => {
  if (seconds === 0) return "0";
  if (seconds < 1e-3) return "<0.001";
  return seconds >= 100 ? seconds.toFixed(0) : seconds.toPrecision(3);
};
