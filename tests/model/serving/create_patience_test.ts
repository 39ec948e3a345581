import { assertEquals } from "@std/assert";
import { createPatience } from "../../../model/serving/create_patience.ts";

/** A device that takes so long for its work, by a clock that only it and sleeping move. */
function play() {
  let time = 1000;
  const slept: number[] = [];
  const patience = createPatience(() => time, (ms) => {
    slept.push(Math.round(ms));
    time += ms;
    return Promise.resolve();
  });
  const work = async (like: string, takes: number) => {
    const done = time + takes;
    const value = await patience.wait(like, time, () => {
      time = Math.max(time, done);
      return Promise.resolve(takes);
    });
    assertEquals(value, takes);
  };
  return { work, slept };
}

Deno.test("most of what such work took last passes by a timer, the rest by the read; what takes less is found out", async () => {
  const { work, slept } = play();
  for (const takes of [100, 100, 100, 10, 10, 10, 10]) await work("a", takes);
  // Known to last 100; then it is there before it is asked for, until the timer is short enough.
  assertEquals(slept, [85, 85, 85, 36, 15, 7]);
  for (let i = 0; i < 2; i++) await work("b", 30);
  await work("a", 10);
  assertEquals(slept.slice(6), [26, 9]);
});

Deno.test("short work is read at once", async () => {
  const { work, slept } = play();
  for (let i = 0; i < 5; i++) await work("a", 3);
  assertEquals(slept, []);
});
