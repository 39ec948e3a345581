/** Learners that are not to train the same are refused before the first update, saying in what they differ. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { factsOf } from "../../../cli/train/agree.ts";
import type { TrainValues } from "../../../cli/train/train_settings.ts";
import { hardThinking } from "../../../model/thinking/hard.ts";
import { freeModel } from "../../../model/transformer/transformer.ts";
import { differencesIn } from "../../../rl/cluster/refuse_different.ts";
import type { RunState } from "../../../rl/run/run_state.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { mpirun, testWithMpi } from "../../rl/cluster/support/mpirun.ts";
import { freeTrainer, smallTrainer } from "../../rl/support/small_trainer.ts";
import { tinyModel } from "../../rl/support/tiny_model.ts";
import { testFolder } from "../../support/folders.ts";
import { programWords } from "../support/run_softcot.ts";

const folder = await testFolder();
const REWARD = "export default ({ text }) => text.length;\n";

Deno.test("what learners have to have in common is told by its name where it differs", async () => {
  const { gpu } = await openTestGpu();
  const model = tinyModel(gpu);
  const trainer = smallTrainer(model, hardThinking(1));
  const kernels = { adapter: "llvmpipe", matmulFamily: "broadcast", subgroupSize: 8 };
  const state = { kernels } as RunState;
  const file = `${folder}/brevity.ts`;
  Deno.writeTextFileSync(file, REWARD);
  const values = { task: "sums", lr: 1e-5, reward: [`${file}=0.5`], out: "here" } as unknown as TrainValues;
  const facts = (
    { changed = {}, hash = "abc", kind = kernels }: {
      changed?: Partial<TrainValues>;
      hash?: string;
      kind?: typeof kernels;
    } = {},
  ) => factsOf({ ...values, ...changed }, { trainer, state: { ...state, kernels: kind }, hash: () => hash });
  const own = facts();
  assertEquals(differencesIn([own, facts({ changed: { out: "there" } }), own]), []);
  const differ = (other: Record<string, string>, told: string) =>
    assertEquals(differencesIn([own, own, other]), [told]);
  differ({ ...own, version: "0" }, `version: ${own.version} on learner 0, 0 on learner 2`);
  differ(facts({ changed: { lr: 2e-5 } }), "--lr: 1e-5 on learner 0, 2e-5 on learner 2");
  differ(facts({ hash: "abd" }), "the model's SHA-256: abc on learner 0, abd on learner 2");
  const tiles = { ...kernels, matmulFamily: "tile" };
  differ(
    facts({ kind: tiles }),
    "device: llvmpipe (broadcast, subgroups of 8) on learner 0, llvmpipe (tile, subgroups of 8) on learner 2",
  );
  differ({ ...own, more: "1" }, "more: nothing on learner 0, 1 on learner 2");
  Deno.writeTextFileSync(file, `${REWARD} `);
  const [changed, ...more] = differencesIn([own, facts()]);
  assertStringIncludes(changed, `the SHA-256 of ${file}: `);
  assertEquals(more, []);
  const others = smallTrainer(model, hardThinking(1), { ...trainer.settings, seed: 12 });
  const data = factsOf(values, { trainer: others, state, hash: () => "abc" });
  assert(differencesIn([facts(), data])[0].startsWith("the data's SHA-256: "));
  for (const one of [trainer, others]) freeTrainer(one);
  freeModel(model);
});

testWithMpi(
  "two learners, of which one shards its moments and has another reward, are both refused",
  async () => {
    const application = (name: string, more: readonly string[]) => {
      const place = `${folder}/${name}`;
      Deno.mkdirSync(place);
      Deno.writeTextFileSync(`${place}/length.ts`, `${REWARD}// ${name}\n`);
      const words = [...programWords(), "train", "--model", "builtin", "--reward", "./length.ts", ...more];
      return ["-wdir", place, ...words];
    };
    const other = [":", "-n", "1", ...application("b", ["--shard-optimizer"])];
    const { code, stderr: told } = await mpirun(1, [...application("a", []), ...other]);
    assertEquals(code, 1, told);
    assertStringIncludes(
      told,
      "Cannot train with 2 learners: they differ in --shard-optimizer: false on learner 0, true",
    );
    assertStringIncludes(told, "; the SHA-256 of ./length.ts: ");
    assertStringIncludes(
      told,
      "start the same softcot with the same flags, model and data on devices of one kind",
    );
  },
);
