/**
 * `softcot serve` under requests of mixed and hostile kinds over loopback: bodies cut, huge, not JSON, of wrong types, sockets that send nothing,
 * hang-ups at random. A command of its own, since it takes minutes:
 *
 *     ./softcot deno run -A tests/serve_hostile.ts [--requests 10000] [--sockets 1000] [--model builtin]
 *
 * The server has to live, its memory to stay flat, every whole request to have the right status, and texts to be those of before the crowd.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { parseArgs } from "node:util";
import { startServer } from "./cli/support/served.ts";
import { memoryOf } from "./support/memory_of.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "10000" },
    sockets: { type: "string", default: "1000" },
    model: { type: "string", default: "builtin" },
  },
});
const REQUESTS = Number(values.requests);
const SOCKETS = Number(values.sockets);
/** Clients at once. */
const CLIENTS = 48;

const CHAT = "/v1/chat/completions";
const TEXT = "/v1/completions";
const QUESTIONS = [
  "Sam has 10 coins.",
  "Ann buys 4 cups. Ann finds 3 more.",
  "Tom has 7 cards. Tom doubles them.",
];
const message = (
  i: number,
) => [{ role: "user", content: `${QUESTIONS[i % QUESTIONS.length]} How many coins does Sam have?` }];

// deno-lint-ignore no-explicit-any
type Any = any;

await using server = await startServer(["--model", values.model, "--queue", "64", "--quiet"]);
const { hostname, port } = new URL(server.url);

/** Random, but the same in each run. */
let state = 1;
const random = (below: number): number => {
  state = Math.imul(state, 1664525) + 1013904223 >>> 0;
  return Math.floor(state / 2 ** 32 * below);
};

/** Requests whose text is known, as it is without a crowd. */
const known = Array.from(
  { length: 12 },
  (_, i): [body: object, path: string] =>
    i % 3 === 2
      ? [{ prompt: "User: Sam has", max_tokens: 12, seed: i, temperature: 0.8, top_k: 20 }, TEXT]
      : [{
        messages: message(i),
        seed: i,
        softcot: { thinking: ["hard", "soft", "fuzzy"][i % 3], max_thinking: 24 },
      }, CHAT],
);
const textOf = (data: Any): string => JSON.stringify(data.choices.map((one: Any) => one.text ?? one.message));
const expected: string[] = [];
for (const [body, path] of known) expected.push(textOf((await server.ask(path, body)).data));

const counts: Record<string, number> = {};
const count = (what: string) => void (counts[what] = (counts[what] ?? 0) + 1);
const faults: string[] = [];

/** Bytes over a socket of its own, which is closed after `wait` milliseconds, or when the answer has come. */
async function raw(bytes: string, wait: number): Promise<string> {
  const socket = await Deno.connect({ hostname, port: Number(port) });
  const timer = setTimeout(() => {
    try {
      socket.close();
    } catch { /* It is. */ }
  }, wait);
  let answer = "";
  try {
    await socket.write(new TextEncoder().encode(bytes));
    const buffer = new Uint8Array(65536);
    for (let read; (read = await socket.read(buffer)) !== null;) {
      answer += new TextDecoder().decode(buffer.subarray(0, read));
    }
  } catch { /* Closed by one of the two. */ }
  clearTimeout(timer);
  try {
    socket.close();
  } catch { /* It is. */ }
  return answer;
}

const post = (path: string, body: string, length = body.length) =>
  `POST ${path} HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n${body}`;

async function status(wanted: number | number[], path: string, body: unknown, headers = {}): Promise<Any> {
  const answer = await server.ask(path, body, headers);
  const all = [wanted].flat();
  if (!all.includes(answer.status)) {
    faults.push(
      `${JSON.stringify(body).slice(0, 100)}: ${answer.status} ${
        JSON.stringify(answer.data).slice(0, 200)
      }, ${all} wanted`,
    );
  }
  count(`${answer.status}`);
  return answer;
}

const BAD: unknown[] = [
  ...["{", "", "nonsense", "[]", "null", '"text"', "\u0000", "[".repeat(50000), '{"a":'.repeat(20000)],
  ...[{}, { messages: 7 }, { messages: [] }, { messages: [{ role: "nobody", content: "x" }] }, {
    messages: [null],
  }],
  { messages: message(0), temperature: "hot" },
  { messages: message(0), temperature: -1 },
  { messages: message(0), n: 1e9 },
  { messages: message(0), max_tokens: 1e300 },
  { messages: message(0), stop: Array(100).fill("x") },
  { messages: message(0), top_p: 0 },
  { messages: message(0), seed: 1.5 },
  { messages: message(0), tools: [{ type: "function" }] },
  { messages: message(0), response_format: { type: "json_schema" } },
  { messages: message(0), softcot: { thinking: "loud" } },
  { messages: message(0), softcot: [] },
  { messages: [{ role: "user", content: "\ud800 words that nobody knows" }] },
  // What takes long to be looked at: many wrong items, texts that no context holds.
  { messages: Array(100_000).fill({}), prompt: Array(100_000).fill({}) },
  { messages: [{ role: "user", content: Array(100_000).fill({}) }], prompt: [Array(100_000).fill("x")] },
  { messages: [{ role: "user", content: "Sam has 10 coins. ".repeat(20_000) }], prompt: "-".repeat(400_000) },
];

