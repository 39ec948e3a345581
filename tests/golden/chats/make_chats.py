"""Conversations rendered by Python's jinja2 as transformers does, and tokenised by Hugging Face's Rust library.

    python make_chats.py NAME FOLDER      writes NAME.json; FOLDER holds tokenizer.json and tokenizer_config.json

For SmolLM2 the folder is what ggufTokenizerFiles makes of its GGUF file. tests/model/tokenizer/chat_template_test.ts holds our
rendering against it. Made with jinja2 3.1.6 and tokenizers 0.23.3.
"""
import hashlib
import json
import pathlib
import re
import sys

from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).parent


def renderer(config):
    def raise_exception(message):
        raise ValueError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.globals["raise_exception"] = raise_exception
    environment.filters["tojson"] = lambda x, **k: json.dumps(x, ensure_ascii=False, **k)
    template = environment.from_string(config["chat_template"])
    tokens = {k: v["content"] if isinstance(v, dict) else v for k, v in config.items() if k.endswith("_token") and v}
    tokens = {k: v for k, v in tokens.items() if isinstance(v, str)}
    return lambda messages: template.render(
        messages=messages, tools=None, documents=None, add_generation_prompt=True, date_string="26 Jul 2024", **tokens)


def main(name, folder):
    folder = pathlib.Path(folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    special = [t.content for t in tokenizer.get_added_tokens_decoder().values() if t.special]
    names = re.compile("(" + "|".join(re.escape(s) for s in sorted(special, key=len, reverse=True)) + ")")
    render = renderer(config)
    results = []
    for messages in json.loads((HERE / "conversations.json").read_text()):
        # Control characters that the texts do not have stand for a message's own names of special tokens.
        found = sorted({m for message in messages for m in names.findall(message["content"])})
        marks = {s: f"\x01{i}\x02" for i, s in enumerate(found)}
        shielded = [{**m, "content": names.sub(lambda x: marks[x[0]], m["content"])} for m in messages]
        ids = []
        text = ""
        for part in names.split(render(shielded)):
            if part in special:
                ids.append(tokenizer.token_to_id(part))
                text += part
                continue
            for s, mark in marks.items():
                part = part.replace(mark, s)
            text += part
            tokenizer.encode_special_tokens = True
            ids += tokenizer.encode(part, add_special_tokens=False).ids
        if not found:
            tokenizer.encode_special_tokens = False
            assert ids == tokenizer.encode(text, add_special_tokens=False).ids
        results.append({"sha256": hashlib.sha256(text.encode()).hexdigest(), "ids": ids})
    (HERE / f"{name}.json").write_text(json.dumps(results, separators=(",", ":")) + "\n")
    print(name, len(results), [len(r["ids"]) for r in results])


main(*sys.argv[1:])
