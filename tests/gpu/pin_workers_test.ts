import { assertEquals, assertMatch } from "@std/assert";
import { threads } from "../../gpu/device/pin_workers.ts";
import { openTestGpu } from "./support.ts";

const { gpu } = await openTestGpu();
const nameOf = (thread: number): string => Deno.readTextFileSync(`/proc/self/task/${thread}/comm`);
const rasterizers = threads().filter((thread) => nameOf(thread).startsWith("llvmpipe-"));

const allowed = (thread: number): string =>
  /^Cpus_allowed_list:\s*(\S+)/m.exec(Deno.readTextFileSync(`/proc/self/task/${thread}/status`))![1];

const isLlvmpipe = Deno.build.os === "linux" && /llvmpipe/.test(gpu.adapter.description);
const cores = navigator.hardwareConcurrency;
/** A device that was told to use fewer workers than there are cores binds none: a process of its own is told otherwise. */
const isToldFewer = Number(Deno.env.get("LP_NUM_THREADS") ?? cores) < cores;

Deno.test({
  name: "each worker of llvmpipe has a core of its own, and no other thread is bound",
  // The device may know of more cores than are allowed.
  ignore: !isLlvmpipe || cores < 2 || !isToldFewer && rasterizers.length !== cores,
  async fn() {
    if (isToldFewer) return void await again();
    const everywhere = allowed(Deno.pid);
    const bound = threads().map(allowed).filter((cores) => cores !== everywhere);
    assertEquals(bound.length, rasterizers.length);
    assertEquals(new Set(bound).size, bound.length);
    for (const cores of bound) assertEquals(cores, String(Number(cores)), "one core");
  },
});

// Threads take their names when they first run: on a busy machine a device may be opened before that, and binds none.
const TRIES = 5;

async function again(): Promise<void> {
  let said = "";
  for (let i = 0; i < TRIES; i++) {
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", import.meta.filename!],
      env: { LP_NUM_THREADS: String(cores), NO_COLOR: "1" },
    }).output();
    said = new TextDecoder().decode(stdout);
    if (success) break;
  }
  assertMatch(said, /1 passed \| 0 failed/);
}
