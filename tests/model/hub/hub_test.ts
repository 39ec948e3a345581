import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { type PullOptions, type PullProgress, pullRepo } from "../../../model/hub/hub.ts";
import { cachedRepos, cachedSnapshot, isSafePath } from "../../../model/hub/hub_cache.ts";
import { inFolder } from "../../support/folders.ts";
import { withEnv } from "../../support/with_env.ts";
import {
  blobSha1,
  type FakeHub,
  fakeHub,
  ranged,
  type Seen,
  sha256,
  someBytes,
} from "../support/fake_hub.ts";

const weights = someBytes(300_000);
const files = { "config.json": '{"a": 1}', "original/notes.txt": "notes\n", "model.safetensors": weights };
const BLOB = sha256(weights);

/** A hub, an empty cache, and a way to pull from one into the other. */
async function withHub(
  test: (world: {
    hub: FakeHub;
    cache: string;
    repo: string;
    notices: string[];
    pull: (more?: Partial<PullOptions>) => ReturnType<typeof pullRepo>;
  }) => Promise<void>,
  contents: Parameters<typeof fakeHub>[0] = files,
) {
  await using hub = fakeHub(contents);
  const notices: string[] = [];
  const onProgress = ({ notice }: PullProgress) => void (notice && notices.push(notice));
  const pull = (more: Partial<PullOptions> = {}) =>
    pullRepo({ kind: "model", id: "org/name", onProgress, ...more, hub: { retryDelay: 5, ...more.hub } });
  await inFolder((cache) => {
    const set = { HF_HUB_CACHE: cache, HF_ENDPOINT: hub.endpoint, HF_TOKEN: "secret", HF_HUB_OFFLINE: "" };
    return withEnv(set, () => test({ hub, cache, repo: `${cache}/models--org--name`, notices, pull }));
  });
}

const fetches = (hub: FakeHub, part: string) => hub.seen.filter(({ path }) => path.includes(part));
const weightRequests = (hub: FakeHub) => hub.seen.filter(({ server }) => server === "cdn");

/** Promises all bytes from `from` on, sends a few of them, and breaks the connection. */
function brokenOff(bytes: Uint8Array<ArrayBuffer>, from: number, count: number): Response {
  const body = new Blob([bytes.subarray(from, from + count)]).stream();
  const length = { "content-length": `${bytes.length - from}` };
  if (from === 0) return new Response(body, { headers: length });
  const range = { ...length, "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  return new Response(body, { status: 206, headers: range });
}

async function refused(pulling: Promise<unknown>, message: string, hint = ""): Promise<UserError> {
  const error = await assertRejects(() => pulling, UserError, message);
  assertStringIncludes((error as UserError).hint ?? "", hint);
  return error as UserError;
}

Deno.test("a pulled model lies in the cache as Python's huggingface_hub lays it out", () =>
  withHub(async ({ hub, repo, pull }) => {
    const states: PullProgress[] = [];
    const pulled = await pull({ onProgress: (progress) => states.push(progress) });
    const snapshot = `${repo}/snapshots/${hub.commit}`;
    assertEquals(pulled, {
      folder: snapshot,
      commit: hub.commit,
      files: Object.keys(files),
      bytes: 300_014,
      fetchedBytes: 300_014,
    });
    assertEquals(Deno.readTextFileSync(`${repo}/refs/main`), hub.commit);
    const small = blobSha1(new TextEncoder().encode(files["original/notes.txt"]));
    assertEquals(Deno.readLinkSync(`${snapshot}/model.safetensors`), `../../blobs/${BLOB}`);
    assertEquals(Deno.readLinkSync(`${snapshot}/original/notes.txt`), `../../../blobs/${small}`);
    assertEquals(Deno.readFileSync(`${snapshot}/model.safetensors`), weights);
    assertEquals(Deno.readTextFileSync(`${snapshot}/original/notes.txt`), "notes\n");
    assertEquals([...Deno.readDirSync(`${repo}/blobs`)].length, 3);
    const { bytes, totalBytes, files: whole, totalFiles } = states.at(-1)!;
    assertEquals([bytes, totalBytes, whole, totalFiles], [300_014, 300_014, 3, 3]);
    assert(states.every((state, i) => i === 0 || state.bytes >= states[i - 1].bytes));
    for (const revision of [undefined, "main", hub.commit]) {
      assertEquals(cachedSnapshot("model", "org/name", revision), snapshot);
    }
    for (
      const [kind, id, revision] of [["dataset", "org/name"], ["model", "org/other"], [
        "model",
        "org/name",
        "v2",
      ]]
    ) {
      assertEquals(cachedSnapshot(kind as "model", id, revision), undefined);
    }
    const [{ id, snapshots: [{ revisions, bytes: size, files: paths }] }] = cachedRepos("model");
    assertEquals([id, revisions, size, paths.length], ["org/name", ["main"], 300_014, 3]);
    assertEquals(cachedRepos("dataset"), []);
  }));

Deno.test("what is there is not fetched again; another revision of the same commit gets its name", () =>
  withHub(async ({ hub, repo, pull }) => {
    await pull();
    hub.seen.length = 0;
    const { fetchedBytes } = await pull({ revision: "refs/pr/2" });
    assertEquals([fetchedBytes, fetches(hub, "resolve").length], [0, 0]);
    assertEquals(Deno.readTextFileSync(`${repo}/refs/refs/pr/2`), hub.commit);
    assertEquals(fetches(hub, "/revision/refs/pr/2").length, 1);
    hub.seen.length = 0;
    await pull({ revision: hub.commit });
    assertEquals([fetches(hub, "/revision/").length, fetches(hub, "/tree/").length], [0, 1]);
  }));

Deno.test("a dataset has addresses and a folder of its own; files are chosen by path; a long listing has pages", () =>
  withHub(async ({ hub, cache, pull }) => {
    hub.page = 2;
    const { folder } = await pull({
      kind: "dataset",
      files: (paths) => paths.filter((path) => /json$/.test(path)),
    });
    assertEquals(folder, `${cache}/datasets--org--name/snapshots/${hub.commit}`);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["config.json"]);
    assertEquals(fetches(hub, "/tree/").length, 2);
    assertMatch(
      fetches(hub, "resolve")[0].path,
      /^\/datasets\/org\/name\/resolve\/[0-9a-f]{40}\/config.json$/,
    );
    assertEquals(cachedSnapshot("dataset", "org/name"), folder);
  }));

