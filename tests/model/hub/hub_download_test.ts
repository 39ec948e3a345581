/** One file of a pull: broken off, damaged, lied about, waited for; what is kept of it, and what is never taken for it. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { PullProgress } from "../../../model/hub/pull_repo.ts";
import { cachedSnapshot } from "../../../model/hub/hub_cache.ts";
import { fill, onSmallDisk } from "../../support/small_disk.ts";
import { withEnv } from "../../support/with_env.ts";
import { blobSha1 } from "../support/content_hashes.ts";
import { ranged, type Seen, someBytes } from "../support/fake_hub.ts";
import { BLOB, refused, weightRequests, WEIGHTS, withHub } from "../support/with_hub.ts";

/** Promises all bytes from `from` on, sends a few of them, and breaks the connection. */
function brokenOff(bytes: Uint8Array<ArrayBuffer>, from: number, count: number): Response {
  const body = new Blob([bytes.subarray(from, from + count)]).stream();
  const length = { "content-length": `${bytes.length - from}` };
  if (from === 0) return new Response(body, { headers: length });
  const range = { ...length, "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  return new Response(body, { status: 206, headers: range });
}

Deno.test("a server that breaks off is asked for the rest, as long as something comes", () =>
  withHub(async ({ hub, repo, pull, notices }) => {
    hub.misbehave = ({ server, range }) => {
      const from = Number(range?.match(/\d+/)?.[0] ?? 0);
      if (server === "hub" || from > 200_000) return undefined;
      return brokenOff(WEIGHTS, from, 30_000);
    };
    await pull();
    const ranges = weightRequests(hub).map(({ range }) => range);
    assertEquals(ranges, [null, ...[1, 2, 3, 4, 5, 6, 7].map((i) => `bytes=${i * 30_000}-`)]);
    assertEquals(Deno.readFileSync(`${repo}/blobs/${BLOB}`), WEIGHTS);
    assert(
      notices.length === 7 && notices.every((text) => /the connection broke|ended model/.test(text)),
      notices[0],
    );
  }));

Deno.test("a pull that was stopped leaves what came, under no false name, and the next goes on from there", () =>
  withHub(async ({ hub, repo, pull }) => {
    let sending = 0;
    const controller = new AbortController();
    hub.misbehave = ({ server }) => {
      if (server === "hub") return undefined;
      const body = new ReadableStream({
        async pull(stream) {
          if (sending < 5) stream.enqueue(WEIGHTS.subarray(sending * 20_000, ++sending * 20_000));
          else await new Promise(() => {});
        },
      });
      return new Response(body);
    };
    const onProgress = ({ bytes }: PullProgress) => {
      if (bytes > 100_000) controller.abort();
    };
    await assertRejects(() => pull({ signal: controller.signal, onProgress }), DOMException);
    assertEquals(Deno.statSync(`${repo}/blobs/${BLOB}.incomplete`).size, 100_000);
    assertEquals(cachedSnapshot("model", "org/name"), undefined);
    hub.misbehave = undefined;
    const { fetchedBytes } = await pull();
    assertEquals([weightRequests(hub).at(-1)!.range, fetchedBytes], ["bytes=100000-", 200_000]);
    assertEquals(Deno.readFileSync(`${repo}/blobs/${BLOB}`), WEIGHTS);
    assertEquals([...Deno.readDirSync(`${repo}/blobs`)].length, 3);
  }));

Deno.test("a server that ignores Range sends everything, and the file is right all the same", () =>
  withHub(async ({ hub, repo, pull }) => {
    await Deno.mkdir(`${repo}/blobs`, { recursive: true });
    Deno.writeFileSync(`${repo}/blobs/${BLOB}.incomplete`, WEIGHTS.subarray(0, 1234));
    hub.misbehave = ({ server }) => server === "cdn" ? new Response(WEIGHTS) : undefined;
    await pull();
    assertEquals(weightRequests(hub).map(({ range }) => range), ["bytes=1234-"]);
    assertEquals(Deno.readFileSync(`${repo}/blobs/${BLOB}`), WEIGHTS);
  }));

Deno.test("a part that an earlier run damaged is thrown away and fetched anew; one that is too long as well", () =>
  withHub(async ({ hub, repo, pull }) => {
    const incomplete = `${repo}/blobs/${BLOB}.incomplete`;
    await Deno.mkdir(`${repo}/blobs`, { recursive: true });
    Deno.writeFileSync(incomplete, new Uint8Array(1234));
    await pull();
    assertEquals(weightRequests(hub).map(({ range }) => range), ["bytes=1234-", null]);
    Deno.removeSync(`${repo}/blobs/${BLOB}`);
    Deno.writeFileSync(incomplete, new Uint8Array(WEIGHTS.length + 1));
    await pull();
    assertEquals(weightRequests(hub).at(-1)!.range, null);
    Deno.removeSync(`${repo}/blobs/${BLOB}`);
    Deno.writeFileSync(incomplete, WEIGHTS);
    const { fetchedBytes } = await pull();
    assertEquals([weightRequests(hub).length, fetchedBytes], [3, 0]);
    assertEquals(Deno.readFileSync(`${repo}/blobs/${BLOB}`), WEIGHTS);
  }));

const sizeLies: Record<string, [Response | (() => Response), string]> = {
  "announces less": [
    new Response(WEIGHTS.subarray(0, 1000)),
    "lists 300000 bytes, the server announces 1000",
  ],
  "sends more": [
    () => new Response(new Blob([WEIGHTS, WEIGHTS]).stream()),
    "lists 300000 bytes, the server sends more than that",
  ],
  "names another whole": [
    new Response(WEIGHTS.subarray(9), {
      status: 206,
      headers: { "content-range": `bytes 9-300000/300001` },
    }),
    "the server has 300001",
  ],
  "begins elsewhere": [
    new Response(WEIGHTS.subarray(10), {
      status: 206,
      headers: { "content-range": `bytes 10-299999/300000` },
    }),
    "answers bytes 9- with bytes 10-299999/300000",
  ],
};

for (const [name, [response, message]] of Object.entries(sizeLies)) {
  Deno.test(`a server that lies about sizes is told on: it ${name}`, () =>
    withHub(async ({ hub, repo, pull }) => {
      await Deno.mkdir(`${repo}/blobs`, { recursive: true });
      if (/whole|elsewhere/.test(name)) {
        Deno.writeFileSync(`${repo}/blobs/${BLOB}.incomplete`, WEIGHTS.subarray(0, 9));
      }
      hub.misbehave = ({ server }) =>
        server === "cdn" ? typeof response === "function" ? response() : response : undefined;
      await refused(pull(), message, "proxy");
      assertEquals(weightRequests(hub).length, 1);
      assertEquals(cachedSnapshot("model", "org/name"), undefined);
    }));
}

Deno.test("a server whose files end early, without a word, is tried again and then given up", () =>
  withHub(async ({ hub, pull }) => {
    hub.misbehave = ({ server }) =>
      server === "cdn" ? new Response(new Blob([WEIGHTS.subarray(0, 500)]).stream()) : undefined;
    await refused(
      pull(),
      "the server ended model.safetensors at byte 500 of 300000 (5 attempts in a row failed)",
      "kept",
    );
    assertEquals(weightRequests(hub).length, 5);
  }));

Deno.test("the listing and the file's own headers must agree on size and hash", () =>
  withHub(async ({ hub, pull }) => {
    const relist = (change: object) => {
      hub.relist = (entries) =>
        entries.map((entry) => ({
          ...entry,
          ...("lfs" in entry ? { lfs: { ...entry.lfs as object, ...change } } : {}),
        }));
    };
    relist({ oid: "f".repeat(64) });
    await refused(
      pull(),
      `the server has it with hash ${BLOB.slice(0, 16)}..., the hub lists ffffffffffffffff`,
    );
    relist({ size: 300_001 });
    await refused(pull(), "the hub lists 300001 bytes, the server has 300000");
    assertEquals(weightRequests(hub).length, 0);
  }));

Deno.test("content that does not have its hash is thrown away, large or small", async () => {
  const lies = {
    "model.safetensors": ({ server }: Seen) => server === "cdn" ? someBytes(300_000, 2) : undefined,
    "config.json": ({ path }: Seen) =>
      path.includes("config.json?cached") ? new TextEncoder().encode('{"a": 2}') : undefined,
  };
  for (const [name, lie] of Object.entries(lies)) {
    await withHub(async ({ hub, repo, pull }) => {
      hub.misbehave = (seen) => lie(seen) && new Response(lie(seen));
      await refused(pull(), `Cannot pull ${name}: what came has the hash`, "thrown away");
      const hash = name === "config.json" ? blobSha1(hub.files.get(name)!) : BLOB;
      assertEquals([...Deno.readDirSync(`${repo}/blobs`)].filter((entry) => entry.name.startsWith(hash)), []);
      assertEquals(cachedSnapshot("model", "org/name"), undefined);
    });
  }
});

Deno.test("a server that falls silent counts as broken", () =>
  withHub(async ({ hub, pull, notices }) => {
    const hang = new AbortController();
    hub.misbehave = ({ server, range }) =>
      server === "cdn" && range === null
        ? new Response(
          new ReadableStream({
            start: (stream) => stream.enqueue(WEIGHTS.subarray(0, 5000)),
            pull: () => new Promise((resolve) => hang.signal.addEventListener("abort", () => resolve())),
          }),
        )
        : undefined;
    await pull({ hub: { patience: 300 } });
    hang.abort();
    assertEquals(weightRequests(hub).at(-1)!.range, "bytes=5000-");
    assertStringIncludes(notices.join(), "nothing came for 0.3 s");
  }));

Deno.test("where nothing more comes, what has come is told to be kept", () =>
  withHub(async ({ hub, pull }) => {
    hub.misbehave = ({ server, range }) => {
      if (server === "hub") return undefined;
      return range === null ? brokenOff(WEIGHTS, 0, 1000) : new Response("", { status: 503 });
    };
    await refused(pull(), "Cannot fetch model.safetensors", "what has come is kept");
  }));

Deno.test("a process that wants what another fetches waits, and then finds it", () =>
  withHub(async ({ hub, pull, notices }) => {
    hub.misbehave = async ({ server }, request) => {
      if (server === "hub") return undefined;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return ranged(WEIGHTS, request.headers.get("range"));
    };
    const [first, second] = await Promise.all([pull(), pull()]);
    assertEquals(first.folder, second.folder);
    assertEquals(weightRequests(hub).length, 1);
    assertStringIncludes(notices.join(), "waiting for another process that fetches model.safetensors");
  }));

Deno.test("a full disk is named, and what to do", () =>
  onSmallDisk(128, (disk) =>
    withHub(({ hub, pull }) =>
      withEnv({ HF_HUB_CACHE: disk }, async () => {
        hub.misbehave = ({ server }) => {
          if (server === "cdn") fill(disk, 100);
          return undefined;
        };
        await refused(pull(), "is full", "HF_HUB_CACHE");
      })
    )));

Deno.test("a part that is a link is not written through", () =>
  withHub(async ({ cache, repo, pull }) => {
    await Deno.mkdir(`${repo}/blobs`, { recursive: true });
    const victim = `${cache}/victim`;
    Deno.writeTextFileSync(victim, "kept");
    for (const target of [victim, `${cache}/none`, "/dev/full"]) {
      Deno.symlinkSync(target, `${repo}/blobs/${BLOB}.incomplete`);
      await refused(pull(), `${BLOB}.incomplete: a link or no regular file lies there`, "remove it");
      Deno.removeSync(`${repo}/blobs/${BLOB}.incomplete`);
    }
    assertEquals([Deno.readTextFileSync(victim), [...Deno.readDirSync(cache)].length], ["kept", 3]);
  }));
