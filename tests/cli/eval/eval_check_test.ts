import { assert, assertEquals, assertRejects } from "@std/assert";
import { Command, ValidationError } from "@cliffy/command";
import { evalCheckCommand } from "../../../cli/eval/eval_check.ts";
import { markLiterals } from "../../../cli/settings/literal_words.ts";
import { readPairs } from "../../../eval/answer/read_pairs.ts";
import { UserError } from "../../../gpu/errors.ts";
import { inFolder } from "../../support/folders.ts";
import { runSoftcot } from "../support/run_softcot.ts";

/** What `softcot eval check ...` prints, or the error that it ends with. */
async function run(...args: string[]): Promise<string> {
  const program = new Command().name("softcot").globalOption("--json", "").globalOption("-q, --quiet", "")
    .throwErrors();
  program.command("eval", new Command().description("").command("check", evalCheckCommand));
  const lines: string[] = [];
  const log = console.log;
  console.log = (text: string) => lines.push(text);
  try {
    await program.parse(markLiterals(["eval", "check", ...args]));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `${error.message}\n${error.hint}`;
  } finally {
    console.log = log;
  }
  return lines.join("\n");
}

Deno.test("a pair is judged, with the rule and both sides as understood", async () => {
  assertEquals(await run("\\frac{1}{2}", "0.5"), "equal\nrule    exact numbers\ngold    1/2\nanswer  1/2");
  assertEquals(
    await run("1/2", "0.6"),
    "not equal\nrule     exact numbers\nbecause  1/2 is not 3/5\ngold     1/2\nanswer   3/5",
  );
  assertEquals(JSON.parse(await run("5", "6", "--json")), {
    ...{ pairs: 1, equal: 0, time: 0 },
    rows: [{ line: 1, equal: false, rule: "exact numbers", gold: "5", answer: "6" }],
  });
});

Deno.test("answers may begin with a minus sign", async () => {
  assert((await run("-5", "-5.0")).startsWith("equal"));
  assert((await run("-\\frac{1}{2}", "-x")).startsWith("not equal"));
  assert((await run("-x", "-(x)", "--percent")).startsWith("equal"));
});

Deno.test("--text finds the answer in a reply", async () => {
  assert((await run("--text", "42", "First \\boxed{41}, no: \\boxed{42}.")).startsWith("equal"));
  assert(
    (await run("--text", "42", "no idea at all about this question, sorry for that")).includes(
      "(none found)",
    ),
  );
});

Deno.test("--file judges JSON lines and CSV", () =>
  inFolder(async (folder) => {
    const jsonl = `${folder}/pairs.jsonl`;
    await Deno.writeTextFile(
      jsonl,
      '{"gold":"1/2","prediction":"0.5"}\n\n{"gold":["3","4"],"prediction":"4"}\n{"gold":5,"prediction":"6"}\n',
    );
    assert((await run("--file", jsonl)).endsWith("2 of 3 equal"));
    const csv = `${folder}/pairs.csv`;
    await Deno.writeTextFile(csv, 'id,gold,prediction\r\n1,"1,2","2,1"\r\n2,"say ""a""\nb",x\r\n');
    const report = JSON.parse(await run("--json", "--file", csv));
    assertEquals([report.pairs, report.equal, report.rows[1].line], [2, 1, 3]);
    assert((await run("--file", `${folder}/none.csv`)).startsWith("Cannot judge"));
  }));

Deno.test("rows without a gold or a prediction are told by their line", () => {
  const message = (name: string, text: string) => {
    try {
      readPairs(name, text);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert(message("a.jsonl", '{"gold":"1","prediction":"1"}\n{"gold":"1"}').includes("line 2"));
  assert(message("a.jsonl", "{").includes("line 1 is not JSON"));
  assert(message("a.csv", "gold,other\n1,2").includes("header"));
  assert(message("a.csv", "").includes("header"));
});

Deno.test("wrong usage is told in words", async () => {
  await assertRejects(
    () => run("5"),
    ValidationError,
    "1 answers were given; a gold answer and another are needed",
  );
});

Deno.test("eval check is a command of its own", async () => {
  const { code, stdout } = await runSoftcot(["eval", "check", "1/2", "0.5"]);
  assertEquals([code, stdout.split("\n")[0]], [0, "equal"]);
});

Deno.test("with --exit-code the status tells the verdict, of a pair and of a file; without it it is 0", () =>
  inFolder(async (folder) => {
    const status = async (...args: string[]) => (await runSoftcot(["eval", "check", ...args])).code;
    assertEquals(await status("1/2", "0.5", "--exit-code"), 0);
    assertEquals(await status("1/2", "0.6", "--exit-code"), 1);
    assertEquals(await status("1/2", "0.6"), 0);
    const file = `${folder}/pairs.jsonl`;
    await Deno.writeTextFile(file, '{"gold": "1", "prediction": "1"}\n{"gold": "2", "prediction": "3"}\n');
    assertEquals(await status("--file", file, "--exit-code"), 1);
    assertEquals(await status("--file", file), 0);
    await Deno.writeTextFile(file, '{"gold": "1", "prediction": "1"}\n');
    assertEquals(await status("--file", file, "--exit-code"), 0);
  }));
