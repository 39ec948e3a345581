/** Rollouts are cut into parts of equal size, none is lost or made twice. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cutJobs } from "../../../rl/workers/cut_jobs.ts";

const jobsOf = (sizes: readonly number[], length = 3) => {
  let id = 100;
  return sizes.map((size, i) => ({
    prompt: Array<number>(length).fill(i),
    rolloutIds: Array.from({ length: size }, () => id++),
  }));
};

Deno.test("parts in a row hold every rollout once, with its prompt and the job that it is of", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }),
    fc.integer({ min: 1, max: 20 }),
    fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
    (sizes, parts, mostRollouts) => {
      const jobs = jobsOf(sizes);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const cut = cutJobs(jobs, { parts, mostRollouts, mostBytes: 1e6 });
      let first = 0;
      for (const part of cut) {
        assertEquals(part.first, first);
        assertEquals(part.count, part.jobs.reduce((sum, { rolloutIds }) => sum + rolloutIds.length, 0));
        part.jobs.forEach(({ prompt }, i) => assertEquals(prompt, jobs[part.owners[i]].prompt));
        assert(part.count <= (mostRollouts ?? total));
        first += part.count;
      }
      const ids = cut.flatMap(({ jobs }) => jobs.flatMap(({ rolloutIds }) => Array.from(rolloutIds)));
      assertEquals(ids, jobs.flatMap(({ rolloutIds }) => rolloutIds));
      const counts = cut.map(({ count }) => count);
      assert(Math.max(...counts) - Math.min(...counts) <= 1, `${counts}`);
      assert(cut.length >= Math.min(parts, total));
    },
  ));
});

Deno.test("no part is longer than a message, but for a prompt that is so by itself", () => {
  const cut = cutJobs(jobsOf([4, 4, 4, 4], 1000), { parts: 1, mostBytes: 25_000 });
  assertEquals(cut.map(({ owners }) => owners), [[0, 1], [2, 3]]);
  assertEquals(cutJobs(jobsOf([2, 2], 1000), { parts: 1, mostBytes: 100 }).map(({ count }) => count), [2, 2]);
});
