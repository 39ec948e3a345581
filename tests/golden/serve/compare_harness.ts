/**
 * Has lm-evaluation-harness ask a running `softcot serve`, as any server of OpenAI's interface, and holds what it finds against
 * `softcot eval` on the same questions, one by one: ARC-Challenge by the logprobs of echoed texts (`local-completions`), GSM8K by
 * conversations that are thought about with ordinary tokens, greedily (`local-chat-completions`). Exit status 1 if anything differs.
 *
 *     python3 -m venv /tmp/harness && /tmp/harness/bin/pip install "lm_eval[api]==0.4.13" transformers
 *     ./softcot deno run -A tests/golden/serve/compare_harness.ts --python /tmp/harness/bin/python
 *         [--model ../shared/models/smollm2-135m-instruct] [--data ../shared/data] [--questions 20] [--max-thinking 128]
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { mean } from "../../../cli/compare/crossed.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { succeed } from "../../cli/support/run_softcot.ts";
import { startServer } from "../../cli/support/served.ts";
import { inFolder } from "../../support/folders.ts";

const ANSWER_TOKENS = 32;

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    model: { type: "string", default: "../shared/models/smollm2-135m-instruct" },
    data: { type: "string", default: "../shared/data" },
    questions: { type: "string", default: "20" },
    "max-thinking": { type: "string", default: "128" },
  },
});
if (values.python === undefined) throw new Error("Cannot run the harness: --python names none");
const python = resolve(values.python);
const model = resolve(values.model);
const questions = Number(values.questions);

/** A choice question as softcot eval writes it. */
interface ChoiceLine {
  sums: number[];
  correct: boolean;
  correct_normed: boolean;
}

/** A rollout as it writes it. */
interface RolloutLine {
  answer: string;
  correct: boolean;
}

/** What the harness found of one question. */
interface Sample {
  doc_id: number;
  /** Of choices [sum, is greedy] as texts, of conversations texts. */
  filtered_resps: [string, string][] | string[];
  resps: [[string, string]][] | [[string]];
  acc?: number;
  acc_norm?: number;
  exact_match?: number;
}

const lines = <T>(text: string): T[] =>
  text.trim().split("\n").map((line) => JSON.parse(line));
const shown = JSON.stringify;

/** Tasks of the harness over files of these questions; its own ones pull them from a hub. */
function writeTasks(folder: string): void {
  const first = (from: string) => Deno.readTextFileSync(from).split("\n").slice(0, questions).join("\n");
  Deno.writeTextFileSync(`${folder}/arc.jsonl`, first(`${values.data}/arc_challenge/test.jsonl`));
  Deno.writeTextFileSync(`${folder}/gsm8k.jsonl`, first(`${values.data}/gsm8k/test.jsonl`));
  const common = (file: string) =>
    `dataset_path: json
dataset_kwargs:
  data_files:
    test: ${folder}/${file}
test_split: test
`;
  Deno.writeTextFileSync(
    `${folder}/arc.yaml`,
    `task: arc_of_file
${common("arc.jsonl")}output_type: multiple_choice
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{choices.label.index(answerKey)}}"
doc_to_choice: "{{choices.text}}"
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
  - metric: acc_norm
    aggregation: mean
    higher_is_better: true
`,
  );
  Deno.writeTextFileSync(
    `${folder}/gsm8k.yaml`,
    `task: gsm8k_of_file
${common("gsm8k.jsonl")}output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answer.split('#### ')[-1].replace(',', '')}}"
generation_kwargs:
  until: ["<|never|>"]
  do_sample: false
  temperature: 0
  max_gen_toks: ${Number(values["max-thinking"]) + ANSWER_TOKENS}
filter_list:
  - name: boxed
    filter:
      - function: regex
        regex_pattern: "boxed\\\\{([^}]*)\\\\}"
      - function: take_first
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
    regexes_to_ignore: [",", "\\\\$"]
`,
  );
}

/** The harness counts tokens by itself: it gets the model's tokenizer in a folder of its own. */
function writeTokenizer(folder: string): void {
  using files = openModelFiles(model);
  Deno.mkdirSync(folder);
  for (const [name, text] of Object.entries(files.tokenizer.files)) {
    const isConfig = name === "tokenizer_config.json";
    const config = isConfig ? JSON.stringify({ tokenizer_class: "PreTrainedTokenizerFast", ...JSON.parse(text!) }) : text!;
    Deno.writeTextFileSync(`${folder}/${name}`, config);
  }
}

