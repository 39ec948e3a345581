import { assertEquals, assertThrows } from "@std/assert";
import { exportSafetensors } from "../../../model/files/export_model.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { writeWhole } from "../../../model/files/write_whole.ts";
import { linkBlob } from "../../../model/hub/hub_cache.ts";
import { inFolder } from "../../support/folders.ts";
import { root } from "../../support/places.ts";

/** A process that is in the midst of writing an export and a file; it says so, and stays there. */
async function writer(folder: string): Promise<Deno.ChildProcess> {
  const code = `
    import { exportSafetensors } from "${root}model/files/export_model.ts";
    import { openModelFiles } from "${root}model/files/model_files.ts";
    import { createBeside } from "${root}model/files/own_file.ts";
    createBeside("${folder}/notes.json");
    const stay = () => {
      console.log("half");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    };
    await exportSafetensors({ ...openModelFiles("builtin"), name: "x" }, {
      out: "${folder}/exported",
      dtype: "f32",
      onProgress: stay,
    });`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", `--config=${root}deno.json`, "--ext=ts", "-"],
    ...{ stdin: "piped", stdout: "piped", stderr: "inherit" },
  }).spawn();
  const program = child.stdin.getWriter();
  await program.write(new TextEncoder().encode(code));
  await program.close();
  const reader = child.stdout.getReader();
  await reader.read();
  reader.releaseLock();
  return child;
}

async function kill(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.status;
  await child.stdout.cancel();
}

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

async function exportTo(out: string) {
  using files = openModelFiles("builtin");
  await exportSafetensors({ ...files, name: "x" }, { out, dtype: "f16" });
}

Deno.test("what a killed process left of an export or a file goes with the next one; what one at work holds stays", () =>
  inFolder(async (folder) => {
    const living = await writer(folder);
    const dead = await writer(folder);
    assertEquals(namesIn(folder).length, 4);
    await kill(dead);
    const others = [
      "exported.notes.tmp",
      "exported.partial",
      "exported2.0123abcd-4567.tmp",
      "notes.json.tmp",
    ];
    for (const name of others) Deno.writeTextFileSync(`${folder}/${name}`, "a user's own");
    await exportTo(`${folder}/exported/`);
    writeWhole(`${folder}/notes.json`, "{}");
    const left = namesIn(folder).filter((name) => !others.includes(name));
    assertEquals(left.map((name) => name.replace(/\.[0-9a-f]{8}-[0-9a-f]{4}\./, ".*.")), [
      "exported",
      "exported.*.partial",
      "notes.json",
      "notes.json.*.tmp",
    ]);
    assertEquals(namesIn(folder).filter((name) => others.includes(name)), others);
    await kill(living);
  }));

Deno.test("links and copies that a killed pull left in a snapshot go with the next one, young links stay", () =>
  inFolder((repo) => {
    const commit = "0".repeat(40);
    const place = `${repo}/snapshots/${commit}`;
    Deno.mkdirSync(`${repo}/blobs`);
    Deno.mkdirSync(place, { recursive: true });
    Deno.writeTextFileSync(`${repo}/blobs/abc`, "content");
    Deno.writeTextFileSync(`${place}/config.json.01234567.tmp`, "half a copy");
    Deno.symlinkSync("../../blobs/abc", `${place}/config.json.01234567-89ab.tmp`);
    linkBlob(repo, commit, "config.json", "abc");
    assertEquals(namesIn(place), ["config.json", "config.json.01234567-89ab.tmp"]);
    assertEquals(Deno.readTextFileSync(`${place}/config.json`), "content");
  }));

Deno.test("a file that cannot take its place leaves nothing beside", () =>
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/taken/full`, { recursive: true });
    assertThrows(() => writeWhole(`${folder}/taken`, "text"));
    assertEquals(namesIn(folder), ["taken"]);
  }));
