import type { Command as Commander } from "commander";
import { Command } from "./command.ts";
import { EnumType } from "./types.ts";

const shells = ["bash", "fish", "zsh"];

/** `completions <shell>`: prints the completion script of a shell, made by `@bomb.sh/tab`. */
export class CompletionsCommand extends Command {
  constructor() {
    super();
    this.description("Generate shell completions.")
      .type("shell", new EnumType(shells))
      .argument("<shell:shell>", shells.join(", "))
      .action(() => {});
  }

  /** Puts the real commands in place; only when they are asked for, since all options are walked through. */
  protected override async prepare(args: readonly string[]): Promise<void> {
    const name = this.getName();
    if (args[0] !== "complete" && (args[0] !== name || !shells.includes(args[1]))) return;
    const { default: tab } = await import("@bomb.sh/tab/commander");
    const program = this.getMainCommand().inner;
    const commands = program.commands as unknown[];
    commands.splice(commands.indexOf(this.inner), 1);
    shorten(program);
    tab(program, { completionCommandName: name });
  }
}

/** The scripts take one line a suggestion: descriptions are cut to their first. */
function shorten(command: Commander): void {
  command.description(command.summary() || command.description().split("\n")[0]);
  command.commands.forEach(shorten);
}
