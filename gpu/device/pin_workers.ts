import { listSystemFolder, readSystemFile, setAffinity } from "./system_files.ts";

/** Threads of this process, in the order in which they began; none where the system or a permission does not say. */
export function threads(): number[] {
  return listSystemFolder("/proc/self/task").map(Number).sort((a, b) => a - b);
}

/**
 * Gives each of llvmpipe's workers a core of its own (Linux). A dispatch hands every worker its share at once and ends with the
 * last of them, but schedulers like to wake short-lived work beside each other on one core: products of one row then take
 * a third longer. `before`: the threads before the device was opened. Where there is not one worker a core, or something
 * cannot be known or done, the scheduler places them: slower, and right.
 */
export function pinWorkers(before: readonly number[]): void {
  const workers = workersAmong(threads().filter((thread) => !before.includes(thread)));
  const cores = allowedCores();
  if (cores.length < 2 || workers.length !== cores.length) return;
  workers.forEach((thread, i) => {
    const mask = new Uint8Array(Math.ceil((cores[i] + 1) / 64) * 8);
    mask[cores[i] >> 3] = 1 << (cores[i] & 7);
    setAffinity(thread, mask);
  });
}

/** llvmpipe starts its rasterizers, which have names, and then as many workers for compute kernels, which keep ours. */
function workersAmong(started: readonly number[]): number[] {
  const names = started.map((thread) => (readSystemFile(`/proc/self/task/${thread}/comm`) ?? "").trim());
  const rasterizers = names.filter((name) => name.startsWith("llvmpipe-")).length;
  const last = names.findLastIndex((name) => name.startsWith("llvmpipe-"));
  const own = readSystemFile("/proc/thread-self/comm")?.trim();
  const workers = started.filter((_, i) => i > last && names[i] === own);
  return workers.length === rasterizers ? workers : [];
}

/** Cores that the process may run on, of a list such as 0-3,8. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readSystemFile("/proc/self/status") ?? "")?.[1] ?? "";
  return list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
