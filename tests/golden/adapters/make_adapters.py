"""Writes adapters that PEFT made, with the logits and the gradients of A and B that torch.autograd finds, for two of the
golden models: `python make_adapters.py` (torch, transformers, peft, safetensors). float64 but for what transformers keeps
in float32; see ../check_transformers.py.

A folder holds adapter_config.json and adapter_model.safetensors as PEFT's save_pretrained writes them, gradients.safetensors
(of the cross-entropy of both golden sequences, PEFT's names) and golden.json (`logits` of the first sequence, `crossEntropy`).
Made with torch 2.15.0, transformers 5.23.0, peft 0.21.2."""

import json
import pathlib
import sys

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from check_transformers import cross_entropy, load  # noqa: E402

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CASES = {
    "llama3_gqa": dict(r=2, lora_alpha=5, target_modules=ALL),
    # An odd rank, two projections, the other scaling, and a dropout that only Python's training would use.
    "qwen3": dict(r=3, lora_alpha=4, target_modules=["q_proj", "v_proj"], use_rslora=True, lora_dropout=0.1),
}

for seed, (name, settings) in enumerate(CASES.items()):
    torch.manual_seed(seed)
    golden = json.loads((HERE.parent / name / "golden.json").read_text())
    model = get_peft_model(load(HERE.parent / name), LoraConfig(task_type="CAUSAL_LM", **settings)).double()
    for key, parameter in model.named_parameters():
        if "lora_" in key:
            scale = 0.3 if "lora_B" in key else 0.5
            parameter.data = (torch.randn_like(parameter) * scale).float().double()
    model.eval()
    (HERE / name).mkdir(exist_ok=True)
    model.peft_config["default"].base_model_name_or_path = name
    model.float().save_pretrained(HERE / name)
    model.double()
    (HERE / name / "README.md").unlink(missing_ok=True)
    used = golden["modelConfig"]["usedVocabSize"]
    loss = cross_entropy(model, golden["sequences"], used)
    loss.backward()
    gradients = {
        key.replace(".default.", "."): parameter.grad.float().contiguous()
        for key, parameter in model.named_parameters() if "lora_" in key
    }
    save_file(gradients, HERE / name / "gradients.safetensors")
    for file in (HERE / name).iterdir():
        file.chmod(0o644)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([golden["sequences"][0]])).logits[0]
    rows = [[round(x, 9) for x in row] for row in logits.tolist()]
    (HERE / name / "golden.json").write_text(json.dumps({"crossEntropy": loss.item(), "logits": rows}))
    print(name, loss.item(), len(gradients), "gradients")
