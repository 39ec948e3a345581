/**
 * What `softcot serve` gives to 1, 8 and 32 clients at once: tokens a second, seconds to the first token, the longest wait over the median
 * one, seconds without an answer to /health; and beside it llama.cpp's server on the same GGUF file, on the CPU, in turns in one run, with
 * two threads each. In the row `mixed` one of eight clients has a prompt ten times as long: the waits are those of the others.
 *
 *     ./softcot deno run -A tests/bench/serve_bench.ts [--model ../shared/models/smollm2-135m-instruct] [--llama LLAMA-SERVER]
 *         [--clients 1,8,32] [--tokens 64] [--each 2] [--rounds 3] [--threads 2] [--sentences 5]
 *         [--context 2048] [--json]
 *
 * The server of llama.cpp is built from what llama-cpp-python's source package holds:
 *
 *     pip download --no-deps --no-binary :all: llama-cpp-python==0.3.36 && tar xzf llama_cpp_python-0.3.36.tar.gz
 *     cmake -S llama_cpp_python-0.3.36/vendor/llama.cpp -B build -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF
 *         -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF && cmake --build build --target llama-server
 */
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/terminal/table.ts";
import { startServer } from "../cli/support/served.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "../shared/models/smollm2-135m-instruct" },
    llama: { type: "string" },
    clients: { type: "string", default: "1,8,32" },
    tokens: { type: "string", default: "64" },
    each: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    sentences: { type: "string", default: "5" },
    context: { type: "string", default: "2048" },
    json: { type: "boolean", default: false },
  },
});
const [tokens, each, rounds, sentences] = [values.tokens, values.each, values.rounds, values.sentences].map(
  Number,
);
const crowds = values.clients.split(",").map(Number);
const most = Math.max(8, ...crowds);
interface Peer {
  name: string;
  url: string;
  stop(): Promise<void>;
}

/** What a crowd found. */
interface Found {
  tokensPerSecond: number;
  /** Seconds to the first token, of each request. */
  firsts: number[];
  /** Seconds of each request. */
  waits: number[];
  /** Seconds of each answer to /health. */
  healths: number[];
}

