import { assertEquals, assertThrows } from "@std/assert";
import { wayOfThinking } from "../../../model/thinking/ways.ts";
import type { ScoreInput } from "../../../model/thinking/thinking.ts";
import { hardThinking } from "../../../model/thinking/hard.ts";

Deno.test("filtered draws are no actions that can be trained on", () => {
  for (const filters of [{ topK: 5 }, { topP: 0.9 }, { minP: 0.1 }]) {
    assertThrows(() => hardThinking(1, filters).score({} as ScoreInput), Error, "all tokens are needed");
  }
});

Deno.test("greedy thinking takes no notice of filters", () => {
  const thinking = wayOfThinking("hard", { greedy: true, gamma: 0, embeddingRms: 1, filters: { topK: 1 } });
  assertEquals([thinking.name, thinking.tau, thinking.continuous], ["hard", 0, false]);
});
