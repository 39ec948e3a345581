/**
 * The part of @cliffy/command, @std/cli and @std/assert that the program uses. These tests hold for the
 * stand-ins in offline/ and, by `deno task check:jsr`, for the real packages alike.
 */
import { Command, EnumType, ValidationError } from "@cliffy/command";
import { CompletionsCommand } from "@cliffy/command/completions";
import { HelpCommand } from "@cliffy/command/help";
import { unicodeWidth } from "@std/cli";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  AssertionError,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { root } from "../support/places.ts";

// deno-lint-ignore no-explicit-any
type AnyCommand = Command<any>;

interface Ran {
  options?: Record<string, unknown>;
  args?: unknown[];
}

/** A program with one sub-command that records what it was called with. */
function program(build: (command: AnyCommand) => void): { root: AnyCommand; ran: Ran } {
  const ran: Ran = {};
  const work: AnyCommand = new Command().description("Works.");
  build(work);
  work.action((options: Record<string, unknown>, ...args: unknown[]) => {
    Object.assign(ran, { options, args });
  });
  const root: AnyCommand = new Command().name("tool").version("1.2.3").description("A tool.");
  root.globalOption("-q, --quiet", "Be quiet.").noExit();
  root.command("work", work);
  root.command("help", new HelpCommand());
  return { root, ran };
}

async function run(build: (command: AnyCommand) => void, line: string): Promise<Ran> {
  const { root, ran } = program(build);
  await root.parse(["work", ...line.split(" ").filter(Boolean)]);
  return ran;
}

async function complaint(build: (command: AnyCommand) => void, line: string): Promise<string> {
  const error = await assertRejects(() => run(build, line), ValidationError);
  assertEquals(error.exitCode, 2);
  assertEquals(error.cmd?.getPath(), "tool work");
  return error.message;
}

/** What a function prints by console.log. */
async function printed(work: () => Promise<unknown>): Promise<string> {
  const original = console.log, lines: unknown[] = [];
  console.log = (...parts: unknown[]) => void lines.push(...parts);
  try {
    await work();
  } finally {
    console.log = original;
  }
  return lines.join("\n");
}

const manyOptions = (command: AnyCommand) => {
  command.type("color", new EnumType(["red", "green"]));
  command.option("-s, --steps <n:integer>", "Steps.");
  command.option("--learning-rate <x:number>", "Rate.", { default: 0.5 });
  command.option("--name <name:string>", "Name.", { conflicts: ["on"] });
  command.option("--input <file:file>", "File.", { depends: ["steps"] });
  command.option("--on <on:boolean>", "On or off.");
  command.option("--colors <colors:color[]>", "Colors.");
  command.option("--tag <tag:string>", "Tag.", { collect: true });
  command.option("--keep", "Keep.").option("--no-keep", "Do not keep.", { hidden: true });
};

Deno.test("options are read by their types", async () => {
  const { options } = await run(
    manyOptions,
    "-s 3 --learning-rate=2e-3 --on false --input a/b.toml --no-keep -q",
  );
  assertEquals(options, {
    steps: 3,
    learningRate: 0.002,
    on: false,
    input: "a/b.toml",
    keep: false,
    quiet: true,
  });
  const lists = await run(manyOptions, "--colors red,green --tag a --tag b --keep");
  assertEquals(lists.options, { colors: ["red", "green"], tag: ["a", "b"], learningRate: 0.5, keep: true });
  assertEquals((await run(manyOptions, "")).options, { learningRate: 0.5 });
});

Deno.test("wrong usage is told in the same words", async () => {
  const expected: [line: string, message: string][] = [
    ["--stepz 3", 'Unknown option "--stepz". Did you mean option "--steps"?'],
    ["--steps", 'Missing value for option "--steps".'],
    ["--steps x", 'Option "--steps" must be of type "integer", but got "x".'],
    ["--steps 1.5", 'Option "--steps" must be of type "integer", but got "1.5".'],
    ["--learning-rate x", 'Option "--learning-rate" must be of type "number", but got "x".'],
    ["--steps 1 --steps 2", 'Option "--steps" can only occur once, but was found several times.'],
    ["--name a --on true", 'Option "--name" conflicts with option "--on".'],
    ["--input a", 'Option "--input" depends on option "--steps".'],
    ["extra", 'No arguments allowed for command "tool work".'],
    [
      "--colors red,blu",
      'Option "--colors" must be of type "color", but got "blu". Expected values: "red", "green"',
    ],
  ];
  for (const [line, message] of expected) assertEquals(await complaint(manyOptions, line), message);
  const required = (command: AnyCommand) => command.option("--out <dir:file>", "Out.", { required: true });
  assertEquals(await complaint(required, ""), 'Missing required option "--out".');
});

