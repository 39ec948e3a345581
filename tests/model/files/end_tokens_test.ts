/** A model ends its texts at the same tokens as a folder, as the folder's exports, and as what is made of those. */
import { assertEquals } from "@std/assert";
import { exportGguf, exportSafetensors } from "../../../model/files/export_model.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { saveModel } from "../../../model/files/save_model.ts";
import { openTestGpu } from "../../gpu/support.ts";
import { inFolder } from "../../support/folders.ts";
import { BYTE_MODELS, byteTokenizer, EOS, EOT, PAD } from "../support/byte_models.ts";
import { randomModel } from "../support/small_models.ts";

const { gpu } = await openTestGpu();
const { config, pre, addsBos } = BYTE_MODELS["qwen-2"];
const model = randomModel(gpu, config);

interface Case {
  what: string;
  /** `eos_token_id` of config.json and of generation_config.json. */
  config: unknown;
  generation?: unknown;
  /** `eos_token` of tokenizer_config.json; its usual one is <|eot_id|>. */
  tokenizer?: unknown;
  ends: number[];
}

const CASES: Case[] = [
  { what: "the tokenizer's end token beside the config's", config: EOS, ends: [EOS, EOT] },
  { what: "the tokenizer's alone", config: null, ends: [EOT] },
  { what: "the tokenizer's in both", config: EOT, ends: [EOT] },
  { what: "the tokenizer's in a list", config: [EOS, EOT], ends: [EOS, EOT] },
  {
    what: "the tokenizer's in generation_config.json",
    config: EOS,
    generation: [EOS, EOT],
    ends: [EOS, EOT],
  },
  { what: "another one in generation_config.json", config: null, generation: PAD, ends: [PAD, EOT] },
  { what: "none anywhere", config: null, tokenizer: null, ends: [] },
  { what: "none in the tokenizer's", config: EOS, tokenizer: null, ends: [EOS] },
  { what: "a name that no token has", config: EOS, tokenizer: "<|nothing|>", ends: [EOS] },
  {
    what: "a token with its settings",
    config: EOS,
    tokenizer: { content: "<|pad|>", lstrip: false },
    ends: [EOS, PAD],
  },
  { what: "a token that is plain text", config: EOS, tokenizer: "the", ends: [EOS, 257] },
  { what: "four of the config's", config: [10, 11, 12, 13], ends: [10, 11, 12, 13, EOT] },
  { what: "three of the config's and the tokenizer's", config: [EOS, PAD, 65], ends: [EOS, PAD, 65, EOT] },
  { what: "one that is no special token", config: [65], tokenizer: null, ends: [65] },
  { what: "not <|eot_id|> though the vocabulary has it", config: PAD, tokenizer: "<|pad|>", ends: [PAD] },
];

for (const { what, ends, ...given } of CASES) {
  Deno.test(`end tokens alike in a folder and its exports: ${what}`, () =>
    inFolder(async (folder) => {
      const path = `${folder}/model`;
      await saveModel({ model, tokenizer: byteTokenizer(pre, addsBos), source: "x" }, path, "F32", {
        embeddingRms: 1,
      });
      const change = (name: string, changes: Record<string, unknown>) => {
        const json = JSON.parse(Deno.readTextFileSync(`${path}/${name}`));
        Deno.writeTextFileSync(`${path}/${name}`, JSON.stringify({ ...json, ...changes }));
      };
      change("config.json", { eos_token_id: given.config });
      if (given.tokenizer !== undefined) change("tokenizer_config.json", { eos_token: given.tokenizer });
      if (given.generation !== undefined) {
        Deno.writeTextFileSync(
          `${path}/generation_config.json`,
          JSON.stringify({ eos_token_id: given.generation }),
        );
      }
      const endsOf = (name: string) => {
        using files = openModelFiles(name);
        return files.config.eosTokenIds;
      };
      assertEquals(endsOf(path), ends);
      using files = openModelFiles(path);
      await exportGguf({ ...files, name: "x" }, { out: `${folder}/x.gguf`, dtype: "q8_0" });
      await exportSafetensors({ ...files, name: "x" }, { out: `${folder}/x`, dtype: "f16" });
      assertEquals(endsOf(`${folder}/x.gguf`), ends);
      assertEquals(endsOf(`${folder}/x`), ends);
      using gguf = openModelFiles(`${folder}/x.gguf`);
      await exportSafetensors({ ...gguf, name: "x" }, { out: `${folder}/y`, dtype: "f16" });
      assertEquals(endsOf(`${folder}/y`), ends);
    }));
}
