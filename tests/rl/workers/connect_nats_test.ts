/** How NATS servers are reached: by address, password and certificate; what is told of those that cannot be used. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { nkeys } from "@nats-io/transport-node";
import { UserError } from "../../../gpu/errors.ts";
import { connectNats, shownPlace } from "../../../rl/workers/connect_nats.ts";
import { lookAtNats } from "../../../rl/workers/look_at_nats.ts";
import type { NatsRefusal } from "../../../rl/workers/nats_patience.ts";
import { openStreams } from "../../../rl/workers/streams.ts";
import { watchConnection } from "../../../rl/workers/watch_connection.ts";
import { testFolder } from "../../support/folders.ts";
import { until } from "../../support/until.ts";
import { startNats, testWithNats } from "../../workers/support/nats_server.ts";

const folder = await testFolder();

testWithNats("a server is looked at without a change; streams are made once", async () => {
  await using nats = await startNats();
  const before = await lookAtNats({ url: nats.url });
  assertEquals([before.url, before.problem, before.storedBytes], [nats.url, undefined, 0]);
  assertEquals([before.maxPayload, before.workersWaiting], [2 ** 20, undefined]);
  assert(before.roundTripMs! >= 0 && /^\d/.test(before.version!));
  const connection = await connectNats({ url: nats.url }, "test");
  await openStreams(connection);
  await openStreams(connection);
  await connection.close();
  const { workersWaiting, jobsWaiting, resultsWaiting } = await lookAtNats({ url: nats.url });
  assertEquals([workersWaiting, jobsWaiting, resultsWaiting], [0, 0, 0]);
});

testWithNats("a password in the address lets in, is never shown, and a wrong one is told", async () => {
  const config = `${folder}/users.conf`;
  Deno.writeTextFileSync(config, `authorization { users: [ { user: "ann", password: "p@ss" } ] }`);
  await using nats = await startNats(["-c", config]);
  const withUser = (words: string) => ({ url: nats.url.replace("//", `//${words}@`) });
  const connection = await connectNats(withUser("ann:p%40ss"), "test");
  await connection.close();
  assertEquals(shownPlace(withUser("ann:p%40ss")), nats.url);
  const refused = await assertRejects(() => connectNats(withUser("ann:wrong"), "test"), UserError);
  assertStringIncludes(refused.message, `Cannot use the NATS server at ${nats.url}: it does not let us in`);
  assertStringIncludes(refused.hint!, "--creds FILE");
  assertStringIncludes((await lookAtNats({ url: nats.url })).problem!, "it does not let us in");
});

testWithNats(
  "who is not let in any more says so, is there again once it is let in, and ends where that is not to be borne",
  async () => {
    const config = `${folder}/changed.conf`;
    const password = (one: string) =>
      Deno.writeTextFileSync(config, `authorization { users: [ { user: "ann", password: "${one}" } ] }`);
    password("old");
    await using nats = await startNats(["-c", config]);
    const url = nats.url.replace("//", "//ann:old@");
    const said: string[] = [];
    const ended: NatsRefusal[] = [];
    const [patient, other] = [await connectNats({ url }, "patient"), await connectNats({ url }, "other")];
    const listener = {
      say: (line: string) => said.push(line),
      warn() {},
      ended: (why: NatsRefusal) => ended.push(why),
    };
    watchConnection(patient, nats.url, listener);
    watchConnection(other, nats.url, { ...listener, say() {} }, 1000);
    password("new");
    await nats.restart();
    await until(() => ended.length > 0, "one has had enough");
    assertStringIncludes(
      ended[0].message,
      `Cannot go on with the NATS server at ${nats.url}: it does not let us in any more (authorization violation)`,
    );
    password("old");
    await nats.restart();
    await until(() => said.some((line) => line.includes("is there again")), "the other is let in");
    assertEquals(patient.isClosed(), false);
    await patient.flush();
    assertEquals(said, [
      `the connection to ${nats.url} broke: waiting for the server`,
      `${nats.url} does not let us in any more (authorization violation): waiting for new credentials`,
      `${nats.url} is there again`,
    ]);
    await Promise.all([patient.close(), other.close()]);
  },
);

testWithNats("TLS: the server's certificate is held against who is said to have signed it", async () => {
  if (!await makeCertificate()) return console.log("skipped: TLS (no openssl here)");
  const tls = ["--tls", "--tlscert", `${folder}/cert.pem`, "--tlskey", `${folder}/key.pem`];
  await using nats = await startNats(tls);
  const url = nats.url.replace("nats://127.0.0.1", "tls://localhost");
  const connection = await connectNats({ url, tlsCa: `${folder}/cert.pem` }, "test");
  assert(connection.info!.tls_required);
  await connection.close();
  const refused = await assertRejects(() => connectNats({ url }, "test"), UserError);
  assertStringIncludes(refused.hint!, "--tls-ca");
});

testWithNats("TLS that is asked for is not done without", async () => {
  await using nats = await startNats();
  const url = nats.url.replace("nats:", "tls:");
  await assertRejects(() => connectNats({ url }, "test"), UserError, "does not support 'tls'");
});

testWithNats("credentials in a file let in, those of another account do not", async () => {
  const operator = nkeys.createOperator();
  const [account, system, stranger] = [nkeys.createAccount(), nkeys.createAccount(), nkeys.createAccount()];
  const limits = {
    mem_storage: -1,
    disk_storage: -1,
    streams: -1,
    consumer: -1,
    subs: -1,
    data: -1,
    payload: -1,
    conn: -1,
  };
  const config = `${folder}/operator.conf`;
  const known = Object.entries({
    [account.getPublicKey()]: token(operator, account, "account", { limits }),
    [system.getPublicKey()]: token(operator, system, "account", {
      limits: { ...limits, mem_storage: 0, disk_storage: 0 },
    }),
  });
  Deno.writeTextFileSync(
    config,
    `operator: "${token(operator, operator, "operator", {})}"
resolver: MEMORY
system_account: ${system.getPublicKey()}
resolver_preload: { ${known.map(([key, jwt]) => `${key}: "${jwt}"`).join("\n")} }`,
  );
  await using nats = await startNats(["-c", config]);
  const place = { url: nats.url, creds: credsOf(account, "ours") };
  const connection = await connectNats(place, "test");
  await openStreams(connection);
  await connection.close();
  const refused = await assertRejects(
    () => connectNats({ ...place, creds: credsOf(stranger, "theirs") }, "test"),
    UserError,
  );
  assertStringIncludes(refused.hint!, `the credentials in ${folder}/theirs.creds are not for it`);
  // Renewed while the connection is there: the next one is made with what the file has by then, or had when it was whole.
  const right = Deno.readTextFileSync(place.creds);
  const renewed = await connectNats(place, "test");
  const said: string[] = [];
  watchConnection(renewed, nats.url, { say: (line) => said.push(line), warn() {}, ended() {} });
  Deno.copyFileSync(`${folder}/theirs.creds`, place.creds);
  await renewed.reconnect();
  await until(() => said.some((line) => line.includes("does not let us in")), "they are read anew");
  Deno.writeTextFileSync(place.creds, right);
  await until(() => said.some((line) => line.includes("is there again")), "it is let in");
  Deno.writeTextFileSync(place.creds, right.slice(0, right.length / 2));
  await renewed.reconnect();
  await until(() => said.filter((line) => line.includes("is there again")).length > 1, "it is let in again");
  await renewed.close();
});

type Pair = ReturnType<typeof nkeys.createUser>;

/** A JWT as NATS has them: who issues it says something of a subject. */
function token(issuer: Pair, subject: Pair, type: string, claims: object): string {
  const part = (data: string | Uint8Array) =>
    encodeBase64Url(typeof data === "string" ? new TextEncoder().encode(data) : data);
  const told = {
    jti: crypto.randomUUID(),
    iat: 1,
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: type,
  };
  const text = [{ typ: "JWT", alg: "ed25519-nkey" }, { ...told, nats: { ...claims, type, version: 2 } }]
    .map((one) => part(JSON.stringify(one))).join(".");
  return `${text}.${part(issuer.sign(new TextEncoder().encode(text)))}`;
}

