/** Parts of the server that need no device. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as z from "zod";
import { ApiError } from "../../../cli/serve/api_error.ts";
import { createKeyCheck } from "../../../cli/serve/api_key.ts";
import { createChoiceText } from "../../../cli/serve/choice_text.ts";
import { type Answer, answerWith, type Exchange } from "../../../cli/serve/exchange.ts";
import { createMetrics } from "../../../cli/serve/metrics.ts";
import { readJson } from "../../../cli/serve/read_json.ts";
import { listOf, parseRequest, samplingFields } from "../../../cli/serve/sampling_request.ts";
import { refuseMuchTold } from "../../../cli/serve/refuse_much_told.ts";
import { refuseManyCharacters, refuseTextBeyond, refuseTooLong } from "../../../cli/serve/refuse_too_long.ts";
import { drawKey } from "../../../cli/serve/sequence_settings.ts";
import { scoredTokens, topIds } from "../../../cli/serve/top_tokens.ts";
import { UserError } from "../../../gpu/errors.ts";
import { FORCED_TEXTS } from "../../../model/generation/thinking_text.ts";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { byteLevelFiles, UNCUT } from "../../model/support/byte_level_files.ts";
import { testFolder } from "../../support/folders.ts";

const folder = await testFolder();
const tokenizer = loadTokenizer(byteLevelFiles({ special: ["<|end|>"] }, { pre_tokenizer: UNCUT }));
const END = tokenizer.idOf("<|end|>")!;
const tokens = (text: string) =>
  tokenizer.encode(text, true).map((id) => ({ id, logp: 0, entropy: 0, gap: 0 }));

Deno.test("a key is asked for in full, from a flag or a file", async () => {
  await Deno.writeTextFile(`${folder}/key`, "from-a-file\n");
  await Deno.writeTextFile(`${folder}/empty`, "\n");
  for (const [given, key] of [["plain", "plain"], [`${folder}/key`, "from-a-file"]]) {
    const isKey = createKeyCheck(given);
    const answers = [
      `Bearer ${key}`,
      `bearer ${key}`,
      key,
      `Bearer ${key}x`,
      `Bearer ${key.slice(1)}`,
      "Bearer ",
      "",
      null,
    ];
    assertEquals(answers.map(isKey), [true, true, false, false, false, false, false, false]);
  }
  assert(createKeyCheck(undefined)(null));
  assertThrows(() => createKeyCheck(`${folder}/empty`), UserError, "one line that is not empty is needed");
  // What is there and cannot be read is no key by its name.
  assertThrows(() => createKeyCheck(folder), UserError, `Cannot read a key from ${folder}: `);
  assert(createKeyCheck("k".repeat(5000))(`Bearer ${"k".repeat(5000)}`));
  // A misspelt path is not to become the key.
  for (
    const given of [`${folder}/kye`, "./kye", "~/kye", ".kye", "kye.txt", "kye.KEY", `${folder}/key/under`]
  ) {
    const error = assertThrows(() => createKeyCheck(given), UserError, "there is none");
    assert(!error.message.includes("kye"), error.message);
  }
  assert(createKeyCheck("sk-a.b_c=")("Bearer sk-a.b_c="));
});

Deno.test("the likeliest tokens are found in order, of equal ones the lowest, with ln p over all columns", () => {
  const values = Float32Array.of(1, 5, 3, 5, -2, 4);
  assertEquals(topIds(values, 4), [1, 3, 5, 2]);
  assertEquals([topIds(values, 0), topIds(values, 9)], [[], [1, 3, 5, 2, 0, 4]]);
  const random = Float32Array.from({ length: 300 }, (_, i) => Math.fround(Math.sin(i * i)));
  const sorted = Array.from(random.keys()).sort((a, b) => random[b] - random[a] || a - b);
  assertEquals(topIds(random, 20), sorted.slice(0, 20));
  const { chosen, top } = scoredTokens(values, 5, 2, 2);
  const sum = Math.log([...values].reduce((total, value) => total + Math.exp(value), 0));
  assert(Math.abs(chosen.logprob - (3 - sum)) < 1e-12);
  assertEquals(top.map(({ id }) => id), [1, 3]);
});

Deno.test("draws are keyed by seed and choice, large and negative seeds too", () => {
  const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, -1, Number.MAX_SAFE_INTEGER];
  const keys = seeds.flatMap((seed) => [0, 1, 2].map((choice) => drawKey(seed, choice)));
  assertEquals(new Set(keys).size, keys.length);
  assert(keys.every((key) => Number.isInteger(key) && key >= 0 && key < 2 ** 32));
});

Deno.test("a chat's text is its thinking, then the box; a completion's is all of it; halves of characters wait", () => {
  const forced = tokenizer.encode(FORCED_TEXTS.triggerAndBox);
  const options = { tokenizer, endTokenIds: [END], stops: [], plain: false, goesOn: true };
  const told = (together: boolean) => {
    const text = createChoiceText({ ...options, together });
    const pieces = [...tokens("Où é")].map((token) => text.push("thinking", [token]));
    pieces.push(text.push("thinking", [{ ...tokens("x")[0], id: END }]));
    pieces.push(text.answer(forced), text.push("answer", tokens("9}")), text.end());
    return {
      reasoning: pieces.map((one) => one.reasoning).join(""),
      content: pieces.map((one) => one.content).join(""),
    };
  };
  assertEquals(told(false), { reasoning: "Où é", content: "\\boxed{9}" });
  assertEquals(told(true), { reasoning: "", content: "Où é The final answer is: \\boxed{9}" });
  const stopped = createChoiceText({ ...options, stops: ["lo w"], plain: true, together: false });
  const { content, used } = stopped.push("thinking", tokens("hello world"));
  assertEquals([content, used, stopped.stopped], ["hel", 7, true]);
});

Deno.test("a body is read up to its limit, and has to be whole JSON in UTF-8", async () => {
  const post = (body: BodyInit, headers = {}) => new Request("http://x/", { method: "POST", body, headers });
  const never = new AbortController().signal;
  assertEquals(await readJson(post('{"a": 1}'), 100, 5, never), { a: 1 });
  const refused = async (status: number, request: Request, signal = never) => {
    const error = await assertRejects(() => readJson(request, 100, 5, signal), ApiError);
    assertEquals(error.status, status);
  };
  await refused(413, post("x".repeat(101)));
  await refused(413, post("{}", { "content-length": "101" }));
  await refused(400, post("{"));
  await refused(400, post(new Uint8Array([0x22, 0xff, 0x22])));
  await refused(400, post("[".repeat(100)));
  await refused(400, new Request("http://x/", { method: "POST" }));
  const cut = new ReadableStream({ pull: (controller) => controller.error(new Error("cut")) });
  await refused(400, post(cut));
  const stuck = new ReadableStream({ pull: () => new Promise(() => {}) });
  await refused(408, post(stuck), AbortSignal.timeout(20));
  const late = await assertRejects(() => readJson(post(new ReadableStream()), 100, 0.02, never), ApiError);
  assertEquals(late.status, 408);
});

Deno.test("who does not read a stream is dropped before it fills the memory", async () => {
  let told = 0;
  const over = Promise.withResolvers<unknown>();
  const never = new AbortController().signal;
  const exchange: Exchange = {
    ...{ signal: never, ended: () => "hung up", note() {}, fault: over.reject, over: over.resolve },
  };
  const piece = { choice: 0, reasoning: "", content: "x".repeat(2 ** 20), logprobs: [], steps: [] };
  const run: Answer["run"] = async ({ piece: tell }, signal) => {
    for (; told < 200 && !signal.aborted; told++) {
      tell(piece);
      await Promise.resolve();
    }
    return { promptTokens: 0, completionTokens: 0, thinkingTokens: 0 };
  };
  const unchanged = (one: unknown) => one;
  const stream = {
    head: {},
    includeUsage: false,
    opening: [],
    piece: unchanged,
    end: unchanged,
    usage: unchanged,
  };
  const { body } = await answerWith(exchange, { run, stream, whole: unchanged });
  const error = await over.promise;
  assert(error instanceof ApiError && error.status === 499, String(error));
  assert(told > 60 && told < 70, `${told}`);
  await assertRejects(() => body!.getReader().read(), Error, "does not read");
});

Deno.test("a temperature that the device would take for 0 is 0", () => {
  const parsed = [{}, { temperature: 0 }, { temperature: 1e-300 }, { temperature: 1e-6 }]
    .map((body) => parseRequest(z.object(samplingFields), body).temperature);
  assertEquals(parsed, [1, 0, 0, 1e-6]);
});

Deno.test("a text that is too long is told by how much", () => {
  refuseTooLong(90, 10, 100, "prompt");
  const error = assertThrows(() => refuseTooLong(95, 10, 100, "messages"), ApiError, "5 too many");
  assertEquals([error.status, error.code, error.param], [400, "context_length_exceeded", "messages"]);
});

Deno.test("of a text that is far too long no more is read than shows it", () => {
  let most = 0;
  const watched = {
    ...tokenizer,
    encode: (text: string) => (most = Math.max(most, text.length), tokenizer.encode(text)),
  };
  const refused = (text: string, message: string) => {
    most = 0;
    const error = assertThrows(() => refuseTextBeyond(watched, text, 100, "prompt"), ApiError, message);
    assertEquals([error.status, error.code, error.param], [400, "context_length_exceeded", "prompt"]);
  };
  refused("many coins ".repeat(100), "about 1100 tokens, and the context holds 100: about 1000 too many");
  assert(most <= 4 * 116, `${most}`);
  refused("many coins ".repeat(400_000), "it has 4400000 characters");
  assertEquals(most, 0);
  refuseTextBeyond(watched, "short", 100, "prompt");
  assertThrows(
    () => refuseManyCharacters(["x".repeat(800), "y".repeat(801)], 100, "messages"),
    ApiError,
    "1 characters too many",
  );
  refuseManyCharacters(["x".repeat(800), "y".repeat(800)], 100, "messages");
});

Deno.test("a list of a million wrong items is refused for its length, and what is said of it is short", () => {
  let looked = 0;
  const item = z.custom(() => (looked++, true)).pipe(z.object({ role: z.string() }));
  const schema = z.object({ all: listOf(item, 1, 10) });
  const many = Array.from({ length: 1_000_000 }, () => ({}));
  assertThrows(() => parseRequest(schema, { all: many }), ApiError, "a list of 1 to 10 is needed");
  assertEquals(looked, 0);
  assertThrows(() => parseRequest(schema, { all: [] }), ApiError, "a list of 1 to 10");
  assertThrows(() => parseRequest(schema, { all: [{ role: 1 }] }), ApiError, "Cannot read all.0.role");
  assertEquals(parseRequest(schema, { all: [{ role: "x" }] }), { all: [{ role: "x" }] });
  const unknown = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`field${i}`, 1]));
  const error = assertThrows(
    () => parseRequest(z.object(samplingFields), { softcot: unknown }),
    ApiError,
    "Cannot read softcot",
  );
  assert(error.message.length < 400, `${error.message.length}`);
});

Deno.test("numbers that would fill the memory are refused before they are made", () => {
  refuseMuchTold({ showMixtures: false }, 1e9);
  refuseMuchTold({ logprobs: 20, showMixtures: false }, 8192);
  const error = assertThrows(
    () => refuseMuchTold({ logprobs: 20, showMixtures: false }, 128 * 8192),
    ApiError,
    "Cannot tell 21 numbers of each of up to 1048576 tokens",
  );
  assertEquals([error.status, error.param], [400, "logprobs"]);
  assertThrows(() => refuseMuchTold({ showMixtures: true }, 2 ** 20), ApiError, "fewer choices");
});

Deno.test("figures are in the text form of Prometheus", () => {
  const metrics = createMetrics();
  metrics.request("/health", 200, 0.02);
  metrics.request("/health", 200, 1000);
  const text = metrics.text(null);
  assert(text.includes('softcot_requests_total{route="/health",status="200"} 2\n'));
  assert(
    text.includes(
      'softcot_request_seconds_bucket{le="0.01"} 0\nsoftcot_request_seconds_bucket{le="0.03"} 1\n',
    ),
  );
  assert(
    text.includes(
      'softcot_request_seconds_bucket{le="+Inf"} 2\nsoftcot_request_seconds_sum 1000.02\nsoftcot_request_seconds_count 2\n',
    ),
  );
  for (const line of text.trim().split("\n")) {
    assert(/^# (HELP|TYPE) softcot_\w+ |^softcot_\w+(\{[^}]*\})? [\d.]+$/.test(line), line);
  }
});
