"""Token ids by other implementations, for tests/model/tokenizer/golden_tokens_test.ts.

    python make_tokens.py llama.cpp MODEL.gguf DATA smollm2.json      llama.cpp, by llama-cpp-python 0.3.36
    python make_tokens.py llama.cpp STORIES.gguf DATA stories260K_gguf.json    (softcot model export stories260K --out STORIES.gguf)
    python make_tokens.py tokenizers FOLDER DATA qwen2_5.json         Hugging Face's Rust library, tokenizers 0.23.3
    python make_tokens.py llama2.c tok512.bin DATA stories260K.json   by what llama2.c's encode does, here

DATA is the folder with gsm8k/test.jsonl and math/math500.jsonl. No special token is added, and none is read in a text.
"""
import hashlib
import json
import pathlib
import struct
import sys


def encoder(kind, path):
    if kind == "llama.cpp":
        import llama_cpp
        model = llama_cpp.Llama(path, vocab_only=True, verbose=False)
        return lambda text: model.tokenize(text.encode(), add_bos=False, special=False) if text else []
    if kind == "llama2.c":
        return llama2c_encoder(pathlib.Path(path).read_bytes())
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(f"{path}/tokenizer.json")
    tokenizer.encode_special_tokens = True
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def llama2c_encoder(data):
    """A blank, then each character as a token or as bytes; then the best neighbours are joined until none can be."""
    vocab, at = [], 4
    while at < len(data):
        score, length = struct.unpack_from("<fi", data, at)
        vocab.append((data[at + 8:at + 8 + length], score))
        at += 8 + length
    index = {piece: i for i, (piece, _) in enumerate(vocab)}

    def encode(text):
        ids = [index[b" "]] if text else []
        for character in text:
            raw = character.encode()
            ids += [index[raw]] if raw in index else [byte + 3 for byte in raw]
        while True:
            best = None
            for i in range(len(ids) - 1):
                joined = index.get(vocab[ids[i]][0] + vocab[ids[i + 1]][0])
                if joined is not None and (best is None or vocab[joined][1] > vocab[best[1]][1]):
                    best = (i, joined)
            if best is None:
                return ids
            ids[best[0]:best[0] + 2] = [best[1]]

    return encode


def digest(lists):
    """How many tokens, a hash of all, and four digits for each text, to find one that differs."""
    hashes = [hashlib.sha256(" ".join(map(str, ids)).encode()).hexdigest() for ids in lists]
    return {
        "texts": len(lists),
        "tokens": sum(map(len, lists)),
        "sha256": hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        "each": "".join(h[:4] for h in hashes),
    }


def rows(path, field):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line)[field] for line in file]


def main(kind, path, data, out):
    here = pathlib.Path(__file__).parent
    encode = encoder(kind, path)
    result = {
        "by": kind,
        "gsm8k": digest([encode(t) for t in rows(f"{data}/gsm8k/test.jsonl", "question")]),
        "math500": digest([encode(t) for t in rows(f"{data}/math/math500.jsonl", "problem")]),
        "texts": [encode(t) for t in json.loads((here / "texts.json").read_text())],
    }
    (here / out).write_text(json.dumps(result, separators=(",", ":")) + "\n")
    print(out, result["gsm8k"]["tokens"], result["math500"]["tokens"])


main(*sys.argv[1:])
