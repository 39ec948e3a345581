/** Threads of this process, in the order in which they began. */
export const threads = (): number[] =>
  Deno.build.os !== "linux"
    ? []
    : [...Deno.readDirSync("/proc/self/task")].map(({ name }) => Number(name)).sort((a, b) => a - b);

/**
 * Gives each of the software device's workers a core of its own. A dispatch hands every worker its share at once and ends with
 * the last of them, but schedulers like to wake short-lived work beside each other on one core: products of one row then take
 * a third longer. `before`: the threads before the device was opened. Does nothing where threads are not those of llvmpipe.
 */
export function pinWorkers(before: readonly number[]): void {
  const workers = workersAmong(threads().filter((thread) => !before.includes(thread)));
  const cores = allowedCores();
  if (workers.length < 2 || cores.length < 2) return;
  let libc;
  try {
    libc = Deno.dlopen("libc.so.6", {
      sched_setaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
    });
  } catch {
    return; // Another C library, or no permission: slower, and right.
  }
  workers.forEach((thread, i) => {
    const core = cores[i % cores.length];
    const mask = new Uint8Array(Math.ceil((core + 1) / 64) * 8);
    mask[core >> 3] = 1 << (core & 7);
    libc.symbols.sched_setaffinity(thread, BigInt(mask.length), mask);
  });
  libc.close();
}

/** llvmpipe starts its rasterizers, which have names, and then as many workers for compute kernels, which keep ours. */
function workersAmong(started: readonly number[]): number[] {
  const names = started.map(nameOf);
  const rasterizers = names.filter((name) => name.startsWith("llvmpipe-")).length;
  const last = names.findLastIndex((name) => name.startsWith("llvmpipe-"));
  const own = Deno.readTextFileSync("/proc/thread-self/comm").trim();
  const workers = started.filter((_, i) => i > last && names[i] === own);
  return workers.length === rasterizers ? workers : [];
}

const nameOf = (thread: number): string => Deno.readTextFileSync(`/proc/self/task/${thread}/comm`).trim();

/** Cores that the process may run on, of a list such as 0-3,8. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1] ?? "";
  return list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
