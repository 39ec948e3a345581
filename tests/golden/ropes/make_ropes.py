"""Writes what transformers makes of the RoPE values of a config.json, wherever they stand: `python make_ropes.py` (torch,
transformers). ropes.json holds for each case the keys that a small model's config.json has beside its shape, and under `5` the
rotary frequencies in float32, or null where transformers does not open it. Run with transformers 4 the script adds the same
under `4`. Made with transformers 5.24.0 and 4.57.1, torch 2.15.0."""

import itertools
import json
import pathlib

import transformers
from transformers import AutoConfig

FILE = pathlib.Path(__file__).parent / "ropes.json"
SHAPE = dict(hidden_size=64, num_attention_heads=4, num_key_value_heads=2, head_dim=16, intermediate_size=96,
             num_hidden_layers=2, vocab_size=48, max_position_embeddings=4096)
LLAMA3 = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=512)
SHORT = {key: value for key, value in LLAMA3.items() if not key.startswith("original")}

CASES = [{}, {"rope_theta": 250000.0}, {"rope_theta": 250000}, {"rope_scaling": None}, {"rope_parameters": None},
         {"rope_scaling": {}}, {"rope_scaling": {}, "rope_theta": 9000.0}]
# A kind of scaling, where its name stands, in which object, and where theta stands.
for kind, (key, inside, outside, place) in itertools.product(
    [("default", {}), ("linear", {"factor": 4.0}), ("llama3", LLAMA3)],
    [("rope_type", 500000.0, None, "rope_parameters"), ("rope_type", 500000.0, 3000.0, "rope_parameters"),
     ("rope_type", None, 3000.0, "rope_parameters"), ("rope_type", None, None, "rope_parameters"),
     ("rope_type", 500000.0, None, "rope_scaling"), ("rope_type", 500000.0, 3000.0, "rope_scaling"),
     ("rope_type", None, 3000.0, "rope_scaling"), ("rope_type", None, None, "rope_scaling"),
     ("type", 500000.0, None, "rope_scaling"), ("type", None, 3000.0, "rope_scaling"),
     ("type", 500000.0, None, "rope_parameters")],
):
    CASES.append({place: {key: kind[0], **kind[1], **({} if inside is None else {"rope_theta": inside})},
                  **({} if outside is None else {"rope_theta": outside})})
CASES += [
    {"rope_parameters": {"rope_theta": 700000.0}},
    {"rope_scaling": {"rope_theta": 700000.0}},
    {"rope_scaling": {"factor": 4.0}},
    {"rope_scaling": {"rope_theta": 700000.0}, "rope_theta": 10.0},
    {"rope_scaling": {"type": "linear", "factor": 2.0}, "rope_parameters": {"rope_type": "default", "rope_theta": 5000.0}},
    {"rope_scaling": {"rope_type": "default", "rope_theta": 800.0},
     "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0}},
    {"rope_scaling": {}, "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0}},
    {"rope_scaling": None, "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0}},
    {"rope_scaling": {"rope_type": "linear", "type": "linear", "factor": 4}},
    {"rope_scaling": {"rope_type": "llama3", "type": "linear", **LLAMA3}},
    {"rope_scaling": {"rope_type": "default", "type": "default", "mrope_section": [2, 3, 3]}},
    {"rope_scaling": {"rope_type": "llama3", **SHORT}},
    {"rope_scaling": {"rope_type": "llama3", **SHORT}, "original_max_position_embeddings": 512},
    {"rope_scaling": {"rope_type": "llama3", **LLAMA3}, "original_max_position_embeddings": 1024},
    {"rope_parameters": {"rope_type": "llama3", **SHORT, "rope_theta": 500000.0}, "original_max_position_embeddings": 512},
    {"rope_parameters": {"rope_type": "llama3", **LLAMA3, "rope_theta": 500000.0}, "original_max_position_embeddings": 1024},
    {"original_max_position_embeddings": 512},
    {"partial_rotary_factor": 1.0}, {"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 1.0}},
    {"rope_scaling": {"rope_type": "linear", "factor": 2.0, "partial_rotary_factor": 1}},
]


def frequencies(model_type, case):
    if model_type == "llama":
        from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding as Rotary
    elif model_type == "qwen2":
        from transformers.models.qwen2.modeling_qwen2 import Qwen2RotaryEmbedding as Rotary
    else:
        from transformers.models.qwen3.modeling_qwen3 import Qwen3RotaryEmbedding as Rotary
    try:
        rotary = Rotary(AutoConfig.for_model(model_type, **SHAPE, **json.loads(json.dumps(case))))
        assert rotary.attention_scaling == 1.0
        return rotary.inv_freq.tolist()
    except Exception as error:  # noqa: BLE001
        print(transformers.__version__, model_type, json.dumps(case), type(error).__name__, str(error)[:80])
        return None


major = transformers.__version__.split(".")[0]
kept = json.loads(FILE.read_text()) if FILE.exists() else {"shape": SHAPE, "cases": []}
known = {json.dumps([fact["model_type"], fact["config"]]): fact for fact in kept["cases"]}
cases = []
for model_type, case in [*(("llama", case) for case in CASES), *(("qwen2", case) for case in CASES[::3]),
                         *(("qwen3", case) for case in CASES[1::3])]:
    fact = known.get(json.dumps([model_type, case]), {"model_type": model_type, "config": case})
    cases.append({**fact, major: frequencies(model_type, case)})
FILE.write_text('{"shape": ' + json.dumps(SHAPE) + ', "cases": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]}\n")
alike = sum(fact.get("4") == fact.get("5") for fact in cases)
print(len(cases), "cases,", alike, "alike in both")
