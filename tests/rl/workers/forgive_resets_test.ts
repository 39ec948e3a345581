/** A socket that nobody listens to any more meets a reset: it ends nothing, where other errors still do. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { finish } from "../../cli/support/run_softcot.ts";
import { root } from "../../support/places.ts";

const program = (code: string) => `
  import net from "node:net";
  import { forgiveResets } from "${root}rl/workers/forgive_resets.ts";
  forgiveResets();
  forgiveResets();
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    setTimeout(() => socket.resetAndDestroy(), 20);
  }).listen(0, "127.0.0.1", () => {
    const client = net.connect(server.address().port, "127.0.0.1");
    client.on("connect", () => client.removeAllListeners());
    setTimeout(() => {
      setTimeout(() => { console.log("goes on"); Deno.exit(0); }, 200);
      client.emit("error", Object.assign(new Error("read ${code}"), { code: "${code}" }));
    }, 100);
  });
`;

Deno.test("a reset that is nobody's ends nothing; another error does", async () => {
  const run = (code: string) => finish(Deno.execPath(), ["eval", "--ext=ts", program(code)]);
  for (const code of ["ECONNRESET", "EPIPE"]) {
    const { code: status, stdout, stderr } = await run(code);
    assertEquals([status, stdout], [0, "goes on\n"], stderr);
  }
  const other = await run("EOTHER");
  assertEquals([other.code, other.stdout], [1, ""]);
  assertStringIncludes(other.stderr, "EOTHER");
});
