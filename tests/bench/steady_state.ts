/**
 * Whether training settles: memory of the process and of the device, new buffers and bind groups, and reads from the device
 * and how many of them the device was waited for, over steps of soft thinking with the embedded model and task.
 *
 *     deno run -A tests/bench/steady_state.ts [--steps 500] [--every 50] [--lr 3e-5] [--behind]
 *
 * A read is waited for if nothing had been given to the device after it: else the device has work while the bytes are fetched.
 * With --behind, as on GPUs, a stride's tokens are read after the next stride has been given to the device. The process's memory
 * is that after collecting garbage where the program runs with --v8-flags=--expose-gc.
 */
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/terminal/table.ts";
import { sums } from "../../eval/tasks/sums.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import type { Reader } from "../../gpu/reader.ts";
import { findModel } from "../../model/files/find_model.ts";
import { gaussianThinking } from "../../model/thinking/gaussian.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { trainStep } from "../../rl/train_step.ts";
import { reserveTraining } from "../../rl/memory/reserve_training.ts";
import { localTrainer } from "../rl/support/local_trainer.ts";
import { trainSettings } from "../rl/support/train_settings.ts";

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "500" },
    every: { type: "string", default: "50" },
    lr: { type: "string", default: "3e-5" },
    behind: { type: "boolean", default: false },
  },
});
const [steps, every] = [Number(values.steps), Number(values.every)];
const gpu = await openGpu();
const { model, tokenizer, embeddingRms } = await findModel(gpu, "builtin");

const counts = { buffers: 0, groups: 0 };
const { createBuffer, createBindGroup } = gpu.device;
gpu.device.createBuffer = (descriptor) => (counts.buffers++, createBuffer.call(gpu.device, descriptor));
gpu.device.createBindGroup = (descriptor) => (counts.groups++, createBindGroup.call(gpu.device, descriptor));

const reads = { rollouts: 0, update: 0 };
const waits = { rollouts: 0, update: 0 };
const { start } = gpu.reader;
const counted: Pick<Reader, "start" | "read"> = {
  start(tensor) {
    const phase = gpu.profile.phase as keyof typeof reads;
    const fetch = start(tensor);
    const { submits } = gpu.commands.counts;
    return () => {
      reads[phase]++;
      if (gpu.commands.counts.submits === submits) waits[phase]++;
      return fetch();
    };
  },
  read: (tensor) => counted.start(tensor)(),
};
Object.assign(gpu.reader, counted);

const thinking = gaussianThinking("soft", 0.5, 0.1 * embeddingRms);
const rules = thinkingRules(tokenizer, { maxThinking: 52, maxAnswer: 5, endTokenIds: [] });
const settings = trainSettings({
  ...{ questions: 8, group: 16, lr: Number(values.lr), warmup: 5, steps, finalLr: 0.1 },
});
const readBehind = values.behind;
const trainer = localTrainer({ model, tokenizer, task: sums, thinking, rules, settings, readBehind });

await reserveTraining(trainer);

const rows: unknown[][] = [];
const seconds: number[] = [];
const totals = () => ({
  ...counts,
  ...reads,
  rolloutWaits: waits.rollouts,
  updateWaits: waits.update,
});
let before = totals();
const collect = (globalThis as { gc?: () => void }).gc;
for (let step = 1; step <= steps; step++) {
  const { metrics } = await trainStep(trainer, step);
  seconds.push(metrics.time.step);
  if (step % every !== 0) continue;
  collect?.();
  const { rss, heapUsed } = Deno.memoryUsage();
  const now = totals();
  const per = (key: keyof typeof now) => ((now[key] - before[key]) / every).toFixed(2);
  rows.push([
    step,
    (rss / 2 ** 20).toFixed(1),
    (heapUsed / 2 ** 20).toFixed(1),
    (gpu.arena.bytes / 2 ** 20).toFixed(2),
    now.buffers - before.buffers,
    now.groups - before.groups,
    per("rollouts"),
    per("rolloutWaits"),
    per("update"),
    per("updateWaits"),
    median(seconds.splice(0)).toFixed(3),
  ]);
  before = now;
}
console.log(`device: ${gpu.adapter.name}; soft thinking, 8 x 16 rollouts`);
console.log(table(rows, {
  header: [
    "step",
    "process MiB",
    "heap MiB",
    "device MiB",
    "new buffers",
    "new bind groups",
    "rollouts' reads a step",
    "waited for",
    "update's reads a step",
    "waited for",
    "s a step",
  ],
}));
gpu.close();
