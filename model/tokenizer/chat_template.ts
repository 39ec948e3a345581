import type { Template } from "@huggingface/jinja";
import { UserError } from "../../gpu/errors.ts";
import { escapePattern, splitAtTokens } from "./special_tokens.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { type Json, parseTokenizerFile, type TokenizerFiles, tokenText } from "./tokenizer_files.ts";
import { readTemplate, renderWithin } from "./render_template.ts";

/** One turn of a conversation. */
export interface ChatMessage {
  /** Who speaks. */
  role: "system" | "user" | "assistant";
  /** What is said. */
  content: string;
}

/** A prompt as text and as the model reads it. */
export interface Prompt {
  /** What is shown to people. */
  text: string;
  /** Its token ids, special tokens included. */
  ids: number[];
}

/** A model came without a form of conversations. */
export class NoChatTemplateError extends UserError {}

/** Puts a conversation into the form that a model was tuned on. */
export interface ChatTemplate {
  /**
   * The conversation, ending where the assistant is to begin. Special tokens are those of the template alone: in a
   * message their names are text. Nothing is prepended that the template does not write itself.
   * @param look sees all text that is to be tokenised, before it is; it may throw
   * @throws UserError if the template refuses these messages
   */
  render(messages: readonly ChatMessage[], look?: (text: string) => void): Prompt;
}

/** Llama's templates write today's date: a prompt would change from day to day. This is the date they fall back to. */
const DATE = "26 Jul 2024";

/**
 * The chat template that came with a tokenizer.
 * @throws {NoChatTemplateError} if there is none
 * @throws UserError if it cannot be read
 */
export function chatTemplate(tokenizer: Tokenizer): ChatTemplate {
  const config = parseTokenizerFile(
    tokenizer.files["tokenizer_config.json"] ?? "{}",
    "chat template",
    "tokenizer_config.json",
  );
  const source = templateSource(tokenizer.files, config);
  if (source === undefined) {
    throw new NoChatTemplateError(
      "Cannot use a chat template: the model has none",
      "leave --chat-template out: the question is then asked in plain text",
    );
  }
  let template: Template;
  try {
    template = readTemplate(source);
  } catch (error) {
    throw new UserError(`Cannot read the model's chat template: ${(error as Error).message}`);
  }
  const names = tokenizer.specialTokens.map(({ content }) => content);
  return {
    render(messages, look) {
      const marks = marksFor(names, messages.map(({ content }) => content), source);
      const shielded = messages.map((message) => ({ ...message, content: marks.put(message.content) }));
      const rendered = renderTemplate(template, shielded, config);
      const parts = splitAtTokens(rendered, tokenizer.specialTokens)
        .map((part) => typeof part === "string" ? marks.remove(part) : part);
      look?.(parts.filter((part) => typeof part === "string").join(""));
      const ids = parts.flatMap((part, i) =>
        typeof part === "string" ? tokenizer.encode(part, i > 0) : [part.id]
      );
      return { text: marks.remove(rendered), ids };
    },
  };
}

/** Of several templates in tokenizer_config.json the one that is called default. */
function templateSource(files: TokenizerFiles, config: Json): string | undefined {
  const own = files["chat_template.jinja"];
  if (own !== undefined) return own;
  const given = config.chat_template;
  const named = Array.isArray(given) ? given.find((one) => one?.name === "default")?.template : given;
  return typeof named === "string" ? named : undefined;
}

function renderTemplate(template: Template, messages: ChatMessage[], config: Json): string {
  const tokens = Object.entries(config).flatMap(([key, token]) => {
    const text = key.endsWith("_token") ? tokenText(token) : undefined;
    return text === undefined ? [] : [[key, text]];
  });
  try {
    return renderWithin(template, {
      ...Object.fromEntries(tokens),
      messages,
      tools: null,
      documents: null,
      add_generation_prompt: true,
      date_string: DATE,
    });
  } catch (error) {
    const roles = messages.map(({ role }) => role).join(", ");
    throw new UserError(
      `Cannot put messages of ${roles} into the model's chat template: ${(error as Error).message}`,
    );
  }
}

/**
 * Marks that stand for the names of special tokens while a template is rendered, so that those of a message are not
 * taken for the template's: one private character each, which occurs neither there nor in the template.
 */
function marksFor(names: readonly string[], texts: readonly string[], template: string) {
  const used = names.filter((name) => name !== "" && texts.some((text) => text.includes(name)))
    .sort((a, b) => b.length - a.length);
  const taken = new Set([template, ...texts].flatMap((text) => [...text]));
  const marks = new Map<string, string>();
  let next = 0xf0000;
  for (const name of used) {
    while (taken.has(String.fromCodePoint(next))) next++;
    marks.set(name, String.fromCodePoint(next++));
  }
  const nameOf = new Map([...marks].map(([name, mark]) => [mark, name]));
  const replaceAll = (text: string, by: ReadonlyMap<string, string>) =>
    by.size === 0 ? text : text.replace(
      new RegExp([...by.keys()].map(escapePattern).join("|"), "gu"),
      (found) => by.get(found)!,
    );
  return {
    put: (text: string) => replaceAll(text, marks),
    remove: (text: string) => replaceAll(text, nameOf),
  };
}
