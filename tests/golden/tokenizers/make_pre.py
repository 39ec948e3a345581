"""Writes how llama.cpp cuts texts under every name of `tokenizer.ggml.pre` that it knows:

    python make_pre.py SOURCE      SOURCE is the folder of llama.cpp whose llama-vocab.cpp lists the names

(gguf, tokenizers, llama-cpp-python). pre.json holds a byte-level vocabulary whose merges know no borders of words (`tokens`, `merges`),
`texts`, for each name the number of its rules (`names`, null for those that llama.cpp does not load with such a vocabulary), for each
number the ids of the texts (`ids`), and the names under which it prepends the beginning token where the file does not say (`addsBos`).
Texts are composed already: llama.cpp does not normalise. Made with gguf 0.19.0, tokenizers 0.23.3, llama-cpp-python 0.3.36."""

import json
import pathlib
import re
import sys
import tempfile

from gguf import GGUFWriter
from llama_cpp import Llama
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
# These have no letters for bytes: llama.cpp aborts on such a vocabulary.
NOT_BYTE_LEVEL = {"gemma4", "granite-embed-multi-311m", "sarvam-moe", "whitespace"}
TEXTS = [
    "Hello world", " Hello  world", "Hello\nworld", "\n\nHello\r\n\r\nworld\n", "a  b   c    d", "tab\tand \t blank", "trailing  ", "trailing\n \n",
    "I'm you're HE'LL don't WE'D o'clock 's 'T", "12345678 and 3.14159, 1,000,000", "x1y22z333 a1234b", "v2.0.1-rc3", "price: $5.99 (20% off!)", "f(x) = x^2 + 3*y - z/4",
    "a_b-c.d,e;f:g!h?i", "...wait... what?!", "\"quoted\" 'single' `tick`", "<tag attr=\"v\">text</tag>", "email@example.com https://x.y/z?q=1&r=2#s",
    "CamelCase snake_case SCREAMING_CASE iPhone", "na\u00efve caf\u00e9 \u00dcber stra\u00dfe", "\u0391\u03b2\u03b3 \u0434\u0430 \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627", "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 \u4e2d\u6587\u5b57\u7b26 \ud55c\uad6d\uc5b4",
    "\u7b54\u6848\u662f24\u3002\u4e0d\u662f\uff12\uff15", "\U0001F600\U0001F680 emoji \u2764\ufe0f", "\u00b2 \u2460 \u00bd \u2167 \u0663\u0664", "\u00a0nbsp\u3000wide \u2028line", "if (a && b) {\n    return c[0];\n}", "\tdef f(self):\n\t\treturn None\n",
    " qzx", "qzx", " qzxqzx qzx", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e", "/path/to/file.txt //comment", "[1, 2, 3] {4: 5}", "A/B A//B\n/", "e=mc\u00b2; \u2211x\u2208S", "!!!\n???\r\n", "  \n  x",
]


def vocabulary():
    """Merges over all borders, and a token that no merge reaches."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=1400, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), min_frequency=1)
    texts = [text for text in TEXTS if "qzx" not in text]
    tokenizer.train_from_iterator(texts + ["the 's 123 a1", " the", "the ", "\n\n", " (", "1 2", "A B"], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    return [*tokens, "qzx", "\u0120qzx", "<bos>", "<eos>"], [" ".join(pair) for pair in model["merges"]]


def open_with(pre, tokens, merges, folder):
    path = folder / "vocab.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in ("<bos>", "<eos>") else 1 for token in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index("<bos>"))
    writer.add_eos_token_id(tokens.index("<eos>"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return Llama(str(path), vocab_only=True, verbose=False)


def main(source):
    text = (pathlib.Path(source) / "src" / "llama-vocab.cpp").read_text()
    names = sorted(set(re.findall(r'tokenizer_pre == "([^"]+)"', text)) - {"default", *NOT_BYTE_LEVEL})
    tokens, merges = vocabulary()
    found, ids, adds_bos = {}, [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in ["default", *names]:
            try:
                model = open_with(name, tokens, merges, pathlib.Path(folder))
                cut = [model.tokenize(text.encode(), add_bos=False, special=False) for text in TEXTS]
                if model.tokenize(b"x", add_bos=True)[0] == tokens.index("<bos>"):
                    adds_bos.append(name)
            except Exception as error:  # noqa: BLE001
                print(name, "is not loaded:", error)
                found[name] = None
                continue
            if cut not in ids:
                ids.append(cut)
            found[name] = ids.index(cut)
    data = {"tokens": tokens, "merges": merges, "texts": TEXTS, "names": found, "addsBos": adds_bos, "ids": ids}
    (HERE / "pre.json").write_text(json.dumps(data, separators=(",", ":")) + "\n")
    print(len(found), "names,", len(ids), "rules")
    for i in range(len(ids)):
        print(i, *[name for name, at in found.items() if at == i])


main(sys.argv[1])