Deno.test("the token goes to the hub, and never on to where the hub sends us", () =>
  withHub(async ({ hub, pull }) => {
    await pull();
    const tokens = (server: Seen["server"]) =>
      new Set(hub.seen.filter((seen) => seen.server === server).map(({ authorization }) => authorization));
    assertEquals([tokens("hub"), tokens("cdn")], [new Set(["Bearer secret"]), new Set([null])]);
  }));

Deno.test("the token may lie in a file", () =>
  withHub(async ({ hub, cache, pull }) => {
    Deno.writeTextFileSync(`${cache}/token`, "from-file\n");
    await withEnv({ HF_TOKEN: "", HF_TOKEN_PATH: `${cache}/token` }, pull);
    assertEquals(hub.seen[0].authorization, "Bearer from-file");
  }));

Deno.test("a server that breaks off is asked for the rest, as long as something comes", () =>
  withHub(async ({ hub, repo, pull, notices }) => {
    hub.misbehave = ({ server, range }) => {
      const from = Number(range?.match(/\d+/)?.[0] ?? 0);
      if (server === "hub" || from > 200_000) return undefined;
      return brokenOff(weights, from, 30_000);
    };
    await pull();
    const ranges = weightRequests(hub).map(({ range }) => range);
    assertEquals(ranges, [null, ...[1, 2, 3, 4, 5, 6, 7].map((i) => `bytes=${i * 30_000}-`)]);
    assertEquals(Deno.readFileSync(`${repo}/blobs/${BLOB}`), weights);
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
          if (sending < 5) stream.enqueue(weights.subarray(sending * 20_000, ++sending * 20_000));
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
    assertEquals(Deno.readFileSync(`${repo}/blobs/${BLOB}`), weights);
    assertEquals([...Deno.readDirSync(`${repo}/blobs`)].length, 3);
  }));

Deno.test("a server that ignores Range sends everything, and the file is right all the same", () =>
  withHub(async ({ hub, repo, pull }) => {
    await Deno.mkdir(`${repo}/blobs`, { recursive: true });
    Deno.writeFileSync(`${repo}/blobs/${BLOB}.incomplete`, weights.subarray(0, 1234));
    hub.misbehave = ({ server }) => server === "cdn" ? new Response(weights) : undefined;
    await pull();
    assertEquals(weightRequests(hub).map(({ range }) => range), ["bytes=1234-"]);
    assertEquals(Deno.readFileSync(`${repo}/blobs/${BLOB}`), weights);
  }));

