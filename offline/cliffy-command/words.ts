import type { Option } from "commander";
import { type BlamedCommand, ValidationError } from "./errors.ts";
import type { Placeholder } from "./option.ts";

/** What a command is, as far as its words go. */
export interface WordReader extends BlamedCommand {
  /** Its arguments in their order. */
  readonly placeholders: readonly Placeholder[];
  /** Options that its sub-commands know too. */
  readonly globals: readonly Option[];
  /** The sub-command of a name or alias. */
  getCommand(name: string): WordReader | undefined;
}

/** A command line as Cliffy reads it, in words that commander reads alike. */
export interface ReadWords {
  words: string[];
  /** What follows `--`: no arguments, but what `getLiteralArgs` returns. */
  literals: string[];
}

/** Before a word that is an argument though it looks like a flag. */
const ARGUMENT = "\x01";

/** An argument as it was written. */
export const argumentOf = (word: string): string => word.startsWith(ARGUMENT) ? word.slice(1) : word;

/**
 * Reads a command line in Cliffy's way, which differs from commander's: a flag that nobody knows is an argument where one is free, and
 * what follows `--` is none; `-abc` is always three flags, `-s=3` and `--steps=3` are flags with a value, any number of dashes will do.
 */
export function readWords(program: WordReader, args: readonly string[]): ReadWords {
  const words: string[] = [];
  let command = program, globals: readonly Option[] = [], place = 0;
  const rest = [...args];
  while (rest.length > 0) {
    const word = rest.shift()!;
    if (word === "--") return { words, literals: rest };
    const isFlag = word.length > 1 && word.startsWith("-");
    if (!isFlag) {
      const below = place === 0 ? command.getCommand(word) : undefined;
      if (below) [globals, command] = [[...globals, ...command.globals], below];
      else place++;
      words.push(word);
      continue;
    }
    const [first, ...cluster] = /^-[^-.].+$/.test(word) ? splitShort(word) : [word];
    const [name, value] = splitValue(first);
    const option = optionOf([...command.inner.options, ...globals], name);
    if (!option && !isHelp(name)) {
      const free = command.placeholders[place] ?? command.placeholders.filter((one) => one.variadic).at(-1);
      if (!free) words.push(word);
      else words.push(ARGUMENT + word), place++;
      continue;
    }
    rest.unshift(...cluster);
    words.push(...flagWords(option, name, value, rest, command));
  }
  return { words, literals: [] };
}

function flagWords(
  option: Option | undefined,
  name: string,
  value: string | undefined,
  rest: string[],
  command: WordReader,
): string[] {
  if (!option) return [name];
  const flag = option.long ?? option.short ?? name;
  if (!option.required) {
    if (value === undefined) return [flag];
    const error = new ValidationError(`Option "${flag}" doesn't take a value, but got "${value}".`);
    error.cmd = command;
    throw error;
  }
  const given = value ?? rest.shift();
  if (given === undefined) return [flag];
  // In one word: the commands above would take a value that is called as one of their flags.
  return option.long ? [`${flag}=${given}`] : [flag, given];
}

/** `-abc` as `-a`, `-b`, `-c`; `-s12` as `-s`, `12`; a value behind `=` stays with the last. */
function splitShort(word: string): string[] {
  const [flags, value] = splitValue(word.slice(1));
  const letters = [...flags];
  const isNumber = !isNaN(Number(word.at(-1)));
  const parts = isNumber
    ? [`-${letters[0]}`, ...(letters.length > 1 ? [letters.slice(1).join("")] : [])]
    : letters.map((letter) => `-${letter}`);
  return value === undefined ? parts : [...parts.slice(0, -1), `${parts.at(-1)}=${value}`];
}

function splitValue(word: string): [name: string, value?: string] {
  const at = word.indexOf("=");
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

const bare = (flag: string | undefined) => flag?.replace(/^-+/, "");
const isHelp = (name: string) => ["h", "help"].includes(bare(name)!);

function optionOf(options: readonly Option[], name: string): Option | undefined {
  return options.find(({ long, short }) => [bare(long), bare(short)].includes(bare(name)));
}
