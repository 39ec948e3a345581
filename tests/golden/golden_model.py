"""A Llama-family transformer in JAX, written from the published descriptions: one sequence at a time, no cache, no
sharing, no batching, float64. It is the yardstick for the program, so it shares no code and no structure with it."""

import math

import jax
import jax.numpy as jnp
import numpy as np

CONFIGS = {
    # The embedded model's kind: tied, as many key/value heads as heads, padding ids 45..47.
    "llama_tied": dict(
        architecture="llama", vocabSize=48, hiddenSize=32, layers=2, heads=4, kvHeads=4, headDim=8, intermediateSize=48,
        normEps=1e-5, ropeTheta=10000.0, tied=True, qkvBias=False, qkNorm=False, maxPosition=128, bosTokenId=1,
        eosTokenIds=[2], usedVocabSize=45),
    "llama3_gqa": dict(
        architecture="llama", vocabSize=53, hiddenSize=32, layers=2, heads=4, kvHeads=2, headDim=8, intermediateSize=40,
        normEps=1e-5, ropeTheta=10000.0,
        ropeScaling=dict(type="llama3", factor=4.0, lowFreqFactor=1.0, highFreqFactor=4.0, originalMaxPosition=64),
        tied=False, qkvBias=False, qkNorm=False, maxPosition=256, bosTokenId=1, eosTokenIds=[2, 3], usedVocabSize=53),
    "qwen2": dict(
        architecture="qwen2", vocabSize=47, hiddenSize=20, layers=2, heads=5, kvHeads=1, headDim=4, intermediateSize=28,
        normEps=1e-6, ropeTheta=1000000.0, tied=True, qkvBias=True, qkNorm=False, maxPosition=128, eosTokenIds=[2],
        usedVocabSize=47),
    "qwen3": dict(
        architecture="qwen3", vocabSize=48, hiddenSize=32, layers=2, heads=4, kvHeads=2, headDim=16, intermediateSize=40,
        normEps=1e-6, ropeTheta=10000.0, ropeScaling=dict(type="linear", factor=2.0), tied=False, qkvBias=False,
        qkNorm=True, maxPosition=128, eosTokenIds=[2], usedVocabSize=48),
}


def huggingface_config(c):
    """config.json as transformers reads it."""
    scaling = c.get("ropeScaling")
    if scaling and scaling["type"] == "llama3":
        scaling = dict(rope_type="llama3", factor=scaling["factor"], low_freq_factor=scaling["lowFreqFactor"],
                       high_freq_factor=scaling["highFreqFactor"],
                       original_max_position_embeddings=scaling["originalMaxPosition"])
    elif scaling:
        scaling = dict(rope_type="linear", factor=scaling["factor"])
    names = dict(llama="LlamaForCausalLM", qwen2="Qwen2ForCausalLM", qwen3="Qwen3ForCausalLM")
    eos = c["eosTokenIds"]
    return dict(
        architectures=[names[c["architecture"]]], model_type=c["architecture"], vocab_size=c["vocabSize"],
        hidden_size=c["hiddenSize"], num_hidden_layers=c["layers"], num_attention_heads=c["heads"],
        num_key_value_heads=c["kvHeads"], head_dim=c["headDim"], intermediate_size=c["intermediateSize"],
        rms_norm_eps=c["normEps"], rope_theta=c["ropeTheta"], rope_scaling=scaling, tie_word_embeddings=c["tied"],
        attention_bias=False, mlp_bias=False, max_position_embeddings=c["maxPosition"], hidden_act="silu",
        bos_token_id=c.get("bosTokenId"), eos_token_id=eos[0] if len(eos) == 1 else eos, torch_dtype="float32")


def parameter_shapes(c):
    d, f, hd = c["hiddenSize"], c["intermediateSize"], c["headDim"]
    shapes = {"model.embed_tokens.weight": (c["vocabSize"], d)}
    for l in range(c["layers"]):
        p = f"model.layers.{l}."
        for name, heads in (("q", c["heads"]), ("k", c["kvHeads"]), ("v", c["kvHeads"])):
            shapes[p + f"self_attn.{name}_proj.weight"] = (heads * hd, d)
            if c["qkvBias"]:
                shapes[p + f"self_attn.{name}_proj.bias"] = (heads * hd,)
        if c["qkNorm"]:
            shapes[p + "self_attn.q_norm.weight"] = shapes[p + "self_attn.k_norm.weight"] = (hd,)
        shapes[p + "self_attn.o_proj.weight"] = (d, c["heads"] * hd)
        shapes[p + "mlp.gate_proj.weight"] = shapes[p + "mlp.up_proj.weight"] = (f, d)
        shapes[p + "mlp.down_proj.weight"] = (d, f)
        shapes[p + "input_layernorm.weight"] = shapes[p + "post_attention_layernorm.weight"] = (d,)
    shapes["model.norm.weight"] = (d,)
    if not c["tied"]:
        shapes["lm_head.weight"] = (c["vocabSize"], d)
    return shapes


