/** The server as a process: what its clients get. */
// deno-lint-ignore-file no-explicit-any
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fails, succeed } from "../support/run_softcot.ts";
import { type Served, startServer } from "../support/served.ts";

const server = await startServer([]);
Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());

const QUESTION = "Sam has 10 coins. Sam doubles them. How many coins does Sam have?";
const chat = (more: object = {}) => ({ messages: [{ role: "user", content: QUESTION }], ...more });
const CHAT = "/v1/chat/completions";
const TEXT = "/v1/completions";
const textOf = ({ message: { reasoning_content, content } }: any) => `${reasoning_content} | ${content}`;

/** Waits for something that has to come about. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const since = performance.now();
  while (!await isSo()) {
    assert(performance.now() - since < 20_000, "it does not come about");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The text of each choice, put together from a stream's events. */
function streamed(events: any[]): string[] {
  const texts: { reasoning: string; content: string }[] = [];
  for (const { index, delta } of events.flatMap(({ choices }) => choices)) {
    const text = texts[index] ??= { reasoning: "", content: "" };
    text.reasoning += delta.reasoning_content ?? "";
    text.content += delta.content ?? "";
  }
  return texts.map(({ reasoning, content }) => `${reasoning} | ${content}`);
}

Deno.test("a conversation is thought about and answered, in the words of softcot generate", async () => {
  for (const thinking of ["hard", "soft"]) {
    const { status, data } = await server.ask(CHAT, chat({ temperature: 0, softcot: { thinking } }));
    assertEquals(status, 200);
    const args = ["generate", "--thinking", thinking, "--json", QUESTION];
    const { samples: [generated] } = JSON.parse((await succeed(args)).stdout);
    const [choice] = data.choices;
    assertEquals(choice.message.reasoning_content, generated.thinking);
    assertEquals(choice.message.content, `\\boxed{${generated.answer}`);
    assertEquals([choice.finish_reason, choice.softcot.boxed], ["stop", generated.boxed]);
    const { usage } = data;
    assertEquals(usage.completion_tokens_details.reasoning_tokens, generated.thinkingTokens.length);
    assertEquals(usage.completion_tokens, generated.thinkingTokens.length + generated.answerTokens.length);
    assertEquals([data.object, data.model], ["chat.completion", "builtin"]);
  }
});

Deno.test("the same seed gives the same text: whole or streamed, alone or in a crowd, as one choice or as several", async () => {
  const asked = ["hard", "soft", "fuzzy", "multiplex"].flatMap((thinking) =>
    [1, 2, 3].map((seed) => chat({ seed, temperature: 1, softcot: { thinking, gamma: 0.6 } }))
  );
  const alone: string[] = [];
  for (const body of asked) alone.push(textOf((await server.ask(CHAT, body)).data.choices[0]));
  assert(new Set(alone).size > 2, alone.join("\n"));
  const crowd = await Promise.all(asked.map(async (body, i) => {
    if (i % 2 === 0) return streamed(await server.events(CHAT, body))[0];
    const { data } = await server.ask(CHAT, { ...body, n: 3 });
    return textOf(data.choices[0]);
  }));
  assertEquals(crowd, alone);
});

Deno.test("a stream tells usage where it is asked for, seeds, and what soft steps are made of", async () => {
  const body = chat({
    temperature: 0,
    stream_options: { include_usage: true },
    softcot: { show_mixtures: true },
  });
  const events = await server.events(CHAT, body);
  const { data } = await server.ask(CHAT, chat({ temperature: 0 }));
  assertEquals(events.at(-1).usage, data.usage);
  assertEquals(events.at(-1).choices, []);
  const mixtures = events.flatMap(({ choices }) =>
    choices.flatMap(({ softcot }: any) => softcot?.mixtures ?? [])
  );
  assertEquals(mixtures.map(({ shadow }) => shadow).join(""), data.choices[0].message.reasoning_content);
  for (const { mixture } of mixtures) {
    assert(Math.abs(mixture.reduce((sum: number, one: any) => sum + one.weight, 0) - 1) < 0.01);
  }
});

