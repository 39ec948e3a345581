import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const SCRIPT = `
import os, sys, time
os.environ["OPENBLAS_NUM_THREADS"] = "2"
import numpy
for line in sys.stdin:
    m, k, n, times = map(int, line.split())
    a = numpy.full((m, k), 0.5, numpy.float32)
    b = numpy.full((k, n), 0.5, numpy.float32)
    a @ b
    start = time.perf_counter()
    for _ in range(times):
        a @ b
    print((time.perf_counter() - start) / times * 1000, flush=True)
`;

/** NumPy's OpenBLAS with two threads, in a process of its own that waits for its turns. */
export function openBlas(python: string) {
  const child = spawn(python, ["-c", SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    /** Milliseconds of one product in f32. */
    async time(m: number, k: number, n: number, times: number): Promise<number> {
      child.stdin.write(`${m} ${k} ${n} ${times}\n`);
      const { value, done } = await lines.next();
      // Its threads go on spinning for a while, and would halve the speed of whoever comes next.
      await new Promise((resolve) => setTimeout(resolve, 300));
      if (done) throw new Error("Cannot time OpenBLAS: the process ended");
      return Number(value);
    },
    close: () => child.kill(),
  };
}
