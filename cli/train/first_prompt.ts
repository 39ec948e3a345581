import { promptOf } from "../../eval/questions/prompt_ids.ts";
import { questionsOf, type Trainer } from "../../rl/trainer.ts";

/** The first prompt of a run as the model reads it, a bar between tokens: `27 tokens: User:| Sam| has| 1|0| coins.| ...`. */
export async function firstPrompt(trainer: Trainer): Promise<string> {
  const { tokenizer, task } = trainer;
  const [{ question }] = questionsOf(trainer, 1);
  const { ids } = await promptOf(tokenizer, task, question, trainer.prompt);
  // Line breaks and control characters would tear the line.
  const texts = ids.map((id) => JSON.stringify(tokenizer.tokenText(id)).slice(1, -1));
  return `${ids.length} tokens: ${texts.join("|")}`;
}