Deno.test("texts are continued, stopped, and scored as softcot eval scores choices", async () => {
  const prompt = "User: Sam has 10 coins. Sam doubles them.";
  const ask = async (more: object) =>
    (await server.ask(TEXT, { prompt, temperature: 0, max_tokens: 12, ...more })).data;
  const [{ text, finish_reason }] = (await ask({})).choices;
  assertEquals([text.length > 0, finish_reason], [true, "length"]);
  const stop = text.slice(5, 9);
  assertEquals((await ask({ stop: [stop, "never"] })).choices[0].text, text.slice(0, text.indexOf(stop)));
  const events = await server.events(TEXT, { prompt, temperature: 0, max_tokens: 12, stop });
  const parts = events.flatMap(({ choices }) => choices.map((choice: any) => choice.text));
  assertEquals(parts.join(""), text.slice(0, text.indexOf(stop)));
  const [echoed] = (await ask({ echo: true, logprobs: 3 })).choices;
  assertEquals(echoed.text, prompt + text);
  const { tokens, token_logprobs, top_logprobs, text_offset } = echoed.logprobs;
  assertEquals([token_logprobs[0], top_logprobs[0]], [null, null]);
  assertEquals(tokens.join(""), prompt + text);
  tokens.forEach((token: string, i: number) =>
    assertEquals((prompt + text).startsWith(token, text_offset[i]), true)
  );
  for (const [i, top] of top_logprobs.entries()) {
    if (i === 0) continue;
    const values = Object.values<number>(top);
    assertEquals(values.length, 3);
    assert(Math.max(...values) >= token_logprobs[i] && values.every((value) => value <= 0));
  }
  // What was generated greedily is the likeliest, by the numbers of the pass that scores a whole text.
  const [scored] = (await ask({ prompt: prompt + text, echo: true, logprobs: 1, max_tokens: 0 })).choices;
  assertEquals(scored.text, prompt + text);
  scored.logprobs.token_logprobs.forEach((value: number | null, i: number) => {
    if (value !== null) {
      assert(Math.abs(value - token_logprobs[i]) < 1e-5, `${i}: ${value} ${token_logprobs[i]}`);
    }
  });
  const several = await ask({ prompt: [prompt, "User: Ann has 3 cups."], n: 2 });
  assertEquals(several.choices.map(({ index }: any) => index), [0, 1, 2, 3]);
  assertEquals(several.choices.slice(0, 2).map((choice: any) => choice.text), [text, text]);
});

