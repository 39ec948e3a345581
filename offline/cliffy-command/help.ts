import { Command } from "./command.ts";
import { closest } from "./closest.ts";
import { ValidationError } from "./errors.ts";

/** `help [command]`: shows the help of the program or of one of its commands. */
export class HelpCommand extends Command {
  constructor() {
    super();
    this.description("Show this help or the help of a sub-command.")
      .arguments("[command:string]")
      .action((_: unknown, name?: string) => {
        const parent = this.getMainCommand();
        const command = name === undefined ? parent : parent.getCommand(name);
        if (!command) {
          const nearest = closest(name!, parent.inner.commands.map((one) => one.name()));
          throw new ValidationError(`Unknown command "${name}". Did you mean command "${nearest}"?`);
        }
        command.showHelp();
      });
  }
}
