/** A run's folder: made once, opened again at its newest whole checkpoint, its logs cut, by one process at a time. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { bestCheckpoint } from "../../../model/files/best_checkpoint.ts";
import { UserError } from "../../../gpu/errors.ts";
import { cutLog } from "../../../rl/run/cut_log.ts";
import { createRun, reopenRun } from "../../../rl/run/run.ts";
import { saveCheckpoint } from "../../../rl/run/save_checkpoint.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { jsonLines } from "../../support/json_lines.ts";
import { checkpointsOf } from "../support/run_files.ts";
import { inRun, savedRun, withRandomTrainer } from "../support/saved_run.ts";

const { gpu } = await openTestGpu();

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

Deno.test("what a process left that was killed while it began a run is no run, and in nobody's way", () =>
  inRun((folder) => {
    Deno.mkdirSync(`${folder}/checkpoints`, { recursive: true });
    const left = `${folder}/config.toml.0a1b2c3d-4e5f.tmp`;
    Deno.writeTextFileSync(left, "a =");
    createRun(folder, "a = 1\n").close();
    assertThrows(() => Deno.statSync(left), Deno.errors.NotFound);
    Deno.removeSync(`${folder}/config.toml`);
    Deno.mkdirSync(`${folder}/checkpoints/step-000001`);
    assertThrows(() => createRun(folder, ""), UserError, "it holds other files");
  }));

Deno.test("folders, FIFOs, links and locked files where a run has its own are told before anything is changed", () =>
  inRun((folder) => {
    createRun(folder, "").close();
    const hold = (name: string, lay: (path: string) => void, message: string) => {
      const path = `${folder}/${name}`;
      if (name !== "checkpoints") Deno.writeTextFileSync(path, "");
      Deno.removeSync(path, { recursive: true });
      lay(path);
      const before = Deno.lstatSync(path).ino;
      const { message: told } = assertThrows(() => reopenRun(folder), UserError);
      assertStringIncludes(told, message);
      assertStringIncludes(told, name);
      assertEquals(Deno.lstatSync(path).ino, before);
      Deno.removeSync(path, { recursive: true });
    };
    const fifo = (path: string) => void new Deno.Command("mkfifo", { args: [path] }).outputSync();
    for (const name of ["metrics.jsonl", "samples.jsonl", "lock"]) {
      hold(name, Deno.mkdirSync, "no regular file lies there");
      hold(name, fifo, "no regular file lies there");
      hold(name, (path) => Deno.symlinkSync("/nowhere", path), "a link or no regular file lies there");
    }
    for (const name of ["best", "tests.json", "shape.json", "validation.json", "profile.json"]) {
      hold(name, Deno.mkdirSync, `Cannot resume ${folder}: ${name}: it is no file`);
      hold(name, fifo, "it is no file");
    }
    hold("checkpoints", (path) => Deno.writeTextFileSync(path, ""), "checkpoints: it is no folder");
    reopenRun(folder).run.close();
  }));

Deno.test("a folder without a run cannot be resumed", () =>
  inRun((folder) => {
    const error = assertThrows(() => reopenRun(folder), UserError, "it holds no run");
    assertStringIncludes(error.hint!, "without --resume");
  }));

Deno.test("a run has one writer at a time", () =>
  inRun((folder) => {
    const run = createRun(folder, "");
    assertThrows(() => reopenRun(folder), UserError, "another process is training in it");
    run.close();
    reopenRun(folder).run.close();
  }));

Deno.test("killed between an update's line and the first checkpoint, a run begins anew; a line later it is refused", () =>
  inRun((folder) => {
    const run = createRun(folder, "");
    for (let step = 1; step <= 3; step++) run.appendMetrics({ step });
    run.close();
    const { run: again, step } = reopenRun(folder, 3);
    assertEquals([step, Deno.readTextFileSync(`${folder}/metrics.jsonl`)], [0, ""]);
    for (let step = 1; step <= 4; step++) again.appendMetrics({ step });
    again.close();
    assertThrows(() => reopenRun(folder, 3), UserError, "its metrics go to step 4, but it has no checkpoint");
  }));

Deno.test("a resumed run's logs end at its checkpoint, whatever was being written", () =>
  inRun((folder) =>
    withRandomTrainer(gpu, 1, async (trainer, state) => {
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
        const { run, step, notes } = reopenRun(folder);
        assertEquals([step, notes], [2, []]);
        assertEquals(jsonLines(`${folder}/metrics.jsonl`), [
          { step: 1, reward: 1 / 3, text: "ü\u2028" },
          { step: 2, reward: 2 / 3, text: "ü\u2028" },
        ]);
        assertEquals(jsonLines(`${folder}/samples.jsonl`).map((line) => line.step), [1, 1, 2, 2]);
        assertEquals(checkpointsOf(folder), ["step-000002"]);
        run.appendMetrics({ step: 3 });
        assertEquals(jsonLines(`${folder}/metrics.jsonl`).length, 3);
        run.close();
      }
      Deno.removeSync(`${folder}/samples.jsonl`);
      const without = reopenRun(folder, Infinity, true);
      assertEquals(without.notes, ["samples.jsonl has no rollout of 2 updates: they cannot be kept again"]);
      without.run.close();
      Deno.removeSync(`${folder}/checkpoints/step-000002`, { recursive: true });
      const reopened = reopenRun(folder);
      assertEquals([reopened.checkpoint, reopened.step], [undefined, 0]);
      assertEquals(Deno.readTextFileSync(`${folder}/metrics.jsonl`), "");
      reopened.run.close();
    })
  ));

Deno.test("weights that a killed process served to workers go on resume", () =>
  inRun((folder) => {
    createRun(folder, "").close();
    for (const name of ["served-0", "served-12", "served-mine"]) {
      Deno.mkdirSync(`${folder}/${name}/a`, { recursive: true });
    }
    reopenRun(folder).run.close();
    const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) =>
      name.startsWith("served")
    );
    assertEquals(names, ["served-mine"]);
  }));

Deno.test("updates that a log has twice are told", () =>
  inRun((folder) =>
    withRandomTrainer(gpu, 1, async (trainer, state) => {
      const run = createRun(folder, "");
      for (const step of [1, 2, 2]) run.appendMetrics({ step });
      await saveCheckpoint(run, trainer, { ...state, step: 2 }, 2);
      run.close();
      const { run: again, notes } = reopenRun(folder);
      again.close();
      assertEquals(notes, ["metrics.jsonl has 1 lines more than updates: some are there twice"]);
    })
  ));

Deno.test("a line that cannot be read goes, wherever it is, and those behind it move up", () =>
  inRun((folder) => {
    createRun(folder, "").close();
    const path = `${folder}/samples.jsonl`;
    // Longer than what is read at once, so that lines are put together from pieces.
    const line = (step: number) => JSON.stringify({ step, text: "ü".repeat(step === 2 ? 900_000 : 20) });
    Deno.writeTextFileSync(
      path,
      [line(1), '{"step":1', line(2), "nonsense", line(3), line(9), "{"].join("\n"),
    );
    assertEquals(cutLog(path, 3), { steps: [1, 2, 3], last: 9, damaged: 2 });
    assertEquals(Deno.readTextFileSync(path), [line(1), line(2), line(3), ""].join("\n"));
    const { ino } = Deno.statSync(path);
    assertEquals(cutLog(path, 2), { steps: [1, 2], last: 3, damaged: 0 });
    assertEquals([Deno.readTextFileSync(path), Deno.statSync(path).ino], [
      [line(1), line(2), ""].join("\n"),
      ino,
    ]);
    assertEquals(cutLog(path, 0).steps, []);
    assertEquals(Deno.readTextFileSync(path), "");
  }));

Deno.test("the name of the best checkpoint that a kill prevented is written on resume, in the place of an old link, too", () =>
  inRun((folder) =>
    withRandomTrainer(gpu, 1, async (trainer, state) => {
      await savedRun(folder, trainer, state, [10], 10);
      const run = reopenRun(folder).run;
      await saveCheckpoint(run, trainer, { ...state, step: 20, best: { step: 20, accuracy: 0.75 } }, 2);
      run.close();
      // As if killed between the rename of the checkpoint and that of its name.
      Deno.removeSync(`${folder}/best`);
      Deno.symlinkSync("checkpoints/step-000010", `${folder}/best`);
      reopenRun(folder).run.close();
      assertEquals(bestCheckpoint(folder), `${folder}/checkpoints/step-000020`);
      // As if a person went back to the older checkpoint.
      Deno.removeSync(`${folder}/checkpoints/step-000020`, { recursive: true });
      reopenRun(folder).run.close();
      assertEquals(bestCheckpoint(folder), `${folder}/checkpoints/step-000010`);
    })
  ));
