/**
 * Learning: a short run on the embedded task makes the model answer better, with discrete and with soft thinking. Fixed
 * seeds; the change is judged over the same test problems before and after.
 */
import { assert } from "@std/assert";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { findModel } from "../../model/files/find_model.ts";
import { trainStep } from "../../rl/train_step.ts";
import { assertRise, embeddedTrainer, solved } from "./support/embedded_trainer.ts";

for (
  // The first updates of the recipes' runs.
  const { kind, mode, lr, steps, schedule } of [
    { kind: "hard", mode: "hard-greedy", lr: 3e-4, steps: 15, schedule: 60 },
    { kind: "soft", mode: "soft-sample", lr: 1e-4, steps: 15, schedule: 100 },
  ] as const
) {
  Deno.test(`${steps} updates with ${kind} thinking raise ${mode} accuracy on the embedded task`, async () => {
    const gpu = await openGpu();
    const found = await findModel(gpu, "builtin");
    const trainer = embeddedTrainer(found, kind, lr, schedule);
    const before = await solved(found, mode);
    for (let step = 1; step <= steps; step++) {
      const { metrics } = await trainStep(trainer, step);
      assert(
        metrics.mismatch_thinking_max === 0 && metrics.mismatch_near_tie_max === 0,
        `mismatch at step ${step}`,
      );
    }
    const after = await solved(found, mode);
    gpu.close();
    assertRise(before, after);
  });
}
