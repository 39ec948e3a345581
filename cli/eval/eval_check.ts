import { ValidationError } from "@cliffy/command";
import { isEngineLoaded, loadEngine } from "../../eval/answer/algebra/engine.ts";
import { readPairs } from "../../eval/answer/read_pairs.ts";
import { type Verdict, verify, type VerifyOptions } from "../../eval/answer/verify.ts";
import { UserError } from "../../gpu/errors.ts";
import { defineCommand, type Print } from "../settings/define_command.ts";
import { choice, flag, number, path, text, type Values } from "../settings/setting.ts";
import { table } from "../terminal/table.ts";
import { readPlainText } from "../../model/files/plain_file.ts";

const settings = {
  text: flag("ANSWER is a whole reply: find the answer in it by any sign"),
  extract: choice(
    ["none", "box", "final", "hashes", "maths", "number", "choice", "any"],
    "Where the answer stands in ANSWER",
    {
      default: "none",
      placeholder: "sign",
    },
  ),
  file: path("Judge a file of pairs (gold, prediction) in JSON lines or CSV", { placeholder: "file" }),
  percent: flag("50% may also stand for bare 50, as in gsm8k, math and deepscaler"),
  bases: flag("204_5 may also stand for bare 204"),
  loose: flag("Variables may have other names"),
  setRelation: flag("An inequality may stand for a gold interval"),
  precision: text("Decimals that count (6), or an absolute tolerance (1e-4)", { defaultText: "exact" }),
  exitCode: flag("End with status 1 where the answer, or any of a file's, is not equal"),
  timeLimit: number("Seconds after which a pair is given up", { default: 2, above: 0 }),
};

/** `softcot eval check`: judges one pair, or a file of pairs, and says why. */
export const evalCheckCommand = defineCommand({
  description: `Judge whether an answer is equivalent to a gold answer, and say why.

Prints the verdict, the rule that decided, and both sides as they were understood. Answers may begin with a minus sign.`,
  arguments: [["[gold:string]", "the right answer"], ["[answer:string]", "what to judge"]],
  settings,
  examples: [
    ["One pair", `softcot eval check "\\frac{1}{2}" "0.5"`],
    ["A whole reply", `softcot eval check --text 42 "... so the answer is \\boxed{42}."`],
    ["A file of pairs", "softcot eval check --file pairs.jsonl"],
    ["In a script", `softcot eval check --exit-code "1/2" "0.5" && echo equal`],
  ],
  async run(values, { args, print, quiet, json }) {
    const options = optionsOf(values);
    if (values.file === undefined) {
      if (args.length !== 2) {
        throw new ValidationError(
          `${args.length} answers were given; a gold answer and another are needed, or a file of pairs with --file.`,
        );
      }
      const verdict = await verifyOne(args[0].trim(), args[1].trim(), options);
      if (values.exitCode && !verdict.equal) Deno.exitCode = 1;
      return print(summed([{ line: 1, ...verdict }]), () => describe(verdict));
    }
    if (args.length > 0) {
      throw new UserError("Cannot judge a pair and a file at once", "leave out --file or the answers");
    }
    const allEqual = await judgeFile(values.file, options, quiet, json, print);
    if (values.exitCode && !allEqual) Deno.exitCode = 1;
  },
});

/** Loads the engine for the pair alone that needs it; in a bundle it cannot be loaded in the midst of a verdict. */
async function verifyOne(gold: string, answer: string, options: VerifyOptions): Promise<Verdict> {
  try {
    return verify(gold, answer, options);
  } catch (error) {
    if (!(error instanceof UserError) || isEngineLoaded()) throw error;
    await loadEngine();
    return verify(gold, answer, options);
  }
}

function optionsOf(values: Values<typeof settings>): VerifyOptions {
  const { precision } = values;
  return {
    extract: values.text ? "any" : values.extract,
    percent: values.percent,
    bases: values.bases,
    strict: !values.loose,
    allowSetRelation: values.setRelation,
    precision: precision !== undefined && /^\d{1,2}$/.test(precision) ? Number(precision) : precision,
    timeLimit: values.timeLimit,
  };
}

function describe(verdict: Verdict): string {
  const rows = [["rule", verdict.rule], ["gold", verdict.gold], ["answer", verdict.answer ?? "(none found)"]];
  if (verdict.detail) rows.splice(1, 0, ["because", verdict.detail]);
  return `${verdict.equal ? "equal" : "not equal"}\n${table(rows, { align: ["left", "left"] })}`;
}

/** Verdicts as they are told with --json, of a pair as of a file. */
const summed = (rows: readonly ({ line: number } & Verdict)[]) => ({
  pairs: rows.length,
  equal: rows.filter((row) => row.equal).length,
  time: rows.filter((row) => row.rule === "time").length,
  rows,
});

/** @returns whether all pairs are equal */
async function judgeFile(
  file: string,
  options: VerifyOptions,
  quiet: boolean,
  json: boolean,
  print: Print,
): Promise<boolean> {
  const pairs = readPairs(file, contentOf(file));
  await loadEngine();
  const rows = pairs.map(({ line, gold, prediction }) => ({ line, ...verify(gold, prediction, options) }));
  const judged = summed(rows);
  const { equal, time } = judged;
  print(judged, () => {
    const share = `${equal} of ${rows.length} equal${time > 0 ? `, ${time} given up for time` : ""}`;
    if (quiet || json) return share;
    const cells = rows.map((
      r,
    ) => [r.line, r.equal ? "equal" : "not equal", r.rule, r.gold, r.answer ?? "(none found)"]);
    return `${
      table(cells, {
        header: ["line", "verdict", "rule", "gold", "answer"],
        align: ["right", "left", "left", "left", "left"],
      })
    }\n\n${share}`;
  });
  return equal === rows.length;
}

/** Of a file of pairs. */
const MOST_BYTES = 256 * 2 ** 20;

function contentOf(file: string): string {
  try {
    return readPlainText(file, MOST_BYTES);
  } catch (error) {
    throw new UserError(
      `Cannot judge ${file}: ${(error as Error).message}`,
      "a file of pairs is needed, as JSON lines or CSV",
    );
  }
}
