import { ValidationError } from "@cliffy/command";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import project from "../../deno.json" with { type: "json" };
import { Interrupted } from "../../cli/terminal/interrupt.ts";
import { reportError } from "../../cli/terminal/report_error.ts";
import { createProgram } from "../../cli/main.ts";
import { GpuError, UserError } from "../../gpu/errors.ts";
import { root } from "../support/places.ts";
import { inFolder } from "../support/folders.ts";
import { finish, programWords, runSoftcot } from "./support/run_softcot.ts";

Deno.test("help names every command, and goes to stdout", async () => {
  const { code, stdout, stderr } = await runSoftcot(["--help"]);
  assertEquals([code, stderr], [0, ""]);
  for (const name of ["settings", "completions", "help", "--quiet", "--json", "SOFTCOT_DEBUG"]) {
    assertStringIncludes(stdout, name);
  }
  assertStringIncludes((await runSoftcot([])).stdout, "Commands:");
  assertStringIncludes((await runSoftcot(["settings", "--help"])).stdout, "--max-thinking");
});

Deno.test("help is bold on a terminal and plain elsewhere, whatever the environment says of colours", async () => {
  const words = programWords().map((word) => `'${word}'`).join(" ");
  for (const variable of ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"]) {
    for (const value of ["", "0", "1"]) {
      const env = { NO_COLOR: "", [variable]: value };
      const plain = await runSoftcot(["train", "--help"], env);
      assertEquals([plain.code, plain.stderr], [0, ""], `${variable}=${value}`);
      assertEquals(stripVTControlCharacters(plain.stdout), plain.stdout);
    }
  }
  const shown = async (NO_COLOR: string) =>
    (await finish("script", ["-qc", `${words} train --help`, "/dev/null"], { NO_COLOR, TERM: "xterm" }))
      .stdout;
  assertStringIncludes(await shown(""), "\x1b[1mUsage:\x1b[22m ");
  assertMatch(await shown("1"), /^Usage: +softcot train/m);
});

Deno.test("the version is that of deno.json", async () => {
  const { code, stdout } = await runSoftcot(["--version"], { FORCE_COLOR: "0" });
  assertEquals(code, 0);
  assertStringIncludes(stdout, project.version);
  assertStringIncludes(stdout, Deno.version.deno);
});

Deno.test("wrong usage ends with 2, and tells the error, a guess and a hint on stderr alone", async () => {
  const { code, stdout, stderr } = await runSoftcot(["settings", "--gama", "1"]);
  assertEquals([code, stdout], [2, ""]);
  assertEquals(stderr.split("\n"), [
    'error: Unknown option "--gama". Did you mean option "--gamma"?',
    "hint: softcot settings --help tells how it is used",
    "",
  ]);
  assertEquals((await runSoftcot(["setings"])).code, 2);
  assertEquals((await runSoftcot(["settings", "--steps", "abc"])).code, 2);
});

Deno.test("a mistake in a file ends with 1, without a stack", async () => {
  const { code, stdout, stderr } = await runSoftcot(["settings", "--config", "none.toml"], {
    SOFTCOT_DEBUG: "1",
  });
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr.split("\n"), [
    "error: Cannot read the configuration none.toml: there is no such file",
    "hint: --config takes the path of a TOML file",
    "",
  ]);
});

