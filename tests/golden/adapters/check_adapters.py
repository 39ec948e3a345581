"""Holds adapters that softcot writes against PEFT: loaded by it onto transformers' own models, they must make the same
logits; and merged by either program, the same weights.

    pip install torch transformers peft safetensors
    python tests/golden/adapters/check_adapters.py                  # four tiny models, random adapters: a minute
    python tests/golden/adapters/check_adapters.py MODEL ADAPTER    # any model, and an adapter or a run

Exit code 1 if a logit differs by more than 1e-3. Ran with torch 2.15.0, transformers 5.23.0, peft 0.21.2.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
torch.set_num_threads(2)


def load(folder, weights):
    config = AutoConfig.from_pretrained(folder)
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config).float()
    missing, unexpected = model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    if config.tie_word_embeddings:
        model.tie_weights()
    return model.eval()


def logits(model, ids):
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids])).logits[0]


def check(base, place):
    """Largest differences: ours and PEFT's logits, the merged model's logits, merged weights; and what the adapter does."""
    want = json.loads((place / "logits.json").read_text())
    ids, ours = want["ids"], torch.tensor(want["logits"])
    weights = {}
    for file in base.glob("model*.safetensors"):
        weights |= load_file(file)
    plain = logits(load(base, weights), ids)
    model = PeftModel.from_pretrained(load(base, weights), str(place / "adapter"))
    model.eval()
    adapted = logits(model, ids)
    merged = load_file(place / "merged" / "model.safetensors")
    exported = logits(load(base, merged), ids)
    theirs = model.merge_and_unload().state_dict()
    return {
        "logits": float((adapted - ours).abs().max()),
        "logits of the merged model": float((exported - ours).abs().max()),
        "merged weights": max(float((theirs[name] - tensor).abs().max()) for name, tensor in merged.items()),
        "(what the adapter changes)": float((adapted - plain).abs().max()),
    }


def main():
    given = sys.argv[1:3]
    env = {"DENO_WEBGPU_BACKEND": "vulkan", "XDG_RUNTIME_DIR": "/tmp"} | os.environ
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run(["deno", "run", "-A", "--no-lock", "--quiet", HERE / "write_adapters.ts", name, *given], check=True, env=env)
        for place in sorted(folder.iterdir()):
            base = place / "base" if given else HERE.parent / place.name
            for what, error in check(base, place).items():
                bad = what.startswith("logits") and not error <= 1e-3
                failed |= bad
                print(f"{place.name:11s} {what:28s} {error:.1e}{'  FAILED' if bad else ''}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
