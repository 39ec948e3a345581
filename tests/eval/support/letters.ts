/** A byte-level tokenizer of few letters, and choice tasks made of them. */
import type { ChoiceQuestion, ChoiceTask } from "../../../eval/choices/choice_task.ts";
import { loadTokenizer, type Tokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { byteLevelFiles, UNCUT } from "../../model/support/byte_level_files.ts";

const MERGES: [string, string][] = [["Ġ", "a"], ["Ġ", "b"], ["Ġa", "b"], ["a", "b"], ["Ċ", "a"], ["b", "."], [
  "d",
  "Ġ",
]];
const LETTERS = ["Ġ", "Ċ", ".", ..."abcdefgh"];
/** All that can be printed, in ASCII. */
const PRINTED = ["Ġ", "Ċ", ...Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))];

/** Tokens of {@link asciiTokenizer}. */
export const ASCII_TOKENS = 1 + PRINTED.length + MERGES.length;

/** Tokens of one letter, and ` a`, ` b`, ` ab`, `ab`, a line break with `a`, `b.`, and `d `; `<s>` begins a text if asked. */
export const letterTokenizer = (beginning = false): Tokenizer => tokenizerOf(LETTERS, beginning);

/** The same with a token for every ASCII character that can be printed. */
export const asciiTokenizer = (): Tokenizer => tokenizerOf(PRINTED, false);

const tokenizerOf = (letters: string[], beginning: boolean): Tokenizer =>
  loadTokenizer(byteLevelFiles(
    { tokens: ["<s>", ...letters], merges: MERGES, special: ["<s>"], begin: beginning ? "<s>" : undefined },
    { pre_tokenizer: UNCUT },
    { bos_token: "<s>" },
  ));

/** A question of letters. */
export function asked(context: string, choices: string[], right = 0, subject?: string): ChoiceQuestion {
  return {
    id: `${context}|${choices.join("|")}`,
    question: context,
    context,
    choices,
    right,
    ...(subject ? { subject } : {}),
  };
}

/** A task of these questions, all of its test stream. */
export function letterTask(
  questions: readonly ChoiceQuestion[],
  categories?: Record<string, string>,
): ChoiceTask {
  return {
    kind: "choice",
    name: "letters",
    version: 1,
    mostShots: 0,
    size: (stream) => stream === "test" ? questions.length : 0,
    question: (_stream, index) => questions[index],
    ...(categories ? { categories } : {}),
  };
}
