/** A run's folder: made once, opened again at its newest whole checkpoint, its logs cut, its best checkpoint kept. */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { wayOfThinking } from "../../eval/modes.ts";
import { UserError } from "../../gpu/errors.ts";
import { findModel } from "../../model/files/find_model.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import { createRun, reopenRun, type Run } from "../../rl/run.ts";
import {
  loadCheckpoint,
  newestCheckpoint,
  readState,
  type RunState,
  saveCheckpoint,
} from "../../rl/run_checkpoint.ts";
import type { Trainer } from "../../rl/trainer.ts";
import { assertSameBits, openTestGpu, random32 } from "../gpu/support.ts";
import { inFolder } from "../support/folders.ts";
import { downloadNamed, uploadNamed } from "./support/named_weights.ts";
import { freeTrainer, smallTrainer } from "./support/small_trainer.ts";
import { embeddingRms, tinyModel } from "./support/tiny_model.ts";

const t = await openTestGpu();

/** The folder of a run that is yet to be made, and so is the one above it. */
const inRun = (test: (folder: string) => Promise<void> | void) =>
  inFolder((parent) => test(`${parent}/runs/a`));

/** A trainer whose weights and moments are random numbers of the seed. */
async function withTrainer(seed: number, test: (trainer: Trainer, state: RunState) => Promise<void>) {
  const { gpu } = t;
  const model = tinyModel(gpu, {}, seed);
  const { config } = model;
  const thinking = wayOfThinking("hard", { greedy: false, gamma: 0, embeddingRms: 1 });
  const trainer = smallTrainer(model, thinking);
  for (const [i, moments] of [trainer.optimizer.first, trainer.optimizer.second].entries()) {
    const values = [...await downloadNamed(gpu, config, moments)].map(([name, { length }], n) =>
      [name, random32(1000 * seed + 100 * i + n, length)] as const
    );
    uploadNamed(gpu, config, moments, new Map(values));
  }
  const kernels = { adapter: "a", matmulFamily: "broadcast", subgroupSize: 8 };
  const rms = await embeddingRms(model);
  const { forcedIds } = trainer.rules;
  await test(trainer, { step: 0, best: null, embeddingRms: rms, forcedIds, kernels });
  freeTrainer(trainer);
  freeModel(model);
}

async function contents({ model: { gpu, config, params }, optimizer }: Trainer) {
  const sets = [params, optimizer.first, optimizer.second];
  return await Promise.all(sets.map((set) => downloadNamed(gpu, config, set)));
}

const lines = (path: string) =>
  Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line));
const checkpoints = (folder: string) =>
  [...Deno.readDirSync(`${folder}/checkpoints`)].map((entry) => entry.name).sort();

Deno.test("a new run holds its settings and empty logs", () =>
  inRun((folder) => {
    createRun(folder, "a = 1\n").close();
    assertEquals(Deno.readTextFileSync(`${folder}/config.toml`), "a = 1\n");
    const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
    assertEquals(names, ["checkpoints", "config.toml", "lock", "metrics.jsonl", "samples.jsonl"]);
  }));

Deno.test("a folder with a run is refused, and left as it is", () =>
  inRun((folder) => {
    createRun(folder, "a = 1\n").close();
    const error = assertThrows(() => createRun(folder, "a = 2\n"), UserError, "it holds one already");
    assertStringIncludes(error.hint!, `--resume --out ${folder}`);
    assertEquals(Deno.readTextFileSync(`${folder}/config.toml`), "a = 1\n");
  }));

Deno.test("a folder that cannot be made or written to is told", () =>
  inRun((folder) => {
    const parent = folder.replace(/\/runs\/a$/, "");
    Deno.writeTextFileSync(`${parent}/file`, "");
    for (const place of [`${parent}/file`, `${parent}/file/run`, "/proc/softcot"]) {
      assertThrows(() => createRun(place, ""), UserError, `Cannot write to ${place}: `);
    }
  }));

