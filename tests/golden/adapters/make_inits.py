"""Writes what becomes of adapters by their initialisation in PEFT: `python make_inits.py` (torch, transformers, peft, attrs).

For each value of `init_lora_weights`: an adapter of rank 2 on two projections of llama3_gqa, its A and B then moved as a training
moves them, saved as PEFT saves it, in inits/NAME. inits.json tells of each whether making it changed the base model's weights
(`changesBase`), and the logits of the last row of the first golden sequence (`logits`) with the model in memory, and where the
folder is loaded onto the base model as its file has it (`loaded`; null where PEFT cannot). Names that end in `_converted`
are those saved with `path_initial_model_for_weight_conversion`, PEFT's way to make a plain adapter of them.
`loftq`, which puts quantised weights in the base model's place, is not among them: PEFT makes it on a GPU alone.
Made with torch 2.15.0, transformers 5.24.0, peft 0.21.2."""

import copy
import json
import pathlib
import shutil
import sys
import tempfile

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora.config import CordaConfig, LoraGAConfig
from peft.tuners.lora.corda import preprocess_corda

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from check_transformers import load  # noqa: E402

BASE = HERE.parent / "llama3_gqa"
SEQUENCE = json.loads((BASE / "golden.json").read_text())["sequences"][0]
OUT = HERE / "inits"
INITS = [True, False, "gaussian", "Gaussian", "eva", "orthogonal", "mica",
         "pissa", "pissa_niter_4", "olora", "OLoRA", "corda", "lora_ga"]
CONVERTED = ["pissa", "pissa_niter_4", "olora", "corda"]


def name_of(init):
    return {True: "true", False: "false"}.get(init, {"Gaussian": "gaussian_upper", "OLoRA": "olora_upper"}.get(init, init))


def last_row(model):
    with torch.no_grad():
        return [round(x, 7) for x in model(input_ids=torch.tensor([SEQUENCE])).logits[0, -1].double().tolist()]


def adapted(init):
    """The model with a fresh adapter, and whether the weights below it are other ones than before."""
    settings = dict(r=2, lora_alpha=3, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM")
    base = load(BASE).float()
    before = {key: value.clone() for key, value in base.state_dict().items()}
    config = LoraConfig(init_lora_weights=init, **settings)
    if init == "corda":
        config = LoraConfig(init_lora_weights=init, corda_config=CordaConfig(corda_method="kpm"), **settings)
        run = lambda: [base(input_ids=torch.tensor([SEQUENCE])) for _ in range(4)]  # noqa: E731
        preprocess_corda(base, config, run_model=run)
    if init == "lora_ga":

        config = LoraConfig(init_lora_weights=init, lora_ga_config=LoraGAConfig(), **settings)

        def gradients():
            ids = torch.tensor([SEQUENCE])
            base(input_ids=ids, labels=ids).loss.backward()

        from peft.tuners.lora.loraga import preprocess_loraga

        preprocess_loraga(base, config, gradients)
    model = get_peft_model(base, config)
    changed = any(
        not torch.equal(before[key.replace("base_model.model.", "").replace(".base_layer", "")], value)
        for key, value in model.state_dict().items() if "lora_" not in key
    )
    return model, changed


def save(model, folder, **options):
    shutil.rmtree(folder, ignore_errors=True)
    model.peft_config["default"].base_model_name_or_path = "llama3_gqa"
    model.save_pretrained(folder, **options)
    (folder / "README.md").unlink(missing_ok=True)
    for file in folder.iterdir():
        file.chmod(0o644)


facts = {}
for init in INITS:
    name = name_of(init)
    torch.manual_seed(7)
    model, changed = adapted(init)
    with tempfile.TemporaryDirectory() as start:
        if init in CONVERTED:
            # As PEFT's own documents say: the adapter as it began, with an initialisation that touches nothing.
            model.peft_config["default"].init_lora_weights = True
            model.save_pretrained(start)
            model.peft_config["default"].init_lora_weights = init
        for key, parameter in model.named_parameters():
            if "lora_" in key:
                torch.manual_seed(len(key))
                parameter.data = parameter.data + torch.randn_like(parameter) * 0.2
        model.eval()
        fact = {"init": init, "changesBase": changed, "logits": last_row(model)}
        save(model, OUT / name)
        if init in CONVERTED:
            save(copy.deepcopy(model), OUT / f"{name}_converted", path_initial_model_for_weight_conversion=start)
    for key in [name, *([f"{name}_converted"] if init in CONVERTED else [])]:
        try:
            loaded = last_row(PeftModel.from_pretrained(load(BASE).float(), OUT / key).eval())
        except Exception as error:  # noqa: BLE001
            print(key, "cannot be loaded:", str(error)[:100])
            loaded = None
        facts[key] = {**fact, "loaded": loaded}
        near = loaded is not None and max(abs(a - b) for a, b in zip(loaded, fact["logits"])) < 1e-4
        print(key, "changes the base" if changed else "leaves the base", "loads alike" if near else "loads otherwise")
(HERE / "inits.json").write_text(json.dumps(facts))
