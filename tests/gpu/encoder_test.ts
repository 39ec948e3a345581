import { assert, assertEquals } from "@std/assert";
import { createMatrix } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { openTestGpu } from "./support.ts";

Deno.test("uploads are submitted every 64 MiB, so that no copy of a whole model waits", async () => {
  const { gpu } = await openTestGpu();
  const matrix = createMatrix(gpu, 1024, 4096, "f32", "weights");
  const rows = new Float32Array(1024 * 4096); // 16 MiB
  const before = gpu.commands.counts.submits;
  for (let i = 0; i < 9; i++) uploadRows(gpu, matrix, 0, rows.fill(i));
  assertEquals(gpu.commands.counts.submits - before, 2);
  const bytes = await gpu.reader.read({ ...matrix.chunks[0], shape: [4] });
  assert(new Float32Array(bytes, 0, 4).every((value) => value === 8), "the last upload is what is read");
});
