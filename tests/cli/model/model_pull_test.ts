import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { sha256 } from "../../model/support/content_hashes.ts";
import { randomModel } from "../../model/support/small_models.ts";
import { modelFolder } from "../support/model_folder.ts";
import { runSoftcot, softcotCommand } from "../support/run_softcot.ts";
import { withHubEnv } from "../support/with_hub_env.ts";

const folder = await modelFolder((gpu) => randomModel(gpu));
const names = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
const files = Object.fromEntries(names.map((name) => [name, Deno.readFileSync(`${folder}/model/${name}`)]));
const WEIGHTS = files["model.safetensors"];

/** A hub with that model, and weights that nobody asks for. */
const withModel = (test: Parameters<typeof withHubEnv>[1]) =>
  withHubEnv({ ...files, "pytorch_model.bin": "a second copy" }, test);

Deno.test("a pulled model is listed, described and exported by its name; one that was not says how to pull it", () =>
  withModel(async (hub, env) => {
    const before = await runSoftcot(["model", "info", "org/name"], env);
    assertEquals(before.code, 1);
    assertStringIncludes(before.stderr, "softcot model pull org/name");
    const pulled = await runSoftcot(["model", "pull", "org/name"], env);
    assertEquals(pulled.code, 0, pulled.stderr);
    const snapshot = `${env.HF_HOME}/hub/models--org--name/snapshots/${hub.commit}`;
    assertMatch(pulled.stdout, /^org\/name at 0123456789ab: 4 files, /);
    assertStringIncludes(pulled.stdout, `${snapshot}\nuse it with --model org/name`);
    assertStringIncludes(pulled.stderr, "pull 100%");
    assertEquals([...Deno.readDirSync(snapshot)].map(({ name }) => name).sort(), names.toSorted());
    const again = await runSoftcot(["model", "pull", "org/name", "--json", "--quiet"], env);
    assertEquals([JSON.parse(again.stdout).fetchedBytes, again.stderr], [0, ""]);
    const list = await runSoftcot(["model", "list", "--runs", "none"], env);
    assertMatch(list.stdout, /^builtin +llama +305 KiB +- +embedded +-$/m);
    assertMatch(
      list.stdout,
      /^org\/name +llama +[\d.]+ KiB +main 0123456789ab +hub cache +\d{4}-\d\d-\d\d$/m,
    );
    const info = await runSoftcot(["model", "info", "org/name", "--json"], env);
    assertEquals(JSON.parse(info.stdout).folder, snapshot, info.stderr);
    const out = `${env.HF_HOME}/out`;
    const exported = await runSoftcot(["model", "export", "org/name", "--out", out, "--dtype", "f32"], env);
    assertEquals(exported.code, 0, exported.stderr);
    assertMatch(exported.stdout, /out: org\/name as safetensors, f32, [\d.]+ KiB of weights$/m);
    assert(Deno.statSync(`${out}/model.safetensors`).size > 4 * JSON.parse(info.stdout).parameters);
  }));

Deno.test("a pull that was killed, and one that Ctrl-C stopped, go on where they were", () =>
  withModel(async (hub, env) => {
    const hash = sha256(WEIGHTS);
    const incomplete = `${env.HF_HOME}/hub/models--org--name/blobs/${hash}.incomplete`;
    const sizeThere = () => {
      try {
        return Deno.statSync(incomplete).size;
      } catch {
        return 0;
      }
    };
    let most = 50_000;
    hub.misbehave = ({ server, path, range }) => {
      if (server === "hub" || path !== `/${hash}`) return undefined;
      const from = Number(range?.match(/\d+/)?.[0] ?? 0);
      const body = new ReadableStream({
        start: (stream) => stream.enqueue(WEIGHTS.subarray(from, most)),
        pull: () => new Promise(() => {}),
      });
      const headers = { "content-range": `bytes ${from}-${WEIGHTS.length - 1}/${WEIGHTS.length}` };
      return new Response(body, from ? { status: 206, headers } : {});
    };
    for (const [signal, code] of [["SIGKILL", 137], ["SIGINT", 130]] as const) {
      const args = ["model", "pull", "org/name"];
      const child = softcotCommand(args, { env, stdout: "null", stderr: "piped" }).spawn();
      for (let i = 0; i < 1500 && sizeThere() < most; i++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      child.kill(signal);
      const { code: found, stderr } = await child.output();
      assertEquals(found, code);
      if (signal === "SIGINT") assertStringIncludes(new TextDecoder().decode(stderr), "goes on from there");
      most += 20_000;
    }
    hub.misbehave = undefined;
    const { code, stdout } = await runSoftcot(["model", "pull", "org/name", "--json"], env);
    const ranges = hub.seen.filter(({ path }) => path === `/${hash}`).map(({ range }) => range);
    assertEquals([code, ranges], [0, [null, "bytes=50000-", "bytes=70000-"]]);
    assertEquals(Deno.readFileSync(`${JSON.parse(stdout).folder}/model.safetensors`), WEIGHTS);
  }));

Deno.test("what a pull is refused is told in two lines", () =>
  withModel(async (hub, env) => {
    const cases: [string[], RegExp][] = [
      [
        ["org/nobody"],
        /^error: Cannot pull the model org\/nobody: http.* has none \(404\)\nhint: check the name\n$/,
      ],
      [["org/name", "--revision", "v7"], /^error: .*: it has no branch, tag or commit v7\nhint: /],
      [
        ["org/name", "--file", "Q8_0"],
        /^error: Cannot pull "Q8_0" of the model org\/name: no file of that name/,
      ],
      [["../x"], /^error: Cannot use the name "..\/x": a repository of the hub is needed/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await runSoftcot(["model", "pull", ...args], env);
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, message);
    }
    assertEquals((await runSoftcot(["model", "pull"], env)).code, 2);
    const wrong = await runSoftcot(
      ["model", "export", `${folder}/model`, "--dtype", "q4_0", "--out", "x"],
      env,
    );
    assertEquals(wrong.code, 2);
    assertEquals(hub.seen.length > 0, true);
  }));
