/** The index of a file of rollouts: as it grows, is cut, is damaged, is replaced, and is read again. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileIndex } from "../../../cli/view/index/file_index.ts";
import { MOST_LINE } from "../../../cli/view/index/line_reader.ts";
import { choosable, rolloutMaker, rolloutRows } from "../../../cli/view/index/rollout_rows.ts";
import { inFolder } from "../../support/folders.ts";

const record = (step: number, more = {}) =>
  JSON.stringify({
    version: 2,
    step,
    group: 0,
    id: `q-${step % 7}`,
    sample: 0,
    reward: 10 * (step % 3),
    ...more,
  });
const lines = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => record(first + i) + "\n").join("");

/** An index of `samples.jsonl` in a folder. */
function open(folder: string, writable = true) {
  const maker = rolloutMaker();
  const root = Deno.realPathSync(folder);
  const index = fileIndex({ root, path: `${root}/samples.jsonl`, kind: "test 1", writable }, maker);
  return {
    index,
    readAll: () => index.advance(Infinity),
    /** The steps of its rows; of some, by their places, the lines are held against them. */
    steps: () =>
      index.blocks().flatMap(({ lines, body }) => {
        const rows = rolloutRows(body(), lines)!;
        return Array.from({ length: lines }, (_, i) => {
          if (i % 40 !== 0 && i < lines - 1) return rows.step[i];
          const text = new TextDecoder().decode(index.read(rows.offset[i], rows.length[i]));
          assertEquals(JSON.parse(text).step, rows.step[i]);
          assertEquals(choosable(rows, i, maker.names, "").reward, 10 * (rows.step[i] % 3));
          return rows.step[i];
        });
      }),
    [Symbol.dispose]: () => index[Symbol.dispose](),
  };
}

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

Deno.test("a file that grows is read on, a line that is not ended yet left for later", () =>
  inFolder((folder) => {
    const path = `${folder}/samples.jsonl`;
    using it = open(folder);
    it.readAll();
    assertEquals([it.steps(), it.index.complete], [[], true]);
    Deno.writeTextFileSync(path, lines(1, 3) + record(4).slice(0, 20));
    assert(it.index.changed());
    it.readAll();
    assertEquals([it.steps(), it.index.skipped, it.index.changed()], [upTo(3), 0, false]);
    Deno.writeTextFileSync(path, record(4).slice(20) + "\n" + lines(5, 3000), { append: true });
    it.readAll();
    assertEquals(it.steps(), upTo(3000));
    assertEquals(it.index.lines, 3000);
  }));

Deno.test("damaged lines are passed over and counted, and so is a last one that was cut off", () =>
  inFolder((folder) => {
    const path = `${folder}/samples.jsonl`;
    const damaged = ["", "no JSON", record(9).slice(0, 30) + record(9), '{"step":', "\0\0\0", "[1]"];
    Deno.writeTextFileSync(path, lines(1, 2) + damaged.join("\n") + "\n" + lines(3, 3) + '{"step":4');
    using it = open(folder);
    it.readAll();
    assertEquals([it.steps(), it.index.skipped], [upTo(3), damaged.length]);
    Deno.utimeSync(path, Date.now() / 1000 - 60, Date.now() / 1000 - 60);
    it.readAll();
    assertEquals(it.index.skipped, damaged.length + 1, "nobody has written to it for a minute");
  }));

Deno.test("lines of megabytes are read, and those beyond all measure passed over without being held", () =>
  inFolder((folder) => {
    const path = `${folder}/samples.jsonl`;
    const long = record(2, { question: "x".repeat(3e6) });
    const endless = record(3, { question: "x".repeat(MOST_LINE + 3e6) });
    Deno.writeTextFileSync(path, `${record(1)}\n${long}\n${endless}\n${record(4)}\n`);
    using it = open(folder);
    it.readAll();
    assertEquals([it.steps(), it.index.skipped], [[1, 2, 4], 1]);
  }));

