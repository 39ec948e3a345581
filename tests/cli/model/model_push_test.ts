import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { randomModel } from "../../model/support/small_models.ts";
import { modelFolder } from "../support/model_folder.ts";
import { runSoftcot } from "../support/run_softcot.ts";
import { withHubEnv } from "../support/with_hub_env.ts";

const folder = await modelFolder((gpu) => randomModel(gpu));
const names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const TOKEN = "hf_" + "a1B2c3D4e5".repeat(3);

Deno.test("a pushed model is the one that is pulled: repository made for its owners, large files to the store, nothing twice", () =>
  withHubEnv({}, async (hub, env) => {
    hub.isThere = false;
    const run = `${env.HF_HOME}/run`;
    const step = `${run}/checkpoints/step-000002`;
    Deno.mkdirSync(step, { recursive: true });
    for (const name of names) Deno.copyFileSync(`${folder}/model/${name}`, `${step}/${name}`);
    Deno.writeTextFileSync(`${step}/optimizer.safetensors`, "a secret of the training");
    const rights = { ...env, HF_TOKEN: TOKEN };
    const pushed = await runSoftcot(["model", "push", run, "org/name"], rights);
    assertEquals(pushed.code, 0, pushed.stderr);
    assertMatch(pushed.stdout, /^org\/name at [0-9a-f]{12}: made for its owners alone, 4 new files, /);
    assertEquals([hub.pushes.made, hub.pushes.summaries], [{ private: true }, ["Push run with softcot"]]);
    assertEquals([...hub.files.keys()].sort(), names);
    for (const name of names) assertEquals(hub.files.get(name), Deno.readFileSync(`${step}/${name}`), name);
    // Again with one file changed, in parts: that one alone is sent.
    const { seen } = hub;
    seen.length = 0;
    hub.pushes.chunk = 70_000;
    const weights = Deno.readFileSync(`${step}/model.safetensors`);
    weights[weights.length - 1] ^= 1;
    Deno.writeFileSync(`${step}/model.safetensors`, weights);
    const again = await runSoftcot(["model", "push", run, "org/name", "--json", "--message", "More"], rights);
    assertEquals(again.code, 0, again.stderr);
    assertEquals(JSON.parse(again.stdout).pushed, ["model.safetensors"]);
    assertEquals(hub.files.get("model.safetensors"), weights);
    assertEquals(hub.pushes.parts.size, Math.ceil(weights.length / 70_000));
    // Nothing has changed: no commit.
    const same = await runSoftcot(["model", "push", run, "org/name"], rights);
    assertMatch(same.stdout, /: 0 new files, 0 B/);
    assertEquals(hub.pushes.summaries, ["Push run with softcot", "More"]);
    for (const { server, authorization } of seen) {
      assertEquals(authorization, server === "hub" ? `Bearer ${TOKEN}` : null);
    }
    assert(
      ![pushed, again, same].some((one) => (one.stdout + one.stderr).includes(TOKEN)),
      "the token is shown",
    );
    const pulled = await runSoftcot(["model", "pull", "org/name"], rights);
    assertStringIncludes(pulled.stdout, "4 files", pulled.stderr);
  }));

Deno.test("a push goes on through a busy store, and says why it cannot go on", () =>
  withHubEnv({}, async (hub, env) => {
    const push = (id: string, more: Record<string, string> = { HF_TOKEN: TOKEN }) =>
      runSoftcot(["model", "push", `${folder}/model`, id], { ...env, ...more });
    const refused = async (pushing: ReturnType<typeof push>, ...messages: string[]) => {
      const { code, stdout, stderr } = await pushing;
      assertEquals([code, stdout], [1, ""], stderr);
      for (const message of messages) assertStringIncludes(stderr, message);
      assert(!stderr.includes(TOKEN) && !/^ +at /m.test(stderr), stderr);
    };
    await refused(push("org/name", {}), "there is no token", "HF_TOKEN");
    await refused(push("org/name", { HF_TOKEN: TOKEN, HF_HUB_OFFLINE: "1" }), "HF_HUB_OFFLINE is set");
    await refused(push("other/name"), "403, this token may not write there", "other");
    await refused(push("name"), "an owner and a name are needed");
    assertEquals(hub.pushes.summaries, []);
    hub.misbehave = ({ server }, { method }) =>
      server === "cdn" && method === "PUT" && hub.pushes.stored.size === 0 && !isBusy
        ? (isBusy = true, new Response("", { status: 503 }))
        : undefined;
    let isBusy = false;
    const done = await push("org/name");
    assertEquals(done.code, 0, done.stderr);
    assertStringIncludes(done.stderr, "the store answered 503");
    hub.misbehave = (_, { method, url }) =>
      method === "POST"
        ? new Response("", { status: 307, headers: { location: url.replace("127.0.0.1", "localhost") } })
        : undefined;
    hub.files.clear();
    await refused(push("org/name"), "sends what is pushed on to another place");
    await refused(
      runSoftcot(["model", "push", "builtin", "org/name"], { ...env, HF_TOKEN: TOKEN }),
      "it has no files",
      "model export builtin",
    );
  }));
