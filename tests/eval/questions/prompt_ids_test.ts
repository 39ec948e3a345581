import { assertEquals, assertThrows } from "@std/assert";
import { CHAT_INSTRUCTION, promptIds, promptOf, promptOptions } from "../../../eval/questions/prompt_ids.ts";
import { paperPrompt } from "../../../eval/task.ts";
import { sumsPrompt } from "../../../eval/tasks/sums_problem.ts";
import { UserError } from "../../../gpu/errors.ts";
import { builtinTokenizer } from "../../../model/builtin/builtin_tokenizer.ts";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { byteLevelFiles, UNCUT } from "../../model/support/byte_level_files.ts";

const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}<e>{% endfor %}[assistant]";

/** Bytes are tokens 0 to 255; `<s>` is 256 and `<e>` 257. */
const byteFiles = (begin?: string) =>
  byteLevelFiles({ special: ["<s>", "<e>"], begin }, { pre_tokenizer: UNCUT }, {
    ...{ bos_token: "<s>", eos_token: "<e>", chat_template: TEMPLATE },
  });

const BOS = 256;
const task = { prompt: paperPrompt };
const withBos = loadTokenizer(byteFiles("<s>"));
const withoutBos = loadTokenizer(byteFiles());
const [asked, solved] = ["How many?", {
  ...{ id: "1", question: "1+1?", gold: "2", solution: "1+1 is 2. " },
}];

Deno.test("the plain prompt is the method's, with the beginning token once if the tokenizer asks for it", async () => {
  const text = paperPrompt(asked);
  const bytes = [...new TextEncoder().encode(text)];
  assertEquals(await promptOf(withBos, task, asked), { text, ids: [BOS, ...bytes] });
  assertEquals(await promptOf(withoutBos, task, asked), { text, ids: bytes });
  assertEquals(promptIds(withBos, ""), [BOS]);
  // A question cannot bring special tokens along.
  assertEquals((await promptOf(withBos, task, "<s><e>")).ids.filter((id) => id >= BOS), [BOS]);
});

Deno.test("solved questions come first, in the turns of the plain prompt", async () => {
  const { text } = await promptOf(withBos, { prompt: sumsPrompt }, asked, { shots: [solved, solved] });
  const shot = "User: 1+1? Assistant: 1+1 is 2. The final answer is: \\boxed{2}. ";
  assertEquals(text, `${shot}${shot}User: How many? Assistant:`);
  const bare = { ...solved, solution: undefined };
  assertEquals(
    (await promptOf(withBos, { prompt: sumsPrompt }, asked, { shots: [bare] })).text,
    "User: 1+1? Assistant: The final answer is: \\boxed{2}. User: How many? Assistant:",
  );
});

Deno.test("by chat template: the question with the method's instruction, ending where the assistant begins", async () => {
  const chat = promptOptions(withBos, { chatTemplate: true });
  const { text, ids } = await promptOf(withBos, task, "How <e>?", chat);
  assertEquals(text, `<s>[user]How <e>?\n\n${CHAT_INSTRUCTION}<e>[assistant]`);
  assertEquals(ids.filter((id) => id >= BOS), [BOS, 257]);
  const all = promptOptions(withBos, { chatTemplate: true, system: "Be brief.", shots: [solved] });
  assertEquals(
    (await promptOf(withBos, task, asked, all)).text,
    `<s>[system]Be brief.<e>[user]1+1?\n\n${CHAT_INSTRUCTION}<e>` +
      `[assistant]1+1 is 2. The final answer is: \\boxed{2}.<e>` +
      `[user]How many?\n\n${CHAT_INSTRUCTION}<e>[assistant]`,
  );
});

Deno.test("by chat template: what the task has for conversations stands in place of question and instruction", async () => {
  const own = { ...task, chatPrompt: (question: string) => Promise.resolve(`Say: ${question}`) };
  const all = promptOptions(withBos, { chatTemplate: true, shots: [solved] });
  assertEquals(
    (await promptOf(withBos, own, asked, all)).text,
    "<s>[user]Say: 1+1?<e>[assistant]1+1 is 2. The final answer is: \\boxed{2}.<e>[user]Say: How many?<e>[assistant]",
  );
});

Deno.test("what cannot be asked for is said", () => {
  assertEquals(promptOptions(withBos, {}), {});
  assertThrows(() => promptOptions(withBos, { system: "x" }), UserError, "--system without --chat-template");
  assertThrows(
    () => promptOptions(builtinTokenizer(), { chatTemplate: true }),
    UserError,
    "the model has none",
  );
});