Deno.test("what a line beyond all measure ends with is no line, even where its rest is read as a whole record", () =>
  inFolder((folder) => {
    // A mebibyte is read at a time.
    const dropped = MOST_LINE + 2 ** 20;
    Deno.writeTextFileSync(`${folder}/samples.jsonl`, `${"x".repeat(dropped)}${record(2)}\n${record(3)}\n`);
    using it = open(folder);
    it.readAll();
    assertEquals([it.steps(), it.index.skipped], [[3], 1]);
  }));

Deno.test("the index is kept beside the file, goes on from there, and is of no matter where it is deleted or damaged", () =>
  inFolder((folder) => {
    const path = `${folder}/samples.jsonl`;
    Deno.writeTextFileSync(path, lines(1, 5000));
    {
      using it = open(folder);
      it.readAll();
    }
    const kept = Deno.readFileSync(`${path}.index`);
    assert(kept.length > 4000 * 40 && kept.length < 5000 * 100, `${kept.length} bytes`);
    const check = (what: string) => {
      using it = open(folder);
      it.readAll();
      assertEquals(it.steps(), upTo(5000), what);
    };
    check("as it was left");
    for (
      const [what, bytes] of [
        ["cut", kept.slice(0, kept.length - 1000)],
        ["empty", new Uint8Array()],
        ["of another form", new TextEncoder().encode('{"kind":"softcot 0"}\n')],
        ["no text", kept.map((byte) => byte ^ 0x55)],
      ] as const
    ) {
      Deno.writeFileSync(`${path}.index`, bytes);
      check(what);
    }
    Deno.removeSync(`${path}.index`);
    check("deleted");
  }));

Deno.test("a file that was cut back, written anew or sorted is read anew", () =>
  inFolder((folder) => {
    const path = `${folder}/samples.jsonl`;
    Deno.writeTextFileSync(path, lines(1, 4000));
    using it = open(folder);
    it.readAll();
    Deno.writeTextFileSync(`${path}.new`, lines(1, 2000));
    Deno.renameSync(`${path}.new`, path);
    it.readAll();
    assertEquals(it.steps(), upTo(2000), "as a resumed run leaves it");
    Deno.writeTextFileSync(path, lines(2001, 2500), { append: true });
    it.readAll();
    assertEquals(it.steps(), upTo(2500));
    Deno.truncateSync(path, lines(1, 10).length);
    it.readAll();
    assertEquals(it.steps(), upTo(10));
    Deno.removeSync(path);
    it.readAll();
    assertEquals([it.steps(), it.index.size], [[], 0]);
    Deno.writeTextFileSync(path, lines(1, 3000).split("\n").reverse().slice(1).join("\n") + "\n");
    it.readAll();
    assertEquals(it.steps(), upTo(3000).reverse());
  }));

Deno.test("a file that begins as before and goes on otherwise has an index of its own", () =>
  inFolder((folder) => {
    const path = `${folder}/samples.jsonl`;
    Deno.writeTextFileSync(path, lines(1, 4000));
    {
      using it = open(folder);
      it.readAll();
    }
    Deno.writeTextFileSync(path, lines(1, 2000) + lines(6001, 8500));
    using it = open(folder);
    it.readAll();
    assertEquals(it.steps(), [...upTo(2000), ...upTo(8500).slice(6000)]);
  }));

Deno.test("one process writes the index, others read on in memory; with nothing to be written there is none", () =>
  inFolder((folder) => {
    const path = `${folder}/samples.jsonl`;
    Deno.writeTextFileSync(path, lines(1, 3000));
    {
      using reading = open(folder, false);
      reading.readAll();
      assertEquals(reading.steps(), upTo(3000));
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["samples.jsonl"]);
    }
    using first = open(folder);
    first.readAll();
    using second = open(folder);
    second.readAll();
    assertEquals([first.index.inMemory, second.index.inMemory], [undefined, undefined]);
    Deno.writeTextFileSync(path, lines(3001, 6000), { append: true });
    second.readAll();
    assertMatch(second.index.inMemory!, /another process writes it/);
    first.readAll();
    assertEquals([first.steps(), second.steps()], [upTo(6000), upTo(6000)]);
    assertEquals(first.index.inMemory, undefined);
  }));