Deno.test("what cannot be answered is told in OpenAI's shape, with the field", async () => {
  const refused = async (
    status: number,
    message: string,
    path: string,
    body: unknown,
    param: string | null = null,
  ) => {
    const { status: came, data } = await server.ask(path, body);
    assertEquals([came, data.error?.param], [status, param], JSON.stringify(data));
    assertStringIncludes(data.error.message, message);
  };
  await refused(400, "no JSON", CHAT, "{");
  await refused(400, "no JSON object", CHAT, "[1]");
  await refused(400, "Cannot read messages", CHAT, { messages: [] }, "messages");
  await refused(400, "Cannot read temperature", CHAT, chat({ temperature: "hot" }), "temperature");
  await refused(
    400,
    "response_format",
    CHAT,
    chat({ response_format: { type: "json_object" } }),
    "response_format",
  );
  await refused(400, "tools", CHAT, chat({ tools: [{}] }), "tools");
  await refused(400, "softcot", CHAT, chat({ softcot: { thinkng: "soft" } }), "softcot");
  await refused(400, "no chat template", CHAT, { messages: [{ role: "system", content: "x" }] }, "messages");
  await refused(400, "top_logprobs without logprobs", CHAT, chat({ top_logprobs: 2 }), "top_logprobs");
  await refused(400, "not in the vocabulary", TEXT, { prompt: "xyzzy" });
  await refused(400, "there is no token 99999", TEXT, { prompt: [1, 99999] }, "prompt");
  await refused(400, "empty prompt", TEXT, { prompt: "" }, "prompt");
  await refused(404, 'no model "gpt-4"', CHAT, chat({ model: "gpt-4" }), "model");
  await refused(404, "There is no /v1/embeddings", "/v1/embeddings", {});
  await refused(404, 'no model "%zz"', "/v1/models/%zz", undefined, "model");
  await refused(405, "POST is needed", CHAT, undefined);
  const head = await fetch(`${server.url}/health`, { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  await refused(413, "more than 4194304 bytes", CHAT, `"${"x".repeat(4194304)}"`);
  const endless = `User:${" Sam has 10 coins.".repeat(200_000)}`;
  await refused(400, "characters too many", TEXT, { prompt: endless }, "prompt");
  await refused(
    400,
    "characters too many",
    CHAT,
    { messages: [{ role: "user", content: endless }] },
    "messages",
  );
  await refused(400, "it has about ", TEXT, { prompt: endless.slice(0, 5 + 160 * 18) }, "prompt");
  await refused(400, "Cannot read prompt: a text, a list", TEXT, { prompt: [[1], ["x"]] }, "prompt");
  await refused(400, "Cannot read prompt", TEXT, { prompt: Array(1_000_000).fill({}) }, "prompt");
  await refused(400, "Cannot read messages", CHAT, { messages: Array(1_000_000).fill({}) }, "messages");
  const much = { prompt: [1, 2], n: 128, max_tokens: 200, logprobs: 20, softcot: { show_mixtures: true } };
  await refused(
    400,
    "Cannot tell 29 numbers",
    TEXT,
    { ...much, prompt: Array(256).fill("User: Sam") },
    "logprobs",
  );
  const long = await server.ask(TEXT, { prompt: Array(250).fill(1), max_tokens: 50 });
  assertEquals([long.status, long.data.error.code], [400, "context_length_exceeded"]);
  assertMatch(
    long.data.error.message,
    /it has 250 tokens, 50 more may follow, and the context holds (\d+): \d+ too many/,
  );
  const nulls = await server.ask(
    CHAT,
    chat({ temperature: 0, stop: null, tools: null, response_format: { type: "text" } }),
  );
  assertEquals(nulls.status, 200);
});

Deno.test("pages of other sites and other hosts are refused; nothing allows them to read", async () => {
  const foreign = await server.ask(CHAT, chat(), { origin: "http://example.com" });
  assertEquals(foreign.status, 403);
  assertEquals(foreign.headers.get("access-control-allow-origin"), null);
  const own = await server.ask("/v1/models", undefined, { origin: server.url });
  assertEquals([own.status, own.data.data[0].id], [200, "builtin"]);
  const { hostname, port } = new URL(server.url);
  const asHost = async (host: string) => {
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const request = `GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    return (await new Response(connection.readable).text()).split(" ")[1];
  };
  assertEquals(await Promise.all(["localhost", "example.com", "a b", "%"].map(asHost)), [
    "200",
    "403",
    "400",
    "400",
  ]);
  assert(!server.said().includes("Invalid URL"), server.said());
});

Deno.test("who hangs up is no longer generated for", async () => {
  for (const stream of [false, true]) {
    const gone = new AbortController();
    const said = server.said().length;
    const body = JSON.stringify({
      prompt: "User: Sam has",
      n: 128,
      max_tokens: 200,
      temperature: 1,
      stream,
      softcot: { thinking: "none" },
    });
    const before = await server.figure("new_tokens_total");
    const asked = fetch(`${server.url}${TEXT}`, { method: "POST", body, signal: gone.signal }).then((one) =>
      one.text()
    );
    await until(async () => await server.figure("new_tokens_total") > before);
    gone.abort();
    await asked.catch(() => {});
    await until(async () => await server.figure("running") === 0);
    assert(await server.figure("new_tokens_total") - before < 128 * 20);
    await until(() => Promise.resolve(server.said().slice(said).includes(`${TEXT}  499  `)));
  }
});

Deno.test("a request is logged by a line without its text", () => {
  const lines = server.said().trim().split("\n");
  assert(lines.length > 30);
  for (const line of lines) {
    assertMatch(line, /^\d{4}-\d\d-\d\dT\S+ {2}127\.0\.0\.1 {2}[A-Z]+ {2}\S+ {2}\d{3} {2}[\d.]+ s/);
  }
  assert(!/coins|Sam/.test(server.said()));
});

Deno.test("SIGTERM finishes what is begun, takes nothing new, and ends with status 0", async () => {
  const mine: Served = await startServer([]);
  await using _ = mine;
  const running = mine.ask(TEXT, { prompt: "User: Sam has", n: 8, max_tokens: 100 });
  await until(async () => await mine.figure("new_tokens_total") > 0);
  mine.process.kill("SIGTERM");
  assertEquals((await running).status, 200);
  assertEquals((await mine.process.status).code, 0, mine.said());
});

Deno.test("kernels are compiled before it is ready, also where no thought fits into the context; nothing of that is in the figures", async () => {
  await using mine = await startServer(["--context", "16", "--at-once", "3", "--port", "0"]);
  assertEquals(await mine.figure("new_tokens_total"), 0);
  assertEquals([await mine.figure("running"), await mine.figure("cache_rows_used")], [0, 0]);
  const { status, data } = await mine.ask(TEXT, { prompt: "User: Sam has", max_tokens: 2 });
  assertEquals([status, data.usage.completion_tokens], [200, 2]);
  assertEquals((await mine.ask(CHAT, chat())).status, 400);
});

Deno.test("after kill -9 it starts again at once, on the same port, and says the same", async () => {
  const ask = async (served: Served) =>
    (await served.ask(TEXT, { prompt: "User: Sam has", seed: 3, max_tokens: 8 })).data.choices[0].text;
  const first = await startServer(["--thinking", "none"]);
  const text = await ask(first);
  const port = new URL(first.url).port;
  const cut = first.ask(TEXT, { prompt: "User: Sam has", n: 128, max_tokens: 200 }).catch(() => null);
  await until(async () => await first.figure("running") > 0);
  await first[Symbol.asyncDispose]();
  assertEquals(await cut, null);
  await using again = await startServer(["--thinking", "none", "--port", port]);
  assertEquals([new URL(again.url).port, await ask(again)], [port, text]);
});

Deno.test("more than may wait get 429 and when to come again; what takes too long gets 504", async () => {
  const limits = ["--at-once", "1", "--queue", "1", "--most-seconds", "6"];
  await using mine = await startServer([...limits, "--thinking", "none"]);
  // So hot that few tokens end a text: many of them take far longer than a request may.
  const ask = (n: number, tokens = 200) =>
    mine.ask(TEXT, { prompt: "User: Sam has", n, max_tokens: tokens, seed: 1, temperature: 100 });
  // Kernels are compiled by the first one.
  assertEquals((await ask(1, 2)).status, 200);
  const long = ask(128);
  await until(async () => await mine.figure("waiting") === 1);
  const others = await Promise.all([ask(1), ask(1), ask(1)]);
  assertEquals(others.map(({ status }) => status), [429, 429, 429]);
  assertEquals(others[0].headers.get("retry-after"), "5");
  assertEquals(others[0].data.error.type, "rate_limit_error");
  const { status, data } = await long;
  assertEquals([status, data.error?.code], [504, "timeout"]);
  await until(async () => await mine.figure("running") === 0);
});

Deno.test("with a key only who has it is answered; other addresses need one; ports and files that are wrong are told", async () => {
  const key = await Deno.makeTempFile();
  await Deno.writeTextFile(key, "s3cret-key\n");
  {
    await using mine = await startServer(["--api-key", key, "--host", "0.0.0.0", "--thinking", "none"]);
    const url = new URL(mine.url).port;
    const status = async (authorization?: string) => {
      const headers: Record<string, string> = authorization ? { authorization } : {};
      const response = await fetch(`http://127.0.0.1:${url}/v1/models`, { headers });
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await Promise.all([status(), status("Bearer s3cret"), status("Bearer s3cret-key")]), [
      401,
      401,
      200,
    ]);
    const health = await fetch(`http://127.0.0.1:${url}/health`);
    assertEquals([health.status, await health.json()], [200, { status: "ready" }]);
    assert(!mine.said().includes("s3cret"));
    await fails(["serve", "--port", url], 1, `Cannot listen on 127.0.0.1 port ${url}: another program does`);
  }
  await Deno.remove(key);
  await fails(["serve", "--host", "0.0.0.0"], 2, "--api-key is needed");
  await fails(
    ["serve", "--api-key", "./no-such-key"],
    1,
    "Cannot read a key from the file that --api-key names",
  );
  await fails(["serve", "--port", "0", "--context", "100000"], 1, "Cannot serve texts of 100000 tokens");
  await fails(["serve", "--model", "no/where"], 1, "no/where");
});
