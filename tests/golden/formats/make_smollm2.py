"""Writes smollm2.json beside this script: `python make_smollm2.py FILE.gguf` with SmolLM2-135M-Instruct as GGUF (gguf, numpy,
torch, transformers, tokenizers; CPU, a few minutes). The weights are dequantised by the gguf package, put into Hugging
Face's order of rows, and run by transformers' LlamaForCausalLM in float64, in one pass without a cache for the logits.

`python make_smollm2.py FILE.gguf LOGITS.f32` instead compares every column of logits that the program wrote
(`deno run -A tests/golden/formats/write_logits.ts FILE.gguf LOGITS.f32`, beside this script)."""

import base64
import json
import pathlib
import sys

import gguf
import numpy as np
import torch
import transformers
from gguf.quants import dequantize

HERE = pathlib.Path(__file__).parent
POSITIONS, COLUMNS, TOP, NEW_TOKENS = 256, 96, 8, 64
END_TOKENS = (0, 2)
BLOCKS = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
          "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
          "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}

TEXT = """<|im_start|>system
You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
<|im_start|>user
A baker has 12 trays. Each tray holds 24 rolls, and a third of the rolls are sold before noon. In the afternoon she sells
half of what is left, at $0.75 each. How much does she earn in the afternoon?<|im_end|>
<|im_start|>assistant
The baker has 12 * 24 = 288 rolls. Before noon she sells 288 / 3 = 96 rolls, so 288 - 96 = 192 rolls are left. In the
afternoon she sells 192 / 2 = 96 rolls. At $0.75 each she earns 96 * 0.75 = $72. The final answer is: \\boxed{72}.<|im_end|>
<|im_start|>user
Erkläre das bitte auf Deutsch, und schreibe ein kleines Programm: def earn(trays: int) -> float: return trays * 24 / 3 * 0.75
# naïve, 日本語, émigré, ∑ x² ≥ 0, and\ttabs\n\n\n    indented four   three blanks. "Quotes", 'single', and a URL: https://example.org/a?b=1&c=2
Once upon a time there was a river that ran uphill, and nobody in the valley thought it strange until the mill stopped."""

PROMPTS = [
    "The capital of France is", "Once upon a time, there was a little girl who", "2 + 2 = 4, 3 + 3 = 6, 4 + 4 =",
    "Water boils at a temperature of", "def fibonacci(n):\n    ", "The three primary colours are",
    "My favourite book is about", "In the year 1969, the first", "To bake bread, you need flour,",
    "The largest planet in the solar system", "User: What is 7 times 8? Assistant:", "Roses are red, violets are",
    "The opposite of hot is", "Dear Sir or Madam,\n\nI am writing to", "A triangle has three sides and",
    "<|im_start|>user\nName three fruits.<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\nSam has 3 apples and buys 4 more. How many apples has he now?<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\nWrite a short poem about the sea.<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\nWhat is photosynthesis?<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\nTranslate 'good morning' into Spanish.<|im_end|>\n<|im_start|>assistant\n",
]


def hf_name(name):
    stem, ending = name.rsplit(".", 1)
    if stem in OUTER:
        return f"{OUTER[stem]}.{ending}"
    _, block, stem = stem.split(".")
    return f"model.layers.{block}.{BLOCKS[stem]}.{ending}"


def load(path):
    reader = gguf.GGUFReader(path)
    value = lambda key: reader.fields[key].contents()
    heads, kv_heads = value("llama.attention.head_count"), value("llama.attention.head_count_kv")
    weights = {}
    for t in reader.tensors:
        x = dequantize(t.data, t.tensor_type).reshape(list(reversed(t.shape.tolist())))
        name = hf_name(t.name)
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            n = heads if "q_proj" in name else kv_heads
            # GGUF's llama rotates neighbouring rows, transformers rows half a head apart.
            x = x.reshape(n, x.shape[0] // n // 2, 2, -1).swapaxes(1, 2).reshape(x.shape)
        weights[name] = torch.tensor(x, dtype=torch.float64)
    config = transformers.LlamaConfig(
        vocab_size=weights["model.embed_tokens.weight"].shape[0], hidden_size=value("llama.embedding_length"),
        intermediate_size=value("llama.feed_forward_length"), num_hidden_layers=value("llama.block_count"),
        num_attention_heads=heads, num_key_value_heads=kv_heads, rms_norm_eps=1e-5, rope_theta=value("llama.rope.freq_base"),
        max_position_embeddings=value("llama.context_length"), tie_word_embeddings=True)
    model = transformers.LlamaForCausalLM(config).double().eval()
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and missing == ["lm_head.weight"], (missing, unexpected)
    model.tie_weights()
    path = pathlib.Path(path)
    return model, transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def packed(x, dtype="<f4"):
    return base64.b64encode(np.asarray(x, dtype=dtype).tobytes()).decode()


def main():
    torch.set_grad_enabled(False)
    model, tokenizer = load(sys.argv[1])
    ids = tokenizer(TEXT, add_special_tokens=False)["input_ids"]
    ids = (ids + tokenizer(PROMPTS[3], add_special_tokens=False)["input_ids"] * 99)[:POSITIONS]
    z = model(torch.tensor([ids])).logits[0].numpy()
    if len(sys.argv) > 2:
        ours = np.fromfile(sys.argv[2], "<f4").reshape(z.shape)
        error = np.abs(ours - z)
        print(f"{z.size} logits: largest difference {error.max():.2e}, root mean square {np.sqrt((error ** 2).mean()):.2e}")
        sys.exit(1 if error.max() > 1e-3 else 0)
    columns = np.sort(np.random.default_rng(0).choice(z.shape[1], COLUMNS, replace=False))
    top = np.argsort(-z, axis=1)[:, :TOP]
    greedy = []
    for prompt in PROMPTS:
        given = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        new, gaps, cache, step = [], [], None, given
        while len(new) < NEW_TOKENS and (not new or new[-1] not in END_TOKENS):
            out = model(torch.tensor([step]), past_key_values=cache, use_cache=True)
            cache, last = out.past_key_values, out.logits[0, -1]
            two = torch.topk(last, 2)
            gaps.append(round(float(two.values[0] - two.values[1]), 5))
            new.append(int(two.indices[0]))
            step = [new[-1]]
        print(repr(prompt), repr(tokenizer.decode(new)[:90]), min(gaps), flush=True)
        greedy.append({"prompt": prompt, "ids": given, "new": new, "gaps": gaps})
    result = {
        "text": TEXT, "ids": ids, "columns": columns.tolist(), "logits": packed(z[:, columns]),
        "topIds": packed(top, "<i4"), "top": packed(np.take_along_axis(z, top, 1)),
        "logSumExp": packed(np.log(np.exp(z - z.max(1, keepdims=True)).sum(1)) + z.max(1)), "greedy": greedy,
    }
    (HERE / "smollm2.json").write_text(json.dumps(result, ensure_ascii=False) + "\n")


main()
