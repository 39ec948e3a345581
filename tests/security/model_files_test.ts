/** Files of a model are regular files within its folder, or blobs of the hub's cache; what is written goes through no link. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { readRows } from "../../eval/data/read_rows.ts";
import { openRecordFile } from "../../eval/results/record_file.ts";
import { UserError } from "../../gpu/errors.ts";
import { exportSafetensors } from "../../model/files/export_model.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import { writeWhole } from "../../model/files/write_whole.ts";
import { createSafetensors } from "../../model/formats/safetensors_writer.ts";
import { createRun, reopenRun } from "../../rl/run/run.ts";
import { runSoftcot } from "../cli/support/run_softcot.ts";
import { huggingFaceFiles } from "../model/support/small_model_files.ts";
import { inFolder } from "../support/folders.ts";

const SECRET = "hf_" + "Xy7".repeat(12);

/** Lays a small model into a folder. */
function lay(folder: string): string {
  Deno.mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(huggingFaceFiles(false))) {
    Deno.writeFileSync(`${folder}/${name}`, bytes);
  }
  return folder;
}

/** Every file that a model's folder may have, and a few that it need not. */
const NAMES = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "softcot.json",
  "model.safetensors",
];

Deno.test("a file that is a link out of the model's folder is refused, whichever it is, and nothing of it is copied", () =>
  inFolder((top) => {
    Deno.writeTextFileSync(`${top}/secret`, SECRET);
    for (const target of [`${top}/secret`, "../secret", "/proc/self/environ", "/proc/self/root/etc/passwd"]) {
      for (const name of NAMES) {
        const folder = lay(`${top}/model`);
        if (name in huggingFaceFiles(false)) Deno.removeSync(`${folder}/${name}`);
        Deno.symlinkSync(target, `${folder}/${name}`);
        const { message } = assertThrows(
          () => openModelFiles(folder)[Symbol.dispose](),
          UserError,
          `${name}: it is a link that leads out of the model's folder`,
        );
        assert(!message.includes(SECRET));
        Deno.removeSync(folder, { recursive: true });
      }
    }
  }));

Deno.test("links within the folder and to the cache's own blobs are followed; a file's own bytes alone are exported", () =>
  inFolder(async (top) => {
    const folder = lay(`${top}/model`);
    Deno.renameSync(`${folder}/tokenizer.json`, `${folder}/own.json`);
    Deno.symlinkSync("own.json", `${folder}/tokenizer.json`);
    {
      using files = openModelFiles(folder);
      await exportSafetensors({ ...files, name: "model" }, { out: `${top}/out`, dtype: "f32" });
    }
    assertEquals(Deno.lstatSync(`${top}/out/tokenizer.json`).isSymlink, false);
    const repo = `${top}/models--a--b`;
    const snapshot = lay(`${repo}/snapshots/${"0".repeat(40)}`);
    Deno.mkdirSync(`${repo}/blobs`);
    for (const { name } of [...Deno.readDirSync(snapshot)]) {
      Deno.renameSync(`${snapshot}/${name}`, `${repo}/blobs/${name}`);
      Deno.symlinkSync(`../../blobs/${name}`, `${snapshot}/${name}`);
    }
    openModelFiles(snapshot)[Symbol.dispose]();
    // A snapshot of another repository has no right to these blobs.
    const other = `${top}/models--c--d/snapshots/${"1".repeat(40)}`;
    Deno.mkdirSync(other, { recursive: true });
    for (const { name } of Deno.readDirSync(snapshot)) {
      Deno.symlinkSync(`${repo}/blobs/${name}`, `${other}/${name}`);
    }
    assertThrows(() => openModelFiles(other), UserError, "leads out of the model's folder");
  }));

