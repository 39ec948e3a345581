/** A server whose device is lost: a driver of these tests plays a card that fails. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { testFolder } from "../../support/folders.ts";
import { playCards } from "../../support/card/play_cards.ts";
import { startServer } from "../support/served.ts";

const folder = await testFolder();
const card = await playCards(folder);

for (const busy of [true, false]) {
  Deno.test({
    name: `a lost device ${
      busy ? "ends what is generated with 503" : "is noticed by the next request"
    }, and the process ends with its reason`,
    ignore: card === undefined,
    async fn() {
      const lost = `${folder}/${crypto.randomUUID()}`;
      const env = { VK_DRIVER_FILES: card!.file, VK_ICD_FILENAMES: card!.file, CARD_LOST: lost };
      await using server = await startServer([], env);
      const ask = () => server.ask("/v1/completions", { prompt: "User: Sam has", n: 32, max_tokens: 200 });
      const before = busy ? ask() : undefined;
      if (busy) {
        while (await server.figure("new_tokens_total") === 0) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
      await Deno.writeTextFile(lost, "");
      const { status, data } = await (before ?? ask());
      assertEquals([status, data.error?.code], [503, "device_failed"], JSON.stringify(data));
      assertEquals((await server.process.status).code, 1);
      // What is said last may come after the status.
      for (let i = 0; i < 50 && !server.said().includes("hint:"); i++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assertStringIncludes(server.said(), "error: Cannot go on: the device was lost (");
      assert(!/^ +at /m.test(server.said()), server.said());
    },
  });
}
