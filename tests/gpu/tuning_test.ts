import { assert, assertEquals } from "@std/assert";
import type { MatmulFamily } from "../../gpu/gpu.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { createMatrix } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { matmulNN, matmulNT, matmulTN } from "../../gpu/ops/matmul/matmul.ts";
import { tuningClass } from "../../gpu/ops/matmul/choose_kernel.ts";
import { tuneMatmul } from "../../gpu/ops/matmul/tune_matmul.ts";
import { readTuning, type TunedTile, tuningPath, writeTuning } from "../../gpu/tuning.ts";
import { random32 } from "./support.ts";

const TILES: Record<MatmulFamily, TunedTile[]> = {
  broadcast: [
    { family: "broadcast", rows: 4, perThread: 8, depth: 8 },
    { family: "broadcast", rows: 16, perThread: 8, depth: 4 },
  ],
  tile: [
    { family: "tile", rows: 32, perThread: 4, depth: 16 },
    { family: "tile", rows: 16, cols: 64, perThread: 4, depth: 16 },
    { family: "split", rows: 8, cols: 8, perThread: 2, depth: 8 },
  ],
};

for (const family of ["broadcast", "tile"] as const) {
  Deno.test(`${family}: whatever tile was measured to be the best, products have the same bits`, async () => {
    const gpu = await openGpu({ matmulFamily: family });
    for (const [m, n, k] of [[9, 40, 24], [5, 36, 16], [3, 40, 200]]) {
      const x = gpu.arena.create([m, k], "f32", "x");
      const y = gpu.arena.create([m, n], "f32", "y");
      const w = createMatrix(gpu, n, k, "f32", "w");
      const grad = createMatrix(gpu, n, k, "f32", "grad");
      gpu.commands.upload(x, Float32Array.from(random32(m * k, 1)));
      uploadRows(gpu, w, 0, Float32Array.from(random32(n * k, 2)));
      const results = async () => {
        matmulNT(gpu, x, w, y);
        matmulTN(gpu, y, x, grad);
        const dx = gpu.arena.create([m, k], "f32", "dx");
        matmulNN(gpu, y, w, dx);
        const read = [y, dx, grad.chunks[0]].map((tensor) => gpu.reader.read(tensor));
        const words = (await Promise.all(read)).map((bytes) => new Uint32Array(bytes));
        gpu.arena.free(dx);
        return words;
      };
      const expected = await results();
      for (const tile of Object.values(TILES).flat()) {
        for (const kind of ["nt", "nn", "tn"] as const) {
          for (const rows of [m, n]) {
            for (const cols of [n, k]) gpu.tuning.set(tuningClass(kind, "f32", { m: rows, n: cols }), tile);
          }
        }
        assertEquals(await results(), expected, JSON.stringify(tile));
        gpu.tuning.clear();
      }
    }
    const ran = (part: string) => [...gpu.pipelines.keys()].some((label) => label.includes(part));
    assert(ran(family === "tile" ? "_tile_16x64x4" : "_broadcast_4x"), "tuned tiles were run");
    assertEquals([ran("_broadcast_"), ran("_split_4x8x2x8"), ran("_tile_32x32x4")], [
      family === "broadcast",
      ...[family === "tile", family === "tile"],
    ]);
    gpu.close();
  });
}

Deno.test("a tuning is kept by adapter and driver, and one that is damaged is none", async () => {
  const gpu = await openGpu();
  const cache = Deno.env.get("XDG_CACHE_HOME");
  const folder = Deno.makeTempDirSync();
  try {
    Deno.env.set("XDG_CACHE_HOME", folder);
    const tuning = new Map([["nt f32 1 wide", TILES.broadcast[0]], ["tn f32 129- narrow", TILES.tile[1]]]);
    const path = writeTuning(gpu.adapter, tuning);
    assertEquals(path, tuningPath(gpu.adapter));
    assertEquals(readTuning(gpu.adapter), tuning);
    assertEquals(readTuning({ ...gpu.adapter, description: "another driver" }), new Map());
    const other = await openGpu();
    assertEquals(other.tuning, tuning);
    other.close();
    Deno.writeTextFileSync(path, '{"nt f32 1 wide": {"family": "broadcast", "rows": 3}}');
    assertEquals(readTuning(gpu.adapter), new Map());
    Deno.writeTextFileSync(path, "{");
    assertEquals(readTuning(gpu.adapter), new Map());
  } finally {
    if (cache === undefined) Deno.env.delete("XDG_CACHE_HOME");
    else Deno.env.set("XDG_CACHE_HOME", cache);
    Deno.removeSync(folder, { recursive: true });
    gpu.close();
  }
});

for (const family of ["broadcast", "tile"] as const) {
  Deno.test(`${family}: tuning measures each class of products and keeps its fastest tile`, async () => {
    const gpu = await openGpu({ matmulFamily: family });
    const classes = tuneMatmul(gpu, 1);
    const first = await classes.next();
    await classes.return(undefined);
    assert(!first.done);
    const { name, tiles } = first.value;
    assertEquals(name, "nt f32 1 narrow");
    assert(tiles.length >= 3 && tiles.every(({ gflops }) => gflops > 0));
    const families = new Set(tiles.map(({ tile }) => tile === "default" ? tile : tile.family));
    assertEquals(
      [...families].sort(),
      [...(family === "tile" ? ["split", "tile"] : [family]), "default"].sort(),
    );
    const [best] = tiles;
    assertEquals(gpu.tuning.get(name), best.tile === "default" ? undefined : best.tile);
    gpu.close();
  });
}
