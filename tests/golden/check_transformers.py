"""Holds the golden files against PyTorch and transformers, float64 on the CPU: `python check_transformers.py`
(torch, transformers, safetensors). Each of logits, gradients in every case, and the training run is computed again
from the files alone, by transformers' own models and torch.autograd and torch.optim.AdamW.

Tolerances: 1e-5, ten times what transformers' own rounding makes, for its norms, rotations and attention weights are
float32 whatever the model's type; the log-density of a thought, which divides that by sigma^2, gets 2e-4."""

import base64
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
torch.set_num_threads(1)


def unpacked(x):
    return torch.tensor(np.frombuffer(base64.b64decode(x["f64"]), "<f8").reshape(x["shape"]).copy())


def load(folder):
    config = AutoConfig.from_pretrained(folder)
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config).double()
    weights = {k: v.double() for k, v in load_file(folder / "model.safetensors").items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    if config.tie_word_embeddings:
        model.tie_weights()
    return model.train()


def masked_log_softmax(z, tau, used):
    return torch.log_softmax(z[..., :used] / tau, dim=-1)


def cross_entropy(model, sequences, used):
    total = 0.0
    for ids in sequences:
        logp = masked_log_softmax(model(input_ids=torch.tensor([ids])).logits[0], 1.0, used)
        total = total - logp[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].sum()
    return total


def policy_loss(model, case, used):
    embed = model.get_input_embeddings().weight
    total, worst = 0.0, 0.0
    for r in case["rollouts"]:
        look_up = lambda ids: embed[torch.tensor(ids, dtype=torch.long)]
        thoughts = look_up(r["thinking"]) if case["mode"] == "hard" else unpacked(r["thoughts"])
        rows = torch.cat([look_up(r["prompt"]), thoughts, look_up(r["forced"]), look_up(r["answer"][:-1])])
        z = model(inputs_embeds=rows[None]).logits[0]
        first, count = len(r["prompt"]), len(r["thinking"])
        answer_from = first + count + len(r["forced"])
        logp = masked_log_softmax(z[first - 1:first - 1 + count], case["tau"], used)
        if case["mode"] == "hard":
            thinking = logp[torch.arange(count), torch.tensor(r["thinking"])]
        else:
            assert [int(t) for t in logp.argmax(-1)] == r["thinking"], "the shadow tokens differ"
            mixture = logp.exp() @ embed[:used]
            worst = max(worst, float((mixture.detach() - unpacked(r["mixtures"])).abs().max()))
            noise = (thoughts - mixture.detach()) / case["sigma"]
            worst = max(worst, float((noise - unpacked(r["noise"])).abs().max()))
            thinking = -((thoughts - mixture) ** 2).sum(-1) / (2 * case["sigma"] ** 2)
        logp = masked_log_softmax(z[answer_from - 1:answer_from - 1 + len(r["answer"])], 1.0, used)
        answer = logp[torch.arange(len(r["answer"])), torch.tensor(r["answer"])]
        for mine, theirs in ((thinking, "thinkingLogProbabilities"), (answer, "answerLogProbabilities")):
            worst = max(worst, float((mine.detach() - unpacked(r[theirs])).abs().max()))
        total = total - r["advantage"] * (thinking.sum() + answer.sum())
    return total / (case["questions"] * case["group"]), worst


def gradient_error(model, loss, expected):
    """Largest normalised squared error of a tensor (the files are float32: about 1e-15)."""
    model.zero_grad()
    loss.backward()
    worst = 0.0
    for name, parameter in model.named_parameters():
        want = expected[name].double()
        size = float((want**2).sum())
        got = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        worst = max(worst, float(((got - want) ** 2).sum()) / size if size else float(got.abs().max()))
    return worst


def check(folder):
    golden = json.loads((folder / "golden.json").read_text())
    gradients = load_file(folder / "gradients.safetensors")
    used = golden["modelConfig"]["usedVocabSize"]
    model = load(folder)
    assert golden["modelConfig"]["tied"] == model.config.tie_word_embeddings
    part = lambda case: {k[len(case) + 1:]: v for k, v in gradients.items() if k.startswith(case + "/")}
    results = {}
    with torch.no_grad():
        results["logits"] = max(
            float((model(input_ids=torch.tensor([ids])).logits[0] - unpacked(z)).abs().max())
            for ids, z in zip(golden["sequences"], golden["logits"]))
    loss = cross_entropy(model, golden["sequences"], used)
    results["cross-entropy"] = abs(loss.item() - golden["crossEntropy"])
    results["cross-entropy gradient"] = gradient_error(model, loss, part("cross_entropy"))
    for name, case in golden["cases"].items():
        loss, worst = policy_loss(model, case, used)
        results[f"{name} loss"] = abs(loss.item() - case["loss"])
        results[f"{name} log-probabilities"] = worst
        results[f"{name} gradient"] = gradient_error(model, loss, part(name))
    o = golden["training"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=o["learningRate"], betas=(o["beta1"], o["beta2"]), eps=o["eps"],
                                  weight_decay=o["weightDecay"])
    worst = 0.0
    for step in range(o["steps"] + 1):
        model.zero_grad()
        loss = cross_entropy(model, golden["sequences"], used) / o["targets"]
        worst = max(worst, abs(loss.item() - o["losses"][step]))
        if step < o["steps"]:
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), o["clip"])
            optimizer.step()
    results["training losses"] = worst
    trained = load_file(folder / "trained.safetensors")
    results["trained weights"] = max(float((p.detach() - trained[n].double()).abs().max()) for n, p in model.named_parameters())
    return results


def is_gaussian(what):
    return what in [f"{case} {x}" for case in ("soft", "fuzzy", "near_tie") for x in ("loss", "log-probabilities")]


if __name__ == "__main__":
    failed = False
    for folder in sorted(p.parent for p in HERE.glob("*/golden.json")):
        for what, error in check(folder).items():
            gaussian = is_gaussian(what)
            bad = not error <= (2e-4 if gaussian else 1e-5)
            failed |= bad
            print(f"{folder.name:11s} {what:26s} {error:.1e}{'  FAILED' if bad else ''}")
    sys.exit(1 if failed else 0)
