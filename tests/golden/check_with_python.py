"""Checks that what softcot writes is read alike by Hugging Face's own libraries.

    pip install numpy safetensors tokenizers
    python tests/golden/check_with_python.py

Optional: with `transformers` and `torch` installed, bf16 tensors and the tokenizer's folder are checked too.
"""
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from safetensors import safe_open
from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).parent


def check_tensors(folder: pathlib.Path) -> None:
    shapes = {"half.odd": (3,), "full": (5, 7), "scalar": ()}
    with safe_open(folder / "model.safetensors", "numpy") as file:
        assert set(file.keys()) == {*shapes, "brain"}
        assert file.metadata() == {"format": "pt", "seed": "7"}
        for name, shape in shapes.items():
            tensor = file.get_tensor(name)
            expected = (np.arange(tensor.size) - 2) / 8
            assert tensor.shape == shape and np.array_equal(tensor.ravel(), expected), name
        assert file.get_slice("brain").get_dtype() == "BF16"
    try:
        import torch
    except ImportError:
        return print("torch is not installed: values of the bf16 tensor not checked")
    with safe_open(folder / "model.safetensors", "pt") as file:
        brain = file.get_tensor("brain")
        assert brain.dtype == torch.bfloat16
        assert torch.equal(brain.float().ravel(), (torch.arange(12) - 2) / 8)


def check_tokenizer(folder: pathlib.Path) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = json.loads((folder / "texts.json").read_text())
    for row in rows:
        ids = tokenizer.encode(row["text"], add_special_tokens=False).ids
        assert ids == row["ids"], row["text"]
        assert tokenizer.decode(ids, skip_special_tokens=False) == row["text"], row["text"]
    print(f"{len(rows)} texts: equal ids, and decoded byte for byte")
    try:
        tokenizer.encode("User: Samuel has")
    except Exception as error:
        print(f"an unknown word is an error: {error}")
    else:
        raise AssertionError("an unknown word was encoded")
    try:
        from transformers import AutoTokenizer
    except ImportError:
        return print("transformers is not installed: the tokenizer's folder not checked")
    fast = AutoTokenizer.from_pretrained(folder)
    assert fast(rows[9]["text"])["input_ids"] == rows[9]["ids"]
    assert fast.decode(rows[9]["ids"]) == rows[9]["text"]
    assert fast.eos_token_id == 0


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(["deno", "run", "--no-lock", "--allow-read", f"--allow-write={name}", HERE / "write_samples.ts", name], check=True)
        check_tensors(pathlib.Path(name))
        check_tokenizer(pathlib.Path(name))
    print("all equal")


if __name__ == "__main__":
    main()
