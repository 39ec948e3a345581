/**
 * Damaged and odd folders of runs, each looked at by seven commands: they are told in words and end with 1, or with 0 where nothing that they need
 * is damaged; nobody waits for ever, sees a stack, or finds the folder changed.
 *
 *     ./softcot deno run -A tests/faults/odd_runs.ts [WORDS...]
 *
 * With words, those damages alone whose names hold one of them. Ends with 1 where a command did anything else.
 *
 * @module
 */
import { table } from "../../cli/terminal/table.ts";
import { programWords, succeed } from "../cli/support/run_softcot.ts";
import { SMALL_MODEL } from "../cli/support/small_model.ts";
import { trainArgs } from "../cli/support/train_args.ts";
import { root } from "../support/places.ts";
import { type Damage, DAMAGES, type Others } from "./support/damages.ts";
import { askView } from "./support/ask_view.ts";
import { printOf } from "./support/print_of.ts";

const folder = Deno.makeTempDirSync({ prefix: "softcot-odd-" });
const LAST = "checkpoints/step-000006";
const SHORT = ["--max-thinking", "4", "--answer-tokens", "3"];

/** What looks at a run; train comes last, since it may write. */
const COMMANDS: Record<string, (run: string, out: string) => string[]> = {
  eval: (run) => ["eval", "sums", "--model", run, "--limit", "2", "--mode", "hard-greedy", ...SHORT],
  generate: (run) => ["generate", "--model", run, ...SHORT, "Sam has 3 coins. How many coins does Sam have?"],
  info: (run) => ["model", "info", run],
  export: (run, out) => ["model", "export", run, "--out", out],
  compare: (run) => ["compare", run],
  train: (run) => ["train", "--resume", "--out", run, "--steps", "8"],
};

/** What is told of every run that is to be longer. */
const LONGER = /^warning {2}this is not a run of 8 updates from the beginning/;

/** Milliseconds after which a command is taken to wait for ever. */
const PATIENCE = 240_000;

interface Looked {
  status: number | string;
  said: string;
}

/** As somebody who may not do what root may: files that may not be read are none to it. */
async function start(args: string[]): Promise<Looked> {
  const words = [...programWords(), ...args];
  const [program, ...rest] = Deno.uid() === 0 ? ["setpriv", "--bounding-set=-all", ...words] : words;
  const child = new Deno.Command(program, {
    ...{ args: rest, cwd: root, env: { NO_COLOR: "1", SOFTCOT_DEBUG: "1" } },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  let waits = false;
  const timer = setTimeout(() => {
    waits = true;
    child.kill("SIGKILL");
  }, PATIENCE);
  const { code, stderr } = await child.output();
  clearTimeout(timer);
  return { status: waits ? "waits" : code, said: new TextDecoder().decode(stderr) };
}

/** What is wrong with how a command ended; undefined where nothing is. SOFTCOT_DEBUG shows a stack for all that is no words of ours. */
function wrongIn({ status, said }: Looked): string | undefined {
  if (status !== 0 && status !== 1) return `ends with ${status}`;
  if (/^ +at /m.test(said)) return "a stack";
  if (status === 1 && !/^error: Cannot /m.test(said)) return "not in words";
  return undefined;
}

/** Looks at one damaged run with every command. */
async function look({ name, apply }: Damage, whole: string, others: Others, number: number) {
  const run = `${folder}/${number}/run`;
  Deno.mkdirSync(`${folder}/${number}`);
  new Deno.Command("cp", { args: ["-r", whole, run] }).outputSync();
  apply(run, LAST, others);
  const cells: string[] = [];
  const faults: string[] = [];
  for (const [command, args] of Object.entries(COMMANDS)) {
    const before = printOf(run);
    const looked = await start(args(run, `${folder}/${number}/exported`));
    const wrong = wrongIn(looked);
    if (wrong) faults.push(`${command}: ${wrong}\n${looked.said.slice(-1500)}`);
    // A training that goes on writes; one that is refused does not.
    if ((command !== "train" || looked.status !== 0) && printOf(run) !== before) {
      faults.push(`${command}: the folder was changed\n${looked.said.slice(-500)}`);
    }
    const told = looked.said.split("\n").filter((line) =>
      /^(error: |warning )/.test(line) && !LONGER.test(line)
    )
      .join(" / ");
    cells.push(`${looked.status}${looked.status === 0 && told !== "" ? "*" : ""}`);
    if (told !== "") console.log(`${name} | ${command} | ${looked.status} | ${told.replaceAll(folder, "")}`);
  }
  const before = printOf(run);
  const view = await askView(run);
  if (view !== undefined) faults.push(`view: ${view}`);
  if (printOf(run) !== before) faults.push("view: the folder was changed");
  for (const fault of faults) console.log(`FAULT ${name}: ${fault}`);
  new Deno.Command("chmod", { args: ["-R", "u+rwX", `${folder}/${number}`] }).outputSync();
  Deno.removeSync(`${folder}/${number}`, { recursive: true });
  return { row: [name, ...cells, view === undefined ? "answers" : "FAULT"], faults: faults.length };
}

const rows: string[][] = [];
let faults = 0;
try {
  const sft = (out: string, ...shape: string[]) =>
    succeed(["sft", ...shape, "--steps", "60", "--batch", "8", "--lr", "1e-2", "--out", out]);
  await sft(`${folder}/base`, ...SMALL_MODEL);
  await sft(`${folder}/wide`, "--width", "24", "--heads", "2", "--layers", "1", "--mlp", "24");
  const train = (model: string, out: string) =>
    succeed(trainArgs({ model, "save-every": 3, "test-questions": 4, "validate-every": 3, out }));
  const [whole, wider, secret] = ["whole", "wider", "secret"].map((name) => `${folder}/${name}`);
  await train(`${folder}/base`, whole);
  await train(`${folder}/wide`, wider);
  Deno.writeTextFileSync(secret, '{"secret": 1}\n');
  const wanted = DAMAGES.filter(({ name }) =>
    Deno.args.length === 0 || Deno.args.some((word) => name.includes(word))
  );
  for (const [number, damage] of wanted.entries()) {
    const { row, faults: found } = await look(damage, whole, { wider, secret }, number);
    rows.push(row);
    faults += found;
  }
} finally {
  const header = ["what was done", ...Object.keys(COMMANDS), "view"];
  console.log(
    `\n${table(rows, { header, width: 200 })}\n\n${rows.length} runs, ${faults} faults; * with a warning`,
  );
  Deno.removeSync(folder, { recursive: true });
}
Deno.exit(faults === 0 ? 0 : 1);