Deno.test("arguments are read by their types, and counted", async () => {
  const two = (command: AnyCommand) => command.arguments("<gold:number> <answer:string>", ["gold", "answer"]);
  assertEquals((await run(two, "3 x")).args, [3, "x"]);
  assertEquals(await complaint(two, ""), "Missing argument(s): gold, answer");
  assertEquals(await complaint(two, "1 2 3 4"), "Too many arguments: 3");
  const rest = (command: AnyCommand) => command.argument("[files...:string]", "files");
  assertEquals((await run(rest, "a b c")).args, ["a", "b", "c"]);
  assertEquals((await run(rest, "")).args, []);
});

Deno.test("an unknown command is answered with the nearest one", async () => {
  const { root } = program(() => {});
  const error = await assertRejects(() => root.parse(["wrok"]), ValidationError);
  assertEquals(error.message, 'Unknown command "wrok". Did you mean command "work"?');
});

Deno.test("a type of one's own decides, and its error is wrong usage", async () => {
  const build = (command: AnyCommand) => {
    command.type("even", ({ name, value }) => {
      if (Number(value) % 2 === 0) return Number(value);
      throw new ValidationError(`Option "${name}" must be even, but got "${value}".`);
    });
    command.option("--pair <n:even>", "Pair.");
  };
  assertEquals((await run(build, "--pair 4")).options, { pair: 4 });
  assertEquals(await complaint(build, "--pair 5"), 'Option "--pair" must be even, but got "5".');
});

Deno.test("what an action throws reaches the caller, after the handler", async () => {
  const heard: string[] = [];
  const root: AnyCommand = new Command().name("tool").throwErrors();
  root.error((error, command) => heard.push(`${command.getName()}: ${error.message}`));
  const failing: AnyCommand = new Command();
  failing.action(() => Promise.reject(new TypeError("boom")));
  root.command("fail", failing);
  await assertRejects(() => root.parse(["fail"]), TypeError, "boom");
  assertEquals(heard.length, 1);
  assertStringIncludes(heard[0], "boom");
});

Deno.test("help and version are printed, with descriptions, groups and examples", async () => {
  const build = (command: AnyCommand) => {
    command.option("--steps <n:integer>", "Steps to take.").group("Advanced");
    command.option("--lr <x:number>", "Learning rate.").option("--secret", "Not shown.", { hidden: true });
    command.example("Short run", "tool work --steps 3").env("TOOL_SEED=<seed:integer>", "Seed.");
  };
  const help = await printed(() => program(build).root.parse(["work", "--help"]));
  for (const text of ["Works.", "--steps", "Steps to take.", "Advanced", "--lr", "Short run", "TOOL_SEED"]) {
    assertStringIncludes(help, text);
  }
  assert(!help.includes("--secret"));
  assertStringIncludes(await printed(() => program(build).root.parse(["help", "work"])), "Steps to take.");
  assertStringIncludes(await printed(() => program(build).root.parse([])), "Works.");
  assertStringIncludes(await printed(() => program(build).root.parse(["--version"])), "1.2.3");
  assertStringIncludes(program(build).root.getHelp(), "A tool.");
});

Deno.test("an environment variable is an option, and a flag outranks it", async () => {
  const build = (command: AnyCommand) => {
    command.env("TOOL_SEED=<seed:integer>", "Seed.", { prefix: "TOOL_" }).option(
      "--seed <n:integer>",
      "Seed.",
    );
  };
  Deno.env.set("TOOL_SEED", "7");
  try {
    assertEquals((await run(build, "")).options, { seed: 7 });
    assertEquals((await run(build, "--seed 8")).options, { seed: 8 });
  } finally {
    Deno.env.delete("TOOL_SEED");
  }
});

