/** What is about a user's process and not about a test's: the environment, the streams, the signals that it was started with. */
import { assert, assertEquals } from "@std/assert";
import { linesIn } from "../rl/support/run_files.ts";
import { inFolder } from "../support/folders.ts";
import { root } from "../support/places.ts";
import { finish, programWords, runSoftcot, softcotCommand, told } from "./support/run_softcot.ts";
import { trainArgs } from "./support/train_args.ts";

const onLinux = { ignore: Deno.build.os !== "linux" };

/** Runs the program by a line of sh, in which it is `"$@"`. */
const inShell = (line: string, args: string[]) =>
  finish("sh", ["-c", line, "sh", ...programWords(), ...args]);

Deno.test("an environment of a few odd variables, or nearly none, changes no result", async () => {
  const kept = Object.fromEntries(
    ["HOME", "PATH", "DENO_DIR", "XDG_CACHE_HOME"].flatMap((name) =>
      Deno.env.has(name) ? [[name, Deno.env.get(name)!]] : []
    ),
  );
  const commands = [["train", "--help"], ["settings"], ["data", "list"], ["eval", "check", "1/2", "0.5"]];
  const expected = await Promise.all(commands.map((args) => runSoftcot(args)));
  const odd: Record<string, string>[] = [
    {},
    { LANG: "de_DE.UTF-8", LC_ALL: "tr_TR.UTF-8", TZ: "Mars/Phobos", TERM: "dumb", CI: "true" },
    { LC_ALL: "C", COLUMNS: "1", LINES: "x", TERM: "none", TMPDIR: "/nowhere", HOME: "/nowhere" },
    {
      ...{ FORCE_COLOR: "3", CLICOLOR_FORCE: "1", COLORTERM: "truecolor", NODE_OPTIONS: "--inspect" },
      TZ: "",
    },
  ];
  for (const [i, env] of odd.entries()) {
    const denoDir = kept.DENO_DIR ?? `${kept.XDG_CACHE_HOME ?? `${kept.HOME}/.cache`}/deno`;
    const options = { env: { ...kept, DENO_DIR: denoDir, ...env }, clearEnv: true, stdin: "null" } as const;
    const done = told(await softcotCommand(commands[i], options).output());
    assertEquals(done, expected[i], JSON.stringify(env));
    assertEquals(done.code, 0);
  }
});

Deno.test({
  ...onLinux,
  name: "a pipe whose other end was set to refuse what it cannot take at once gets all of a result",
  fn: async () => {
    const args = ["train", "--help"];
    const expected = await runSoftcot(args);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", `${root}tests/cli/support/refuse_to_wait.ts`, ...programWords(), ...args],
      ...{ cwd: root, env: { NO_COLOR: "1" }, stdin: "null", stdout: "piped", stderr: "piped" },
    }).spawn();
    await new Promise((resolve) => setTimeout(resolve, 1000)); // until it is full
    assertEquals(told(await child.output()), expected);
    assert(expected.stdout.length > 2 * 4096);
  },
});

Deno.test({
  ...onLinux,
  name: "messages that find no place end nothing; a result that finds none is told",
  fn: () =>
    inFolder(async (folder) => {
      const out = `${folder}/model.gguf`;
      const exported = ["model", "export", "builtin", "--out", out];
      const full = await inShell('"$@" 2>/dev/full', exported);
      assertEquals([full.code, Deno.statSync(out).isFile], [0, true]);
      assertEquals((await inShell('"$@" 2>/dev/full', ["settings", "--gama", "1"])).code, 2);
      assertEquals(await inShell('"$@" >/dev/full', ["settings"]), {
        ...{ code: 1, stdout: "" },
        stderr: "error: Cannot write the result to stdout: No space left on device (os error 28)\n" +
          "hint: what the command keeps in files is whole; write to another disk, or to a pipe\n",
      });
      // Streams that are closed lead to nowhere.
      assertEquals((await inShell('"$@" <&- >&- 2>&-', ["settings"])).code, 0);
      assertEquals((await inShell('"$@" <&- >&- 2>&-', ["settings", "--gama", "1"])).code, 2);
    }),
});

Deno.test({
  ...onLinux,
  name: "a training that nohup started outlives its terminal",
  fn: () =>
    inFolder(async (folder) => {
      const out = `${folder}/run`;
      const args = trainArgs({ out, steps: 4, "validate-every": 0 });
      const child = new Deno.Command("nohup", {
        args: [...programWords(), ...args],
        ...{ cwd: root, env: { NO_COLOR: "1" }, stdin: "null", stdout: "piped", stderr: "piped" },
      }).spawn();
      const ended = child.output();
      while (linesIn(`${out}/metrics.jsonl`) < 1) await new Promise((resolve) => setTimeout(resolve, 10));
      child.kill("SIGHUP");
      const { code, stderr } = told(await ended);
      assertEquals([code, linesIn(`${out}/metrics.jsonl`)], [0, 4], stderr);
      assert(!stderr.includes("Stopping"), stderr);
    }),
});
