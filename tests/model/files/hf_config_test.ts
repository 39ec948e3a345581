import { assert, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { parseHfConfig, readModelConfig, toHfConfig } from "../../../model/files/hf_config.ts";
import { inFolder } from "../../support/folders.ts";

/** Shapes as the public models give them in their config.json. */
const LLAMA_3_2_1B = {
  architectures: ["LlamaForCausalLM"],
  attention_bias: false,
  bos_token_id: 128000,
  eos_token_id: [128001, 128008, 128009],
  head_dim: 64,
  hidden_act: "silu",
  hidden_size: 2048,
  intermediate_size: 8192,
  max_position_embeddings: 131072,
  mlp_bias: false,
  model_type: "llama",
  num_attention_heads: 32,
  num_hidden_layers: 16,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
  rope_scaling: {
    factor: 32.0,
    high_freq_factor: 4.0,
    low_freq_factor: 1.0,
    original_max_position_embeddings: 8192,
    rope_type: "llama3",
  },
  rope_theta: 500000.0,
  tie_word_embeddings: true,
  vocab_size: 128256,
};

const QWEN_2_5_05B = {
  bos_token_id: 151643,
  eos_token_id: 151645,
  hidden_act: "silu",
  hidden_size: 896,
  intermediate_size: 4864,
  max_position_embeddings: 32768,
  max_window_layers: 21,
  model_type: "qwen2",
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000.0,
  sliding_window: 32768,
  tie_word_embeddings: true,
  use_sliding_window: false,
  vocab_size: 151936,
};

const QWEN_3_06B = {
  ...QWEN_2_5_05B,
  attention_bias: false,
  head_dim: 128,
  hidden_size: 1024,
  intermediate_size: 3072,
  max_position_embeddings: 40960,
  model_type: "qwen3",
  num_attention_heads: 16,
  num_hidden_layers: 28,
  num_key_value_heads: 8,
  rope_scaling: null,
  sliding_window: null,
};

Deno.test("config.json: Llama 3.2, Qwen 2.5 and Qwen 3 as published", () => {
  assertEquals(parseHfConfig(LLAMA_3_2_1B), {
    architecture: "llama",
    vocabSize: 128256,
    hiddenSize: 2048,
    layers: 16,
    heads: 32,
    kvHeads: 8,
    headDim: 64,
    intermediateSize: 8192,
    normEps: 1e-5,
    ropeTheta: 500000,
    ropeScaling: {
      type: "llama3",
      factor: 32,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPosition: 8192,
    },
    tied: true,
    qkvBias: false,
    qkNorm: false,
    maxPosition: 131072,
    eosTokenIds: [128001, 128008, 128009],
    usedVocabSize: 128256,
    bosTokenId: 128000,
  });
  const qwen2 = parseHfConfig(QWEN_2_5_05B);
  assertEquals([qwen2.headDim, qwen2.qkvBias, qwen2.qkNorm, qwen2.eosTokenIds], [64, true, false, [151645]]);
  const qwen3 = parseHfConfig(QWEN_3_06B);
  assertEquals([qwen3.headDim, qwen3.qkvBias, qwen3.qkNorm, qwen3.ropeScaling], [
    128,
    false,
    true,
    undefined,
  ]);
});

Deno.test("config.json: what is left out has its family's default", () => {
  const { head_dim: _, rope_scaling: __, tie_word_embeddings: ___, ...bare } = LLAMA_3_2_1B;
  const config = parseHfConfig({ ...bare, num_key_value_heads: undefined, rope_theta: undefined });
  assertEquals([config.headDim, config.kvHeads, config.ropeTheta, config.tied], [64, 32, 10_000, false]);
  assertEquals(parseHfConfig({ ...QWEN_3_06B, head_dim: undefined }).headDim, 128);
  const linear = parseHfConfig({ ...bare, rope_scaling: { type: "linear", factor: 2 } });
  assertEquals(linear.ropeScaling, { type: "linear", factor: 2 });
  const newer = parseHfConfig({
    ...{ ...bare, rope_theta: undefined },
    rope_parameters: { rope_theta: 250000, rope_type: "linear", factor: 4 },
  });
  assertEquals([newer.ropeTheta, newer.ropeScaling], [250000, { type: "linear", factor: 4 }]);
  assertEquals(parseHfConfig({ ...bare, eos_token_id: null }).eosTokenIds, []);
});

Deno.test("config.json: written and read again, nothing is lost", () => {
  const configs: ModelConfig[] = [LLAMA_3_2_1B, QWEN_2_5_05B, QWEN_3_06B].map((json) => parseHfConfig(json));
  configs.push({
    ...configs[0],
    usedVocabSize: 128000,
    ropeScaling: { type: "linear", factor: 8 },
    tied: false,
  });
  configs.push({ ...configs[0], eosTokenIds: [], headDim: 80 });
  for (const config of configs) {
    assertEquals(parseHfConfig(JSON.parse(JSON.stringify(toHfConfig(config)))), config);
  }
  assertEquals(toHfConfig(configs[0]).softcot_used_vocab_size, undefined);
  assertEquals(toHfConfig(configs[3]).softcot_used_vocab_size, 128000);
  assertEquals(toHfConfig(configs[0]).eos_token_id, LLAMA_3_2_1B.eos_token_id);
  assertThrows(() => toHfConfig({ ...configs[0], qkvBias: true }), Error, "biases");
});

Deno.test("config.json: what is not supported is refused by name", () => {
  const refused: [Record<string, unknown>, string][] = [
    [{ model_type: "qwen3_moe" }, '"qwen3_moe", one of llama, qwen2, qwen3'],
    [{ model_type: undefined }, "not given"],
    [{ hidden_act: "gelu" }, "hidden_act"],
    [{ attention_bias: true }, "attention_bias"],
    [{ mlp_bias: true }, "mlp_bias"],
    [{ use_sliding_window: true }, "use_sliding_window"],
    [{ quantization_config: { bits: 4 } }, "quantization_config"],
    [{ partial_rotary_factor: 0.5 }, "partial_rotary_factor"],
    [{ rope_scaling: { rope_type: "yarn", factor: 4 } }, '"yarn"'],
    [{ rope_scaling: { rope_type: "llama3", factor: 4 } }, "low_freq_factor"],
    [{ rope_scaling: { ...LLAMA_3_2_1B.rope_scaling, low_freq_factor: 4 } }, "less than"],
    [{ rope_scaling: 3 }, "an object"],
    [{ hidden_size: undefined }, "hidden_size is not given"],
    [{ hidden_size: -1 }, "hidden_size is -1"],
    [{ hidden_size: "2048" }, "hidden_size"],
    [{ num_hidden_layers: 1e12 }, "num_hidden_layers"],
    [{ head_dim: 63 }, "63 wide"],
    [{ head_dim: null, num_attention_heads: 24 }, "head_dim"],
    [{ num_key_value_heads: 5 }, "5 key/value heads"],
    [{ rms_norm_eps: 0 }, "rms_norm_eps"],
    [{ rope_theta: "x" }, "rope_theta"],
    [{ eos_token_id: 128256 }, "eos_token_id"],
    [{ eos_token_id: [1, "a"] }, "eos_token_id"],
    [{ bos_token_id: 128256 }, "bos_token_id"],
    [{ softcot_used_vocab_size: 128257 }, "128257 of 128256"],
    [{ tie_word_embeddings: "yes" }, "tie_word_embeddings"],
  ];
  for (const [change, message] of refused) {
    const error = assertThrows(() => parseHfConfig({ ...LLAMA_3_2_1B, ...change }), UserError, message);
    assert(error.message.startsWith("Cannot open the model by "), error.message);
  }
  for (const json of [null, [], 3, "x"]) assertThrows(() => parseHfConfig(json), UserError, "no JSON object");
});

Deno.test("config.json: end tokens of generation_config.json count too", () =>
  inFolder((folder) => {
    assertThrows(() => readModelConfig(folder), UserError, "config.json");
    Deno.writeTextFileSync(`${folder}/config.json`, JSON.stringify(QWEN_2_5_05B));
    assertEquals(readModelConfig(folder).eosTokenIds, [151645]);
    Deno.writeTextFileSync(`${folder}/generation_config.json`, '{"eos_token_id": [151645, 151643]}');
    assertEquals(readModelConfig(folder).eosTokenIds, [151645, 151643]);
    Deno.writeTextFileSync(`${folder}/generation_config.json`, "{");
    assertThrows(() => readModelConfig(folder), UserError, "generation_config.json");
  }));

Deno.test("config.json: 2,000 random mutations are opened or refused, never worse", () => {
  let state = 99;
  const below = (n: number) => (state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 >>> 0) % n;
  const odd = [null, undefined, -1, 0, 0.5, 1, 7, 1e30, "", "linear", "llama3", true, false, [], [1], {}, [
    [],
  ], NaN];
  const outcomes = { opened: 0, refused: 0 };
  for (let round = 0; round < 2000; round++) {
    const base = [LLAMA_3_2_1B, QWEN_2_5_05B, QWEN_3_06B][below(3)];
    const json: Record<string, unknown> = structuredClone(base);
    for (let edits = 1 + below(3); edits > 0; edits--) {
      const scaling = json.rope_scaling as Record<string, unknown> | null;
      const target = below(4) === 0 && typeof scaling === "object" && scaling ? scaling : json;
      const keys = [...Object.keys(target), "rope_parameters", "rope_type", "quantization_config"];
      target[keys[below(keys.length)]] = odd[below(odd.length)];
    }
    try {
      const config = parseHfConfig(json);
      assertEquals(parseHfConfig(toHfConfig(config)), config);
      outcomes.opened++;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      outcomes.refused++;
    }
  }
  assert(outcomes.opened > 100 && outcomes.refused > 500, JSON.stringify(outcomes));
});