def initial_parameters(c, seed):
    """Random weights, rounded to float32 (what the file holds) and kept as float64 (what all is computed in)."""
    rng = np.random.default_rng(seed)
    parameters = {}
    for name, shape in parameter_shapes(c).items():
        x = rng.standard_normal(shape)
        if "norm" in name:
            x = 1 + 0.1 * x
        elif "embed" in name or "lm_head" in name:
            x = 0.3 * x
        elif "bias" in name:
            x = 0.2 * x
        else:
            x = 1.2 * x / np.sqrt(shape[1])
        parameters[name] = x.astype(np.float32).astype(np.float64)
    return parameters


def rotary_frequencies(c):
    hd = c["headDim"]
    frequency = 1.0 / c["ropeTheta"] ** (np.arange(0, hd, 2, dtype=np.float64) / hd)
    scaling = c.get("ropeScaling")
    if scaling is None:
        return frequency
    if scaling["type"] == "linear":
        return frequency / scaling["factor"]
    wavelength = 2 * np.pi / frequency
    longest_kept = scaling["originalMaxPosition"] / scaling["highFreqFactor"]
    shortest_divided = scaling["originalMaxPosition"] / scaling["lowFreqFactor"]
    smooth = (scaling["originalMaxPosition"] / wavelength - scaling["lowFreqFactor"]) / (
        scaling["highFreqFactor"] - scaling["lowFreqFactor"])
    blended = (1 - smooth) * frequency / scaling["factor"] + smooth * frequency
    return np.where(wavelength < longest_kept, frequency,
                    np.where(wavelength > shortest_divided, frequency / scaling["factor"], blended))


def _norm(x, weight, eps):
    return weight * x * jax.lax.rsqrt(jnp.mean(jnp.square(x), axis=-1, keepdims=True) + eps)


def _rotate(x, angles):
    """x [T, heads, hd]: dimensions i and i + hd/2 are the real and imaginary part of one complex number."""
    real, imaginary = jnp.split(x, 2, axis=-1)
    turned = (real + 1j * imaginary) * jnp.exp(1j * angles)[:, None, :]
    return jnp.concatenate([turned.real, turned.imag], axis=-1)


def logits_of_rows(c, parameters, x):
    """x [T, d]: input rows of one sequence at positions 0..T-1. Gives [T, V]; row t-1 predicts row t."""
    w = parameters
    length = x.shape[0]
    angles = (np.arange(length)[:, None] * rotary_frequencies(c)[None, :]).astype(x.dtype)
    mask = jnp.tril(jnp.ones((length, length), bool))
    for l in range(c["layers"]):
        p = f"model.layers.{l}."
        y = _norm(x, w[p + "input_layernorm.weight"], c["normEps"])

        def project(name):
            out = y @ w[p + f"self_attn.{name}_proj.weight"].T
            if c["qkvBias"]:
                out = out + w[p + f"self_attn.{name}_proj.bias"]
            return out.reshape(length, -1, c["headDim"])

        q, k, v = project("q"), project("k"), project("v")
        if c["qkNorm"]:
            q = _norm(q, w[p + "self_attn.q_norm.weight"], c["normEps"])
            k = _norm(k, w[p + "self_attn.k_norm.weight"], c["normEps"])
        q, k = _rotate(q, angles), _rotate(k, angles)
        k, v = (jnp.repeat(z, c["heads"] // c["kvHeads"], axis=1) for z in (k, v))
        scores = jnp.einsum("qhd,khd->hqk", q, k) / math.sqrt(c["headDim"])
        weights = jax.nn.softmax(jnp.where(mask, scores, -jnp.inf), axis=-1)
        attended = jnp.einsum("hqk,khd->qhd", weights, v).reshape(length, -1)
        x = x + attended @ w[p + "self_attn.o_proj.weight"].T
        y = _norm(x, w[p + "post_attention_layernorm.weight"], c["normEps"])
        gate, up = (y @ w[p + f"mlp.{n}_proj.weight"].T for n in ("gate", "up"))
        x = x + (jax.nn.silu(gate) * up) @ w[p + "mlp.down_proj.weight"].T
    head = w["model.embed_tokens.weight"] if c["tied"] else w["lm_head.weight"]
    return _norm(x, w["model.norm.weight"], c["normEps"]) @ head.T


def log_probabilities(c, logits, tau):
    """log softmax(z / tau) with padding ids left out (minus infinity)."""
    used = jnp.arange(c["vocabSize"]) < c["usedVocabSize"]
    return jax.nn.log_softmax(jnp.where(used, logits / tau, -jnp.inf), axis=-1)
