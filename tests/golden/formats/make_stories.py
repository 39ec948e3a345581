"""Writes stories260k.json beside this script: `python make_stories.py FOLDER` with stories260K.bin and tok512.bin in FOLDER
(numpy alone). A transformer that shares nothing with the program: llama2.c's own layout, rotating interleaved pairs, in
float64, one position at a time as run.c does; the greedy text from the beginning token."""

import json
import pathlib
import struct
import sys

import numpy as np

folder, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
STEPS = 200

data = (folder / "stories260K.bin").read_bytes()
dim, hidden, layers, heads, kv_heads, vocab, length = struct.unpack("<7i", data[:28])
flat = np.frombuffer(data, "<f4", offset=28).astype(np.float64)
head = dim // heads
at = 0


def take(*shape):
    global at
    count = int(np.prod(shape))
    at += count
    return flat[at - count:at].reshape(shape)


shared, vocab = vocab > 0, abs(vocab)
embedding = take(vocab, dim)
rms_att = take(layers, dim)
wq, wk, wv = take(layers, dim, dim), take(layers, kv_heads * head, dim), take(layers, kv_heads * head, dim)
wo = take(layers, dim, dim)
rms_ffn = take(layers, dim)
w1, w2, w3 = take(layers, hidden, dim), take(layers, dim, hidden), take(layers, hidden, dim)
rms_final = take(dim)
take(2, length, head // 2)  # Tables of cosines and sines that run.c does not read either.
classifier = embedding if shared else take(vocab, dim)
assert at == len(flat), (at, len(flat))


def norm(x, weight):
    return weight * x / np.sqrt((x * x).mean() + 1e-5)


def rotate(x, position):
    for i in range(0, len(x), 2):
        angle = position / 10000 ** ((i % head) / head)
        a, b = x[i], x[i + 1]
        x[i], x[i + 1] = a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)


keys, values = np.zeros((layers, length, kv_heads * head)), np.zeros((layers, length, kv_heads * head))


def forward(token, position):
    x = embedding[token].copy()
    for l in range(layers):
        y = norm(x, rms_att[l])
        q, k, v = wq[l] @ y, wk[l] @ y, wv[l] @ y
        rotate(q, position)
        rotate(k, position)
        keys[l, position], values[l, position] = k, v
        out = np.zeros(dim)
        for h in range(heads):
            own = slice(h * head, (h + 1) * head)
            g = h // (heads // kv_heads)
            shared_kv = slice(g * head, (g + 1) * head)
            scores = keys[l, :position + 1, shared_kv] @ q[own] / np.sqrt(head)
            p = np.exp(scores - scores.max())
            out[own] = (p / p.sum()) @ values[l, :position + 1, shared_kv]
        x += wo[l] @ out
        y = norm(x, rms_ffn[l])
        gate = w1[l] @ y
        x += w2[l] @ (gate / (1 + np.exp(-gate)) * (w3[l] @ y))
    return classifier @ norm(x, rms_final)


raw, pieces = (folder / "tok512.bin").read_bytes(), []
at = 4
for _ in range(vocab):
    _, size = struct.unpack_from("<fi", raw, at)
    pieces.append(raw[at + 8:at + 8 + size])
    at += 8 + size


def text_of(ids):
    out, before = b"", 1
    for id in ids:
        piece = pieces[id]
        if before == 1:  # After the beginning token the blank that was put before the text goes.
            piece = piece.removeprefix(b" ")
        if len(piece) == 6 and piece.startswith(b"<0x"):
            piece = bytes([int(piece[3:5], 16)])
        out, before = out + piece, id
    return out.decode()


token, ids, gaps, first = 1, [], [], None
for position in range(STEPS):
    z = forward(token, position)
    first = z if first is None else first
    token = int(z.argmax())
    top = np.sort(z)[::-1]
    gaps.append(top[0] - top[1])
    ids.append(token)
text = text_of(ids)
print(text)
print("smallest distance of the two top logits:", min(gaps))
result = {"ids": ids, "text": text, "smallestGap": min(gaps), "firstLogits": [round(float(v), 6) for v in first]}
(here / "stories260k.json").write_text(json.dumps(result) + "\n")