Deno.test("a part that an earlier run damaged is thrown away and fetched anew; one that is too long as well", () =>
  withHub(async ({ hub, repo, pull }) => {
    const incomplete = `${repo}/blobs/${BLOB}.incomplete`;
    await Deno.mkdir(`${repo}/blobs`, { recursive: true });
    Deno.writeFileSync(incomplete, new Uint8Array(1234));
    await pull();
    assertEquals(weightRequests(hub).map(({ range }) => range), ["bytes=1234-", null]);
    Deno.removeSync(`${repo}/blobs/${BLOB}`);
    Deno.writeFileSync(incomplete, new Uint8Array(weights.length + 1));
    await pull();
    assertEquals(weightRequests(hub).at(-1)!.range, null);
    Deno.removeSync(`${repo}/blobs/${BLOB}`);
    Deno.writeFileSync(incomplete, weights);
    const { fetchedBytes } = await pull();
    assertEquals([weightRequests(hub).length, fetchedBytes], [3, 0]);
    assertEquals(Deno.readFileSync(`${repo}/blobs/${BLOB}`), weights);
  }));

const sizeLies: Record<string, [Response | (() => Response), string]> = {
  "announces less": [
    new Response(weights.subarray(0, 1000)),
    "lists 300000 bytes, the server announces 1000",
  ],
  "sends more": [
    () => new Response(new Blob([weights, weights]).stream()),
    "lists 300000 bytes, the server sends more than that",
  ],
  "names another whole": [
    new Response(weights.subarray(9), {
      status: 206,
      headers: { "content-range": `bytes 9-300000/300001` },
    }),
    "the server has 300001",
  ],
  "begins elsewhere": [
    new Response(weights.subarray(10), {
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
        Deno.writeFileSync(`${repo}/blobs/${BLOB}.incomplete`, weights.subarray(0, 9));
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
      server === "cdn" ? new Response(new Blob([weights.subarray(0, 500)]).stream()) : undefined;
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

Deno.test("401, 403, 404: what is wrong and what to do", () =>
  withHub(async ({ hub, pull }) => {
    const answer = (status: number, code?: string) => {
      hub.misbehave = () => new Response("", { status, headers: code ? { "x-error-code": code } : {} });
    };
    answer(401);
    await refused(pull(), "the model org/name: the hub answered 401", "the token that was sent");
    Deno.env.set("HF_TOKEN", "");
    await refused(pull(), "it is private, or there is none of that name", "set HF_TOKEN");
    answer(401, "GatedRepo");
    await refused(
      pull(),
      "have not given this (absent) token access",
      `${hub.endpoint}/org/name, then set HF_TOKEN`,
    );
    answer(403);
    await refused(pull({ kind: "dataset" }), "(403)", `${hub.endpoint}/datasets/org/name`);
    hub.misbehave = undefined;
    await refused(pull({ id: "org/nobody" }), "Cannot pull the model org/nobody: http", "check the name");
    await refused(pull({ revision: "v9" }), "it has no branch, tag or commit v9", "/tree/main");
    hub.misbehave = ({ path }) =>
      /resolve.*config.json/.test(path) ? new Response("", { status: 404 }) : undefined;
    await refused(pull(), "Cannot pull config.json of the model org/name", "");
    assert(hub.seen.length < 40, "none of these is worth a second attempt");
  }));

Deno.test("429 and 503 are waited out as long as the server asks; no server is asked for ever", () =>
  withHub(async ({ hub, pull, notices }) => {
    let left = 2;
    hub.misbehave = ({ path }) =>
      path.includes("/tree/") && left-- > 0
        ? new Response("", { status: left ? 503 : 429, headers: { "retry-after": left ? "0" : "1" } })
        : undefined;
    const began = performance.now();
    await pull();
    assert(performance.now() - began >= 1000);
    assertStringIncludes(
      notices.join("\n"),
      "the server answered 503, it has trouble of its own; trying again in 0.0 s",
    );
    assertStringIncludes(
      notices.join("\n"),
      "the server answered 429, it has had too many requests; trying again in 1.0 s",
    );
    hub.misbehave = () => new Response("", { status: 503 });
    await refused(
      pull(),
      "the server answered 503, it has trouble of its own (5 attempts in a row failed)",
      "then try again",
    );
    hub.misbehave = () => new Response("", { status: 429, headers: { ratelimit: '"api";r=0;t=3600' } });
    await refused(pull(), "it asks to wait 3600 s");
    hub.misbehave = () => new Response("<html>sign in to this network</html>");
    await refused(pull(), "answers with something that is not JSON", "proxy");
  }));

Deno.test("a server that falls silent counts as broken", () =>
  withHub(async ({ hub, pull, notices }) => {
    const hang = new AbortController();
    hub.misbehave = ({ server, range }) =>
      server === "cdn" && range === null
        ? new Response(
          new ReadableStream({
            start: (stream) => stream.enqueue(weights.subarray(0, 5000)),
            pull: () => new Promise((resolve) => hang.signal.addEventListener("abort", () => resolve())),
          }),
        )
        : undefined;
    await pull({ hub: { patience: 300 } });
    hang.abort();
    assertEquals(weightRequests(hub).at(-1)!.range, "bytes=5000-");
    assertStringIncludes(notices.join(), "nothing came for 0.3 s");
  }));

Deno.test("no hub at all is an error that names it", () =>
  withHub(async ({ hub, pull }) => {
    const dead = "http://127.0.0.1:1";
    const message = `Cannot ask for org/name from ${dead}: the connection broke`;
    const error = await refused(pull({ hub: { endpoint: dead } }), message, "check the network");
    assert(!/fetch failed\)|kept/.test(error.message + error.hint), error.message);
    assertEquals(hub.seen.length, 0);
    Deno.env.set("HF_ENDPOINT", "banana");
    await refused(pull(), "Cannot use the hub at banana: HF_ENDPOINT names it", "unset HF_ENDPOINT");
  }));

Deno.test("where nothing more comes, what has come is told to be kept", () =>
  withHub(async ({ hub, pull }) => {
    hub.misbehave = ({ server, range }) => {
      if (server === "hub") return undefined;
      return range === null ? brokenOff(weights, 0, 1000) : new Response("", { status: 503 });
    };
    await refused(pull(), "Cannot fetch model.safetensors", "what has come is kept");
  }));

Deno.test("two files of equal content are fetched once, and no other process is waited for", () =>
  withHub(async ({ hub, repo, notices, pull }) => {
    const { bytes, fetchedBytes, folder } = await pull();
    assertEquals([weightRequests(hub).length, notices], [1, []]);
    assertEquals([bytes, fetchedBytes], [2 * weights.length, weights.length]);
    assertEquals([...Deno.readDirSync(`${repo}/blobs`)].map(({ name }) => name), [BLOB]);
    for (const name of ["a.bin", "b.bin"]) assertEquals(Deno.readFileSync(`${folder}/${name}`), weights);
  }, { "a.bin": weights, "b.bin": weights }));

Deno.test("a process that wants what another fetches waits, and then finds it", () =>
  withHub(async ({ hub, pull, notices }) => {
    hub.misbehave = async ({ server }, request) => {
      if (server === "hub") return undefined;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return ranged(weights, request.headers.get("range"));
    };
    const [first, second] = await Promise.all([pull(), pull()]);
    assertEquals(first.folder, second.folder);
    assertEquals(weightRequests(hub).length, 1);
    assertStringIncludes(notices.join(), "waiting for another process that fetches model.safetensors");
  }));

Deno.test("names that would leave the folder are refused before anything is fetched", async () => {
  for (const path of ["../x", "a/../../x", "/etc/x", "a//b", "C:/x", "a\\..\\x", "a/./b", "a\0b"]) {
    assertEquals(isSafePath(path), false, path);
    await withHub(async ({ hub, cache, pull }) => {
      hub.relist = (entries) => entries.map((entry) => ({ ...entry, path }));
      await refused(pull(), "a path within the repository is needed", "do not trust");
      assertEquals([...Deno.readDirSync(cache)], []);
    });
  }
  await withHub(async ({ hub, pull }) => {
    await refused(pull({ id: "../../etc" }), "a repository of the hub is needed");
    await refused(pull({ revision: "../../x" }), "is no branch, tag or commit");
    hub.relist = (entries) =>
      entries.map((entry) => ({ ...entry, oid: "../../../../etc/x", lfs: undefined }));
    await refused(pull(), "without a proper path, size or hash");
  });
  assertEquals(isSafePath("onnx/model..v2.json"), true);
});

Deno.test({
  name: "a full disk is named, and what to do",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withHub(async ({ repo, pull }) => {
      await Deno.mkdir(`${repo}/blobs`, { recursive: true });
      await Deno.symlink("/dev/full", `${repo}/blobs/${BLOB}.incomplete`);
      await refused(pull(), "is full", "HF_HUB_CACHE");
    }),
});

Deno.test("more than the disk holds is refused before it is fetched", () =>
  withHub(async ({ hub, pull }) => {
    hub.relist = (entries) =>
      entries.map((entry) =>
        "lfs" in entry ? { ...entry, lfs: { ...entry.lfs as object, size: 2 ** 52 } } : entry
      );
    await refused(pull(), "4503599627 MB are to come", "HF_HUB_CACHE");
    assertEquals(fetches(hub, "resolve").length, 0);
  }));

Deno.test("offline, a pull gives what the cache has and asks nobody", () =>
  withHub(async ({ hub, pull }) => {
    const online = await pull();
    hub.seen.length = 0;
    Deno.env.set("HF_HUB_OFFLINE", "1");
    const offline = await pull();
    assertEquals(offline, { ...online, files: online.files.toSorted(), fetchedBytes: 0 });
    await refused(pull({ id: "org/other" }), "HF_HUB_OFFLINE is set, and main of it is not in", "unset");
    assertEquals(hub.seen, []);
  }));
