/**
 * How a command line's words are read where parsers differ: unknown flags beside arguments, empty words, `--`. The first tests hold what
 * Cliffy does, and the stand-in with it (`deno task check:jsr`); the last what the program makes of it.
 */
import { Command, ValidationError } from "@cliffy/command";
import { assertEquals } from "@std/assert";
import { markLiterals, unmarked } from "../../cli/settings/literal_words.ts";
import { runSoftcot } from "./support/run_softcot.ts";

// deno-lint-ignore no-explicit-any
type AnyCommand = Command<any>;

/** What a line comes to: the command that ran with its options, arguments and literals; or what was wrong. */
async function read(...line: string[]): Promise<unknown> {
  let ran: unknown;
  const works = (name: string, command: AnyCommand): AnyCommand =>
    command.description(name).action(function (this: AnyCommand, options: unknown, ...args: unknown[]) {
      ran = [name, options, args, this.getLiteralArgs()];
    });
  const pair = works("pair", new Command().argument("[a:string]", "a").argument("[b:string]", "b"))
    .option("-s, --steps <n:integer>", "s").option("-k, --keep", "k").option("--name <n:string>", "n")
    .option("--list <n:string[]>", "l");
  const many = works(
    "many",
    new Command().argument("[tasks...:string]", "t").option("--limit <n:integer>", "l"),
  );
  many.command("check", works("check", new Command().argument("[gold:string]", "g")));
  const root: AnyCommand = new Command().name("tool").version("1").globalOption("-q, --quiet", "q").noExit();
  root.command("pair", pair).command("many", many).command(
    "one",
    works("one", new Command().argument("<a:string>", "a")),
  );
  root.command("none", works("none", new Command()));
  const log = console.log;
  console.log = () => {};
  try {
    await root.parse(line);
    return ran;
  } catch (error) {
    if (error instanceof ValidationError) return `${error.cmd?.getPath()}: ${error.message}`;
    throw error;
  } finally {
    console.log = log;
  }
}

Deno.test("a flag that nobody knows is an argument where one is free", async () => {
  assertEquals(await read("many", "--limits", "3"), ["many", {}, ["--limits", "3"], []]);
  assertEquals(await read("many", "a", "-x", "b"), ["many", {}, ["a", "-x", "b"], []]);
  assertEquals(await read("many", "--limits=3", "--limit=4"), ["many", { limit: 4 }, ["--limits=3"], []]);
  assertEquals(await read("pair", "--foo", "a"), ["pair", {}, ["--foo", "a"], []]);
  assertEquals(await read("one", "--version"), ["one", {}, ["--version"], []]);
  assertEquals(await read("one", "-1/2"), ["one", {}, ["-1/2"], []]);
  assertEquals(
    await read("pair", "a", "b", "--step", "1"),
    'tool pair: Unknown option "--step". Did you mean option "--steps"?',
  );
  assertEquals(
    await read("none", "--quit"),
    'tool none: Unknown option "--quit". Did you mean option "--quiet"?',
  );
});

Deno.test("flags with values, in one word and in several", async () => {
  for (
    const words of [["--steps=3"], ["--steps", "3"], ["-s3"], ["-s", "3"], ["-s=3"], ["---steps", "3"], [
      "--s",
      "3",
    ]]
  ) {
    assertEquals(await read("pair", ...words), ["pair", { steps: 3 }, [], []]);
  }
  assertEquals(await read("pair", "-ks", "3", "a"), ["pair", { keep: true, steps: 3 }, ["a"], []]);
  assertEquals(await read("pair", "--name", "--steps", "3"), ["pair", { name: "--steps" }, ["3"], []]);
  assertEquals(await read("pair", "--name", "-q"), ["pair", { name: "-q" }, [], []]);
  assertEquals(
    await read("pair", "-sk", "3"),
    'tool pair: Option "--steps" must be of type "integer", but got "-k".',
  );
  assertEquals(
    await read("pair", "--keep=yes"),
    `tool pair: Option "--keep" doesn't take a value, but got "yes".`,
  );
});

