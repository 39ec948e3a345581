"""Writes whether transformers ties the head to the embedding, for every mixture of `tie_word_embeddings` and the tensors that the
file has: `python make_heads.py` (torch, transformers, safetensors). heads.json holds for each flag (true, false, or none in
config.json) and each form of `lm_head.weight` beside llama_tied's embedding: `tied`, `warns`, and `refused` where a tensor is
missing. The forms are made again by the test. Made with transformers 5.24.0, torch 2.15.0."""

import json
import logging
import pathlib
import tempfile

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
SOURCE = HERE.parent / "llama_tied"
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"


def last_changed(e):
    out = e.clone()
    out[-1, -1] = torch.nextafter(out[-1, -1], torch.tensor(9.0))
    return out


def signed_zero(e, sign):
    out = e.clone()
    out[3, 3] = sign * 0.0
    return out


halves = lambda e: e.half().float()  # noqa: E731
FORMS = {
    "none": lambda e: {EMBEDDING: e},
    "equal": lambda e: {EMBEDDING: e, HEAD: e.clone()},
    "negated": lambda e: {EMBEDDING: e, HEAD: -e},
    "first_changed": lambda e: {EMBEDDING: e, HEAD: torch.cat([e[:1] + 1, e[1:]])},
    "last_changed": lambda e: {EMBEDDING: e, HEAD: last_changed(e)},
    "zeros": lambda e: {EMBEDDING: e, HEAD: torch.zeros_like(e)},
    "equal_halves": lambda e: {EMBEDDING: halves(e), HEAD: e.half()},
    "halves_of_equal": lambda e: {EMBEDDING: e.half(), HEAD: halves(e)},
    "rounded": lambda e: {EMBEDDING: e, HEAD: e.half()},
    "signed_zero": lambda e: {EMBEDDING: signed_zero(e, 1), HEAD: signed_zero(e, -1)},
    "not_a_number": lambda e: {EMBEDDING: signed_zero(e, torch.nan), HEAD: signed_zero(e, torch.nan)},
    "head_alone": lambda e: {HEAD: e},
}
warned = []


class Listener(logging.Handler):
    def emit(self, record):
        warned.append(record.getMessage())


logging.getLogger("transformers.modeling_utils").addHandler(Listener())
config = json.loads((SOURCE / "config.json").read_text())
weights = load_file(SOURCE / "model.safetensors")
facts = []
for flag in [True, False, None]:
    for form, make in FORMS.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            fields = {key: value for key, value in config.items() if key != "tie_word_embeddings"}
            (folder / "config.json").write_text(json.dumps({**fields, **({} if flag is None else {"tie_word_embeddings": flag})}))
            rest = {key: value for key, value in weights.items() if key not in (EMBEDDING, HEAD)}
            save_file({**rest, **make(weights[EMBEDDING])}, folder / "model.safetensors", metadata={"format": "pt"})
            warned.clear()
            model, report = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
        tied = model.lm_head.weight is model.model.embed_tokens.weight
        warns = any("NOT tie" in text for text in warned)
        facts.append({"flag": flag, "form": form, "tied": tied, "warns": warns, "refused": bool(report["missing_keys"])})
        print(facts[-1])
(HERE / "heads.json").write_text("[\n" + ",\n".join(map(json.dumps, facts)) + "\n]\n")
