import { ValidationError } from "@cliffy/command";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parse } from "smol-toml";
import { closest } from "../../../cli/settings/closest.ts";
import { readConfigFile, toToml } from "../../../cli/settings/config_file.ts";
import { resolveConfig, resolveWithOrigins } from "../../../cli/settings/resolve_config.ts";
import { camel, dashed } from "../../../cli/settings/dashed.ts";
import { choice, choices, flag, integer, number, text } from "../../../cli/settings/setting.ts";
import { defineCommand } from "../../../cli/settings/define_command.ts";
import { flags as everyFlag } from "../../../cli/settings/flags.ts";
import { UserError } from "../../../gpu/errors.ts";
import { inFolder } from "../../support/folders.ts";

const settings = {
  task: text("Task", { default: "sums" }),
  thinking: choice(["hard", "soft", "fuzzy"], "Thinking", { default: "soft" }),
  mode: choices(["greedy", "sample"], "Modes", { default: ["greedy"] }),
  gamma: number("Noise", { default: 0.33, min: 0 }),
  tau: number("Temperature", { above: 0 }),
  maxThinking: integer("Longest thinking", { default: 128, min: 1, max: 4096 }),
  resume: flag("Go on"),
};

const file = (values: Record<string, unknown>) => ({ name: "my.toml", values });

Deno.test("flags outrank the file, the file the recipe, the recipe the defaults", () => {
  const { values, origins } = resolveWithOrigins(settings, {
    flags: { gamma: 0.1, quiet: true, tau: undefined },
    file: file({ gamma: 0.2, "max-thinking": 64, thinking: "hard" }),
    recipe: { name: "recipe", values: { gamma: 0.3, max_thinking: 32, tau: 0.7, mode: ["sample"] } },
    defaults: { tau: 0.9, task: "gsm8k" },
  });
  assertEquals(values, {
    task: "gsm8k",
    thinking: "hard",
    mode: ["sample"],
    gamma: 0.1,
    tau: 0.7,
    maxThinking: 64,
    resume: false,
  });
  assertEquals(origins, {
    task: "default",
    thinking: "config",
    mode: "recipe",
    gamma: "flag",
    tau: "recipe",
    maxThinking: "config",
    resume: "default",
  });
});

Deno.test("a recipe is chosen by what flags, file and defaults say", () => {
  const recipe = ({ task, thinking }: { task: string; thinking: string }) =>
    task === "gsm8k" && thinking === "fuzzy" ? { name: "r", values: { gamma: 1 } } : undefined;
  const chosen = (flags: Record<string, unknown>) =>
    resolveConfig(settings, { flags, file: file({ task: "gsm8k" }), recipe }).gamma;
  assertEquals(chosen({ thinking: "fuzzy" }), 1);
  assertEquals(chosen({ thinking: "hard" }), 0.33);
  assertEquals(chosen({ thinking: "fuzzy", gamma: 0.5 }), 0.5);
});

Deno.test("a file's mistakes are named, with what is needed", () => {
  const complaint = (values: Record<string, unknown>) => {
    const error = assertThrows(() => resolveConfig(settings, { file: file(values) }), UserError);
    return [error.message, error.hint];
  };
  assertEquals(complaint({ gama: 1 }), [
    "Cannot use my.toml: there is no setting gama",
    "did you mean gamma?",
  ]);
  assertEquals(complaint({ maxThinkin: 1 })[1], "did you mean max-thinking?");
  assertStringIncludes(complaint({ zzzzzz: 1 })[1]!, "the settings are gamma, max-thinking");
  const cases: [Record<string, unknown>, string][] = [
    [{ gamma: "0.3" }, 'gamma is "0.3", a number of at least 0 is needed'],
    [{ gamma: -1 }, "gamma is -1, a number of at least 0 is needed"],
    [{ gamma: NaN }, "gamma is nan, a number of at least 0 is needed"],
    [{ gamma: -Infinity }, "gamma is -inf, a number of at least 0 is needed"],
    [{ tau: 0 }, "tau is 0, a number above 0 is needed"],
    [{ max_thinking: 0.5 }, "max_thinking is 0.5, an integer of at least 1 and at most 4096 is needed"],
    [{ "max-thinking": 5000 }, "max-thinking is 5000, an integer of at least 1 and at most 4096 is needed"],
    [{ thinking: "sofd" }, 'thinking is "sofd", hard, soft or fuzzy is needed'],
    [{ mode: "greedy" }, 'mode is "greedy", a list of greedy or sample is needed'],
    [{ resume: 1 }, "resume is 1, true or false is needed"],
    [{ task: "" }, 'task is "", a text is needed'],
    [{ "max-thinking": 3, max_thinking: 4 }, "max-thinking and max_thinking set the same value"],
  ];
  for (const [values, message] of cases) assertEquals(complaint(values)[0], `Cannot use my.toml: ${message}`);
});

