/** The server as the official client of npm sees it. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import OpenAI, {
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from "openai";
import { startServer } from "../support/served.ts";

const KEY = "a-key-of-tests";
const server = await startServer(["--api-key", KEY, "--at-once", "4", "--queue", "1"]);
Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());
const client = new OpenAI({ apiKey: KEY, baseURL: `${server.url}/v1`, maxRetries: 0 });

const model = "builtin";
const question = "Sam has 10 coins. Sam doubles them. How many coins does Sam have?";
const messages = [{ role: "user" as const, content: question }];
const greedy = { model, temperature: 0 };
/** What the client's types do not know. */
const reasoningOf = (message: object) => (message as { reasoning_content?: string }).reasoning_content ?? "";

Deno.test("models are listed and named", async () => {
  const listed = [];
  for await (const { id } of client.models.list()) listed.push(id);
  assertEquals(listed, [model]);
  assertEquals((await client.models.retrieve(model)).owned_by, "softcot");
});

Deno.test("a conversation is the same as a whole, as chunks, and as the client puts them together", async () => {
  const whole = await client.chat.completions.create({ ...greedy, messages });
  const [{ message, finish_reason }] = whole.choices;
  assert(reasoningOf(message) !== "" && message.content!.startsWith("\\boxed{"));
  assertEquals(finish_reason, "stop");
  const chunks = await client.chat.completions.create({
    ...{ ...greedy, messages, stream: true as const, stream_options: { include_usage: true } },
  });
  let [content, reasoning, total] = ["", "", 0];
  for await (const { choices: [choice], usage } of chunks) {
    content += choice?.delta.content ?? "";
    reasoning += choice ? reasoningOf(choice.delta) : "";
    total = usage?.total_tokens ?? total;
  }
  assertEquals([content, reasoning, total], [
    message.content,
    reasoningOf(message),
    whole.usage!.total_tokens,
  ]);
  const runner = client.chat.completions.stream({
    ...greedy,
    messages,
    stream_options: { include_usage: true },
  });
  const heard: string[] = [];
  runner.on("content", (delta) => heard.push(delta));
  const put = await runner.finalChatCompletion();
  assertEquals([put.choices[0].message.content, heard.join("")], [message.content, message.content]);
  assertEquals(put.usage, whole.usage);
});

Deno.test("logprobs of a conversation come with each token's bytes, whole and streamed", async () => {
  const asked = { ...greedy, messages, logprobs: true, top_logprobs: 2 };
  const { choices: [{ message, logprobs }] } = await client.chat.completions.create(asked);
  const told = logprobs!.content!;
  const bytes = Uint8Array.from(told.flatMap(({ bytes }) => bytes!));
  // The box is put there, not drawn.
  assert(`${message.content}`.includes(new TextDecoder().decode(bytes).trim().replace(/<.*/, "")));
  for (const { logprob, top_logprobs } of told) {
    assertEquals(top_logprobs.length, 2);
    assertEquals(top_logprobs[0].logprob, logprob);
  }
  const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
  assertEquals(streamed.choices[0].logprobs!.content, told);
});

Deno.test("a text is continued, echoed with its logprobs, and streamed", async () => {
  const asked = { ...greedy, prompt: "User: Sam has 10 coins.", max_tokens: 6 };
  const { choices: [{ text }], usage } = await client.completions.create(asked);
  assertEquals(usage!.completion_tokens, 6);
  const echoed = await client.completions.create({ ...asked, echo: true, logprobs: 1 });
  assertEquals(echoed.choices[0].text, asked.prompt + text);
  const { tokens, token_logprobs } = echoed.choices[0].logprobs!;
  assertEquals([tokens!.join(""), token_logprobs![0]], [asked.prompt + text, null]);
  let streamed = "";
  for await (const { choices } of await client.completions.create({ ...asked, stream: true })) {
    streamed += choices[0]?.text ?? "";
  }
  assertEquals(streamed, text);
});

Deno.test("mistakes are the client's errors, by their kinds", async () => {
  const ask = (more: object) => client.chat.completions.create({ ...greedy, messages, ...more });
  const bad = await assertRejects(() => ask({ response_format: { type: "json_object" } }), BadRequestError);
  assertEquals([bad.status, bad.param, bad.code], [400, "response_format", "unsupported_parameter"]);
  assertEquals((await assertRejects(() => ask({ model: "gpt-4" }), NotFoundError)).code, "model_not_found");
  const long = () => client.completions.create({ model, prompt: Array(250).fill(1), max_tokens: 200 });
  assertEquals((await assertRejects(long, BadRequestError)).code, "context_length_exceeded");
  const other = new OpenAI({ apiKey: "another", baseURL: `${server.url}/v1`, maxRetries: 0 });
  assertEquals((await assertRejects(() => other.models.list(), AuthenticationError)).code, "invalid_api_key");
});

Deno.test("who is refused since others wait tries again by itself, when the server says; who gives up leaves", async () => {
  const prompt = "User: Sam has";
  const gone = new AbortController();
  const many = (signal?: AbortSignal) =>
    client.completions.create({ model, prompt, n: 128, max_tokens: 200, temperature: 100 }, { signal });
  const long = assertRejects(() => many(gone.signal), APIUserAbortError);
  while (!(await metric("waiting") === 1)) await new Promise((resolve) => setTimeout(resolve, 5));
  const refused = await assertRejects(() => many(), RateLimitError);
  assertEquals([refused.code, refused.headers?.get("retry-after")], ["queue_full", "5"]);
  const patient = client.completions.create({ model, prompt, max_tokens: 2 }, { maxRetries: 12 });
  gone.abort();
  await long;
  assertEquals((await patient).usage!.completion_tokens, 2);
  while (await metric("running") > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

async function metric(name: string): Promise<number> {
  const { data } = await server.ask("/metrics", undefined, { authorization: `Bearer ${KEY}` });
  return Number(new RegExp(`^softcot_${name} (.*)$`, "m").exec(data)![1]);
}
