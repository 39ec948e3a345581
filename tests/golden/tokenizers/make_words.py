"""What llama.cpp makes of the embedded model's GGUF file, for tests/model/tokenizer/greedy_words_test.ts.

    softcot model export builtin --out builtin.gguf
    python make_words.py builtin.gguf > words.json

Made with llama-cpp-python 0.3.36. `continued` is drawn greedily from the model itself."""
import json
import sys

from llama_cpp import Llama

TEXTS = [
    "User: Sam has 11 coins. Sam doubles them. Sam loses 5. How many coins does Sam have? Assistant:",
    "User: Mia has 7 apples. Mia finds 12 more. Mia triples them. How many apples does Mia have? Assistant:",
    " 11 * 2 = 22. 22 - 5 = 17. The final answer is: \\boxed{17}",
    "The final answer is: \\boxed{0}",
    " coins. coins have? more.}",
]

llama = Llama(sys.argv[1], n_ctx=128, verbose=False, n_threads=1)
read = []
for text in TEXTS:
    ids = llama.tokenize(text.encode(), add_bos=False, special=False)
    read.append({"text": text, "ids": ids, "back": llama.detokenize(ids).decode()})
continued = llama.create_completion(TEXTS[0], max_tokens=60, temperature=0)["choices"][0]
print(json.dumps({"read": read, "continued": continued["text"], "end": continued["finish_reason"]}, indent=1))
