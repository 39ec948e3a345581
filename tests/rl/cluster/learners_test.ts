/** Processes that train together, over Open MPI as it is: on the software device. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { mpirun, testWithMpi } from "./support/mpirun.ts";

testWithMpi("three learners sum in rank order, and learn in each way what one learns", async () => {
  const program = new URL("support/try_learners.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await mpirun(3, [Deno.execPath(), "run", "-A", "--no-check", program]);
  assertEquals(code, 0, stderr);
  for (const rank of [0, 1, 2]) assertStringIncludes(stdout, `learner ${rank}: all is right`);
});
