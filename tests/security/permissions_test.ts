/** Each command gives up what it does not need before it opens anything, and works so; pull and push alone have the network, and serve listens. */
import type { Command } from "@cliffy/command";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startFlags } from "../../cli/permissions/start_flags.ts";
import { createProgram } from "../../cli/main.ts";
import { type Needs, PERMISSIONS } from "../../cli/permissions/permission_table.ts";
import { fails, finish, runSoftcot } from "../cli/support/run_softcot.ts";
import { smallModel } from "../cli/support/small_model.ts";
import { trainArgs } from "../cli/support/train_args.ts";
import { root } from "../support/places.ts";

const { folder, model } = await smallModel();
const elsewhere = `${folder}/elsewhere`;
const own = `${folder}/own`;
for (const path of [elsewhere, own, `${folder}/runs`]) Deno.mkdirSync(path);
Deno.writeTextFileSync(`${elsewhere}/file`, "found");
Deno.writeTextFileSync(`${elsewhere}/module.ts`, "export default 1;");
Deno.writeTextFileSync(`${own}/beside.ts`, "export default 1;");

/** A reward that tries what it may do, and rewards nothing. */
Deno.writeTextFileSync(
  `${own}/spy.ts`,
  `import "./beside.ts";
const run = ${JSON.stringify(`${folder}/runs`)};
const elsewhere = ${JSON.stringify(elsewhere)};
const tries = {
  "read its folder": () => Deno.readTextFileSync(${JSON.stringify(`${own}/beside.ts`)}),
  "read elsewhere": () => Deno.readTextFileSync(elsewhere + "/file"),
  "read by a way around": () => Deno.readTextFileSync(${JSON.stringify(`${own}/../elsewhere/file`)}),
  "list the folder above": () => [...Deno.readDirSync(${JSON.stringify(folder)})],
  "read a password": () => Deno.readTextFileSync("/etc/passwd"),
  "read the process": () => Deno.readTextFileSync("/proc/self/environ"),
  "import from elsewhere": () => import(elsewhere + "/module.ts"),
  "read the model": () => Deno.readTextFileSync(${JSON.stringify(`${model}/config.json`)}),
  "write to the run": () => Deno.writeTextFileSync(run + "/spied", "x"),
  "write elsewhere": () => Deno.writeTextFileSync(elsewhere + "/mark", "x"),
  "write beside itself": () => Deno.writeTextFileSync(${JSON.stringify(`${own}/mark`)}, "x"),
  "make a link": () => Deno.symlinkSync(elsewhere + "/file", run + "/link"),
  "ask for a variable": () => Deno.env.get("SOFTCOT_SECRET"),
  "ask for home": () => Deno.env.get("HOME"),
  "list the variables": () => Deno.env.toObject(),
  "start git": () => new Deno.Command("/usr/bin/env", { args: ["git", "--version"] }).outputSync(),
  "start a shell": () => new Deno.Command("/bin/sh", { args: ["-c", "true"] }).outputSync(),
  "open a library": () => Deno.dlopen("libc.so.6", { getpid: { parameters: [], result: "i32" } }),
  "see the system": () => Deno.hostname(),
  "reach the network": () => fetch("http://127.0.0.1:40999/").catch((error) => {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }),
  "reach it by a socket": () => Deno.connect({ port: 40999 }).catch((error) => {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }),
  "ask for more": async () => {
    const { state } = await Deno.permissions.request({ name: "read", path: "/" });
    if (state !== "granted") throw new Deno.errors.NotCapable(state);
  },
};
const may = [];
for (const [what, work] of Object.entries(tries)) {
  try {
    await work();
    may.push(what);
  } catch (error) {
    if (!/NotCapable|Requires|TypeError/.test(error.name + error.message)) console.error("SPY FAILED", what, error);
  }
}
console.error("SPY " + JSON.stringify(may));
export default () => 0;`,
);

