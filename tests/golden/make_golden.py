"""Writes the golden files beside this script: `python make_golden.py` (jax, numpy, safetensors; CPU, float64).
README.md describes the files. check_transformers.py holds them against PyTorch and transformers."""

import base64
import json
import os
import pathlib

os.environ["JAX_PLATFORMS"] = "cpu"
import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import save_file

import golden_philox as philox
from golden_model import (CONFIGS, huggingface_config, initial_parameters, log_probabilities, logits_of_rows)

HERE = pathlib.Path(__file__).parent
EMBED = "model.embed_tokens.weight"
GAMMA = 0.33
# name: thinking mode, temperature of the thinking, step (Philox counter word 3).
CASES = {"hard": ("hard", 1.0, 1), "soft": ("soft", 0.5, 2), "fuzzy": ("fuzzy", 1e-4, 3), "near_tie": ("fuzzy", 0.05, 4)}
HARD_TAU = {"llama3_gqa": 0.8}  # One model samples its thinking at another temperature than its answers.
PROMPT_LENGTHS = [5, 3]
THINKING_LENGTHS = [[4, 6, 3], [5, 2, 6]]
ANSWER_LENGTHS = [[2, 3, 1], [3, 1, 2]]
FORCED_LENGTHS = [[2, 3, 2], [3, 2, 2]]
REWARDS = [[100, 10, 0], [0, 100, 100]]
LONGEST = 24
ADAMW = dict(learningRate=1e-2, beta1=0.9, beta2=0.95, eps=1e-8, weightDecay=0.01, clip=1.0, steps=10)


def packed(x):
    """An array as JSON: little-endian float64 in base64, and its shape."""
    x = np.asarray(x, dtype="<f8")
    return {"shape": list(x.shape), "f64": base64.b64encode(x.tobytes()).decode()}


def save_tensors(path, tensors):
    """Written as float32, the precision of the program; in the order of the names."""
    save_file({k: np.ascontiguousarray(np.asarray(v, np.float32)) for k, v in sorted(tensors.items())}, path)
    path.chmod(0o644)


def forward_of(c):
    """Compiled once for LONGEST rows: a shorter sequence is padded, since later rows cannot be seen by earlier ones."""
    compiled = jax.jit(lambda parameters, rows: logits_of_rows(c, parameters, rows))

    def forward(parameters, rows):
        padding = jnp.zeros((LONGEST - rows.shape[0], rows.shape[1]), rows.dtype)
        return compiled(parameters, jnp.concatenate([rows, padding]))[: rows.shape[0]]

    return forward


def cross_entropy_sum(c, forward, parameters, sequences):
    total = 0.0
    for ids in sequences:
        logp = log_probabilities(c, forward(parameters, parameters[EMBED][jnp.array(ids)]), 1.0)
        total -= sum(logp[t - 1, ids[t]] for t in range(1, len(ids)))
    return total


def input_rows(parameters, r, mode):
    """The rows a finished rollout was read as; soft thoughts are constants, everything else is looked up."""
    table = parameters[EMBED]
    look_up = lambda ids: table[jnp.array(ids, dtype=int)]
    thoughts = look_up(r["thinking"]) if mode == "hard" else jnp.array(r["thoughts"], table.dtype)
    return jnp.concatenate([look_up(r["prompt"]), thoughts, look_up(r["forced"]), look_up(r["answer"][:-1])])


def action_log_probabilities(c, forward, parameters, r, mode, tau, sigma):
    """log pi of each thinking step and of each answer token of one rollout (method section 3)."""
    logits = forward(parameters, input_rows(parameters, r, mode))
    first_thought = len(r["prompt"])
    first_answer = first_thought + len(r["thinking"]) + len(r["forced"])
    thinking = []
    for i, token in enumerate(r["thinking"]):
        logp = log_probabilities(c, logits[first_thought + i - 1], tau)
        if mode == "hard":
            thinking.append(logp[token])
        else:
            mixture = jnp.exp(logp) @ parameters[EMBED]
            thinking.append(-jnp.sum((jnp.array(r["thoughts"][i], mixture.dtype) - mixture) ** 2) / (2 * sigma**2))
    answer = [log_probabilities(c, logits[first_answer + i - 1], 1.0)[t] for i, t in enumerate(r["answer"])]
    return jnp.stack(thinking), jnp.stack(answer)


