import { assert, assertEquals, assertMatch } from "@std/assert";
import type { PullProgress } from "../../../model/hub/pull_repo.ts";
import { cachedRepos, cachedSnapshot } from "../../../model/hub/hub_cache.ts";
import { modelFilesIn } from "../../../model/hub/model_files_in.ts";
import { isSafePath } from "../../../model/hub/repo_id.ts";
import { withEnv } from "../../support/with_env.ts";
import { blobSha1 } from "../support/content_hashes.ts";
import type { Seen } from "../support/fake_hub.ts";
import { BLOB, FILES, refused, requestsFor, weightRequests, WEIGHTS, withHub } from "../support/with_hub.ts";

Deno.test("a pulled model lies in the cache as Python's huggingface_hub lays it out", () =>
  withHub(async ({ hub, repo, pull }) => {
    const states: PullProgress[] = [];
    const pulled = await pull({ onProgress: (progress) => states.push(progress) });
    const snapshot = `${repo}/snapshots/${hub.commit}`;
    assertEquals(pulled, {
      folder: snapshot,
      commit: hub.commit,
      files: Object.keys(FILES),
      bytes: 300_014,
      fetchedBytes: 300_014,
    });
    assertEquals(Deno.readTextFileSync(`${repo}/refs/main`), hub.commit);
    const small = blobSha1(new TextEncoder().encode(FILES["original/notes.txt"]));
    assertEquals(Deno.readLinkSync(`${snapshot}/model.safetensors`), `../../blobs/${BLOB}`);
    assertEquals(Deno.readLinkSync(`${snapshot}/original/notes.txt`), `../../../blobs/${small}`);
    assertEquals(Deno.readFileSync(`${snapshot}/model.safetensors`), WEIGHTS);
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
    assertEquals([fetchedBytes, requestsFor(hub, "resolve").length], [0, 0]);
    assertEquals(Deno.readTextFileSync(`${repo}/refs/refs/pr/2`), hub.commit);
    assertEquals(requestsFor(hub, "/revision/refs/pr/2").length, 1);
    hub.seen.length = 0;
    await pull({ revision: hub.commit });
    assertEquals([requestsFor(hub, "/revision/").length, requestsFor(hub, "/tree/").length], [0, 1]);
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
    assertEquals(requestsFor(hub, "/tree/").length, 2);
    assertMatch(
      requestsFor(hub, "resolve")[0].path,
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

Deno.test("two files of equal content are fetched once, and no other process is waited for", () =>
  withHub(async ({ hub, repo, notices, pull }) => {
    const { bytes, fetchedBytes, folder } = await pull();
    assertEquals([weightRequests(hub).length, notices], [1, []]);
    assertEquals([bytes, fetchedBytes], [2 * WEIGHTS.length, WEIGHTS.length]);
    assertEquals([...Deno.readDirSync(`${repo}/blobs`)].map(({ name }) => name), [BLOB]);
    for (const name of ["a.bin", "b.bin"]) assertEquals(Deno.readFileSync(`${folder}/${name}`), WEIGHTS);
  }, { "a.bin": WEIGHTS, "b.bin": WEIGHTS }));

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

Deno.test("more than the disk holds is refused before it is fetched", () =>
  withHub(async ({ hub, pull }) => {
    hub.relist = (entries) =>
      entries.map((entry) =>
        "lfs" in entry ? { ...entry, lfs: { ...entry.lfs as object, size: 2 ** 52 } } : entry
      );
    await refused(pull(), "4503599627 MB are to come", "HF_HUB_CACHE");
    assertEquals(requestsFor(hub, "resolve").length, 0);
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

const isLink = (path: string) => Deno.lstatSync(path).isSymlink;

Deno.test("HF_HUB_DISABLE_SYMLINKS: files are copied, found again, and fetched once", () =>
  withHub(async ({ hub, repo, pull }) => {
    for (const value of ["1", "true", "YES", "on"]) {
      await withEnv({ HF_HUB_DISABLE_SYMLINKS: value }, async () => {
        const { folder, files } = await pull();
        for (const file of files) assertEquals(isLink(`${folder}/${file}`), false, file);
        assertEquals(Deno.readFileSync(`${folder}/model.safetensors`), WEIGHTS);
        assertEquals(cachedSnapshot("model", "org/name"), folder);
      });
    }
    assertEquals(weightRequests(hub).length, 1);
    for (const value of ["", "0", "false", "no"]) {
      await Deno.remove(`${repo}/snapshots`, { recursive: true });
      await withEnv({ HF_HUB_DISABLE_SYMLINKS: value }, async () => {
        const { folder } = await pull();
        assertEquals(isLink(`${folder}/model.safetensors`), true);
      });
    }
    assertEquals(weightRequests(hub).length, 1);
  }));

Deno.test("a file system without links: files are copied, whatever it says of links", () =>
  withHub(async ({ hub, repo, pull }) => {
    const { symlinkSync } = Deno;
    const refusals = [
      Object.assign(new Deno.errors.PermissionDenied("Operation not permitted (os error 1)"), {
        code: "EPERM",
      }),
      Object.assign(new Deno.errors.NotSupported("Operation not supported"), { code: "EOPNOTSUPP" }),
      Object.assign(new Error("Function not implemented (os error 38)"), { code: "ENOSYS" }),
      Object.assign(new Error("Invalid argument"), { code: "EINVAL" }),
    ];
    try {
      for (const refusal of refusals) {
        Deno.symlinkSync = () => {
          throw refusal;
        };
        const { folder } = await pull();
        assertEquals([isLink(`${folder}/model.safetensors`), isLink(`${folder}/original/notes.txt`)], [
          false,
          false,
        ]);
        assertEquals(Deno.readFileSync(`${folder}/model.safetensors`), WEIGHTS);
        await Deno.remove(`${repo}/snapshots`, { recursive: true });
      }
    } finally {
      Deno.symlinkSync = symlinkSync;
    }
    assertEquals(weightRequests(hub).length, 1);
  }));

Deno.test("a copy that is no longer its blob is made anew, one that Python moved there is left alone", () =>
  withHub(async ({ hub, repo, pull }) => {
    await withEnv({ HF_HUB_DISABLE_SYMLINKS: "1" }, async () => {
      const { folder } = await pull();
      const place = `${folder}/model.safetensors`;
      Deno.writeFileSync(place, WEIGHTS.subarray(0, 100));
      await pull();
      assertEquals(Deno.readFileSync(place), WEIGHTS);
      // As Python does it: the blob itself is in the snapshot.
      Deno.renameSync(`${repo}/blobs/${BLOB}`, place);
      await pull();
      assertEquals(weightRequests(hub).length, 1);
      assertEquals([...Deno.readDirSync(`${repo}/blobs`)].some(({ name }) => name === BLOB), false);
      // Another content of the same size is none.
      Deno.writeFileSync(place, WEIGHTS.toReversed());
      await pull();
      assertEquals(weightRequests(hub).length, 2);
      assertEquals(Deno.readFileSync(place), WEIGHTS);
    });
  }));

Deno.test("a pull reads the index and brings the shards that it names", () => {
  const index = JSON.stringify({ weight_map: { a: "part-a.safetensors", b: "sub/part-b.safetensors" } });
  const contents = {
    ...{ "config.json": "{}", "tokenizer.json": "{}", "model.safetensors.index.json": index },
    ...{
      "part-a.safetensors": WEIGHTS,
      "sub/part-b.safetensors": WEIGHTS.subarray(0, 5000),
      "part-c.safetensors": "no",
    },
  };
  return withHub(async ({ hub, pull }) => {
    const files = (paths: readonly string[], read: (path: string) => Promise<string>) =>
      modelFilesIn("org/name", paths, undefined, read);
    const names = Object.keys(contents).filter((name) => name !== "part-c.safetensors").sort();
    const pulled = await pull({ files });
    assertEquals(pulled.files.toSorted(), names);
    assertEquals(Deno.readFileSync(`${pulled.folder}/sub/part-b.safetensors`), WEIGHTS.slice(0, 5000));
    assertEquals(requestsFor(hub, "part-c").length, 0);
    await withEnv({ HF_HUB_OFFLINE: "1" }, async () => {
      assertEquals((await pull({ files })).files.toSorted(), names);
    });
  }, contents);
});
