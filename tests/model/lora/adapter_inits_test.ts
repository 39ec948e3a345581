/** How an adapter of PEFT began: what leaves the base model alone is loaded, what changes it is refused by name. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { readAdapterConfig } from "../../../model/lora/adapter_config.ts";
import { loadAdapter } from "../../../model/lora/load_adapter.ts";
import { mergedWeights } from "../../../model/lora/merged_weights.ts";
import { openSafetensors } from "../../../model/formats/safetensors.ts";
import { freeModel } from "../../../model/transformer/transformer.ts";
import { loadGolden } from "../../golden/load_golden.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { inFolder } from "../../support/folders.ts";
import { root } from "../../support/places.ts";
import { goldenModel } from "../support/golden_model.ts";
import { logitsOf } from "../support/logits_of.ts";

const { gpu } = await openTestGpu();
const ADAPTERS = `${root}tests/golden/adapters`;

interface Fact {
  init: unknown;
  changesBase: boolean;
  /** Of the last row, with the model that PEFT trained. */
  logits: number[];
}

const facts: Record<string, Fact> = JSON.parse(Deno.readTextFileSync(`${ADAPTERS}/inits.json`));

for (const [name, { changesBase, logits, init }] of Object.entries(facts)) {
  const folder = `${ADAPTERS}/inits/${name}`;
  const isPlain = !changesBase || name.endsWith("_converted");
  Deno.test(`an adapter that PEFT began as ${name} ${isPlain ? "makes PEFT's logits" : "is refused"}`, async () => {
    const golden = loadGolden("llama3_gqa");
    const model = goldenModel(gpu, "llama3_gqa", golden);
    if (isPlain) {
      model.adapter = loadAdapter(gpu, golden.config, folder);
      const rows = await logitsOf(model, golden.sequences[0]);
      const error = Math.max(...logits.map((logit, i) => Math.abs(logit - rows.at(-1)![i])));
      assert(error < 1e-4, `${error}`);
    } else {
      const expected = `init_lora_weights is ${JSON.stringify(init)}, which changes the base model's weights`;
      const error = assertThrows(() => loadAdapter(gpu, golden.config, folder), UserError, expected);
      assertStringIncludes(error.hint!, "path_initial_model_for_weight_conversion");
      const base = openSafetensors(`${root}tests/golden/llama3_gqa/model.safetensors`);
      assertThrows(() => mergedWeights(golden.config, base, folder), UserError, expected);
      base.close();
    }
    freeModel(model);
  });
}

const read = (folder: string, init: unknown) => {
  const data = { peft_type: "LORA", r: 4, lora_alpha: 8, init_lora_weights: init };
  Deno.writeTextFileSync(`${folder}/adapter_config.json`, JSON.stringify(data));
  return readAdapterConfig(folder);
};

Deno.test("initialisations that change the base model are refused by name, in any spelling that PEFT takes", () =>
  inFolder((folder) => {
    const changing = [
      ...[
        "pissa",
        "pissa_niter_0",
        "pissa_niter_16",
        "pissa_niter_64",
        "pissa_other",
        "olora",
        "Olora",
        "OLORA",
      ],
      ...["corda", "corda_ipm", "lora_ga"],
    ];
    for (const init of changing) {
      const message = `init_lora_weights is "${init}", which changes the base model's weights`;
      assertThrows(() => read(folder, init), UserError, message);
    }
    const quantised = 'is "loftq", which quantises the base model';
    const { hint } = assertThrows(() => read(folder, "loftq"), UserError, quantised);
    assertStringIncludes(hint!, "merge_and_unload");
    for (const init of ["milora", "", "kaiming", 1, {}, ["pissa"]]) {
      const message = `init_lora_weights is ${JSON.stringify(init)}, one of true, false`;
      assertThrows(() => read(folder, init), UserError, message);
    }
  }));

Deno.test("initialisations that leave the base model alone are read as before", () =>
  inFolder((folder) => {
    const plain = [true, false, null, undefined, "gaussian", "Gaussian", "eva", "orthogonal", "mica", "MiCA"];
    for (const init of plain) {
      assertEquals(read(folder, init), { rank: 4, alpha: 8, rankStabilised: false });
    }
  }));
