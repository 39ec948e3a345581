"""Writes how Hugging Face's Rust library cuts texts by each kind of pre-tokenizer and by added tokens: `python make_cuts.py`
(tokenizers). cuts.json holds a tokenizer.json (`definition`) whose merges know no borders, `texts`, and `cases`: what takes the place
of `pre_tokenizer` or is among `added_tokens`, with the ids of the texts. Made with tokenizers 0.23.3."""

import itertools
import json
import pathlib

from tokenizers import Tokenizer, models, trainers

HERE = pathlib.Path(__file__).parent
TEXTS = [
    "the-final--countdown", "-a", "a-", "--", "a", "", " a b  c ", "a.b,c!?d", "x12y3 45", "(ab)[cd]{ef}", "na\u00efve caf\u00e9s", "\u65e5\u672c\u8a9e text", "a_b c-d", "a\u00a0b\u3000c\ufeffd\u0085e",
    "$5+3=8<9>^`|~", "can't won't", "\U0001F600-\U0001F601", "one\ntwo\r\nthree", "end. Start", "<sw> a<sw>b <sw>", "<sw><sw>", "x<sw>", "<sw>x", "(<sw>)", "\u00e9<sw>", "<sw>\u65e5", "_<sw>_", " <sw> ", "ab <ls> cd <rs> ef", "<ls><sw><rs>",
    "qz", "qzap qz", "qz-qz", "qz.", "aqz qz", "\u00b2\u2460\u00bd", "a--b---c",
]


def definition(**changes):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
            "post_processor": None, "decoder": None, "model": MODEL, **changes}


def train():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    letters = sorted({letter for text in TEXTS for letter in text})
    trainer = trainers.BpeTrainer(vocab_size=420, min_frequency=1, initial_alphabet=letters, special_tokens=["<unk>"])
    tokenizer.train_from_iterator([text.replace("<sw>", "").replace("<ls>", "").replace("<rs>", "").replace("qz", "q z") for text in TEXTS], trainer)
    return json.loads(tokenizer.to_str())["model"]


MODEL = train()
size = len(MODEL["vocab"])
split = lambda pattern, behavior, invert: {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}  # noqa: E731
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
PATTERNS = [{"String": "-"}, {"Regex": "-"}, {"Regex": "(-)"}, {"String": " "}, {"Regex": "\\s+"}, {"Regex": "\\w+"}, {"Regex": "[a-c]|(\\d)+"},
            {"Regex": "\\p{N}{1,3}"}, {"String": "."}, {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\s+(?!\\S)|\\s+"}]
PRES = [split(*case) for case in itertools.product(PATTERNS, BEHAVIORS, [False, True])]
PRES += [{"type": "Punctuation", "behavior": behavior} for behavior in BEHAVIORS]
PRES += [{"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "Digits", "individual_digits": True},
         {"type": "Digits", "individual_digits": False}, {"type": "CharDelimiterSplit", "delimiter": "-"},
         {"type": "Metaspace", "replacement": "-", "prepend_scheme": "always", "split": True},
         {"type": "Metaspace", "replacement": "-", "prepend_scheme": "never", "split": False}]
PRES += [{"type": "Sequence", "pretokenizers": [split({"Regex": "\\s+"}, "MergedWithNext", False), {"type": "Punctuation", "behavior": "Contiguous"}]},
         {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, split({"String": "-"}, "MergedWithPrevious", False)]}]


def token(i, content, **more):
    return {"id": size + i, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False, **more}


ADDED = [
    [token(0, "<sw>", single_word=True)], [token(0, "<sw>")], [token(0, "<sw>", single_word=True, normalized=True)],
    [token(0, "qz", single_word=True)], [token(0, "qz")], [token(0, "qz", single_word=True), token(1, "qzap", single_word=True)],
    [token(0, "<sw>", single_word=True, lstrip=True)], [token(0, "<sw>", single_word=True, rstrip=True)],
    [token(0, "<sw>", single_word=True), token(1, "<ls>", lstrip=True), token(2, "<rs>", rstrip=True)],
    [token(0, "qz", single_word=True), token(1, "<sw>")], [token(0, "qza", single_word=True), token(1, "qz")],
]


def ids_of(changes):
    try:
        tokenizer = Tokenizer.from_str(json.dumps(definition(**changes)))
        return [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
    except Exception as error:  # noqa: BLE001
        print(changes, error)
        return None


cases = [{**changes, "ids": ids_of(changes)} for changes in
         [*({"pre_tokenizer": pre} for pre in PRES), *({"added_tokens": added} for added in ADDED),
          {"added_tokens": ADDED[0], "pre_tokenizer": PRES[4]}]]
(HERE / "cuts.json").write_text('{"definition": ' + json.dumps(definition()) + ', "texts": ' + json.dumps(TEXTS) + ', "cases": [\n' +
                                ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]}\n")
print(len(cases), "cases of", len(TEXTS), "texts")