Deno.test("a FIFO, a device, a folder in the place of a file: told at once, nothing waits and nothing is read for ever", () =>
  inFolder(async (top) => {
    const fifo = async (path: string) => {
      const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
      assert(success);
    };
    for (const name of NAMES) {
      const folder = lay(`${top}/model`);
      if (name in huggingFaceFiles(false)) Deno.removeSync(`${folder}/${name}`);
      await fifo(`${folder}/${name}`);
      assertThrows(() => openModelFiles(folder)[Symbol.dispose](), UserError, name);
      Deno.removeSync(folder, { recursive: true });
    }
    for (const path of [`${top}/a.gguf`, `${top}/a.bin`]) {
      await fifo(path);
      assertThrows(() => openModelFiles(path), UserError, "no regular file");
      Deno.removeSync(path);
      Deno.symlinkSync("/dev/zero", path);
      assertThrows(() => openModelFiles(path), UserError, "no regular file");
    }
    for (const ending of ["jsonl", "json", "csv", "parquet"]) {
      await fifo(`${top}/fifo.${ending}`);
      await assertRejects(() => readRows(`${top}/fifo.${ending}`), UserError, "no regular file");
      Deno.symlinkSync("/dev/zero", `${top}/zero.${ending}`);
      await assertRejects(() => readRows(`${top}/zero.${ending}`), UserError, "no regular file");
      Deno.mkdirSync(`${top}/folder.${ending}`);
      await assertRejects(() => readRows(`${top}/folder.${ending}`), UserError, "it is a folder");
    }
    await fifo(`${top}/fifo.toml`);
    for (
      const args of [
        ["train", "--config", `${top}/fifo.toml`],
        ["eval", `${top}/fifo.toml`],
        ["eval", "check", "--file", `${top}/fifo.jsonl`],
      ]
    ) {
      const { code, stderr } = await runSoftcot(args);
      assert(code === 1 && stderr.includes("it is no regular file"), stderr);
    }
  }));

Deno.test("links that lie where something is to be written are not written through", () =>
  inFolder((top) => {
    const victim = `${top}/victim`;
    Deno.writeTextFileSync(victim, "kept");
    const none = `${top}/none`;
    const folder = `${top}/place`;
    Deno.mkdirSync(folder);
    // The names of old, and the place itself.
    for (const name of ["x.json", "x.json.tmp", "x.safetensors", "x.safetensors.tmp"]) {
      Deno.symlinkSync(name.startsWith("x.json") ? victim : none, `${folder}/${name}`);
    }
    writeWhole(`${folder}/x.json`, "{}");
    const writer = createSafetensors(`${folder}/x.safetensors`, [{ name: "a", dtype: "F32", shape: [1] }]);
    writer.write("a", Float32Array.of(1));
    writer.finish();
    assertEquals([Deno.readTextFileSync(`${folder}/x.json`), Deno.readTextFileSync(victim)], ["{}", "kept"]);
    for (
      const [name, open] of [
        ["a.jsonl", () => openRecordFile(`${folder}/a.jsonl`)[Symbol.dispose]()],
        ["b.jsonl", () => openRecordFile(`${folder}/b.jsonl`)[Symbol.dispose]()],
      ] as const
    ) {
      Deno.symlinkSync(name === "a.jsonl" ? victim : none, `${folder}/${name}`);
      assertThrows(open, UserError, "a link or no regular file lies there");
    }
    const run = `${top}/run`;
    createRun(run, "").close();
    for (const name of ["metrics.jsonl", "samples.jsonl", "lock"]) {
      Deno.removeSync(`${run}/${name}`);
      Deno.symlinkSync(name === "lock" ? none : victim, `${run}/${name}`);
      assertThrows(() => reopenRun(run), UserError, "a link or no regular file");
      Deno.removeSync(`${run}/${name}`);
    }
    assertEquals([Deno.readTextFileSync(victim), [...Deno.readDirSync(top)].length], ["kept", 3]);
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(left, ["a.jsonl", "b.jsonl", "x.json", "x.json.tmp", "x.safetensors", "x.safetensors.tmp"]);
  }));
