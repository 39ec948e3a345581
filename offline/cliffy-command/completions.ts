import type { Command as Commander } from "commander";
import type { RootCommand } from "@bomb.sh/tab";
import { bashScript } from "./bash_script.ts";
import { Command } from "./command.ts";
import { EnumType } from "./types.ts";

const shells = ["bash", "fish", "zsh"];

/** `completions <shell>`: prints the completion script of a shell, made by `@bomb.sh/tab` for all but bash. */
export class CompletionsCommand extends Command {
  constructor() {
    super();
    this.description("Generate shell completions.")
      .type("shell", new EnumType(shells))
      .argument("<shell:shell>", shells.join(", "))
      .action(() => console.log(bashScript(this.getMainCommand().getName())));
  }

  /** Puts the real commands in place; only when they are asked for, since all options are walked through. */
  protected override async prepare(args: readonly string[]): Promise<void> {
    const name = this.getName();
    const isAsked = args[0] === "complete";
    if (!isAsked && (args[0] !== name || !shells.includes(args[1]) || args[1] === "bash")) return;
    const { default: tab } = await import("@bomb.sh/tab/commander");
    const main = this.getMainCommand();
    const commands = main.inner.commands as unknown[];
    commands.splice(commands.indexOf(this.inner), 1);
    shorten(main.inner);
    const root = tab(main.inner, { completionCommandName: name });
    if (isAsked) await completeWords(root, main, "");
  }
}

/** The scripts take one line a suggestion: descriptions are cut to their first. */
function shorten(command: Commander): void {
  command.description(command.summary() || command.description().split("\n")[0]);
  command.commands.forEach(shorten);
}

/** Completes the options and arguments of a command, and of those below it, by what was registered for their actions. */
async function completeWords(root: RootCommand, command: Command, path: string): Promise<void> {
  const known = path === "" ? root : root.commands.get(path);
  const handlerOf = async (action: string) => {
    const words = await command.getCompletion(action)?.complete(command);
    return words &&
      ((complete: (word: string, description: string) => void) =>
        words.forEach((word) => complete(word, "")));
  };
  for (const [option, action] of command.completed) {
    const found = known?.options.get(option.slice(2));
    if (found) found.handler = await handlerOf(action) ?? found.handler;
  }
  for (const { name, action } of command.placeholders) {
    const found = known?.arguments.get(name.replace("...", ""));
    if (found) found.handler = await handlerOf(action) ?? found.handler;
  }
  for (const below of command.getCommands()) {
    await completeWords(root, below, `${path} ${below.getName()}`.trim());
  }
}
