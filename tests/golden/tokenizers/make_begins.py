"""Writes what transformers 5 puts before and behind a text, by the post-processor of tokenizer.json and what tokenizer_config.json says
beside it: `python make_begins.py` (transformers). begins.json holds for each case `post` (a name of POSTS), `config` (the fields of
tokenizer_config.json), and `ids` of the text "a", which is token 3; <s> is 1, </s> 2, <x> 4. Made with transformers 5.24.0."""

import itertools
import json
import pathlib
import tempfile

from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent
BOS, EOS, X = ({"SpecialToken": {"id": name, "type_id": 0}} for name in ("<s>", "</s>", "<x>"))
TEXT = {"Sequence": {"id": "A", "type_id": 0}}
IDS = {"<s>": 1, "</s>": 2, "<x>": 4}


def template(*single):
    used = {part["SpecialToken"]["id"] for part in single if "SpecialToken" in part}
    special = {name: {"id": name, "ids": [IDS[name]], "tokens": [name]} for name in sorted(used)}
    pair = [*single, {"Sequence": {"id": "B", "type_id": 1}}]
    return {"type": "TemplateProcessing", "single": list(single), "pair": pair, "special_tokens": special}


BYTES = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
POSTS = {
    "none": None,
    "bytes": BYTES,
    "text": template(TEXT),
    "bos": template(BOS, TEXT),
    "bos and eos": template(BOS, TEXT, EOS),
    "eos": template(TEXT, EOS),
    "other": template(X, TEXT),
    "bytes then bos": {"type": "Sequence", "processors": [BYTES, template(BOS, TEXT)]},
    "bytes then text": {"type": "Sequence", "processors": [BYTES, template(TEXT)]},
}
CLASSES = ["PreTrainedTokenizerFast", "LlamaTokenizerFast", "LlamaTokenizer", "Qwen2Tokenizer", "Qwen2TokenizerFast", "GPT2Tokenizer",
           "TokenizersBackend", None]


def definition(post):
    token = lambda i, content: {"id": i, "content": content, "special": True, "normalized": False,  # noqa: E731
                                "single_word": False, "lstrip": False, "rstrip": False}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [token(0, "<unk>"), token(1, "<s>"), token(2, "</s>"), token(4, "<x>")],
        "normalizer": None, "pre_tokenizer": None, "post_processor": post, "decoder": None,
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "a": 3, "<x>": 4}, "merges": []},
    }


def ids_of(post, config, model_type):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "tokenizer.json").write_text(json.dumps(definition(POSTS[post])))
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
        try:
            return AutoTokenizer.from_pretrained(folder)("a")["input_ids"]
        except Exception as error:  # noqa: BLE001
            print(post, config, type(error).__name__, str(error)[:100])
            return None


cases = []
for post, cls, adds_bos, adds_eos, bos in itertools.product(
    POSTS, CLASSES, [True, False, None], [None, True, False], ["<s>", "missing"]
):
    if adds_eos is not None and (cls not in ("PreTrainedTokenizerFast", "LlamaTokenizer") or bos == "missing"):
        continue
    fields = {"tokenizer_class": cls, "add_bos_token": adds_bos, "add_eos_token": adds_eos, "unk_token": "<unk>",
              "bos_token": None if bos == "missing" else bos, "eos_token": "</s>"}
    config = {key: value for key, value in fields.items() if value is not None}
    model_type = "qwen2" if cls and "Qwen" in cls else "llama"
    cases.append({"post": post, "model_type": model_type, "config": config, "ids": ids_of(post, config, model_type)})
(HERE / "begins.json").write_text(
    json.dumps({"posts": POSTS, "definition": definition(None)}) [:-1] + ', "cases": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]}\n")
print(len(cases), "cases")