async function softcot(): Promise<Peer> {
  const limits = ["--thinking", "none", "--context", values.context, "--at-once", `${most}`, "--quiet"];
  // A port that is told has the kernels compiled first.
  const started = performance.now();
  const server = await startServer(["--model", values.model, ...limits, "--port", "8399"], {
    LP_NUM_THREADS: values.threads,
  });
  console.error(`softcot was ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return { name: "softcot", url: server.url, stop: async () => await server[Symbol.asyncDispose]() };
}

function ggufOf(name: string): string {
  if (name.endsWith(".gguf")) return name;
  const file = Array.from(Deno.readDirSync(name)).find((entry) => entry.name.endsWith(".gguf"));
  if (!file) throw new Error(`Cannot compare with llama.cpp: ${name} holds no GGUF file`);
  return `${name}/${file.name}`;
}

async function llama(program: string): Promise<Peer> {
  const started = performance.now();
  const url = "http://127.0.0.1:8398";
  const process = new Deno.Command(program, {
    args: ["-m", ggufOf(values.model), "--port", "8398", "-t", values.threads, "-tb", values.threads]
      .concat(["--parallel", `${most}`, "-c", `${most * Number(values.context)}`, "--no-webui"]),
    stdout: "null",
    stderr: "null",
  }).spawn();
  const isReady = async () => {
    const response = await fetch(`${url}/health`).catch(() => null);
    await response?.body?.cancel();
    return response?.ok;
  };
  while (!await isReady()) await new Promise((resolve) => setTimeout(resolve, 100));
  console.error(`llama.cpp was ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return {
    ...{ name: "llama.cpp", url },
    async stop() {
      process.kill("SIGTERM");
      await process.status;
    },
  };
}

const SENTENCE = "The harbour lies on the northern coast, where fishermen and traders meet in the spring. ";
/** Prompts of twenty tokens a sentence, no two of which begin alike. */
const promptOf = (number: number, long: boolean) =>
  `Letter ${number} of ${number * 7919}. ${SENTENCE.repeat(long ? 10 * sentences : sentences)}`;

/** One request, streamed, with the seconds to its first token and to its end. */
async function ask(url: string, number: number, long: boolean) {
  const began = performance.now();
  const body = JSON.stringify({
    ...{ prompt: promptOf(number, long), max_tokens: tokens, temperature: 1, seed: number },
    ...{ stream: true, stream_options: { include_usage: true } },
  });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}/v1/completions`, { method: "POST", headers, body });
  if (!response.ok) throw new Error(await response.text());
  let [first, told] = [NaN, ""];
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    if (Number.isNaN(first)) first = (performance.now() - began) / 1000;
    told += text;
  }
  const made = Number(told.match(/"completion_tokens":(\d+)/)?.[1]);
  return { first, wait: (performance.now() - began) / 1000, made };
}

let asked = 0;

async function crowd({ url }: Peer, clients: number, mixed: boolean): Promise<Found> {
  const [firsts, waits, healths]: number[][] = [[], [], []];
  let [made, over] = [0, false];
  const began = performance.now();
  const watching = (async () => {
    while (!over) {
      const since = performance.now();
      await (await fetch(`${url}/health`)).text();
      healths.push((performance.now() - since) / 1000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await Promise.all(Array.from({ length: clients }, async (_, client) => {
    const long = mixed && client === 0;
    for (let i = 0; i < each; i++) {
      const one = await ask(url, ++asked, long);
      made += one.made;
      if (long) continue;
      firsts.push(one.first);
      waits.push(one.wait);
    }
  }));
  const seconds = (performance.now() - began) / 1000;
  over = true;
  await watching;
  return { tokensPerSecond: made / seconds, firsts, waits, healths };
}

const peers = [await softcot(), ...values.llama ? [await llama(values.llama)] : []];
const rows = [...crowds.map((clients) => ({ clients, mixed: false })), { clients: 8, mixed: true }];
const found = rows.map(({ clients, mixed }) => ({ clients, mixed, peers: peers.map((): Found[] => []) }));
// What is compiled or read at the first use is not what is measured.
for (const peer of peers) await crowd(peer, Math.min(8, most), false);
for (let round = 0; round < rounds; round++) {
  for (const row of found) {
    for (const [i, peer] of peers.entries()) {
      row.peers[i].push(await crowd(peer, row.clients, row.mixed));
      console.error(`round ${round + 1}, ${row.clients} clients, ${peer.name}`);
    }
  }
}
for (const peer of peers) await peer.stop();

/** Of all rounds together. */
function summary(all: readonly Found[]) {
  const [firsts, waits, healths] = (["firsts", "waits", "healths"] as const)
    .map((key) => all.flatMap((one) => one[key]));
  return {
    tokensPerSecond: median(all.map((one) => one.tokensPerSecond)),
    firstToken: median(firsts),
    longestFirst: Math.max(...firsts),
    longestOverMedian: Math.max(...waits) / median(waits),
    health: median(healths),
    longestHealth: Math.max(...healths),
  };
}

const told = found.map(({ clients, mixed, peers: each }) => ({
  ...{ clients, mixed },
  ...Object.fromEntries(each.map((all, i) => [peers[i].name, summary(all)])),
}));
if (values.json) console.log(JSON.stringify(told, null, 2));
else {
  const lines = found.flatMap(({ clients, mixed, peers: each }) =>
    each.map((all, i) => {
      const one = summary(all);
      const ratio = summary(each[0]).tokensPerSecond / one.tokensPerSecond;
      return [
        ...[mixed ? "mixed" : clients, peers[i].name, one.tokensPerSecond.toFixed(1), ratio.toFixed(2)],
        ...[one.firstToken, one.longestFirst, one.longestOverMedian, one.health, one.longestHealth]
          .map((value) => value.toFixed(3)),
      ];
    })
  );
  const header = [
    "clients",
    "server",
    "tokens/s",
    "softcot/it",
    "first token s",
    "longest",
    "longest wait/median",
  ]
    .concat(["health s", "longest"]);
  console.log(table(lines, { header }));
}
