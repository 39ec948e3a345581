/** What strangers may have written where a question, a thought, an answer, a name or a setting is expected. */
export const HOSTILE = {
  markup:
    `<script>globalThis.owned=1</script><img src="x" onerror="globalThis.owned=1">&lt;b&gt; </script><!-- \${1} {{2}}`,
  turned: "\u202Egnp.exe \u2066שלום\u2069 مرحبا \u200b\ufeff\u2028",
  controls: "\u0000\u0007\u001b[31mred\u001b[0m\r\ttab\u0085",
  long: "a".repeat(1 << 20),
  name: `<img src=x onerror=globalThis.owned=1>`,
} as const;

/**
 * Writes a run's folder as a hostile machine might: texts of every kind in every field, then lines that are no records, and a last line that is
 * cut off.
 * @returns how many rollouts can be read, and how many whole lines cannot
 */
export function writeHostileRun(folder: string): { rollouts: number; damaged: number } {
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeTextFileSync(
    `${folder}/config.toml`,
    [
      "steps = 3",
      "seed = 0",
      `task = ${JSON.stringify(HOSTILE.name)}`,
      `thinking = ${JSON.stringify(HOSTILE.name)}`,
    ]
      .join("\n"),
  );
  const metrics = [1, 2].map((step) => ({
    ...{ step, reward: 10, accuracy: 0, [HOSTILE.name]: step, "__proto__x": 1 },
    time: { step: 1, rollout: 0.5, update: 0.4, [HOSTILE.name]: 1 },
  }));
  Deno.writeTextFileSync(
    `${folder}/metrics.jsonl`,
    metrics.map((line) => JSON.stringify(line) + "\n").join(""),
  );
  const texts = [HOSTILE.markup, HOSTILE.turned, HOSTILE.controls, HOSTILE.long];
  const records = texts.map((text, i) => JSON.stringify(recordOf(text, i)));
  const damaged = ["{", "null", "[1, 2]", '"text"', "\u0000\u0001", '{"version": 2, "step": 2, "question'];
  Deno.writeTextFileSync(`${folder}/samples.jsonl`, [...records, ...damaged].join("\n"));
  return { rollouts: records.length, damaged: damaged.length - 1 };
}

/** A record of version 2 with a text wherever there may be one. */
function recordOf(text: string, sample: number): Record<string, unknown> {
  return {
    ...{ version: 2, step: 1, group: sample, id: text.slice(0, 1000), question: text, gold: text, sample },
    ...{
      group_size: 1,
      reward: 10,
      advantage: 0,
      equal: true,
      refilled: true,
      correct: false,
      rule: text.slice(0, 300),
    },
    ...{
      boxed: text,
      way: HOSTILE.name,
      tau: 0.5,
      continuous: true,
      thinking: text,
      thinking_end: text.slice(0, 300),
    },
    ...{
      forced: text,
      answer: text,
      answer_end: text.slice(0, 300),
      thinking_tokens: [0, 1],
      answer_tokens: [0],
    },
    ...{
      thinking_log_probabilities: [-0.5, "x"],
      thinking_entropies: [0.7, null],
      answer_log_probabilities: [-1],
    },
    mixtures: [[[0, 0.6], [1, 0.4]], "x"],
    noise: [1, "x"],
    surprise: [1.4, {}],
    pieces: { 0: text, 1: HOSTILE.markup },
  };
}
