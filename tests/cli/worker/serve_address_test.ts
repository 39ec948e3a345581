/** Where weights are served: by address, or by the name of an interface, which is another address on each machine. */
import { assertEquals, assertThrows } from "@std/assert";
import { toldByLearner } from "../../../cli/train/told_by_learner.ts";
import { serveAddress } from "../../../cli/worker/serve_address.ts";
import { UserError } from "../../../gpu/errors.ts";

const INTERFACES = () => [
  { name: "lo", family: "IPv4", address: "127.0.0.1" } as const,
  { name: "ib0", family: "IPv6", address: "fe80::1" } as const,
  { name: "ib0", family: "IPv6", address: "fd00::7" } as const,
  { name: "eth0", family: "IPv6", address: "fd00::8" } as const,
  { name: "eth0", family: "IPv4", address: "10.0.0.7" } as const,
];

Deno.test("an interface's name stands for its address, learners of one machine have a port each", () => {
  const at = (text: string, localRank = 0) => {
    const { host, port } = serveAddress(text, INTERFACES, localRank);
    return [host, port];
  };
  assertEquals(at("eth0"), ["10.0.0.7", 0]);
  assertEquals(at("eth0:9000", 3), ["10.0.0.7", 9003]);
  assertEquals(at("ib0:9000"), ["fd00::7", 9000]);
  assertEquals(at("10.0.0.9", 1), ["10.0.0.9", 0]);
  assertEquals(at("[fd00::9]:80", 1), ["fd00::9", 81]);
  assertEquals(at("node7:0", 1), ["node7", 0]);
  for (const text of ["0.0.0.0", "::", "eth0:port", "eth0:65535"]) {
    assertThrows(
      () => at(text, 1),
      UserError,
      `Cannot serve the weights at ${text}: an address of this machine`,
    );
  }
});

Deno.test("of learners after the first only what goes wrong is told, with their number", () => {
  const line = "failed   worker far could not do a job: nobody is there";
  assertEquals(toldByLearner(0, line), line);
  assertEquals(toldByLearner(2, line), "failed   learner 2: worker far could not do a job: nobody is there");
  assertEquals(toldByLearner(0, "workers  none at nats://x"), "workers  none at nats://x");
  assertEquals(toldByLearner(2, "workers  none at nats://x"), undefined);
});
