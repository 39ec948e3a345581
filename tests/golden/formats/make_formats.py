"""Writes the small GGUF files of this folder and what they must give: `python make_formats.py` (gguf, numpy, safetensors,
torch, transformers; CPU). README.md of the folder above describes the files. Dequantisation is that of the gguf package,
logits are those of transformers in float64 on the dequantised weights."""

import base64
import json
import pathlib
import sys

import gguf
import numpy as np
import torch
import transformers
from gguf import GGMLQuantizationType as T
from gguf.quants import dequantize, quantize
from safetensors.numpy import load_file

HERE = pathlib.Path(__file__).parent
TYPES = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q4_K, T.Q5_K, T.Q6_K]
# Places of the f16 scales in a block of each type whose blocks cannot be made by `quantize`, or are drawn at random.
SCALES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}
BLOCKS = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
          "attn_v": "self_attn.v_proj", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
          "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
          "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def packed(x):
    """An array as JSON: little-endian float32 in base64, and its shape."""
    x = np.asarray(x, dtype="<f4")
    return {"shape": list(x.shape), "f32": base64.b64encode(x.tobytes()).decode()}


def random_blocks(rng, dtype, rows, cols, scale):
    """Rows of a type with every bit drawn, but for the scales, which are of the size given."""
    elements, size = gguf.GGML_QUANT_SIZES[dtype]
    blocks = rng.integers(0, 256, (rows * cols // elements, size), dtype=np.uint8)
    for at in SCALES.get(dtype, []):
        blocks[:, at:at + 2] = (rng.standard_normal(len(blocks)) * scale).astype("<f2").view(np.uint8).reshape(-1, 2)
    if dtype == T.F32:
        return rng.standard_normal((rows, cols)).astype("<f4")
    if dtype in (T.F16, T.BF16):
        # Every exponent but the highest, which is infinity and NaN.
        high = blocks.view("<u2")
        top = 0x7C00 if dtype == T.F16 else 0x7F80
        high[(high & top) == top] &= 0x83FF
    return blocks.reshape(rows, -1)


def hf_name(name):
    stem, ending = name.rsplit(".", 1)
    if stem in OUTER:
        return f"{OUTER[stem]}.{ending}"
    _, block, stem = stem.split(".")
    return f"model.layers.{block}.{BLOCKS[stem]}.{ending}"


def interleave(x, heads):
    """Rows of Q or K from Hugging Face's order to that of GGUF's llama, as llama.cpp's converter does it."""
    return x.reshape(heads, 2, x.shape[0] // heads // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def split_halves(x, heads):
    return x.reshape(heads, x.shape[0] // heads // 2, 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def rope_divisors(config):
    """rope_freqs.weight, by the formula of llama.cpp's converter."""
    s = config["rope_scaling"]
    dim = config["head_dim"]
    divisors = []
    for i in range(0, dim, 2):
        wavelength = 2 * np.pi * config["rope_theta"] ** (i / dim)
        low, high = s["low_freq_factor"], s["high_freq_factor"]
        if wavelength < s["original_max_position_embeddings"] / high:
            divisors.append(1)
        elif wavelength > s["original_max_position_embeddings"] / low:
            divisors.append(s["factor"])
        else:
            smooth = (s["original_max_position_embeddings"] / wavelength - low) / (high - low)
            divisors.append(1 / ((1 - smooth) / s["factor"] + smooth))
    return np.array(divisors, np.float32)


def write_model(path, config, weights, types):
    """A GGUF file from Hugging Face weights; `types` gives the type of each GGUF name (else F32). Returns the weights as
    they are in the file, in Hugging Face's order of rows."""
    arch = config["model_type"]
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    w = gguf.GGUFWriter(None, arch)
    w.add_context_length(config["max_position_embeddings"])
    w.add_embedding_length(config["hidden_size"])
    w.add_block_count(config["num_hidden_layers"])
    w.add_feed_forward_length(config["intermediate_size"])
    w.add_head_count(heads)
    w.add_head_count_kv(kv_heads)
    w.add_key_length(config["head_dim"])
    w.add_value_length(config["head_dim"])
    w.add_rope_dimension_count(config["head_dim"])
    w.add_rope_freq_base(config["rope_theta"])
    w.add_layer_norm_rms_eps(config["rms_norm_eps"])
    scaling = config.get("rope_scaling")
    if scaling and scaling["rope_type"] == "linear":
        w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        w.add_rope_scaling_factor(scaling["factor"])
    if scaling and scaling["rope_type"] == "llama3":
        w.add_tensor("rope_freqs.weight", rope_divisors(config))
    names = {hf_name(f"{stem}.{ending}"): f"{stem}.{ending}"
             for stem in [*OUTER, *(f"blk.{i}.{b}" for i in range(config["num_hidden_layers"]) for b in BLOCKS)]
             for ending in ("weight", "bias")}
    stored = {}
    for hf, x in weights.items():
        name = names[hf]
        rotated = arch == "llama" and (".attn_q." in name or ".attn_k." in name)
        of = heads if ".attn_q." in name else kv_heads
        x = interleave(x, of) if rotated else x
        dtype = types.get(name, T.F32)
        if dtype in (T.Q4_K, T.Q5_K, T.Q6_K):  # The package reads these but does not write them.
            scale = {T.Q4_K: 1e-4, T.Q5_K: 5e-5, T.Q6_K: 2e-5}[dtype]
            data = random_blocks(np.random.default_rng(len(name)), dtype, *x.shape, scale)
        else:
            data = quantize(x, dtype)
        w.add_tensor(name, data, raw_dtype=dtype)
        x = dequantize(data, dtype).astype(np.float32).reshape(x.shape)
        stored[hf] = split_halves(x, of) if rotated else x
    w.write_header_to_file(path)
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return stored


def logits_of(config, weights, ids):
    """[length, V] by transformers, in float64."""
    config = {k: v for k, v in config.items() if k != "torch_dtype"}
    model = transformers.AutoModelForCausalLM.from_config(
        transformers.AutoConfig.for_model(**config), dtype=torch.float64, attn_implementation="eager").double().eval()
    missing, unexpected = model.load_state_dict({k: torch.tensor(v, dtype=torch.float64) for k, v in weights.items()}, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].numpy()


def write_types():
    """types.gguf: [3, 512] of every type, and beside each tensor what it must become."""
    rng = np.random.default_rng(1)
    w = gguf.GGUFWriter(HERE / "types.gguf", "none")
    for dtype in TYPES:
        data = random_blocks(rng, dtype, 3, 512, 1e-2)
        w.add_tensor(dtype.name, data.view("<f2") if dtype == T.F16 else data, raw_dtype=dtype)
        w.add_tensor(f"{dtype.name}.expected", dequantize(data.view("<f2") if dtype == T.F16 else data, dtype).astype(np.float32).reshape(3, 512))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def random_weights(config, rng):
    d, f, hd = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    q, kv, v = config["num_attention_heads"] * hd, config["num_key_value_heads"] * hd, config["vocab_size"]
    draw = lambda *shape: (rng.standard_normal(shape) * 0.15).astype(np.float32)
    norm = lambda n: (1 + 0.2 * rng.standard_normal(n)).astype(np.float32)
    weights = {"model.embed_tokens.weight": draw(v, d), "model.norm.weight": norm(d)}
    if not config["tie_word_embeddings"]:
        weights["lm_head.weight"] = draw(v, d)
    for i in range(config["num_hidden_layers"]):
        p = f"model.layers.{i}."
        weights |= {p + "input_layernorm.weight": norm(d), p + "post_attention_layernorm.weight": norm(d),
                    p + "self_attn.q_proj.weight": draw(q, d), p + "self_attn.k_proj.weight": draw(kv, d),
                    p + "self_attn.v_proj.weight": draw(kv, d), p + "self_attn.o_proj.weight": draw(d, q),
                    p + "mlp.gate_proj.weight": draw(f, d), p + "mlp.up_proj.weight": draw(f, d), p + "mlp.down_proj.weight": draw(d, f)}
        if config["model_type"] == "qwen2":
            weights |= {p + f"self_attn.{n}_proj.bias": draw(m) for n, m in (("q", q), ("k", kv), ("v", kv))}
        if config["model_type"] == "qwen3":
            weights |= {p + f"self_attn.{n}_norm.weight": norm(hd) for n in "qk"}
    return weights


def shape(model_type, d, f, heads, kv, hd, vocab, **more):
    return dict(model_type=model_type, hidden_size=d, intermediate_size=f, num_attention_heads=heads, num_key_value_heads=kv,
                head_dim=hd, vocab_size=vocab, num_hidden_layers=2, max_position_embeddings=256, rms_norm_eps=1e-5,
                rope_theta=10000.0, tie_word_embeddings=False, **more)


# Each with other types; K-blocks need rows of 256.
QUANTISED = {
    "llama3_mixed": (
        shape("llama", 32, 256, 8, 2, 32, 96, rope_scaling=dict(
            rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)),
        {"token_embd": T.Q8_0, "output": T.F16, "attn_q": T.Q4_0, "attn_k": T.Q5_0, "attn_v": T.Q5_1, "attn_output": T.Q4_K,
         "ffn_gate": T.Q4_1, "ffn_up": T.Q8_0, "ffn_down": T.Q6_K, "1.attn_output": T.Q5_K, "1.ffn_down": T.Q4_K}),
    "qwen2_mixed": (
        shape("qwen2", 32, 64, 4, 2, 8, 96) | dict(tie_word_embeddings=True),
        {"token_embd": T.Q5_1, "attn_q": T.Q8_0, "attn_k": T.Q8_0, "attn_v": T.Q5_0, "attn_output": T.Q4_1, "ffn_gate": T.BF16,
         "ffn_up": T.F16, "ffn_down": T.Q4_0}),
    "qwen3_mixed": (
        shape("qwen3", 32, 64, 4, 2, 16, 96),
        {"token_embd": T.Q4_1, "output": T.BF16, "attn_q": T.Q8_0, "attn_k": T.Q5_1, "attn_v": T.Q4_0, "attn_output": T.Q8_0,
         "ffn_gate": T.Q5_0, "ffn_up": T.Q4_1, "ffn_down": T.Q8_0}),
}


def type_of(types, name):
    _, _, short = name.partition("blk.")
    block_stem = short.rsplit(".", 1)[0]  # "1.ffn_down"
    stem = name.rsplit(".", 1)[0].rsplit(".", 1)[-1]
    return types.get(block_stem, types.get(stem, T.F32)) if name.endswith(".weight") else T.F32


def main():
    torch.manual_seed(0)
    write_types()
    golden = {}
    for name in ("llama3_gqa", "qwen2", "qwen3"):
        config = json.loads((HERE.parent / name / "config.json").read_text())
        weights = load_file(HERE.parent / name / "model.safetensors")
        write_model(HERE / f"{name}_f32.gguf", config, weights, {})
        # Their logits are in golden.json; transformers, whose rotary frequencies are float32, must agree.
        known = json.loads((HERE.parent / name / "golden.json").read_text())
        for ids, z in zip(known["sequences"], known["logits"]):
            theirs = np.frombuffer(base64.b64decode(z["f64"])).reshape(z["shape"])
            error = np.abs(logits_of(config, weights, ids) - theirs).max()
            assert error < 1e-5, (name, error)
    for seed, (name, (config, types)) in enumerate(QUANTISED.items()):
        rng = np.random.default_rng(100 + seed)
        weights = random_weights(config, rng)
        names = [f"{s}.weight" for s in [*OUTER, *(f"blk.{i}.{b}" for i in range(2) for b in BLOCKS)]]
        stored = write_model(HERE / f"{name}.gguf", config, weights, {n: type_of(types, n) for n in names})
        ids = rng.integers(0, config["vocab_size"], 40).tolist()
        z = logits_of(config, stored, ids)
        print(name, "logits", z.std(), np.abs(z).max(), file=sys.stderr)
        golden[name] = {"ids": ids, "logits": packed(z), "config": config}
    (HERE / "logits.json").write_text(json.dumps(golden) + "\n")


main()