async function harness(folder: string, kind: string, task: string, args: string[], more: string[] = []): Promise<Sample[]> {
  const out = `${folder}/${task}`;
  const { success, stderr } = await new Deno.Command(python, {
    args: ["-m", "lm_eval", "run", "--model", kind, "--model_args", args.join(","), "--tasks", task]
      .concat(["--include_path", folder, "--output_path", out, "--log_samples"], more),
    env: { HF_HUB_OFFLINE: "1", HF_DATASETS_CACHE: `${folder}/datasets`, OPENAI_API_KEY: "none" },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const files = Array.from(Deno.readDirSync(out)).flatMap(({ name, isDirectory }) =>
    isDirectory ? Array.from(Deno.readDirSync(`${out}/${name}`), (file) => `${name}/${file.name}`) : [name]
  );
  const samples = files.find((name) => name.includes("samples_"))!;
  return lines<Sample>(Deno.readTextFileSync(`${out}/${samples}`)).sort((a, b) => a.doc_id - b.doc_id);
}

async function evaluated<T>(folder: string, name: string, file: string, args: string[]): Promise<T[]> {
  const out = `${folder}/${name}`;
  await succeed(["eval", name, "--model", model, "--limit", `${questions}`, "--out", out, ...args]);
  return lines<T>(Deno.readTextFileSync(`${out}/${file}.jsonl`));
}

const differences: string[] = [];

function compareChoices(ours: ChoiceLine[], theirs: Sample[]): void {
  let worst = 0;
  for (const [i, { sums, correct, correct_normed }] of ours.entries()) {
    const told = theirs[i].resps.map(([[sum]]) => Number(sum));
    const away = Math.max(...sums.map((sum, choice) => Math.abs(sum - told[choice])));
    worst = Math.max(worst, away);
    if (sums.length !== told.length || !(away < 1e-6)) differences.push(`arc ${i}: sums ${shown(sums)} and ${shown(told)}`);
    const verdicts = [+correct, +correct_normed];
    if (shown(verdicts) !== shown([theirs[i].acc, theirs[i].acc_norm])) {
      differences.push(`arc ${i}: right ${verdicts}, and ${theirs[i].acc}, ${theirs[i].acc_norm}`);
    }
  }
  console.log(`arc-challenge, ${ours.length} questions: worst difference of a sum ${worst.toExponential(1)}`);
  console.log(`  softcot eval  acc ${mean(ours.map((one) => +one.correct))}  acc_norm ${mean(ours.map((one) => +one.correct_normed))}`);
  console.log(`  lm_eval       acc ${mean(theirs.map((one) => one.acc!))}  acc_norm ${mean(theirs.map((one) => one.acc_norm!))}`);
}

function compareAnswers(ours: RolloutLine[], theirs: Sample[]): void {
  for (const [i, { answer, correct }] of ours.entries()) {
    const [[text]] = theirs[i].resps as [[string]];
    if (text !== `\\boxed{${answer}`) differences.push(`gsm8k ${i}: ${shown(`\\boxed{${answer}`)} and ${shown(text)}`);
    if (+correct !== theirs[i].exact_match) differences.push(`gsm8k ${i}: right ${correct}, and ${theirs[i].exact_match}`);
  }
  console.log(`gsm8k, ${ours.length} questions: ${new Set(ours.map(({ answer }) => answer)).size} different answers`);
  console.log(`  softcot eval  right ${mean(ours.map((one) => +one.correct))}`);
  console.log(`  lm_eval       right ${mean(theirs.map((one) => one.exact_match!))}`);
}

await inFolder(async (folder) => {
  writeTasks(folder);
  writeTokenizer(`${folder}/tokenizer`);
  const limits = ["--max-thinking", values["max-thinking"], "--answer-tokens", `${ANSWER_TOKENS}`];
  const choices = await evaluated<ChoiceLine>(folder, "arc-challenge", "arc-challenge", ["--data", `${values.data}/arc_challenge`]);
  const answers = await evaluated<RolloutLine>(folder, "gsm8k", "gsm8k-hard-greedy", [
    ...["--data", `${values.data}/gsm8k`, "--chat-template", "--mode", "hard-greedy", ...limits],
  ]);
  await using server = await startServer(["--model", model, "--thinking", "hard", ...limits]);
  const named = [`model=${model.split("/").at(-1)}`, "num_concurrent=20", "timeout=3600", "max_retries=1"];
  const texts = [`base_url=${server.url}/v1/completions`, "tokenizer_backend=huggingface", `tokenizer=${folder}/tokenizer`];
  compareChoices(choices, await harness(folder, "local-completions", "arc_of_file", [...named, ...texts]));
  const chats = [`base_url=${server.url}/v1/chat/completions`];
  compareAnswers(answers, await harness(folder, "local-chat-completions", "gsm8k_of_file", [...named, ...chats], ["--apply_chat_template"]));
});
for (const difference of differences) console.log(difference);
console.log(differences.length === 0 ? "no difference" : `${differences.length} differences`);
Deno.exit(differences.length === 0 ? 0 : 1);
