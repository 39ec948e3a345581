import { assertEquals } from "@std/assert";
import { threads } from "../../gpu/device/pin_workers.ts";
import { openTestGpu } from "./support.ts";

const { gpu } = await openTestGpu();
const nameOf = (thread: number): string => Deno.readTextFileSync(`/proc/self/task/${thread}/comm`);
const rasterizers = threads().filter((thread) => nameOf(thread).startsWith("llvmpipe-"));

const allowed = (thread: number): string =>
  /^Cpus_allowed_list:\s*(\S+)/m.exec(Deno.readTextFileSync(`/proc/self/task/${thread}/status`))![1];

Deno.test({
  name: "each worker of llvmpipe has a core of its own, and no other thread is bound",
  // The device may have been told to use fewer workers, or may know of more cores than are allowed.
  ignore: Deno.build.os !== "linux" || !/llvmpipe/.test(gpu.adapter.description) ||
    navigator.hardwareConcurrency < 2 || rasterizers.length !== navigator.hardwareConcurrency,
  fn() {
    const everywhere = allowed(Deno.pid);
    const bound = threads().map(allowed).filter((cores) => cores !== everywhere);
    assertEquals(bound.length, rasterizers.length);
    assertEquals(new Set(bound).size, bound.length);
    for (const cores of bound) assertEquals(cores, String(Number(cores)), "one core");
  },
});
