"""Opens what write_exports.ts has exported with transformers, the gguf package and llama.cpp, whichever is installed.

    python3 -m venv /tmp/exports && /tmp/exports/bin/pip install numpy torch transformers gguf llama-cpp-python
    deno run -A tests/golden/exports/write_exports.ts /tmp/work ../shared/models/smollm2-135m-instruct
    /tmp/exports/bin/python tests/golden/exports/check_exports.py /tmp/work

Prints, for each export, the largest difference of any logit from softcot's own, at how many positions the most probable
token is the same (greedy decoding goes the same way), and where it is not, the gap between the two most probable. Exit
code 1 if logits of plain floats differ by more than 1e-3 in transformers or in llama.cpp (f32), by more than its own
rounding of activations allows (f16, bf16: to half numbers, q8_0: to 8 bits), if a tokenizer differs, or
if a byte of a tensor in q8_0, f16 or bf16 is not the one that the gguf package makes of the f32 file.
"""
import base64
import json
import sys
from pathlib import Path

import numpy as np

# llama.cpp multiplies halves by halves, and 8-bit weights by 8-bit activations: the bounds are relative to the largest logit.
BOUNDS = {"f32": 1e-3, "f16": 1e-2, "bf16": 5e-2, "q8_0": 5e-2}


def report(name, what, ours, theirs, bound):
    largest = float(np.abs(ours - theirs).max())
    same = ours.argmax(1) == theirs.argmax(1)
    top = np.sort(ours, 1)
    gaps = [f"position {i}: gap {top[i, -1] - top[i, -2]:.1e}" for i in np.flatnonzero(~same)]
    bad = not largest <= bound
    print(f"{name:24s} {what:22s} {largest:.1e} (largest {np.abs(ours).max():.1f})  argmax {same.sum()}/{len(same)}"
          f"{'  ' + ', '.join(gaps) if gaps else ''}{'  FAILED' if bad else ''}")
    return bad


def check_transformers(folder, golden, ours):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder / "hf", dtype=torch.float32).eval()
    with torch.no_grad():
        theirs = model(torch.tensor([golden["ids"]])).logits[0].numpy()
    bad = report(folder.name, "transformers, f32", ours["hf"], theirs, 1e-3)
    tokenizer = AutoTokenizer.from_pretrained(folder / "hf")
    for text, ids in golden["texts"]:
        found = tokenizer.encode(text, add_special_tokens=False)
        if found != ids:
            print(f"{folder.name}: transformers' tokenizer gives {found} for {text!r}, softcot {ids}  FAILED")
            bad = True
    return bad


def check_llama_cpp(folder, golden, ours):
    from llama_cpp import Llama

    bad = False
    for dtype in ("f32", "f16", "bf16", "q8_0"):
        # Keys and values in f32 (type 0), as in softcot.
        llama = Llama(str(folder / f"{dtype}.gguf"), n_ctx=256, logits_all=True, verbose=False, type_k=0, type_v=0, n_threads=2)
        llama.eval(golden["ids"])
        theirs = np.array(llama.scores[: len(golden["ids"])])
        scale = max(1.0, float(np.abs(ours[dtype]).max()))
        bad |= report(folder.name, f"llama.cpp, {dtype}", ours[dtype], theirs, BOUNDS[dtype] * (1 if dtype == "f32" else scale))
        if dtype != "f16":
            continue
        for text, ids in golden["texts"]:
            found = llama.tokenize(text.encode(), add_bos=False, special=False)
            if found != ids:
                print(f"{folder.name}: llama.cpp's tokenizer gives {found} for {text!r}, softcot {ids}  FAILED")
                bad = True
        bos = llama.tokenize(b"x", add_bos=True, special=False)[0] == golden["bosId"]
        if bos != (golden["bosId"] is not None):
            print(f"{folder.name}: llama.cpp prepends another token  FAILED")
            bad = True
    return bad


def check_gguf(folder, golden, ours):
    import gguf

    plain = {t.name: t for t in gguf.GGUFReader(folder / "f32.gguf").tensors}
    bad = False
    for dtype in ("f16", "bf16", "q8_0"):
        tensors = gguf.GGUFReader(folder / f"{dtype}.gguf").tensors
        assert [t.name for t in tensors] == list(plain)
        wrong = [
            t.name
            for t in tensors
            if gguf.quants.quantize(plain[t.name].data, t.tensor_type).tobytes() != t.data.tobytes()
        ]
        bad |= bool(wrong)
        kinds = sorted({t.tensor_type.name for t in tensors})
        print(f"{folder.name:24s} {'gguf, ' + dtype:22s} {len(tensors) - len(wrong)}/{len(tensors)} tensors equal to the byte "
              f"({', '.join(kinds)}){'  FAILED' if wrong else ''}")
    return bad


def main(work):
    checks = []
    for name, check in (("transformers", check_transformers), ("gguf", check_gguf), ("llama_cpp", check_llama_cpp)):
        try:
            __import__(name)
            checks.append(check)
        except ImportError:
            print(f"{name} is not installed: skipped")
    failed = not checks
    for path in sorted(Path(work).glob("*/logits.json")):
        golden = json.loads(path.read_text())
        decode = lambda text: np.frombuffer(base64.b64decode(text), "<f4").reshape(len(golden["ids"]), -1)
        ours = {key: decode(text) for key, text in golden["logits"].items()}
        for check in checks:
            failed |= check(path.parent, golden, ours)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1])
