/** Events for TensorBoard: what the JSON lines have, read by another reader, once each, however a run was stopped and gone on with. */
import { assert, assertEquals } from "@std/assert";
import { cutLog } from "../../../rl/run/cut_log.ts";
import { createRun, type Run } from "../../../rl/run/run.ts";
import { logTensorboard } from "../../../rl/run/tensorboard/log_tensorboard.ts";
import { crc32c, type ReadEvent, readEvents } from "../support/read_events.ts";
import { inRun } from "../support/saved_run.ts";

const SETTINGS = { lr: 1e-4, thinking: "soft", lora: false, reward: ["task", "a=0.5"], adapter: undefined };

const line = (step: number, mark = 0) => ({
  ...{
    step,
    reward: 10 * step + mark,
    tokens: 2 ** 25 + step,
    thinking_tokens_ended: step === 2 ? null : 1.5,
  },
  ...(step === 3 ? { validation_accuracy: 0.25, rewards: { task: 3, "a=0.5": -1 } } : {}),
  time: { step: 2.5, update: 1 },
});
const sample = (step: number, reward: number, question = "q") => ({
  ...{ step, question, thinking: " t", forced: " \\boxed{", answer: "1}", boxed: "1", gold: "1", reward },
});

/** Logs some updates, each with two rollouts, at one a second. */
function logSteps(run: Run, steps: number[], mark = 0): void {
  for (const step of steps) {
    run.appendSample(sample(step, 100 + mark));
    run.appendSample(sample(step, 10, "<b>x</b>\n# y\u2028```"));
    run.appendMetrics(line(step, mark));
  }
}

const clock = (from: number) => () => from += 1000;
const filesOf = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.includes("tfevents")).sort();
const eventsOf = (folder: string): ReadEvent[] =>
  filesOf(folder).flatMap((name) => readEvents(`${folder}/${name}`));

/** What of updates is told: rewards and texts by step, each once. */
function told(events: ReadEvent[]) {
  const rewards: [number, number][] = events.filter(({ scalars }) => "train/reward" in scalars)
    .map(({ step, scalars }) => [step, scalars["train/reward"]]);
  const texts = events.filter(({ texts }) => texts.samples).map(({ step }) => step);
  return { rewards, texts };
}

Deno.test("the reader's check is CRC-32C", () => {
  assertEquals(crc32c(new TextEncoder().encode("123456789")), 0xE3069283);
  assertEquals(crc32c(new Uint8Array(32)), 0x8A9136AA);
});

Deno.test("numbers, texts and settings of a run are in its events", () =>
  inRun((folder) => {
    const run = logTensorboard(createRun(folder, ""), SETTINGS, 0, clock(1_700_000_000_000));
    logSteps(run, [1, 2, 3]);
    run.close();
    const [version, start, settings, ...events] = eventsOf(folder);
    assertEquals([start.starts, start.step], [true, 1]);
    assertEquals([version.version, version.step, version.time], ["brain.Event:2", 0, 1_700_000_002]);
    assertEquals(settings.settings, { lr: 1e-4, thinking: "soft", lora: false, reward: "task,a=0.5" });
    assertEquals(events.map(({ step }) => step), [1, 1, 2, 2, 3, 3]);
    assert(events.every(({ time }, i) => i === 0 || time >= events[i - 1].time));
    const common = { "train/tokens": Math.fround(2 ** 25 + 3), "time/step": 2.5, "time/update": 1 };
    assertEquals(events[5].scalars, {
      ...{ "train/reward": 30, "train/thinking_tokens_ended": 1.5, ...common },
      ...{ "validation/accuracy": 0.25, "rewards/task": 3, "rewards/a=0.5": -1 },
    });
    assert(!("train/thinking_tokens_ended" in events[3].scalars), "what is null is left out");
    const [first, second] = events[4].texts.samples;
    assertEquals(first, "    q\n    \n     t \\boxed{1}\n    \n    boxed 1, right is 1: reward 100");
    assert(second.split("\n").every((line) => line.startsWith("    ")), "no line is markup");
  }));

Deno.test("a run that goes on has every update once, whatever was written after its checkpoint", () =>
  inRun((folder) => {
    const run = logTensorboard(createRun(folder, ""), SETTINGS, 0, clock(1_700_000_000_000));
    logSteps(run, [1, 2, 3, 4]);
    run.close();
    // As a kill leaves it: a record that is not whole, in a file that may have been made in the same second.
    Deno.writeFileSync(`${folder}/${filesOf(folder)[0]}`, Uint8Array.of(9, 0, 0, 0), { append: true });
    for (const name of ["metrics", "samples"]) cutLog(`${folder}/${name}.jsonl`, 2);
    const appended = new Map<string, Record<string, unknown>[]>();
    const keep = (name: string) => (one: Record<string, unknown>) =>
      void appended.set(name, [...appended.get(name) ?? [], one]);
    const reopened: Run = {
      folder,
      appendMetrics: keep("metrics"),
      appendSample: keep("samples"),
      close() {},
    };
    const again = logTensorboard(reopened, SETTINGS, 2, clock(1_700_000_000_000));
    logSteps(again, [3, 4, 5], 1);
    again.close();
    assertEquals(told(eventsOf(folder)), {
      rewards: [[1, 10], [2, 20], [3, 31], [4, 41], [5, 51]],
      texts: [1, 2, 3, 4, 5],
    });
    assertEquals(filesOf(folder).length, 2);
    const starts = eventsOf(folder).filter(({ starts }) => starts).map(({ step }) => step);
    assertEquals(starts, [1, 3], "what readers have of update 3 and later is out of date");
    assertEquals([appended.get("metrics")?.length, appended.get("samples")?.length], [3, 6]);
  }));

Deno.test("what was logged before events were asked for is told, with the times that it took", () =>
  inRun((folder) => {
    const run = createRun(folder, "");
    logSteps(run, [1, 2, 3]);
    const late = logTensorboard(run, SETTINGS, 3);
    logSteps(late, [4]);
    late.close();
    const events = eventsOf(folder);
    assertEquals(told(events), { rewards: [[1, 10], [2, 20], [3, 30], [4, 40]], texts: [1, 2, 3, 4] });
    const times = events.filter(({ scalars }) => "train/reward" in scalars).map(({ time }) => time);
    assertEquals([times[1] - times[0], times[2] - times[1]], [2.5, 2.5]);
    assert(times[3] >= times[2]);
  }));
