import { assertEquals } from "@std/assert";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import { createAdmission } from "../../../model/serving/admission.ts";
import { createPromptCache } from "../../../model/serving/prompt_cache.ts";
import type { ServingJob } from "../../../model/serving/serving_job.ts";
import { hardThinking } from "../../../model/thinking/hard.ts";
import { tokenizer } from "../support/small_models.ts";

const steps = { thinking: hardThinking(1), key: "token" };
const rules = thinkingRules(tokenizer, { maxThinking: 5, maxAnswer: 5, endTokenIds: [] });

const jobOf = (choices: number, logits: boolean, mixture: boolean): ServingJob => ({
  ...{ request: {}, prompt: [1, 2, 3], keys: Array.from({ length: choices }, (_, i) => i) },
  ...{ steps: { thinking: steps, answer: steps }, rules, plain: false, observed: { logits, mixture } },
  ...{ signal: new AbortController().signal, onAnswer() {}, onTokens: () => false, onEnd() {} },
});

Deno.test("no more choices whose numbers are seen run than there is room for; others run beside them, and one alone always", () => {
  const limits = { atOnce: 8, context: 100, seenPlaces: 3 };
  const admission = createAdmission(tokenizer, createPromptCache(1000), limits);
  const seen = () =>
    admission.running.map(({ job: { observed: { logits, mixture } } }) => +logits + +mixture);
  admission.submit(jobOf(2, true, true));
  admission.submit(jobOf(2, true, false));
  admission.submit(jobOf(3, false, false));
  admission.admit();
  assertEquals(seen().sort(), [0, 0, 0, 1, 2]);
  admission.finish(admission.running.find(({ job }) => job.observed.mixture)!, false);
  admission.admit();
  // A second of the one kind has come, for whose sake the other kind waits.
  assertEquals(seen().sort(), [0, 0, 0, 1, 2]);
  while (admission.running.length > 0) {
    admission.finish(admission.running[0], false);
    admission.admit();
  }
  assertEquals(admission.isIdle(), true);
  const narrow = createAdmission(tokenizer, createPromptCache(1000), { ...limits, seenPlaces: 1 });
  narrow.submit(jobOf(3, true, true));
  narrow.admit();
  assertEquals(narrow.running.length, 1);
});
