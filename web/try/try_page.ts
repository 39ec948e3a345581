/**
 * The page of `softcot serve`: a question, answered in three ways of thinking side by side, and what each step was made of. It is one script
 * without imports, since the server takes its types off and puts it into the page as it is.
 */

/** Styles of the page, put before the script. */
declare const STYLE: string;

interface TokenWeight {
  token: string;
  weight: number;
}
interface Step {
  shadow: string;
  mixture: TokenWeight[];
}
interface Chunk {
  error?: { message: string };
  choices?: {
    delta?: { content?: string };
    finish_reason?: string | null;
    softcot?: { mixtures?: Step[]; boxed?: string | null; thinking_end?: string };
  }[];
  usage?: { completion_tokens: number; completion_tokens_details: { reasoning_tokens: number } } | null;
}

const WAYS = [
  { name: "hard", told: "tokens, one after the other" },
  { name: "soft", told: "mixtures of tokens, with noise" },
  { name: "fuzzy", told: "nearly one token, with noise" },
] as const;

const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const make = <K extends keyof HTMLElementTagNameMap>(tag: K, className = "", text = "") => {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
};

const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);
document.adoptedStyleSheets = [sheet];

const form = byId<HTMLFormElement>("form");
const [ask, stop] = [byId<HTMLButtonElement>("ask"), byId<HTMLButtonElement>("stop")];
const valueOf = (id: string) => byId<HTMLInputElement>(id).value.trim();
const numberOf = (id: string) => valueOf(id) === "" ? undefined : Number(valueOf(id));
const headers = (): Record<string, string> => {
  const key = valueOf("key");
  return { "content-type": "application/json", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) };
};
let running: AbortController | undefined;

async function tellModel(): Promise<void> {
  const response = await fetch("/v1/models", { headers: headers() });
  byId("key-field").hidden = response.status !== 401 && valueOf("key") === "";
  if (!response.ok) {
    return void (byId("model").textContent = response.status === 401 ? "This server wants its key." : "");
  }
  const { data: [{ id, max_model_len }] } = await response.json();
  byId("model").textContent = `${id}, texts of up to ${max_model_len} tokens`;
}

/** A column, and what fills it. */
function createColumn({ name, told }: typeof WAYS[number]) {
  const column = make("section", "way");
  const heading = make("h2", "", name);
  const thought = make("div", "thought");
  const mixtures = make("ol", "mixtures");
  const answer = make("div", "answer");
  const end = make("div", "soft");
  answer.setAttribute("aria-live", "polite");
  column.setAttribute("aria-label", name);
  column.append(heading, make("div", "soft", told), thought, mixtures, answer, end);
  byId("ways").append(column);
  let count = 0;
  return {
    step(step: Step) {
      const number = ++count;
      const button = make("button", step.mixture.length > 1 ? "step mixed" : "step", step.shadow);
      button.type = "button";
      button.setAttribute("aria-expanded", "false");
      button.title = `Step ${number}: what it was made of`;
      let unfolded: HTMLElement | undefined;
      button.addEventListener("click", () => {
        if (unfolded) unfolded.remove();
        unfolded = unfolded ? undefined : mixtureOf(number, step);
        button.setAttribute("aria-expanded", `${unfolded !== undefined}`);
        if (unfolded) mixtures.append(unfolded);
      });
      thought.append(button);
    },
    content: (text: string) => void (answer.textContent += text),
    end: (text: string) => void (end.textContent = text),
    failed(text: string) {
      end.className = "failed";
      end.textContent = text;
    },
  };
}

function mixtureOf(number: number, { mixture }: Step): HTMLElement {
  const item = make("li");
  item.append(make("div", "soft", `step ${number}`));
  for (const { token, weight } of mixture) {
    const line = make("div", "token");
    const meter = make("meter");
    meter.value = weight;
    line.append(make("span", "", JSON.stringify(token)), meter, make("span", "", weight.toFixed(3)));
    item.append(line);
  }
  return item;
}

/** The events of a stream. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Chunk> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let held = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (held + value).split("\n\n");
    held = events.pop()!;
    for (const event of events) {
      const data = event.replace(/^data: /, "");
      if (data !== "[DONE]") yield JSON.parse(data);
    }
  }
}

async function think(way: typeof WAYS[number], signal: AbortSignal): Promise<void> {
  const column = createColumn(way);
  const began = performance.now();
  try {
    const response = await fetch("/v1/chat/completions", {
      method: "POST",
      headers: headers(),
      signal,
      body: JSON.stringify({
        messages: [{ role: "user", content: valueOf("question") }],
        stream: true,
        stream_options: { include_usage: true },
        seed: numberOf("seed"),
        temperature: byId<HTMLInputElement>("greedy").checked ? 0 : 1,
        softcot: {
          thinking: way.name,
          gamma: byId<HTMLInputElement>("greedy").checked ? undefined : numberOf("gamma"),
          max_thinking: numberOf("longest"),
          show_mixtures: true,
        },
      }),
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
    let reason = "";
    for await (const { error, choices = [], usage } of chunksOf(response.body!)) {
      if (error) throw new Error(error.message);
      for (const { delta, softcot, finish_reason } of choices) {
        softcot?.mixtures?.forEach(column.step);
        column.content(delta?.content ?? "");
        if (finish_reason) {
          reason = softcot?.thinking_end === "limit" ? "thought up to the limit" : "thought to an end";
        }
      }
      if (!usage) continue;
      const { completion_tokens, completion_tokens_details: { reasoning_tokens } } = usage;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      column.end(
        `${reasoning_tokens} steps, ${
          completion_tokens - reasoning_tokens
        } tokens of answer, ${seconds} s; ${reason}`,
      );
    }
  } catch (error) {
    column.failed(signal.aborted ? "Stopped." : (error as Error).message);
    if (!signal.aborted) await tellModel().catch(() => {});
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  byId("ways").replaceChildren();
  running = new AbortController();
  [ask.disabled, stop.disabled] = [true, false];
  await Promise.all(WAYS.map((way) => think(way, running!.signal)));
  [ask.disabled, stop.disabled] = [false, true];
});
stop.addEventListener("click", () => running?.abort());
byId("key").addEventListener("change", () => void tellModel().catch(() => {}));
await tellModel().catch(() => {});
