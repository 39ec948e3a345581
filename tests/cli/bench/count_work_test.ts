/** A token takes five dispatches a layer on GPUs, nine with an adapter, and what is made for them is within their limits of memory. */
import { assert, assertEquals } from "@std/assert";
import { countWork } from "../../../cli/bench/count_work.ts";
import { CARDS, FURTHER_CARDS } from "../../../gpu/device/cards.ts";
import { openDryGpu } from "../../../gpu/device/dry_gpu.ts";
import { budgetCache, mostTrainedRows } from "../../../model/memory/cache_budget.ts";
import { dryThinking, generateDry } from "../../../model/memory/generation_memory.ts";
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { createEmptyModel } from "../../../model/transformer/transformer.ts";
import { dryTrainer, trainDry } from "../../../rl/memory/dry_trainer.ts";
import { createLike, createOptimizer } from "../../../rl/optimizer.ts";
import { MODEL_SHAPES } from "../../support/model_shapes.ts";

const two = (config: ModelConfig): ModelConfig => ({ ...config, layers: 2 });

for (const [model, config] of Object.entries(MODEL_SHAPES)) {
  Deno.test(`decoding ${model} takes five dispatches a layer, nine with an adapter, each of which waits once`, async () => {
    for (const [name, card] of Object.entries({ ...CARDS, ...FURTHER_CARDS })) {
      for (const types of ["f32", "f16"] as const) {
        for (const { name: work, layer } of await countWork(card, two(config), types)) {
          // Of 64 rows some products are too large to make their inputs again and again.
          if (!work.includes("token") || work.includes("64")) continue;
          // Each of four products with an update of low rank takes a dispatch more, for what it is made of.
          const most = work.includes("adapter") ? 9 : 5;
          assertEquals(layer.dispatches, most, `${name}, ${types}: ${work}`);
          assert(layer.barriers <= most + 0.25, `${name}, ${types}: ${work}: ${layer.barriers} barriers`);
        }
      }
    }
  });
}

// Its embedding is larger than a binding, and its cache as large as one.
const LARGE: ModelConfig = {
  ...two(MODEL_SHAPES["Llama 3.2 1B"]),
  ...{ hiddenSize: 5120, heads: 40, intermediateSize: 14336, tied: false, maxPosition: 131072 },
};

for (const [name, card] of Object.entries({ ...CARDS, ...FURTHER_CARDS })) {
  Deno.test(`generation and training are planned within the buffers and bindings of ${card.adapter.name}`, async () => {
    for (const config of [...Object.values(MODEL_SHAPES).map(two), LARGE]) {
      const open = () => openDryGpu(card, { maxBufferSize: card.maxBufferSize });
      const model = createEmptyModel(open(), config);
      budgetCache(model.gpu, 80 * 2 ** 30);
      const isLarge = card.maxBinding > 2 ** 30;
      const promptTokens = isLarge ? config.maxPosition / 2 : 1000;
      const lengths = { promptTokens, group: 64, maxThinking: 500, answerTokens: 16 };
      const thinking = dryThinking("soft");
      await generateDry(model, { ...lengths, prompts: 8, thinking });
      const sizes = model.params.embedding.chunks.map(({ storage }) => storage.bytes);
      assert(sizes.every((bytes) => bytes <= card.maxBinding), `${name}: chunks of ${sizes} bytes`);
      const trained = createEmptyModel(open(), config);
      await trainDry(dryTrainer({
        ...{ model: trained, rolloutModel: trained, diagnosis: undefined },
        shape: {
          ...{
            ...lengths,
            promptTokens: 500,
            group: isLarge ? 16 : 2,
            questions: 4,
            thinking,
            microRows: Math.min(8192, mostTrainedRows(card.maxBinding, config)),
            recompute: false,
          },
        },
        grads: createLike(trained, "gradient"),
        optimizer: createOptimizer(trained.gpu, config, undefined),
      }));
      assert(trained.gpu.arena.peakBytes > 0);
    }
  });
}
