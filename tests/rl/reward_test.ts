import { assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../gpu/errors.ts";
import { loadRewards, type RewardInput, TASK_REWARD, worthOf } from "../../rl/reward.ts";
import { testFolder } from "../support/folders.ts";

const folder = await testFolder();

const input: RewardInput = {
  question: "1+1?",
  gold: "2",
  text: "It is two. The final answer is: \\boxed{2}",
  shadow: "It is two.",
  boxed: "2",
  correct: true,
  thinkingTokens: 4,
};

function file(code: string, name = "reward 100%.ts"): string {
  const path = `${Deno.makeTempDirSync({ dir: folder })}/${name}`;
  Deno.writeTextFileSync(path, code);
  return path;
}

Deno.test("without any reward the task's own is the worth", async () => {
  const rewards = await loadRewards([]);
  assertEquals(rewards, TASK_REWARD);
  assertEquals(await worthOf(rewards, 10, () => input), { total: 10, parts: [10] });
});

Deno.test("rewards are weighted and summed, files told all of a rollout", async () => {
  const length = file(
    "export default async ({ shadow, boxed, gold }) => boxed === gold ? shadow.length : -1;",
  );
  const rewards = await loadRewards(["task=2", `${length}=0.5`]);
  assertEquals(await worthOf(rewards, 100, () => input), { total: 205, parts: [100, 10] });
  assertEquals((await worthOf(rewards, 10, () => ({ ...input, boxed: null }))).total, 19.5);
});

Deno.test("what is no reward is refused in words", async () => {
  const refused = (spec: string, part: string) => assertRejects(() => loadRewards([spec]), UserError, part);
  await refused("missing.ts", "there is no such file");
  await refused("=1", "FILE or FILE=WEIGHT");
  await refused("task=much", "the weight being a number");
  await refused(file("export const a = 1;"), "default export is missing");
  await refused(file("export default 3;"), "of type number");
  await refused(file("export default ("), "Cannot load the reward");
});

Deno.test("a reward that fails or gives no number stops the run with its name", async () => {
  for (const body of ["{ throw new Error('broken'); }", "NaN", "'10'", "undefined"]) {
    const path = file(`export default () => ${body}`);
    const rewards = await loadRewards([path]);
    await assertRejects(() => worthOf(rewards, 0, () => input), UserError, path);
  }
});

Deno.test("numbers too large to be added up are refused with the names of their rewards", async () => {
  const path = file("export default () => 1e308");
  const rewards = await loadRewards(["task", `${path}=10`]);
  await assertRejects(
    () => worthOf(rewards, 0, () => input),
    UserError,
    `0 by task times 1, 1e+308 by ${path} times 10`,
  );
});