const encodeBase64Url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** A file of credentials for a new user of an account, as nsc writes it. */
function credsOf(account: Pair, name: string): string {
  const user = nkeys.createUser();
  const seed = new TextDecoder().decode(user.getSeed());
  const path = `${folder}/${name}.creds`;
  const block = (what: string, text: string) =>
    `-----BEGIN ${what}-----\n${text}\n------END ${what}------\n\n`;
  const limits = { subs: -1, data: -1, payload: -1 };
  Deno.writeTextFileSync(
    path,
    block("NATS USER JWT", token(account, user, "user", limits)) + block("USER NKEY SEED", seed),
  );
  return path;
}

Deno.test("addresses that are none, and files that are not there, are told", async () => {
  for (const url of ["http://x", "nats://", "nats://ann:secret@"]) {
    const refused = await assertRejects(
      () => connectNats({ url }, "test"),
      UserError,
      "as the address of a NATS server",
    );
    assert(!refused.message.includes("secret"));
  }
  const creds = `${folder}/none.creds`;
  await assertRejects(
    () => connectNats({ url: "x", creds }, "test"),
    UserError,
    `Cannot read the credentials in ${creds}`,
  );
});

/** A certificate for this machine that signs itself. */
async function makeCertificate(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("openssl", {
      args: [
        ...[
          "req",
          "-x509",
          "-newkey",
          "ec",
          "-pkeyopt",
          "ec_paramgen_curve:prime256v1",
          "-nodes",
          "-days",
          "2",
        ],
        ...["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`, "-subj", "/CN=localhost"],
        ...[
          "-addext",
          "subjectAltName=DNS:localhost,IP:127.0.0.1",
          "-addext",
          "basicConstraints=critical,CA:FALSE",
        ],
      ],
      ...{ stdout: "null", stderr: "null" },
    }).output();
    return success;
  } catch {
    return false;
  }
}
