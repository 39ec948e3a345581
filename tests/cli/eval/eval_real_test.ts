import { assert, assertEquals, assertMatch } from "@std/assert";
import { root } from "../../support/places.ts";
import { inFolder } from "../../support/folders.ts";
import { runSoftcot } from "../support/run_softcot.ts";

const MODEL = "../shared/models/smollm2-135m-instruct";
const DATA = "../shared/data/gsm8k";
const absent = [MODEL, DATA].filter((path) => {
  try {
    Deno.statSync(`${root}${path}`);
    return false;
  } catch {
    return true;
  }
});

Deno.test({
  name:
    "eval of a real model on a real task: prefixes shared, rows replaced, and the same again from its folder",
  ignore: absent.length > 0,
  fn: () =>
    inFolder(async (folder) => {
      const args = (more: string[]) => [
        ...["eval", "gsm8k", "--model", MODEL, "--data", DATA, "--limit", "2", "--json", "--quiet"],
        ...["--max-thinking", "6", "--answer-tokens", "4", ...more],
      ];
      const all = await runSoftcot(args(["--mode", "soft-sample,hard-greedy", "--samples", "2"]));
      assertEquals(all.code, 0, all.stderr);
      const { tasks: [report] } = JSON.parse(all.stdout);
      assertEquals([report.task.name, report.questions, report.limited], ["gsm8k", 2, true]);
      assertMatch(report.model.hash, /^b179c9523d0e6a0f/);
      for (const { tokens, samples, entropy, questions } of report.modes) {
        assert(tokens >= 2 * samples * 2 && tokens <= 2 * samples * 10 && entropy > 0.5 && entropy < 11);
        assertEquals(questions.length, 2);
      }
      const flags = ["--mode", "hard-greedy", "--batch-rows", "1", "--out", `${folder}/results`];
      const one = await runSoftcot(args(flags));
      assertEquals(one.code, 0, one.stderr);
      const timeless = ({ seconds: _, tokensPerSecond: __, ...rest }: Record<string, unknown>) => rest;
      assertEquals(timeless(JSON.parse(one.stdout).tasks[0].modes[0]), timeless(report.modes[1]));
      assertEquals((await runSoftcot(args(flags))).stdout, one.stdout);
    }),
});

if (absent.length > 0) console.log(`skipped: ${absent.join(" and ")} absent, eval runs on no real model`);