Deno.test("a checkpoint brings weights, moments and state back to the bit", () =>
  inRun((folder) =>
    withTrainer(1, async (trainer, state) => {
      const run = createRun(folder, "");
      const saved = { ...state, step: 7, best: { step: 5, accuracy: 0.25 } };
      assertEquals(await saveCheckpoint(run, trainer, saved, 2), `${folder}/checkpoints/step-000007`);
      const expected = await contents(trainer);
      run.close();
      await withTrainer(2, async (other) => {
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

Deno.test("a resumed run's logs end at its checkpoint, whatever was being written", () =>
  inRun((folder) =>
    withTrainer(1, async (trainer, state) => {
      const run = createRun(folder, "");
      for (let step = 1; step <= 3; step++) {
        run.appendMetrics({ step, reward: step / 3, text: "ü\u2028" });
        run.appendSample({ step, answer: 1 });
        run.appendSample({ step, answer: 2 });
        if (step === 2) await saveCheckpoint(run, trainer, { ...state, step }, 2);
      }
      run.close();
      for (const name of ["metrics", "samples"]) {
        Deno.writeTextFileSync(`${folder}/${name}.jsonl`, '{"step":4,"rewa', { append: true });
      }
      Deno.mkdirSync(`${folder}/checkpoints/step-000003.tmp`);
      Deno.writeTextFileSync(`${folder}/checkpoints/step-000003.tmp/model.safetensors.tmp`, "half");
      for (let again = 0; again < 2; again++) {
        const { run, step } = reopenRun(folder);
        assertEquals(step, 2);
        assertEquals(lines(`${folder}/metrics.jsonl`), [
          { step: 1, reward: 1 / 3, text: "ü\u2028" },
          { step: 2, reward: 2 / 3, text: "ü\u2028" },
        ]);
        assertEquals(lines(`${folder}/samples.jsonl`).map((line) => line.step), [1, 1, 2, 2]);
        assertEquals(checkpoints(folder), ["step-000002"]);
        run.appendMetrics({ step: 3 });
        assertEquals(lines(`${folder}/metrics.jsonl`).length, 3);
        run.close();
      }
      Deno.removeSync(`${folder}/samples.jsonl`);
      Deno.removeSync(`${folder}/checkpoints/step-000002`, { recursive: true });
      const reopened = reopenRun(folder);
      assertEquals([reopened.checkpoint, reopened.step], [undefined, 0]);
      assertEquals(Deno.readTextFileSync(`${folder}/metrics.jsonl`), "");
      reopened.run.close();
    })
  ));

Deno.test("a folder without a run cannot be resumed", () =>
  inRun((folder) => {
    const error = assertThrows(() => reopenRun(folder), UserError, "it holds no run");
    assertStringIncludes(error.hint!, "without --resume");
  }));

/** A run with checkpoints of these steps, the best being that of `best` once it is there. */
async function savedRun(folder: string, trainer: Trainer, state: RunState, steps: number[], best: number) {
  const run: Run = createRun(folder, "");
  for (const step of steps) {
    const known = step >= best ? { step: best, accuracy: 0.5 } : null;
    await saveCheckpoint(run, trainer, { ...state, step, best: known }, 2);
  }
  run.close();
}

function flipBit(path: string, at: number): void {
  const bytes = Deno.readFileSync(path);
  bytes[at] ^= 1;
  Deno.writeFileSync(path, bytes);
}

Deno.test("a run has one writer at a time", () =>
  inRun((folder) => {
    const run = createRun(folder, "");
    assertThrows(() => reopenRun(folder), UserError, "another process is training in it");
    run.close();
    reopenRun(folder).run.close();
  }));

Deno.test("damaged checkpoints are told by file, with the way back to an older one", () =>
  inRun((folder) =>
    withTrainer(1, async (trainer, state) => {
      const run = createRun(folder, "");
      const damages: [file: string, damage: (path: string) => void, message: string][] = [
        ["state.json", (path) => Deno.removeSync(path), "state.json"],
        ["state.json", (path) => Deno.truncateSync(path, 20), "state.json"],
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
      const wider = tinyModel(t.gpu, { hiddenSize: d + 8 });
      const checkpoint = await saveCheckpoint(run, trainer, { ...state, step: 1 }, 2);
      const other = { ...trainer, model: wider };
      assertThrows(() => loadCheckpoint(checkpoint, other), UserError, "shape asks for");
      freeModel(wider);
      run.close();
    })
  ));

Deno.test("the newest checkpoints and the best one are kept; best is a link that moves with the folder", () =>
  inRun((folder) =>
    withTrainer(1, async (trainer, state) => {
      await savedRun(folder, trainer, state, [10, 20, 30, 40, 50], 20);
      assertEquals(checkpoints(folder), ["step-000020", "step-000040", "step-000050"]);
      assertEquals(Deno.readLinkSync(`${folder}/best`), "checkpoints/step-000020");
      assertEquals(newestCheckpoint(folder), `${folder}/checkpoints/step-000050`);
      Deno.renameSync(folder, `${folder}-moved`);
      const found = await findModel(t.gpu, `${folder}-moved`);
      assertEquals([found.folder, found.embeddingRms], [`${folder}-moved/best`, state.embeddingRms]);
      const ours = await downloadNamed(t.gpu, trainer.model.config, trainer.model.params);
      const theirs = await downloadNamed(t.gpu, found.model.config, found.model.params);
      for (const [name, values] of ours) assertSameBits(name, theirs.get(name)!, values);
      freeModel(found.model);
    })
  ));

Deno.test("steps of more than six digits are the newest, too", () =>
  inRun((folder) =>
    withTrainer(1, async (trainer, state) => {
      await savedRun(folder, trainer, state, [999999, 1000000], 999999);
      assertEquals(newestCheckpoint(folder), `${folder}/checkpoints/step-1000000`);
    })
  ));

Deno.test("a link to the best checkpoint that a kill prevented is made on resume", () =>
  inRun((folder) =>
    withTrainer(1, async (trainer, state) => {
      await savedRun(folder, trainer, state, [10], 10);
      const run = reopenRun(folder).run;
      await saveCheckpoint(run, trainer, { ...state, step: 20, best: { step: 20, accuracy: 0.75 } }, 2);
      run.close();
      // As if killed between the rename of the checkpoint and that of the link.
      Deno.removeSync(`${folder}/best`);
      Deno.symlinkSync("checkpoints/step-000010", `${folder}/best`);
      reopenRun(folder).run.close();
      assertEquals(Deno.readLinkSync(`${folder}/best`), "checkpoints/step-000020");
      // As if a person went back to the older checkpoint.
      Deno.removeSync(`${folder}/checkpoints/step-000020`, { recursive: true });
      reopenRun(folder).run.close();
      assertEquals(Deno.readLinkSync(`${folder}/best`), "checkpoints/step-000010");
    })
  ));

Deno.test("a checkpoint that the disk refuses leaves those before it, and nothing of itself", () =>
  inRun((folder) =>
    withTrainer(1, async (trainer, state) => {
      await savedRun(folder, trainer, state, [10], 10);
      const { run } = reopenRun(folder);
      // A folder where a file is to be written.
      Deno.mkdirSync(`${folder}/checkpoints/step-000020.tmp/optimizer.safetensors.tmp`, { recursive: true });
      const next = { ...state, step: 20, best: { step: 20, accuracy: 1 } };
      const error = await assertRejects(
        () => saveCheckpoint(run, trainer, next, 1),
        UserError,
        "Cannot save step 20: cannot write",
      );
      assertStringIncludes(error.hint!, `--resume --out ${folder}`);
      run.close();
      assertEquals(checkpoints(folder), ["step-000010"]);
      assertEquals(Deno.readLinkSync(`${folder}/best`), "checkpoints/step-000010");
      assert(readState(`${folder}/checkpoints/step-000010`).step === 10);
    })
  ));
