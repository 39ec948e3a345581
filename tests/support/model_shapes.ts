import type { ModelConfig } from "../../model/transformer/config.ts";
import { KNOWN_SHAPES } from "../../model/transformer/known_shapes.ts";

const within = (name: string, maxPosition: number): ModelConfig => ({ ...KNOWN_SHAPES[name], maxPosition });

/** Shapes of models that people train, with contexts as short as tests want them. */
export const MODEL_SHAPES = {
  "SmolLM2-135M": within("SmolLM2-135M", 2048),
  "Llama 3.2 1B": within("Llama-3.2-1B", 4096),
  "Qwen 2.5 0.5B": within("Qwen2.5-0.5B", 4096),
  "Qwen 3 0.6B": within("Qwen3-0.6B", 4096),
} as const satisfies Record<string, ModelConfig>;