async function spied(more: Record<string, string> = {}): Promise<string[]> {
  const out = `${folder}/runs/${crypto.randomUUID()}`;
  const reward = `${own}/spy.ts`;
  const args = trainArgs({ model, steps: 1, reward, out, "validate-every": 0, ...more });
  const { code, stderr } = await runSoftcot(args, { SOFTCOT_SECRET: "x" });
  assertEquals(code, 0, stderr);
  assert(!stderr.includes("SPY FAILED"), stderr);
  return JSON.parse(/^SPY (\[.*)$/m.exec(stderr)![1]);
}

const ITS_OWN = ["read its folder"];

Deno.test("own code may read its folder, and nothing that its command may do", async () => {
  assertEquals(await spied(), ITS_OWN);
});

Deno.test("own code gets exactly what its user grants", async () => {
  const allowed = [`read=${elsewhere}`, `write=${elsewhere}`, "env=SOFTCOT_SECRET", "net"].join(",");
  const may = await spied({ "allow-own": allowed });
  const granted = [
    ...["read elsewhere", "read by a way around", "import from elsewhere", "write elsewhere"],
    ...["ask for a variable", "reach the network", "reach it by a socket"],
  ];
  assertEquals(may.toSorted(), [...ITS_OWN, ...granted].sort());
  Deno.removeSync(`${elsewhere}/mark`);
  for (const wrong of ["run", "net=", "read", "read=", "all"]) {
    await fails(
      ["train", "--allow-own", wrong],
      2,
      "must be a list of net, net=HOST, import, sys, ffi, read=PATH",
    );
  }
});

/** All commands below one, by their words, as its help lists them. */
// deno-lint-ignore no-explicit-any
function commandsOf(command: Command<any>, above = ""): string[] {
  const [, list = ""] = command.getHelp().split(/^Commands:\n/m);
  const names = [...list.split("\n\n")[0].matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name);
  return names.flatMap((
    name,
  ) => [above + name, ...commandsOf(command.getCommand(name)!, `${above}${name} `)]);
}

Deno.test("the table names every command, pull, push and worker alone have the network, train and eval with --workers, and view and serve listen", async () => {
  const { stdout, stderr } = await runSoftcot(["doctor", "--json"]);
  const { permissions } = JSON.parse(stdout);
  assertEquals(permissions, PERMISSIONS, stderr);
  const withNet = (net: Needs["net"]) =>
    Object.keys(PERMISSIONS).filter((name) => PERMISSIONS[name].net === net).sort();
  assertEquals(withNet(true), ["data pull", "model pull", "model push", "worker"]);
  assertEquals(withNet("listens"), ["serve", "view"]);
  assertEquals(withNet("with --workers"), ["eval", "train"]);
  assertEquals(withNet("with --cluster"), ["doctor"]);
  const groups = ["model", "data", "cache"];
  const named = commandsOf(await createProgram()).filter((name) => !groups.includes(name));
  assertEquals(named.sort(), Object.keys(PERMISSIONS).sort());
  assertMatch((await runSoftcot(["doctor", "--all"])).stdout, /^eval check +read +pairs$/m);
});

Deno.test("every command that runs own code takes what is granted to it, and its time limit", async () => {
  const program = await createProgram();
  const running = Object.keys(PERMISSIONS).filter((name) => PERMISSIONS[name].run.includes("own code"));
  assertEquals(running, ["train", "eval", "generate", "serve", "data show", "settings"]);
  for (const name of running) {
    const words = name.split(" ");
    const help = words.reduce((command, word) => command.getCommand(word)!, program).getHelp();
    for (const flag of ["--allow-own", "--reward-timeout"]) assertStringIncludes(help, flag, name);
  }
});

Deno.test("the launcher and the tests start the program with the grants of deno.json, which can be narrowed", () => {
  const { permissions: { softcot } } = JSON.parse(Deno.readTextFileSync(`${root}deno.json`));
  assertEquals([softcot.read, softcot.write, softcot.env], [["/"], ["/"], ["*", "CE_*", "RUBI_*"]]);
  assertStringIncludes(Deno.readTextFileSync(`${root}softcot`), "run --quiet --no-prompt -P=softcot ");
  // The one file for servers has no deno.json.
  const flags = Deno.readTextFileSync(`${root}release/start.sh`).match(/--(allow|unstable)-[^ '\n]+/g);
  assertEquals(flags?.toSorted(), startFlags().sort());
});

Deno.test("started with all permissions, the program still gives up whole kinds", async () => {
  const args = trainArgs({
    model,
    steps: 1,
    reward: `${own}/spy.ts`,
    out: `${folder}/all`,
    "validate-every": 0,
  });
  const { code, stderr } = await finish(Deno.execPath(), [
    ...["run", "--allow-all", "--no-prompt", "--quiet", "cli/main.ts", ...args],
  ]);
  assertEquals(code, 0, stderr);
  assertEquals(JSON.parse(/^SPY (\[.*)$/m.exec(stderr)![1]), ITS_OWN);
});

Deno.test("commands of the device still know its memory and the process's own", async () => {
  const { stdout } = await runSoftcot(["model", "info", model, "--json"]);
  const { memory } = JSON.parse(stdout);
  if (Deno.build.os === "linux") assert(memory.free > 0, stdout);
});