Deno.test("completion scripts name the program", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { root } = program(manyOptions);
    root.command("completions", new CompletionsCommand());
    assertStringIncludes(await printed(() => root.parse(["completions", shell])), "tool");
  }
});

Deno.test("words are completed by what was registered for their action, in the commands below too", async () => {
  const below = new Command().argument("[fruit:string:fruit]", "what to eat").action(() => {});
  const root = new Command().name("tool").globalComplete("fruit", () => ["apple", "pear"]);
  root.command("eat", below);
  for (const command of [root, below]) {
    assertEquals(await command.getCompletion("fruit")?.complete(command), ["apple", "pear"]);
  }
  assertEquals(below.getCompletion("nothing"), undefined);
});

Deno.test("assertions tell what is equal and what is not", async () => {
  assertEquals([{ a: -0, b: NaN }], [{ a: 0, b: NaN }]);
  assertEquals(new Float32Array([1, -0, NaN]), new Float32Array([1, 0, NaN]));
  assertEquals(new Map([["a", new Set([1, 2])]]), new Map([["a", new Set([2, 1])]]));
  assertNotEquals<unknown>({ a: 1 }, { a: "1" });
  assertNotEquals<unknown>({ a: 1, b: undefined }, { a: 1 });
  assertNotEquals<unknown>(new Float32Array([1]), new Float64Array([1]));
  assertThrows(
    () => assertEquals(new Float32Array([1, 2]), new Float32Array([1, 3]), "why"),
    AssertionError,
    "why",
  );
  assertThrows(() => assertAlmostEquals(1, 1.1, 0.01), AssertionError);
  assertThrows(() => assertGreater(1, 1), AssertionError);
  const error = new Error("x");
  assertEquals({ error }, { error });
  for (
    const [actual, expected] of [
      [new Error("x"), error],
      [{ error: new Error("x") }, { error }],
      [Array(2), [undefined, undefined]],
      [Object.assign([1], { extra: 1 }), [1]],
      [new Set([{ a: 1 }]), new Set([{ a: 2 }])],
      [new Date(0), new Date(1)],
    ]
  ) {
    assertThrows(() => assertEquals<unknown>(actual, expected), AssertionError);
    assertNotEquals<unknown>(actual, expected);
  }
  assertThrows(() => assertMatch("abc", /^b/), AssertionError);
  assertThrows(() => assertThrows(() => {}), AssertionError, "Expected function to throw");
  assertThrows(
    () => assertThrows(() => fail(new TypeError("x")), RangeError),
    AssertionError,
    'instance of "RangeError"',
  );
  assertThrows(() => assertThrows(() => fail(new TypeError("x")), TypeError, "y"), AssertionError, "include");
  await assertRejects(
    () => assertRejects(() => Promise.resolve(1)),
    AssertionError,
    "Expected function to reject",
  );
  assertEquals((await assertRejects(() => Promise.reject(new TypeError("x")), TypeError)).message, "x");
});

Deno.test("texts are as wide as terminals show them", () => {
  assertEquals(["abc", "日本語", "🚀", "e\u0301", "", "한국", "한"].map(unicodeWidth), [3, 6, 2, 1, 0, 4, 2]);
});

Deno.test("the versions that were checked are those that deno.json and the stand-ins name", async () => {
  const contributing = await Deno.readTextFile(`${root}CONTRIBUTING.md`);
  for (
    const [name, folder] of [["@cliffy/command", "cliffy-command"], ["@std/cli", "std-cli"], [
      "@std/assert",
      "std-assert",
    ]]
  ) {
    const { version } = JSON.parse(await Deno.readTextFile(`${root}offline/${folder}/deno.json`));
    assertStringIncludes(contributing.replaceAll("\n", " "), `${name} ${version}`);
    assertEquals(project.imports[name as "@std/cli"], `jsr:${name}@${version}`);
  }
});

function fail(error: Error): never {
  throw error;
}
