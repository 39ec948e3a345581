import { assert, assertEquals } from "@std/assert";
import { configured, finish, programWords, runSoftcot } from "./support/run_softcot.ts";
import { inFolder } from "../support/folders.ts";
import { TASKS } from "../../eval/tasks/tasks.ts";

/** What a bash without any set-up of its own completes each of some lines to, in a folder. */
async function completed(folder: string, lines: readonly string[]): Promise<string[][]> {
  const program = programWords().map((word) => `'${word}'`).join(" ");
  await Deno.mkdir(`${folder}/bin`, { recursive: true });
  await Deno.writeTextFile(`${folder}/bin/softcot`, `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
  const { stdout: script } = await runSoftcot(["completions", "bash"]);
  // As readline does: finds what is registered for the command, hands it the words, and shows what it leaves.
  const asked = lines.map((line) => {
    const words = line.match(/=|[^ =]+|(?<= )$/g) ?? [];
    const array = words.map((word) => `'${word}'`).join(" ");
    return `COMP_WORDS=(${array}); COMP_CWORD=${
      words.length - 1
    }; "$(registered)" softcot; printf '%s\\n' "\${COMPREPLY[@]}" ---`;
  });
  await Deno.writeTextFile(
    `${folder}/ask.sh`,
    [
      `cd '${folder}'; PATH='${folder}/bin':$PATH`,
      script,
      "registered() { complete -p softcot | sed 's/.*-F \\([^ ]*\\) .*/\\1/'; }",
      ...asked,
    ].join("\n"),
  );
  const { code, stdout, stderr } = await finish("bash", ["--norc", "--noprofile", `${folder}/ask.sh`], {
    HF_HUB_CACHE: `${folder}/hub`,
  });
  assertEquals([code, stderr], [0, ""]);
  return stdout.split("---\n").slice(0, -1).map((part) => part.split("\n").filter((word) => word !== ""));
}

Deno.test("a bare bash completes commands, flags, tasks, models and runs", () =>
  inFolder(async (folder) => {
    const snapshot = "hub/models--org--tiny/snapshots/0123456789012345678901234567890123456789";
    for (
      const place of [
        "runs/good one/checkpoints",
        "runs/begun",
        "runs/$(touch made)",
        "sweeps/grid",
        snapshot,
      ]
    ) {
      await Deno.mkdir(`${folder}/${place}`, { recursive: true });
    }
    await Deno.mkdir(`${folder}/hub/models--org--tiny/refs`, { recursive: true });
    await Deno.writeTextFile(`${folder}/hub/models--org--tiny/refs/main`, snapshot.slice(-40));
    await Deno.writeTextFile(`${folder}/${snapshot}/config.json`, "{}");
    const [commands, flags, tasks, models, short, joined, args, runs, info, nothing, evaluated] =
      await completed(folder, [
        "softcot ge",
        "softcot train --max-th",
        "softcot train --task su",
        "softcot generate --model ",
        "softcot generate -m or",
        "softcot train --task=gs",
        "softcot eval gsm8k ",
        "softcot compare ",
        "softcot model info b",
        "softcot train --task $(touch made)`touch made`",
        "softcot train --thinking mul",
      ]);
    assertEquals(commands, ["generate"]);
    assertEquals(tasks, ["sums", "sums-slips"]);
    assertEquals(models, ["builtin", "org/tiny", "runs/good\\ one"]);
    assertEquals(short, ["org/tiny"]);
    assertEquals(evaluated, ["multiplex"]);
    assert(![...Deno.readDirSync(folder)].some(({ name }) => name === "made"), "a word was evaluated");
    if (configured().length > 0) return; // Cliffy's own script offers flags beside arguments
    assertEquals(flags, ["--max-thinking"]);
    assertEquals(joined, ["gsm8k"]);
    assertEquals(args, TASKS.map(({ name }) => name));
    assertEquals(runs, ["runs/begun", "runs/good\\ one", "sweeps/grid"]);
    assertEquals(info, ["builtin"]);
    assertEquals(nothing, []);
  }));
