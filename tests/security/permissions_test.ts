/** Each command gives up what it does not need before it opens anything, and works so; pull alone has the network. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { KINDS, PERMISSIONS } from "../../cli/permissions/permission_table.ts";
import { runSoftcot } from "../cli/support/run_softcot.ts";
import { smallModel } from "../cli/support/small_model.ts";
import { trainArgs } from "../cli/support/train_args.ts";

const { folder, model } = await smallModel();

/** A reward that tries what it may do, and rewards nothing. */
const spy = `${folder}/spy.ts`;
Deno.writeTextFileSync(
  spy,
  `const states = {};
for (const name of ${JSON.stringify(KINDS)}) states[name] = Deno.permissions.querySync({ name }).state;
const tried = await fetch("http://127.0.0.1:40999/").then(() => "answered", (error) => error.name);
console.error("SPY " + JSON.stringify({ states, tried }));
export default () => 0;`,
);

async function spied(
  more: Record<string, string>,
): Promise<{ states: Record<string, string>; tried: string }> {
  const out = `${folder}/${crypto.randomUUID()}`;
  const args = trainArgs({ model, steps: 1, reward: spy, out, "validate-every": 0, ...more });
  const { code, stderr } = await runSoftcot(args);
  assertEquals(code, 0, stderr);
  return JSON.parse(/^SPY (.*)$/m.exec(stderr)![1]);
}

Deno.test("own code has what its command keeps, and the network only where its user grants it", async () => {
  const { states, tried } = await spied({});
  const granted = KINDS.filter((name) => states[name] === "granted");
  assertEquals([granted, tried], [["write", "run", "ffi"], "NotCapable"]);
  const net = await spied({ "allow-own": "net" });
  assertEquals([net.states.net, net.tried !== "NotCapable"], ["granted", true]);
});

Deno.test("the table names every command, and pull alone has the network", async () => {
  const { stdout, stderr } = await runSoftcot(["doctor", "--json"]);
  const { permissions } = JSON.parse(stdout);
  assertEquals(permissions, PERMISSIONS, stderr);
  const networked = Object.keys(PERMISSIONS).filter((name) => PERMISSIONS[name].includes("net"));
  assertEquals(networked, ["model pull", "data pull"]);
  for (const command of Object.keys(PERMISSIONS)) {
    const help = await runSoftcot([...command.split(" "), "--help"]);
    assert(help.code === 0 && help.stdout.includes(`softcot ${command}`), command);
  }
  assertStringIncludes((await runSoftcot(["doctor"])).stdout, "model pull    net, write, sys");
});

Deno.test("commands of the device still know its memory and the process's own", async () => {
  const { stdout } = await runSoftcot(["model", "info", model, "--json"]);
  const { memory } = JSON.parse(stdout);
  if (Deno.build.os === "linux") assert(memory.free > 0, stdout);
});
