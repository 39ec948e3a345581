"""The update of `update_bench.ts` in PyTorch on the CPU: a line on standard input is one update, answered by its seconds.

    python pytorch_update.py '{"config": ..., "prompts": [length, ...], "group": G, "steps": S, "tail": T}' [--threads 2]

As one writes it there: rollouts padded to a batch with their prompts repeated, scaled_dot_product_attention, autograd, clipping
by global norm, fused AdamW; f32. The objective is that of soft tokens: thinking rows are given, each is scored as a Gaussian
around softmax(z / tau) E, answer tokens as a categorical; only rows that predict an action pass the head.
"""

import argparse
import json
import sys
import time

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("shape", type=json.loads)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(0)

c = options.shape["config"]
d, f, hd, heads, kv_heads = c["hiddenSize"], c["intermediateSize"], c["headDim"], c["heads"], c["kvHeads"]
group, steps, tail = options.shape["group"], options.shape["steps"], options.shape["tail"]
TAU, SIGMA = 0.5, 0.01


def weight(*shape):
    return (torch.randn(*shape) / shape[-1] ** 0.5).requires_grad_()


embedding = (0.02 * torch.randn(c["vocabSize"], d)).requires_grad_()
final_norm = torch.ones(d, requires_grad=True)
layers = [
    {
        "norm1": torch.ones(d, requires_grad=True),
        "qkv": weight((heads + 2 * kv_heads) * hd, d),
        "out": weight(d, heads * hd),
        "norm2": torch.ones(d, requires_grad=True),
        "gate_up": weight(2 * f, d),
        "down": weight(d, f),
    }
    for _ in range(c["layers"])
]
parameters = [embedding, final_norm, *(w for layer in layers for w in layer.values())]
optimizer = torch.optim.AdamW(parameters, lr=0.0, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0, fused=True)

# Rollouts as `update_bench.ts` has them: thinking of `steps` - g rows, then `tail` tokens, the last of which is never an input.
rollouts = [(prompt, steps - g, 1.0 if g % 2 else -1.0) for prompt in options.shape["prompts"] for g in range(group)]
rows = max(prompt + thinking + tail - 1 for prompt, thinking, _ in rollouts)
tokens = torch.randint(c["usedVocabSize"], (len(rollouts), rows))
is_soft = torch.zeros(len(rollouts), rows, dtype=torch.bool)
soft_at, soft_target, hard_at, soft_weight, hard_weight = [], [], [], [], []
for i, (prompt, thinking, advantage) in enumerate(rollouts):
    is_soft[i, prompt : prompt + thinking] = True
    soft_at += [i * rows + prompt - 1 + t for t in range(thinking)]
    soft_target += [i * rows + prompt + t for t in range(thinking)]
    soft_weight += [advantage / len(rollouts)] * thinking
    # The forced token is given; the answer's are scored.
    hard_at += [i * rows + prompt + thinking + t for t in range(tail - 1)]
    hard_weight += [advantage / len(rollouts)] * (tail - 1)
soft_at, soft_target, hard_at = map(torch.tensor, (soft_at, soft_target, hard_at))
soft_weight, hard_weight = torch.tensor(soft_weight), torch.tensor(hard_weight)
hard_target = torch.randint(c["usedVocabSize"], (len(hard_at),))
hidden = 0.02 * torch.randn(len(rollouts), rows, d)

angles = torch.arange(rows)[:, None] * c["ropeTheta"] ** (-torch.arange(0, hd, 2) / hd)
cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)


def rotated(x):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


def block(x, w):
    n = F.rms_norm(x, (d,), w["norm1"], c["normEps"])
    q, k, v = F.linear(n, w["qkv"]).split([heads * hd, kv_heads * hd, kv_heads * hd], -1)
    q, k, v = (t.unflatten(-1, (-1, hd)).transpose(1, 2) for t in (q, k, v))
    a = F.scaled_dot_product_attention(rotated(q), rotated(k), v, is_causal=True, enable_gqa=heads != kv_heads)
    x = x + F.linear(a.transpose(1, 2).flatten(2), w["out"])
    gate, up = F.linear(F.rms_norm(x, (d,), w["norm2"], c["normEps"]), w["gate_up"]).chunk(2, -1)
    return x + F.linear(F.silu(gate) * up, w["down"])


def update():
    x = torch.where(is_soft[..., None], hidden, F.embedding(tokens, embedding))
    for w in layers:
        x = block(x, w)
    x = F.rms_norm(x, (d,), final_norm, c["normEps"]).flatten(0, 1)
    mixture = F.softmax(F.linear(x[soft_at], embedding) / TAU, -1) @ embedding
    score = -((hidden.flatten(0, 1)[soft_target] - mixture) ** 2).sum(-1) / (2 * SIGMA**2)
    logp = F.log_softmax(F.linear(x[hard_at], embedding), -1).gather(1, hard_target[:, None])[:, 0]
    loss = -(score * soft_weight).sum() - (logp * hard_weight).sum()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()


print("ready", flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    update()
    print(time.perf_counter() - started, flush=True)
