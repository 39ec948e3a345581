/** The tables of a run: on test questions, and that of the best checkpoint with its own weights. */
import { assert, assertEquals } from "@std/assert";
import { testBefore, testBest, testModes } from "../../../cli/train/test_modes.ts";
import type { TrainValues } from "../../../cli/train/train_settings.ts";
import type { ModeResult } from "../../../eval/measures/mode_result.ts";
import type { Stream } from "../../../eval/task.ts";
import { uploadRows } from "../../../gpu/ops/repack/upload_rows.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { downloadNamed } from "../../rl/support/named_weights.ts";
import { inRun, savedRun, withRandomTrainer } from "../../rl/support/saved_run.ts";

const { gpu } = await openTestGpu();

Deno.test("the table of the best checkpoint is made with its weights, and none where it is the last", () =>
  inRun((folder) =>
    withRandomTrainer(gpu, 1, async (trainer, state) => {
      const { model } = trainer;
      await savedRun(folder, trainer, state, [10], 10);
      const best = await downloadNamed(gpu, model.config, model.params);
      uploadRows(gpu, model.params.finalNorm, 0, new Float32Array(model.config.hiddenSize).fill(7));
      let measured: Map<string, Float32Array> | undefined;
      const measure = async () => {
        measured = await downloadNamed(gpu, model.config, model.params);
        return null;
      };
      await testBest(trainer, folder, { ...state, step: 10, best: { step: 10, accuracy: 1 } }, measure);
      assertEquals(measured, undefined);
      await testBest(trainer, folder, { ...state, step: 20, best: { step: 10, accuracy: 1 } }, measure);
      assertEquals(measured, best);
    })
  ));

Deno.test("tables ask test questions alone", () =>
  withRandomTrainer(gpu, 1, async (trainer, state) => {
    const asked = new Set<Stream>();
    const task: typeof trainer.task = {
      ...trainer.task,
      question(stream, ...at) {
        asked.add(stream);
        return trainer.task.question(stream, ...at);
      },
    };
    const values = {
      thinking: "hard",
      testQuestions: 2,
      testSamples: 1,
      gamma: 0.5,
      maxThinking: 4,
      answerTokens: 2,
    };
    const { signal } = new AbortController();
    const results = await testModes(
      { ...trainer, task },
      values as TrainValues,
      state,
      signal,
      true,
      "before",
    );
    assert(results !== null && results.length >= 6);
    assertEquals([...asked], ["test"]);
  }));

Deno.test("the table of before the training is made once, before the first update", () =>
  inRun((folder) =>
    withRandomTrainer(gpu, 1, async (_, state) => {
      Deno.mkdirSync(folder, { recursive: true });
      let made = 0;
      const table: ModeResult[] = [];
      const before = (step: number) =>
        testBefore(folder, { ...state, step }, () => {
          made++;
          return Promise.resolve(table);
        }, () => {});
      assertEquals([await before(3), made], [null, 0]);
      assertEquals([await before(0), made], [table, 1]);
      assertEquals([await before(0), await before(3), made], [table, table, 1]);
    })
  ));
