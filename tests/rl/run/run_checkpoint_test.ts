/** A run's checkpoints: whole or refused, the newest and the best one kept. */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { bestCheckpoint } from "../../../model/files/best_checkpoint.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { freeModel } from "../../../model/transformer/transformer.ts";
import { createRun, reopenRun } from "../../../rl/run/run.ts";
import { loadCheckpoint } from "../../../rl/run/load_checkpoint.ts";
import { newestWhole } from "../../../rl/run/check_checkpoint.ts";
import { readState } from "../../../rl/run/run_state.ts";
import { saveCheckpoint } from "../../../rl/run/save_checkpoint.ts";
import type { Trainer } from "../../../rl/trainer.ts";
import { assertSameBits, openTestGpu } from "../../gpu/support.ts";
import { downloadNamed } from "../support/named_weights.ts";
import { checkpointsOf } from "../support/run_files.ts";
import { momentsOf } from "../support/small_trainer.ts";
import { inRun, savedRun, withRandomTrainer } from "../support/saved_run.ts";
import { tinyModel } from "../support/tiny_model.ts";

const { gpu } = await openTestGpu();

async function contents(trainer: Trainer) {
  const { gpu, config, params } = trainer.model;
  const sets = [params, ...momentsOf(trainer)];
  return await Promise.all(sets.map((set) => downloadNamed(gpu, config, set)));
}

/** Has a state hold other values. */
const changing = (changed: object) => (path: string) =>
  Deno.writeTextFileSync(path, JSON.stringify({ ...JSON.parse(Deno.readTextFileSync(path)), ...changed }));

function flipBit(path: string, at: number): void {
  const bytes = Deno.readFileSync(path);
  bytes[at] ^= 1;
  Deno.writeFileSync(path, bytes);
}

Deno.test("a checkpoint brings weights, moments and state back to the bit", () =>
  inRun((folder) =>
    withRandomTrainer(gpu, 1, async (trainer, state) => {
      const run = createRun(folder, "");
      const saved = { ...state, step: 7, best: { step: 5, accuracy: 0.25 } };
      assertEquals(await saveCheckpoint(run, trainer, saved, 2), `${folder}/checkpoints/step-000007`);
      const expected = await contents(trainer);
      run.close();
      await withRandomTrainer(gpu, 2, async (other) => {
        const reopened = reopenRun(folder);
        assertEquals([reopened.checkpoint, reopened.step], [`${folder}/checkpoints/step-000007`, 7]);
        assertEquals(loadCheckpoint(reopened.checkpoint!, other), saved);
        (await contents(other)).forEach((set, i) => {
          for (const [name, values] of set) assertSameBits(name, values, expected[i].get(name)!);
        });
        reopened.run.close();
      });
    })
  ));