def make_rollout(c, forward, parameters, setting, sigma, seed, prompt, index, lengths, forced):
    """Thinks and answers step by step, with a whole forward pass for each."""
    mode, tau, step = setting
    table = np.asarray(parameters[EMBED])
    rows = np.zeros((LONGEST, c["hiddenSize"]))
    rows[: len(prompt)] = table[prompt]
    r = dict(prompt=prompt, thinking=[], forced=forced, answer=[], noise=[], thoughts=[], mixtures=[], gaps=[])

    def predict(position, temperature):
        logits = np.asarray(forward(parameters, jnp.array(rows)))[position - 1]
        return logits[: c["usedVocabSize"]], np.exp(np.asarray(log_probabilities(c, logits, temperature)))

    def draw(p, position):
        u = philox.uniform(seed, position, index, step)
        return int(np.searchsorted(np.cumsum(p), u * p.sum(), side="right"))

    position = len(prompt)
    for _ in range(lengths[0]):
        logits, p = predict(position, tau)
        top = np.sort(logits)[::-1]
        r["gaps"].append(top[0] - top[1])
        if mode == "hard":
            token = draw(p, position)
            rows[position] = table[token]
        else:
            token = int(np.argmax(logits))
            eps = philox.noise(seed, position, index, step, c["hiddenSize"])
            mixture = p @ table
            rows[position] = mixture + sigma * eps
            r["noise"].append(eps)
            r["mixtures"].append(mixture)
            r["thoughts"].append(rows[position].copy())
        r["thinking"].append(token)
        position += 1
    for token in forced:
        rows[position] = table[token]
        position += 1
    for _ in range(lengths[1]):
        _, p = predict(position, 1.0)
        token = draw(p, position)
        r["answer"].append(token)
        rows[position] = table[token]
        position += 1
    return r


def leave_one_out(rewards):
    x = np.array(rewards) / 100
    return x - (x.sum() - x) / (len(x) - 1)


def make_case(c, forward, parameters, setting, seed, rng):
    mode, tau, step = setting
    table = np.asarray(parameters[EMBED])
    sigma = GAMMA * float(np.sqrt(np.mean(table**2)))
    groups = len(PROMPT_LENGTHS)
    size = len(REWARDS[0])
    rollouts, advantages = [], []
    for b in range(groups):
        prompt = [int(t) for t in rng.integers(0, c["usedVocabSize"], PROMPT_LENGTHS[b])]
        advantages += list(leave_one_out(REWARDS[b]))
        for g in range(size):
            forced = [int(t) for t in rng.integers(0, c["usedVocabSize"], FORCED_LENGTHS[b][g])]
            lengths = (THINKING_LENGTHS[b][g], ANSWER_LENGTHS[b][g])
            rollouts.append(
                make_rollout(c, forward, parameters, setting, sigma, seed, prompt, b * size + g, lengths, forced))

    def loss(w):
        total = 0.0
        for r, a in zip(rollouts, advantages):
            thinking, answer = action_log_probabilities(c, forward, w, r, mode, tau, sigma)
            total -= a * (thinking.sum() + answer.sum()) / (groups * size)
        return total

    value, gradient = jax.value_and_grad(loss)(parameters)
    gradient32 = jax.grad(loss)({k: x.astype(jnp.float32) for k, x in parameters.items()})
    records = []
    for i, r in enumerate(rollouts):
        thinking, answer = action_log_probabilities(c, forward, parameters, r, mode, tau, sigma)
        record = dict(prompt=r["prompt"], thinking=r["thinking"], forced=r["forced"], answer=r["answer"],
                      question=i // size, reward=REWARDS[i // size][i % size], advantage=advantages[i],
                      thinkingLogProbabilities=packed(thinking), answerLogProbabilities=packed(answer))
        if mode != "hard":
            record.update(noise=packed(r["noise"]), thoughts=packed(r["thoughts"]), mixtures=packed(r["mixtures"]))
        records.append(record)
    smallest_gap = min(min(r["gaps"]) for r in rollouts)
    description = dict(mode=mode, tau=tau, gamma=GAMMA, sigma=sigma, seed=seed, step=step, questions=groups, group=size,
                       smallestGap=smallest_gap, loss=float(value), rollouts=records)
    return description, gradient, relative_error(gradient32, gradient)