/** Kinds of requests, by how often of a hundred they come. */
const KINDS: [number, () => Promise<void>][] = [
  [30, async () => {
    const i = random(known.length);
    const [body, path] = known[i];
    const { status: came, data } = await status([200, 429], path, body);
    if (came === 200 && textOf(data) !== expected[i]) {
      faults.push(`text ${i} is another one in the crowd: ${textOf(data)}`);
    }
  }],
  [10, async () => {
    const i = random(known.length);
    const [body, path] = known[i];
    const { status: came, data } = await server.ask(path, { ...body, stream: true });
    count(`${came} streamed`);
    if (came !== 200 && came !== 429) faults.push(`a stream: ${came}`);
    if (came === 200 && !data.endsWith("data: [DONE]\n\n")) {
      faults.push(`a stream ends in ${data.slice(-80)}`);
    }
  }],
  [25, async () => void await status([400, 413], random(2) ? CHAT : TEXT, BAD[random(BAD.length)])],
  [4, async () => void await status(404, `/v1/${["embeddings", "nothing", "files/../../x"][random(3)]}`, {})],
  [4, async () => void await status(405, CHAT, undefined)],
  [
    3,
    async () =>
      void await status(403, CHAT, { messages: message(1) }, { origin: "http://elsewhere.example" }),
  ],
  [1, async () => void await status(413, CHAT, "x".repeat(5 * 2 ** 20))],
  [3, async () => void await status(200, "/health", undefined)],
  // Hang-ups: before the body is whole, while it is answered, in a stream.
  [6, async () => {
    await raw(post(CHAT, JSON.stringify({ messages: message(2) }).slice(0, 30), 500), 5 + random(50));
    count("body cut");
  }],
  [8, async () => {
    const body = JSON.stringify({
      prompt: "User: Sam has",
      max_tokens: 200,
      n: 1 + random(4),
      stream: random(2) === 1,
    });
    await raw(post(TEXT, body), random(300));
    count("hung up");
  }],
  [4, async () => {
    const lines = [
      "GET / HTTP/9.9\r\n\r\n",
      "\r\n\r\n\r\n",
      "x".repeat(20000),
      `POST ${CHAT} HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n`,
    ];
    await raw(lines[random(lines.length)], 200);
    count("no HTTP");
  }],
  [2, async () => {
    const chunked =
      `POST ${TEXT} HTTP/1.1\r\nhost: ${hostname}\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc`;
    await raw(chunked, 50);
    count("chunk cut");
  }],
];
const all = KINDS.flatMap(([often, run]) => Array(often).fill(run));

/** Bytes that the server's process has in memory. */
const memory = (): number => memoryOf(server.process.pid)!.resident * 2 ** 20;

const sockets: Deno.Conn[] = [];
for (let i = 0; i < SOCKETS; i++) sockets.push(await Deno.connect({ hostname, port: Number(port) }));
const began = performance.now();
const memories: number[] = [];
let done = 0;
await Promise.all(Array.from({ length: CLIENTS }, async () => {
  while (done < REQUESTS) {
    if (done++ % Math.ceil(REQUESTS / 10) === 0) {
      memories.push(memory());
      console.error(
        `${done - 1} requests, ${(memories.at(-1)! / 2 ** 20).toFixed(0)} MiB, ${
          ((performance.now() - began) / 1000).toFixed(0)
        } s`,
      );
    }
    await all[random(all.length)]();
  }
}));
memories.push(memory());
for (const socket of sockets) socket.close();
for (let i = 0; i < known.length; i++) {
  const [body, path] = known[i];
  assertEquals(textOf((await server.ask(path, body)).data), expected[i]);
}
for (let i = 0; await server.figure("running") > 0 || await server.figure("waiting") > 0; i++) {
  assert(i < 500, "what hung up is still generated for");
  await new Promise((resolve) => setTimeout(resolve, 20));
}
assertEquals(await server.figure("cache_rows_used"), 0);
const seconds = (performance.now() - began) / 1000;
console.log(
  JSON.stringify(
    {
      requests: done,
      seconds,
      counts,
      memories: memories.map((bytes) => Math.round(bytes / 2 ** 20)),
      faults: faults.length,
    },
    null,
    2,
  ),
);
for (const fault of faults.slice(0, 10)) console.log(fault);
// The second half adds less than a twentieth to what the first came to.
const [middle, last] = [memories[5], memories.at(-1)!];
assert(faults.length === 0, `${faults.length} faults`);
assert(last < 1.05 * middle + 32 * 2 ** 20, `memory grew from ${middle} to ${last} bytes`);
assertEquals(server.said(), "");
