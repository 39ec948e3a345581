import { assertEquals, assertThrows } from "@std/assert";
import { createKvRows } from "../../../model/generation/kv_rows.ts";

Deno.test("KV rows are lent to prefixes from the first gap, and gaps grow together again", () => {
  const rows = createKvRows(100, { prefixRows: 100, slots: 0, slotRows: 1 });
  const [a, b, c] = [rows.takePrefix(30), rows.takePrefix(30), rows.takePrefix(40)];
  assertEquals([a, b, c, rows.takePrefix(1)], [0, 30, 60, null]);
  rows.releasePrefix(30, 30);
  assertEquals([rows.takePrefix(31), rows.takePrefix(10)], [null, 30]);
  rows.releasePrefix(0, 30);
  rows.releasePrefix(30, 10);
  assertEquals(rows.takePrefix(60), 0);
  rows.releasePrefix(60, 40);
  rows.releasePrefix(0, 60);
  assertEquals(rows.takePrefix(100), 0);
});

Deno.test("slots lie behind the prefixes' rows, and the one released last is taken first", () => {
  const rows = createKvRows(40, { prefixRows: 10, slots: 3, slotRows: 8 });
  const [a, b, c] = [rows.takeSlot(), rows.takeSlot(), rows.takeSlot()];
  assertEquals([a, b, c].map(({ start, rows }) => [start, rows]), [[10, 8], [18, 8], [26, 8]]);
  assertEquals(rows.freeSlots, 0);
  rows.releaseSlot(a);
  rows.releaseSlot(c);
  assertEquals([rows.freeSlots, rows.takeSlot(), rows.takeSlot()], [2, c, a]);
});

Deno.test("more KV rows than there are, and rows that are free already, are refused", () => {
  const refuse = (work: () => unknown, what: string) => assertThrows(work, Error, what);
  refuse(
    () => createKvRows(33, { prefixRows: 10, slots: 3, slotRows: 8 }),
    "Cannot divide a KV cache of 33 rows: 10 for prefixes and 3 slots of 8 are 34, at most 33",
  );
  const rows = createKvRows(34, { prefixRows: 10, slots: 1, slotRows: 8 });
  const slot = rows.takeSlot();
  refuse(() => rows.takeSlot(), "Cannot take a slot: all 1 are taken, a free one is needed");
  rows.releaseSlot(slot);
  refuse(() => rows.releaseSlot(slot), "Cannot release the slot at KV row 10: it is free");
  refuse(() => rows.takePrefix(0), "Cannot take 0 KV rows: at least 1 is needed");
  rows.takePrefix(10);
  rows.releasePrefix(2, 4);
  refuse(() => rows.releasePrefix(5, 2), "Cannot release KV rows 5 to 7: some are free");
  refuse(() => rows.releasePrefix(8, 3), "Cannot release KV rows 8 to 11: some are free or past 10");
});