def train(c, forward, parameters, sequences, dtype=np.float64):
    """AdamW as Loshchilov and Hutter write it, on the mean cross-entropy per target, every tensor decayed."""
    targets = sum(len(s) - 1 for s in sequences)
    value_and_grad = jax.jit(jax.value_and_grad(lambda w: cross_entropy_sum(c, forward, w, sequences) / targets))
    w = {k: jnp.asarray(x, dtype) for k, x in parameters.items()}
    first = {k: jnp.zeros_like(x) for k, x in w.items()}
    second = {k: jnp.zeros_like(x) for k, x in w.items()}
    o = ADAMW
    losses, norms = [], []
    for t in range(1, o["steps"] + 1):
        value, g = value_and_grad(w)
        norm = float(jnp.sqrt(sum(jnp.sum(x**2) for x in g.values())))
        losses.append(float(value))
        norms.append(norm)
        for k in w:
            gk = g[k] * min(1.0, o["clip"] / norm)
            first[k] = o["beta1"] * first[k] + (1 - o["beta1"]) * gk
            second[k] = o["beta2"] * second[k] + (1 - o["beta2"]) * gk**2
            direction = first[k] / (1 - o["beta1"]**t) / (jnp.sqrt(second[k] / (1 - o["beta2"]**t)) + o["eps"])
            w[k] = w[k] * (1 - o["learningRate"] * o["weightDecay"]) - o["learningRate"] * direction
    losses.append(float(value_and_grad(w)[0]))
    return losses, norms, w


def relative_error(a, b):
    """Normalised squared error over all tensors at once."""
    top = sum(float(np.sum((np.asarray(a[k], float) - np.asarray(b[k], float))**2)) for k in b)
    return top / sum(float(np.sum(np.asarray(b[k], float)**2)) for k in b)


def make(name, c, seed):
    rng = np.random.default_rng(seed + 1000)
    parameters = {k: jnp.array(v) for k, v in initial_parameters(c, seed).items()}
    forward = forward_of(c)
    settings = dict(CASES, hard=("hard", HARD_TAU.get(name, 1.0), 1))
    sequences = [[int(t) for t in rng.integers(0, c["usedVocabSize"], n)] for n in (11, 7)]
    logits = [forward(parameters, parameters[EMBED][jnp.array(s)]) for s in sequences]
    ce, ce_gradient = jax.value_and_grad(lambda w: cross_entropy_sum(c, forward, w, sequences))(parameters)
    cases, gradients = {}, {f"cross_entropy/{k}": v for k, v in ce_gradient.items()}
    for case, setting in settings.items():
        cases[case], gradient, error32 = make_case(c, forward, parameters, setting, seed, rng)
        gradients.update({f"{case}/{k}": v for k, v in gradient.items()})
        norm = float(np.sqrt(sum(np.sum(np.asarray(v)**2) for v in gradient.values())))
        print(f"{name:11s} {case:9s} loss {cases[case]['loss']:9.4f} |gradient| {norm:9.4f} "
              f"smallest gap {cases[case]['smallestGap']:.4f}; float32 gradient differs by {error32:.1e}")
    losses, norms, final = train(c, forward, parameters, sequences)
    _, _, final32 = train(c, forward, parameters, sequences, np.float32)
    print(f"{name:11s} training  {losses[0]:.4f} -> {losses[-1]:.4f}; float32 weights differ by "
          f"{relative_error(final32, final):.1e} normalised squared error")
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(huggingface_config(c), indent=1) + "\n")
    save_tensors(folder / "model.safetensors", parameters)
    save_tensors(folder / "gradients.safetensors", gradients)
    save_tensors(folder / "trained.safetensors", final)
    golden = dict(
        modelConfig=c, sequences=sequences, logits=[packed(z) for z in logits], crossEntropy=float(ce), cases=cases,
        training=dict(**ADAMW, targets=sum(len(s) - 1 for s in sequences), losses=losses, gradientNorms=norms))
    (folder / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    for i, (name, c) in enumerate(CONFIGS.items()):
        make(name, c, seed=41 + i)