Deno.test("empty words are no values, and arguments only where one is required", async () => {
  assertEquals(await read("pair", "", "b"), ["pair", {}, [undefined, "b"], []]);
  assertEquals(await read("many", "a", "", "b"), ["many", {}, ["a", "b"], []]);
  assertEquals(await read("one", ""), ["one", {}, [""], []]);
  for (const words of [["--name", ""], ["--name="], ["--steps", ""], ["--list", ""]]) {
    assertEquals(await read("pair", ...words), ["pair", {}, [], []]);
  }
  assertEquals(await read(""), 'tool: Unknown command "". Did you mean command "one"?');
});

Deno.test("what follows -- is no argument", async () => {
  assertEquals(await read("pair", "a", "--", "-1", "--steps"), ["pair", {}, ["a"], ["-1", "--steps"]]);
  assertEquals(await read("many", "--limit", "3", "--", "check"), ["many", { limit: 3 }, [], ["check"]]);
  assertEquals(await read("one", "--", "a"), "tool one: Missing argument(s): a");
  assertEquals(await read("none", "--", "a"), ["none", {}, [], ["a"]]);
  assertEquals(await read("pair", "a", "b", "c", "d", "--", "e"), "tool pair: Too many arguments: c");
});

Deno.test("words that are to be taken as they are get through any parser", () => {
  const marked = markLiterals(["generate", "--name=", "", "--", "-x", "--"]);
  assertEquals(marked.length, 5);
  assertEquals(marked.map(unmarked), ["generate", "--name=", "", "-x", "--"]);
  assertEquals(marked.filter((word) => word === "" || word === "--" || word === "-x"), []);
  assertEquals(markLiterals(["complete", "--", "model", ""]), ["complete", "--", "model", ""]);
  assertEquals(markLiterals(["eval", "--limit", "3\r", "sums\r"]), ["eval", "--limit", "3", "sums"]);
});

Deno.test("unknown flags, empty words and -- are told or taken alike by every command", async () => {
  const lines: [args: string[], code: number, stdout: RegExp, stderr: RegExp][] = [
    [
      ["eval", "--limits", "3"],
      2,
      /^$/,
      /^error: Unknown option "--limits"\. Did you mean option "--limit"\?\nhint: softcot eval --help/,
    ],
    [["eval", "sums", "--limits=3"], 2, /^$/, /Unknown option "--limits"\. Did you mean option "--limit"\?/],
    [["model", "info", "--jsn"], 2, /^$/, /Unknown option "--jsn"\. Did you mean option "--json"\?/],
    [["eval", "check", "--", "-1", "-1"], 0, /^equal\n/, /^$/],
    [["model", "info", "--", "--there"], 1, /^$/, /Cannot find the model --there: /],
    [["eval", "check", "", ""], 0, /^not equal\nrule +no gold answer\n/, /^$/],
    [["generate", ""], 1, /^$/, /^error: Cannot generate: the text is empty, a question is needed/],
    [["settings", "--config", ""], 1, /^$/, /Cannot read the configuration /],
    [
      ["settings", "--steps="],
      2,
      /^$/,
      /^error: Option "--steps" must be an integer of at least 1, but got ""\.\n/,
    ],
    [
      ["settings", "--thinking", ""],
      2,
      /^$/,
      /must be of type "thinking", but got ""\. Expected values: "hard"/,
    ],
    [["eval", ""], 1, /^$/, /Cannot find the task ""/],
  ];
  for (const [args, code, stdout, stderr] of lines) {
    const done = await runSoftcot(args);
    assertEquals(
      [done.code, stdout.test(done.stdout), stderr.test(done.stderr)],
      [code, true, true],
      `${args}: ${done.stdout}${done.stderr}`,
    );
  }
});
