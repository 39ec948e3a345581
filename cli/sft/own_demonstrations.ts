import { readRows } from "../../eval/data/read_rows.ts";
import type { Row } from "../../eval/data/row.ts";
import { trainingOrder } from "../../eval/data/training_order.ts";
import { UserError } from "../../gpu/errors.ts";
import {
  type ChatMessage,
  type ChatTemplate,
  chatTemplate,
  NoChatTemplateError,
} from "../../model/tokenizer/chat_template.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import { type Demonstrations, exampleOf } from "../../rl/train_supervised.ts";

/** Demonstrations of a file of one's own. */
export interface OwnDemonstrations extends Required<Demonstrations> {
  /** Rows of the file. */
  rows: number;
  /** Those that say what a row before them says. */
  repeats: number;
}

interface Demonstration {
  prompt: string | readonly number[];
  completion: string;
}

/**
 * Reads demonstrations from a file (.jsonl, .json, .csv, .parquet). A row has `messages`, a conversation that ends with what the assistant is to
 * say, written by the chat template; or the texts `prompt` and `completion`, which follow each other as they are, or as a question and its
 * answer in the form of the chat template. Each pass over the rows has an order of its own.
 *
 * @param asChat put prompts into the form of the chat template, too
 * @param context tokens that a text may have
 * @throws UserError if the file cannot be read, a row is none, naming it, or longer than the context
 */
export async function ownDemonstrations(
  path: string,
  tokenizer: Tokenizer,
  asChat: boolean,
  context: number,
): Promise<OwnDemonstrations> {
  const rows = await readRows(path);
  if (rows.length === 0) throw new UserError(`Cannot train on ${path}: it has no row, one is needed`);
  let template: ChatTemplate | undefined;
  const inChat = (messages: readonly ChatMessage[]) =>
    (template ??= chatTemplate(tokenizer)).render(messages).ids;
  const read = rows.map((row, i): Demonstration => {
    const said = (what: string) => new UserError(`Cannot train on ${path}: row ${i + 1} ${what}`, FORM);
    if (row.messages !== undefined && row.messages !== null) {
      const messages = messagesOf(row.messages, said);
      try {
        return { prompt: inChat(messages.slice(0, -1)), completion: messages.at(-1)!.content };
      } catch (error) {
        if (!(error instanceof NoChatTemplateError)) throw error;
        throw said("has messages, and the model no chat template to put them into");
      }
    }
    const { prompt, completion } = row;
    if (typeof prompt !== "string" || typeof completion !== "string") {
      throw said("has neither messages nor texts as prompt and completion");
    }
    if (completion.trim() === "") throw said("has an empty completion");
    return { prompt: asChat ? inChat([{ role: "user", content: prompt }]) : prompt, completion };
  });
  refuseLong(path, read, tokenizer, context);
  const order = trainingOrder(read.length);
  return {
    rows: read.length,
    repeats: read.length - new Set(rows.map(textOf)).size,
    demonstration: (seed, index) => read[order(seed, index)],
  };
}

const FORM = 'a row is such as {"prompt": "2 + 3 =", "completion": " 5"}, or ' +
  '{"messages": [{"role": "user", "content": "2 + 3?"}, {"role": "assistant", "content": "5"}]}';

const ROLES: readonly unknown[] = ["system", "user", "assistant"];

function messagesOf(value: unknown, said: (what: string) => UserError): ChatMessage[] {
  if (!Array.isArray(value) || value.length < 2) {
    throw said("has no list of two messages or more as messages");
  }
  for (const message of value) {
    if (typeof message !== "object" || message === null || typeof message.content !== "string") {
      throw said("has a message without a text as content");
    }
    if (!ROLES.includes(message.role)) {
      throw said(`has a message of ${JSON.stringify(message.role)}, not of system, user or assistant`);
    }
  }
  const last = value.at(-1);
  if (last.role !== "assistant" || last.content.trim() === "") {
    throw said("does not end with what the assistant says");
  }
  return value.map(({ role, content }) => ({ role, content }));
}

function refuseLong(
  path: string,
  read: readonly Demonstration[],
  tokenizer: Tokenizer,
  context: number,
): void {
  const lengths = read.map(({ prompt, completion }) => exampleOf(tokenizer, prompt, completion).ids.length);
  const long = lengths.filter((length) => length > context).length;
  if (long === 0) return;
  const first = lengths.findIndex((length) => length > context);
  throw new UserError(
    `Cannot train on ${path}: ${long} of ${read.length} rows are longer than the model's context of ${context} tokens, the first is row ` +
      `${first + 1} with ${lengths[first]}`,
    "leave them out, or shorten them",
  );
}

const textOf = ({ messages, prompt, completion }: Row): string =>
  JSON.stringify([messages, prompt, completion]);
