import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "@std/assert";
import { engineValue, isEngineLoaded, loadEngine } from "../../../../eval/answer/algebra/engine.ts";

/** Runs a piece of a program in a process of its own and returns what it prints. */
function run(program: string): string {
  const root = new URL("../../../../", import.meta.url);
  const imports = `import { verify } from ${JSON.stringify(new URL("eval/answer/verify.ts", root).href)};
    import { isEngineLoaded } from ${JSON.stringify(new URL("eval/answer/algebra/engine.ts", root).href)};`;
  const args = ["run", "--no-lock", "-A", "--config", fileURLToPath(new URL("deno.json", root)), "-"];
  return execFileSync(Deno.execPath(), args, { input: `${imports}\n${program}`, encoding: "utf8" }).trim();
}

Deno.test("numbers, fractions, roots and lists are judged without loading the engine; what needs it loads it at once", () => {
  const printed = run(`
    const pairs = [["5", "5.0"], ["1/2", "0.5"], ["2\\\\sqrt3", "\\\\sqrt{12}"], ["1,2", "2,1"], ["x^2-1", "(x-1)(x+1)"], ["7", "8"]];
    console.log(pairs.map(([a, b]) => verify(a, b).equal).join(), isEngineLoaded());
    console.log(verify("1+\\\\sqrt2", "\\\\sqrt{3+2\\\\sqrt2}", { timeLimit: 0.2 }).equal, isEngineLoaded());
  `);
  assertEquals(printed, "true,true,true,true,true,false false\ntrue true");
});

Deno.test("the engine gives values to more than 150 digits", async () => {
  await loadEngine();
  assert(isEngineLoaded());
  const value = engineValue(["Sqrt", { num: "2" }])!;
  const square = value.re.num * value.re.num - 2n * value.re.den * value.re.den;
  assert((square < 0n ? -square : square) * 10n ** 150n < value.re.den * value.re.den);
  assertEquals(engineValue(["Sqrt", { num: "-4" }])?.im, { num: 2n, den: 1n });
  assertEquals(engineValue("x"), null);
});
