/** What runs leave on disk, read and compared. */
import { assert, assertEquals } from "@std/assert";
import { assertSameFiles } from "../../support/assert_same_files.ts";
import { jsonLines } from "../../support/json_lines.ts";

/** Lines of a file; 0 where it is not there yet. */
export function linesIn(path: string): number {
  try {
    return Deno.readTextFileSync(path).split("\n").length - 1;
  } catch {
    return 0;
  }
}

/** The metrics of a run, without what depends on the clock. */
export function metricsOf(out: string): Record<string, unknown>[] {
  return jsonLines(`${out}/metrics.jsonl`).map(({ time, ...rest }) => {
    assert(time.step > 0 && Number.isFinite(time.rollout_tokens_per_second));
    return rest;
  });
}

/** Names of a run's checkpoints, the oldest first. */
export const checkpointsOf = (out: string): string[] =>
  [...Deno.readDirSync(`${out}/checkpoints`)].map((entry) => entry.name).sort();

/** Fails unless two runs logged the same and ended with the same bytes. */
export function assertSameRun(actual: string, expected: string): void {
  assertEquals(metricsOf(actual), metricsOf(expected));
  const text = (path: string) => Deno.readTextFileSync(path);
  assertEquals(text(`${actual}/samples.jsonl`), text(`${expected}/samples.jsonl`));
  const last = checkpointsOf(expected).at(-1)!;
  assertEquals(checkpointsOf(actual).at(-1), last);
  const best = Deno.readTextFileSync(`${expected}/best`).trim();
  assertEquals(Deno.readTextFileSync(`${actual}/best`).trim(), best);
  for (const folder of [`checkpoints/${last}`, best]) {
    const names = [...Deno.readDirSync(`${expected}/${folder}`)].map((entry) => entry.name).sort();
    assert(names.some((name) => /^(adapter_)?model\.safetensors$/.test(name)));
    assert(names.includes("optimizer.safetensors"));
    assertEquals([...Deno.readDirSync(`${actual}/${folder}`)].map((entry) => entry.name).sort(), names);
    assertSameFiles(`${actual}/${folder}`, `${expected}/${folder}`);
  }
}