Deno.test("names from the prototype of objects are unknown settings", () => {
  for (const name of ["constructor", "__proto__", "toString"]) {
    const values = parse(`${name} = 1`);
    assertThrows(() => resolveConfig(settings, { file: file(values) }), UserError, `no setting ${name}`);
  }
});

Deno.test("a flag's mistakes and a missing value are wrong usage", () => {
  const usage = (flags: Record<string, unknown>) =>
    assertThrows(() => resolveConfig(settings, { flags }), ValidationError).message;
  assertEquals(usage({ gamma: -1 }), 'Option "--gamma" must be a number of at least 0, but got "-1".');
  assertEquals(
    usage({ maxThinking: 0 }),
    'Option "--max-thinking" must be an integer of at least 1 and at most 4096, but got "0".',
  );
  const needed = { data: text("Data", { required: true }) };
  assertEquals(
    assertThrows(() => resolveConfig(needed, {}), ValidationError).message,
    'Missing required option "--data".',
  );
  assertEquals(resolveConfig(needed, { file: file({ data: "x" }) }), { data: "x" });
});

Deno.test("settings of other commands may stand in a shared file", () => {
  const { gamma, task } = settings;
  const mine = { gamma };
  assertEquals(resolveConfig(mine, { file: file({ task: "x", gamma: 1 }), others: { task } }), { gamma: 1 });
  assertThrows(() => resolveConfig(mine, { file: file({ task: "x" }) }), UserError, "no setting task");
  assertThrows(() => resolveConfig(mine, { file: file({ task: 3 }), others: { task } }), UserError, "a text");
});

Deno.test("resolved values are written as TOML that reads back to the same", () => {
  const anything = fc.record({
    task: fc.string({ minLength: 1, unit: "grapheme" }),
    thinking: fc.constantFrom("hard" as const, "soft" as const, "fuzzy" as const),
    mode: fc.array(fc.constantFrom("greedy" as const, "sample" as const), { minLength: 1 }),
    gamma: fc.double({ min: 0, max: 1e300, noNaN: true, noDefaultInfinity: true }),
    tau: fc.option(fc.double({ min: 1e-300, max: 10, noNaN: true }), { nil: undefined }),
    maxThinking: fc.integer({ min: 1, max: 4096 }),
    resume: fc.boolean(),
  });
  fc.assert(fc.property(anything, (values) => {
    const back = resolveConfig(settings, { file: file(parse(toToml(values))) });
    assertEquals(back, values);
  }));
});

Deno.test("a file is read, or refused with the place of its mistake", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a.toml`;
    await Deno.writeTextFile(path, "gamma = 0.5 # noise\n\n[x]\n");
    assertEquals(readConfigFile(path), { name: path, values: { gamma: 0.5, x: {} } });
    await Deno.writeTextFile(path, "gamma = 0.5\ntask = gsm8k\n");
    assertThrows(() => readConfigFile(path), UserError, `Cannot read the configuration ${path}: line 2`);
    assertThrows(() => readConfigFile(`${folder}/none.toml`), UserError, "there is no such file");
    assertThrows(() => readConfigFile(folder), UserError, "it is a folder, a TOML file is needed");
  }));

Deno.test("a command gets its values from one declaration: options, checks, help", async () => {
  let got: unknown;
  const command = defineCommand({
    description: "Try.",
    arguments: [["[words...:string]", "words"]],
    settings,
    run: (values, { args, quiet, json, origins }) => {
      got = { values, args, quiet, json, gamma: origins.gamma };
    },
  });
  command.throwErrors();
  await command.parse(["a", "b", "--gamma", "1e-1", "--max-thinking=1e3", "--mode", "sample,greedy"]);
  assertEquals(got, {
    values: {
      task: "sums",
      thinking: "soft",
      mode: ["sample", "greedy"],
      gamma: 0.1,
      tau: undefined,
      maxThinking: 1000,
      resume: false,
    },
    args: ["a", "b"],
    quiet: false,
    json: false,
    gamma: "flag",
  });
  for (const word of ["abc", " 7", "0x10", "1_000", "Infinity", "NaN", "1,5", "--1"]) {
    const error = await assertRejects(() => command.parse([`--gamma=${word}`]), ValidationError);
    assertEquals(error.message, `Option "--gamma" must be a number of at least 0, but got "${word}".`);
  }
  const help = command.getHelp();
  for (const text of ["--max-thinking", "(default: 128)", "--config", "Longest thinking"]) {
    assertStringIncludes(help, text);
  }
});

Deno.test("the default of every flag is a legal value, and its name in files leads back to it", () => {
  for (const [key, one] of Object.entries(everyFlag)) {
    if ("default" in one) assert(one.schema.safeParse(one.default).success);
    assertEquals(camel(dashed(key)), key);
  }
});

Deno.test("the closest name is the one with the fewest edits, or none", () => {
  assertEquals(closest("gama", ["gamma", "group"]), "gamma");
  assertEquals(closest("lr", ["task", "steps"]), undefined);
  assertEquals(closest("thikning", ["thinking", "max-thinking"]), "thinking");
});
