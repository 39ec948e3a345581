import { UserError } from "../../gpu/errors.ts";
import { TRIGGER } from "../../model/generation/thinking_text.ts";
import {
  type ChatMessage,
  type ChatTemplate,
  chatTemplate,
  type Prompt,
} from "../../model/tokenizer/chat_template.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { Question, Task } from "../task.ts";
import { fitted, type PromptRoom, refuseLongText, withoutMiddle } from "./long_prompts.ts";

/** How questions are put to a model. */
export interface PromptOptions {
  /** The model's own form of a conversation; where it is absent, the task's plain prompt (method section 4). */
  chat?: ChatTemplate;
  /** What the conversation begins with. */
  system?: string;
  /** Solved questions that come first. */
  shots?: readonly Question[];
  /** How long a prompt may be; as long as it is, where it is left out. */
  room?: PromptRoom;
}

/**
 * What follows a question in a conversation: the method's instruction, in which the plain prompt puts the question
 * last. It asks for the trigger, without which thinking only ends at its limit.
 */
export const CHAT_INSTRUCTION =
  "First show the complete reasoning process step by step, then provide the final answer in \\boxed{}. " +
  `Always follow the format: '[detailed reasoning] ${TRIGGER} \\boxed{[answer]}.'`;

/**
 * Options from what was asked for.
 * @param values `chatTemplate`: use the one that came with the tokenizer; `system`: only together with it
 * @throws UserError if there is no chat template, or a system message without one
 */
export function promptOptions(
  tokenizer: Tokenizer,
  values: { chatTemplate?: boolean; system?: string; shots?: readonly Question[] },
): PromptOptions {
  const { system, shots } = values;
  if (!values.chatTemplate && system !== undefined) {
    throw new UserError(
      "Cannot use --system without --chat-template: the plain prompt has no place for a system message",
      "add --chat-template",
    );
  }
  return {
    ...(values.chatTemplate ? { chat: chatTemplate(tokenizer) } : {}),
    ...(system === undefined ? {} : { system }),
    ...(shots === undefined ? {} : { shots }),
  };
}

/**
 * The prompt for a question: the task's plain text, or a conversation of what the task asks in one, which is the question and
 * {@linkcode CHAT_INSTRUCTION} where it says nothing else.
 * Both end where the reasoning is to begin.
 * @throws LongPromptError if there is no room for it
 */
export async function promptOf(
  tokenizer: Tokenizer,
  task: Pick<Task, "prompt" | "chatPrompt">,
  question: string,
  { chat, system, shots = [], room }: PromptOptions = {},
): Promise<Prompt> {
  if (!chat) return plainWithin(tokenizer, await plainPrompt(task, question, shots), room);
  const prompt = await conversation(chat, task, bounded(tokenizer, question, room), system, shots);
  return room ? { ...prompt, ids: fitted(prompt.ids, room) } : prompt;
}

/**
 * A text as a prompt, as there is room for it.
 * @throws LongPromptError if there is none
 */
export function plainWithin(tokenizer: Tokenizer, text: string, room?: PromptRoom): Prompt {
  const ids = promptIds(tokenizer, bounded(tokenizer, text, room));
  return { text, ids: room ? fitted(ids, room) : ids };
}

/** A text that is not too long to be tokenised. */
function bounded(tokenizer: Tokenizer, text: string, room: PromptRoom | undefined): string {
  if (room?.long === "truncate") return withoutMiddle(text, room);
  if (room) refuseLongText(tokenizer, text, room);
  return text;
}

async function conversation(
  chat: ChatTemplate,
  { chatPrompt = withInstruction }: Pick<Task, "chatPrompt">,
  question: string,
  system: string | undefined,
  shots: readonly Question[],
): Promise<Prompt> {
  const messages: ChatMessage[] = system === undefined ? [] : [{ role: "system", content: system }];
  for (const shot of shots) {
    messages.push({ role: "user", content: await chatPrompt(shot.question) });
    messages.push({ role: "assistant", content: solvedText(shot) });
  }
  return chat.render([...messages, { role: "user", content: await chatPrompt(question) }]);
}

/** A question and {@linkcode CHAT_INSTRUCTION}. */
export const withInstruction = (question: string): string => `${question}\n\n${CHAT_INSTRUCTION}`;

/** The task's plain prompt, which ends in "User: QUESTION Assistant:"; examples are more of such turns before the last one. */
export async function plainPrompt(
  task: Pick<Task, "prompt">,
  question: string,
  shots: readonly Question[] = [],
): Promise<string> {
  const examples = shots.map((shot) => `${shot.question} Assistant: ${solvedText(shot)} User: `);
  return await task.prompt(examples.join("") + question);
}

/** Token ids of a text that a model is to continue: the beginning-of-sequence token if the tokenizer asks for it, then the text. */
export function promptIds(tokenizer: Tokenizer, text: string): number[] {
  return [...(tokenizer.bosId === undefined ? [] : [tokenizer.bosId]), ...tokenizer.encode(text)];
}

function solvedText({ solution, gold }: Question): string {
  const steps = solution?.trim();
  return `${steps ? `${steps} ` : ""}${TRIGGER} \\boxed{${gold}}.`;
}