Deno.test("settings shows values and who set them, as a table and as JSON", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.toml`, "max-thinking = 64\nlr = 1e-5\n");
    const args = ["settings", "--config", `${folder}/a.toml`, "--gamma", "0.1", "--task", "sums-slips"];
    const { stdout } = await runSoftcot(args);
    assertMatch(stdout, /^gamma +0\.1 +flag$/m);
    assertMatch(stdout, /^max-thinking +64 +config$/m);
    assertMatch(stdout, /^lr +1e-5 +config$/m);
    assertMatch(stdout, /^seed +0 +default$/m);
    const data = JSON.parse((await runSoftcot([...args, "--json"])).stdout);
    assertEquals([data.gamma, data.lr], [{ value: 0.1, from: "flag" }, { value: 1e-5, from: "config" }]);
    assertEquals(JSON.parse((await runSoftcot(["--json", ...args])).stdout), data);
  }));

Deno.test("completion scripts are ones that their shell can read", async () => {
  const { code, stdout } = await runSoftcot(["completions", "bash"]);
  assertEquals(code, 0);
  const bash = new Deno.Command("bash", { args: ["-n"], stdin: "piped", stderr: "piped" }).spawn();
  const writer = bash.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdout));
  await writer.close();
  const { success, stderr } = await bash.output();
  assert(success, new TextDecoder().decode(stderr));
});

Deno.test("every error is a line, a hint and a status", () => {
  const report = (error: unknown, debug = false) => {
    const lines: string[] = [];
    const status = reportError(error, {
      debug,
      write: (line) => lines.push(stripVTControlCharacters(line)),
    });
    return { status, lines };
  };
  assertEquals(report(new UserError("Cannot x: y", "do z"), true), {
    status: 1,
    lines: ["error: Cannot x: y", "hint: do z"],
  });
  assertEquals(report(new UserError("Cannot x: y")).lines, ["error: Cannot x: y"]);
  assertEquals(report(new ValidationError("Bad.")).status, 2);
  assertEquals(report(new Interrupted("Stopped after step 3; --resume goes on.")), {
    status: 130,
    lines: ["Stopped after step 3; --resume goes on."],
  });
  const gpu = report(new GpuError("matmul [3, 4] x [5, 6]\nlong tail"));
  assertEquals(gpu.lines[0], "error: The GPU reported an error: matmul [3, 4] x [5, 6]");
  assertStringIncludes(gpu.lines[1], "softcot doctor");
  assertStringIncludes(report(new TypeError("boom")).lines[1], "SOFTCOT_DEBUG=1");
  assertStringIncludes(report(new TypeError("boom"), true).lines[2], "main_test.ts");
  assertEquals(report("a text").lines[0], "error: Something went wrong: a text");
  const full = Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
  assertStringIncludes(report(full).lines[1], "the disk is full");
  const file = Object.assign(new Error("Not a directory (os error 20): mkdir 'a/b'"), { code: "ENOTDIR" });
  assertEquals(report(file).lines, [
    "error: Not a directory (os error 20): mkdir 'a/b'",
    "hint: a file lies where a folder is needed: check the path",
  ]);
  assertEquals(report(new Deno.errors.BrokenPipe("Broken pipe")), { status: 1, lines: [] });
});

Deno.test("a reader that closes early is no error", async () => {
  const words = [...programWords(), "settings"];
  const { code, stderr } = await finish("bash", [
    "-c",
    `${words.map((word) => `'${word}'`).join(" ")} | true`,
  ]);
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("every command's help can be made, and none misses a description", async () => {
  const program = await createProgram();
  assertStringIncludes(program.getHelp(), "Commands:");
  const settings = program.getCommand("settings");
  assert(settings);
  assertStringIncludes(settings.getHelp(), "Show every setting");
});

Deno.test("a command line loads the command that it names, and no other", async () => {
  const loaded = async (...args: string[]) => {
    const program = await createProgram(args);
    return ["train", "eval", "settings"].filter((name) => program.getCommand(name) !== undefined);
  };
  assertEquals(await loaded("--json", "eval", "check", "--", "settings"), ["eval"]);
  assertEquals(await loaded("--version"), []);
  for (const line of [[], ["--help"], ["help", "eval"], ["evl"], ["constructor"], ["complete", "--", ""]]) {
    assertEquals(await loaded(...line), ["train", "eval", "settings"]);
  }
});

Deno.test("the first Ctrl-C asks a long command to stop, the second ends it", () =>
  inFolder(async (folder) => {
    const script = `
    import { watchInterrupt } from "${new URL("../../cli/terminal/interrupt.ts", import.meta.url)}";
    using watch = watchInterrupt("stopping");
    console.log("ready");
    for (let i = 0; i < 200 && !watch.signal.aborted; i++) await new Promise((done) => setTimeout(done, 20));
    console.log(watch.signal.aborted ? "saved" : "never asked");
    if (Deno.args[0] === "stuck") await new Promise((done) => setTimeout(done, 10_000));
    if (Deno.args[0] === "busy") {
      await new Promise((done) => setTimeout(done, 200));
      console.log("busy");
      for (const end = performance.now() + 10_000; performance.now() < end;);
      console.log("idle");
    }
  `;
    const path = `${folder}/long.ts`;
    await Deno.writeTextFile(path, script);
    for (
      const [signal, mode, expected] of [["SIGINT", "", 0], ["SIGTERM", "", 0], [
        "SIGINT",
        "stuck",
        130,
      ], ["SIGTERM", "busy", 143]] as const
    ) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", path, mode],
        cwd: root,
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const again = { stuck: "saved", busy: "busy" }[mode as string] ?? "never";
      const heard = await say(child, { ready: signal, [again]: signal });
      const { code } = await child.status;
      assertEquals([heard.includes("saved"), heard.includes("idle"), code], [true, false, expected]);
      assertStringIncludes(await new Response(child.stderr).text(), "stopping");
    }
  }));

/** Reads a child's stdout to its end, sending a signal at each of the given words. */
async function say(child: Deno.ChildProcess, at: Record<string, Deno.Signal | undefined>): Promise<string> {
  let heard = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    heard += part;
    for (const [word, signal] of Object.entries(at)) {
      if (part.includes(word) && signal) child.kill(signal);
    }
  }
  return heard;
}
