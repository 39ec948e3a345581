import { styleText } from "node:util";
import { Command, type CommanderError, type Option } from "commander";

const globalOptions = new WeakSet<Option>();

/**
 * A command of commander that prints and ends nothing by itself.
 *
 * @param stop called with each thing that ends the parse: an error, or the help or version shown
 * @param footer the end of the help
 */
export function createCommander(stop: (error: CommanderError) => never, footer: () => string): Command {
  return new Command()
    .helpCommand(false)
    .helpOption("-h, --help", "Show this help.")
    .exitOverride(stop)
    .configureOutput({
      writeOut: (text) => console.log(text.trimEnd()),
      writeErr: () => {},
      // Its own ways ask for variables of the environment that a program without that right cannot read.
      getOutHasColors: () => !Deno.noColor && Deno.stdout.isTerminal(),
      getErrHasColors: () => false,
    })
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: globalOptionsOf,
      styleTitle: (title) => styleText("bold", title, { validateStream: false }),
    })
    .addHelpText("after", footer);
}

/** Makes an option one that the help of sub-commands shows. */
export function markGlobal(option: Option): void {
  globalOptions.add(option);
}

function globalOptionsOf(command: Command): Option[] {
  if (!command.parent) return [];
  const here = command.parent.options.filter((option) => globalOptions.has(option) && !option.hidden);
  return [...here, ...globalOptionsOf(command.parent)];
}
