/** What a server never takes ends at once with what to do; what it does not take for long is told; what comes again and again is told at times. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { jetstream } from "@nats-io/jetstream";
import { pause } from "../../../gpu/pause.ts";
import { connectNats } from "../../../rl/workers/connect_nats.ts";
import { natsPatience, NatsRefusal } from "../../../rl/workers/nats_patience.ts";
import { sayAtTimes } from "../../../rl/workers/say_at_times.ts";
import { jobSubject, openStreams } from "../../../rl/workers/streams.ts";
import { testFolder } from "../../support/folders.ts";
import { startNats, testWithNats } from "../../workers/support/nats_server.ts";

const folder = await testFolder();

testWithNats(
  "a message that is too large or not allowed is refused, a queue that is full waited for",
  async () => {
    const config = `${folder}/nats.conf`;
    Deno.writeTextFileSync(
      config,
      `max_payload: 65536
     authorization { users: [
       { user: "ann", password: "x" }
       { user: "bob", password: "x", permissions: { publish: { deny: ["softcot-jobs.>"] } } }
     ] }`,
    );
    await using nats = await startNats(["-c", config]);
    const as = (user: string) => connectNats({ url: nats.url.replace("//", `//${user}:x@`) }, "test");
    const [ann, bob] = [await as("ann"), await as("bob")];
    const manager = await openStreams(ann);
    const said: string[] = [];
    const give = async (connection: typeof ann, text: string, silent?: number) => {
      const patience = natsPatience(connection, "give a job to workers", (line) => said.push(line), silent);
      await jetstream(connection).publish(jobSubject("session"), text).catch(patience.failed);
      return patience;
    };
    const large = await assertRejects(() => give(ann, "x".repeat(70_000)), NatsRefusal);
    assertEquals(
      large.message,
      "Cannot give a job to workers: it is larger than a message of the NATS server may be, 65536 bytes",
    );
    const denied = await assertRejects(() => give(bob, "x"), NatsRefusal);
    assertStringIncludes(denied.message, "Cannot give a job to workers: the NATS server does not allow it");
    assertEquals(said, []);
    await manager.streams.update("softcot-jobs", { max_msgs: 1 });
    await give(ann, "x");
    await give(ann, "x", 0);
    assertEquals(said.length, 1);
    assertStringIncludes(said[0], 'the NATS server says "maximum messages exceeded"');
    await Promise.all([ann.close(), bob.close()]);
  },
);

Deno.test("a line that comes again is said again after a while, with how often it came", async () => {
  const said: string[] = [];
  const say = sayAtTimes((line) => said.push(line), 100);
  for (const line of ["a", "a", "b", "a"]) say(line);
  say("one of c", "c");
  say("another of c", "c");
  await pause(120);
  for (const line of ["a", "b"]) say(line);
  say("a third of c", "c");
  const again = (times: number) => ` (${times} times since the last such line)`;
  assertEquals(said, ["a", "b", "one of c", `a${again(3)}`, "b", `a third of c${again(2)}`]);
});