Deno.test("damaged checkpoints are told by file, with the way back to an older one", () =>
  inRun((folder) =>
    withRandomTrainer(gpu, 1, async (trainer, state) => {
      const run = createRun(folder, "");
      const damages: [file: string, damage: (path: string) => void, message: string][] = [
        ["state.json", (path) => Deno.removeSync(path), "state.json"],
        ["state.json", (path) => Deno.truncateSync(path, 20), "state.json"],
        ["state.json", changing({ kernels: undefined }), "state.json: its kernels is another"],
        ["state.json", changing({ embeddingRms: "much" }), "its embeddingRms is another"],
        ["state.json", changing({ forcedIds: [] }), "its forcedIds is another"],
        ["state.json", changing({ best: 3 }), "its best is another"],
        ["state.json", (path) => Deno.writeTextFileSync(path, "null"), "state.json"],
        ["state.json", (path) => Deno.writeTextFileSync(path, '{"step": 3}'), "state.json"],
        ["model.safetensors", (path) => Deno.removeSync(path), "model.safetensors"],
        ["model.safetensors", (path) =>
          Deno.truncateSync(path, Deno.statSync(path).size - 4), "model.safetensors"],
        ["model.safetensors", (path) =>
          Deno.truncateSync(path, 5), "model.safetensors"],
        ["optimizer.safetensors", (path) =>
          Deno.removeSync(path), "optimizer.safetensors"],
        ["optimizer.safetensors", (path) => Deno.truncateSync(path, 1000), "optimizer.safetensors"],
        [
          "optimizer.safetensors",
          (path) => Deno.copyFileSync(path.replace("optimizer", "model"), path),
          "SHA-256 differs",
        ],
        ["model.safetensors", (path) => flipBit(path, Deno.statSync(path).size - 9), "SHA-256 differs"],
      ];
      for (const [file, damage, message] of damages) {
        const checkpoint = await saveCheckpoint(run, trainer, { ...state, step: 1 }, 2);
        damage(`${checkpoint}/${file}`);
        const error = assertThrows(() => loadCheckpoint(checkpoint, trainer), UserError, message);
        assertStringIncludes(error.message, checkpoint);
        assertStringIncludes(error.hint!, "older one", `${file}: ${error.message}`);
      }
      const { hiddenSize: d } = trainer.model.config;
      const wider = tinyModel(gpu, { hiddenSize: d + 8 });
      const checkpoint = await saveCheckpoint(run, trainer, { ...state, step: 1 }, 2);
      const other = { ...trainer, model: wider };
      assertThrows(() => loadCheckpoint(checkpoint, other), UserError, "shape asks for");
      freeModel(wider);
      run.close();
    })
  ));

Deno.test("the newest checkpoints and the best one are kept; best names it and moves with the folder", () =>
  inRun((folder) =>
    withRandomTrainer(gpu, 1, async (trainer, state) => {
      await savedRun(folder, trainer, state, [10, 20, 30, 40, 50], 20);
      assertEquals(checkpointsOf(folder), ["step-000020", "step-000040", "step-000050"]);
      assertEquals(bestCheckpoint(folder), `${folder}/checkpoints/step-000020`);
      assertEquals(newestWhole(folder).checkpoint, `${folder}/checkpoints/step-000050`);
      Deno.renameSync(folder, `${folder}-moved`);
      const found = await findModel(gpu, `${folder}-moved`);
      assertEquals([found.folder, found.embeddingRms], [
        `${folder}-moved/checkpoints/step-000020`,
        state.embeddingRms,
      ]);
      const ours = await downloadNamed(gpu, trainer.model.config, trainer.model.params);
      const theirs = await downloadNamed(gpu, found.model.config, found.model.params);
      for (const [name, values] of ours) assertSameBits(name, theirs.get(name)!, values);
      freeModel(found.model);
    })
  ));

Deno.test("steps of more than six digits are the newest, too", () =>
  inRun((folder) =>
    withRandomTrainer(gpu, 1, async (trainer, state) => {
      await savedRun(folder, trainer, state, [999999, 1000000], 999999);
      assertEquals(newestWhole(folder).checkpoint, `${folder}/checkpoints/step-1000000`);
    })
  ));

Deno.test("a checkpoint that the disk refuses leaves those before it, and nothing of itself", () =>
  inRun((folder) =>
    withRandomTrainer(gpu, 1, async (trainer, state) => {
      await savedRun(folder, trainer, state, [10], 10);
      const { run } = reopenRun(folder);
      // A folder where a file is to be written.
      Deno.mkdirSync(`${folder}/checkpoints/step-000020.tmp/optimizer.safetensors/x`, { recursive: true });
      const next = { ...state, step: 20, best: { step: 20, accuracy: 1 } };
      const error = await assertRejects(
        () => saveCheckpoint(run, trainer, next, 1),
        UserError,
        "Cannot save step 20: cannot write",
      );
      assertStringIncludes(error.hint!, `--resume --out ${folder}`);
      run.close();
      assertEquals(checkpointsOf(folder), ["step-000010"]);
      assertEquals(bestCheckpoint(folder), `${folder}/checkpoints/step-000010`);
      assert(readState(`${folder}/checkpoints/step-000010`).step === 10);
    })
  ));
