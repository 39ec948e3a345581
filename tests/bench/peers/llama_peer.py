"""llama.cpp as a peer: answers requests on standard input, one line each, with the seconds that they took.

    python llama_peer.py MODEL.gguf [--gpu] [--threads 2] [--context 8192] [--verbose]

Requests: `prefill N` (the logits of N tokens' last), `decode STEPS` (one text, after 16 tokens), `batch ROWS STEPS`
(as many texts of 16 tokens, a step each at a time; two requests' worth of context are needed). Needs llama-cpp-python 0.3.36.
LLAMA_CPP_LIB_PATH names a folder with another build of the same version (libllama.so, libggml*.so); --gpu puts all layers on
the device that it finds: with ggml-vulkan and GGML_VK_VISIBLE_DEVICES=0 that may be a software device.
"""

import argparse
import ctypes
import os
import pathlib
import sys
import time

import llama_cpp as llama

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--gpu", action="store_true")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--context", type=int, default=8192)
parser.add_argument("--verbose", action="store_true")
options = parser.parse_args()

library = os.environ.get("LLAMA_CPP_LIB_PATH")
if library:  # backends lie beside it and are not loaded by themselves
    ggml = ctypes.CDLL(str(next(pathlib.Path(library).glob("libggml.*so"))))
    ggml.ggml_backend_load_all_from_path.argtypes = [ctypes.c_char_p]
    ggml.ggml_backend_load_all_from_path(library.encode())


@llama.llama_log_callback
def log(level, text, _):
    if level >= 4 or options.verbose:  # errors
        print(text.decode(errors="replace"), end="", file=sys.stderr)


llama.llama_log_set(log, None)
llama.llama_backend_init()

model_params = llama.llama_model_default_params()
model_params.n_gpu_layers = 999 if options.gpu else 0
model = llama.llama_model_load_from_file(options.model.encode(), model_params)
context_params = llama.llama_context_default_params()
context_params.n_ctx = options.context
context_params.n_batch = context_params.n_ubatch = 512
context_params.n_seq_max = 64
context_params.kv_unified = True  # else each text would have a 64th of it
context_params.n_threads = context_params.n_threads_batch = options.threads
context = llama.llama_init_from_model(model, context_params)
assert context, "no context"
vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))


def clear():
    llama.llama_memory_clear(llama.llama_get_memory(context), True)


def decode(count, row_of, position_of):
    """One pass over `count` tokens; logits of the last of each row's."""
    batch = llama.llama_batch_init(count, 0, 1)
    batch.n_tokens = count
    last = {row_of(i): i for i in range(count)}
    for i in range(count):
        batch.token[i] = (7 * position_of(i) + 3) % vocabulary
        batch.pos[i] = position_of(i)
        batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = row_of(i)
        batch.logits[i] = last[row_of(i)] == i
    assert llama.llama_decode(context, batch) == 0, "decoding failed"
    llama.llama_get_logits(context)  # waits for them
    llama.llama_batch_free(batch)


def prefill(count):
    clear()
    started = time.perf_counter()
    decode(count, lambda _: 0, lambda i: i)
    return time.perf_counter() - started


def batch(rows, steps):
    clear()
    for row in range(rows):
        decode(16, lambda _: row, lambda i: i)
    started = time.perf_counter()
    for step in range(steps):
        decode(rows, lambda i: i, lambda _: 16 + step)
    return time.perf_counter() - started


print("ready", flush=True)
for line in sys.stdin:
    what, *numbers = line.split()
    numbers = [int(n) for n in numbers]
    seconds = {"prefill": prefill, "decode": lambda steps: batch(1, steps), "batch": batch}[what](*numbers)
    print(seconds, flush=True)
