"""Scores the first questions of arc_challenge, hellaswag and mmlu with lm-evaluation-harness: its own tasks, its own
tokenisation, its own log-likelihoods, on the weights of a GGUF file of the Llama family, dequantised to float32.

    python3 -m venv /tmp/harness && /tmp/harness/bin/pip install torch transformers accelerate gguf lm_eval
    /tmp/harness/bin/python score_choices.py --model FILE.gguf --data FOLDER --questions 100 --out smollm2.json

FOLDER holds arc_challenge/test.jsonl, hellaswag/val_1000.jsonl and mmlu/{dev,test}/SUBJECT_{dev,test}.csv: they stand in for the
data sets that the harness would download. Questions of mmlu are taken one of each subject in turn.
"""

import argparse
import csv
import hashlib
import json
import pathlib

import datasets
import gguf
import lm_eval
import torch
import transformers
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

LETTERS = "ABCD"


def field(reader, name):
    return reader.fields[name].contents()


def load_tokenizer(reader):
    """SmolLM2's: every digit apart, then GPT-2's byte-level words."""
    assert field(reader, "tokenizer.ggml.pre") == "smollm"
    tokens = field(reader, "tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ")) for merge in field(reader, "tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE({token: id for id, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = field(reader, "tokenizer.ggml.token_type")
    tokenizer.add_special_tokens([token for token, kind in zip(tokens, kinds) if kind == 3])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=tokens[field(reader, "tokenizer.ggml.bos_token_id")],
        eos_token=tokens[field(reader, "tokenizer.ggml.eos_token_id")],
        pad_token=tokens[field(reader, "tokenizer.ggml.eos_token_id")],
    )


def load_model(reader):
    get = lambda name: field(reader, f"llama.{name}")
    heads, kv_heads = get("attention.head_count"), get("attention.head_count_kv")
    weights = {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in reader.tensors}
    config = transformers.LlamaConfig(
        vocab_size=weights["token_embd.weight"].shape[0],
        hidden_size=get("embedding_length"),
        intermediate_size=get("feed_forward_length"),
        num_hidden_layers=get("block_count"),
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=get("context_length"),
        rms_norm_eps=get("attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": get("rope.freq_base")},
        tie_word_embeddings="output.weight" not in weights,
    )

    def unpermuted(w, n):
        # llama.cpp interleaves the halves that transformers rotates together
        return w.reshape(n, w.shape[0] // n // 2, 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)

    state = {"model.embed_tokens.weight": weights["token_embd.weight"], "model.norm.weight": weights["output_norm.weight"]}
    state["lm_head.weight"] = weights.get("output.weight", weights["token_embd.weight"])
    names = {
        "attn_norm": "input_layernorm",
        "ffn_norm": "post_attention_layernorm",
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
    }
    for layer in range(config.num_hidden_layers):
        for short, long in names.items():
            w = weights[f"blk.{layer}.{short}.weight"]
            if short in ("attn_q", "attn_k"):
                w = unpermuted(w, heads if short == "attn_q" else kv_heads)
            state[f"model.layers.{layer}.{long}.weight"] = w
    model = transformers.LlamaForCausalLM(config).float()
    model.load_state_dict({name: torch.tensor(w) for name, w in state.items()}, strict=True)
    return model.eval()


def json_lines(path, count):
    return [json.loads(line) for line in open(path, encoding="utf-8")][:count]


def mmlu_rows(folder, split, subject):
    # newline=None: line breaks in cells become \n, as when such a file is opened as text
    with open(folder / split / f"{subject}_{split}.csv", encoding="utf-8") as file:
        return [
            {"question": row[0], "subject": subject, "choices": row[1:5], "answer": LETTERS.index(row[5])}
            for row in csv.reader(file)
        ]


def local_sets(data, count):
    """What stands in for the hub, and the tasks to run: mmlu's subjects with as many rows as round-robin gives them."""
    subjects = sorted(path.name[: -len("_test.csv")] for path in (data / "mmlu/test").glob("*_test.csv"))
    sets = {
        ("allenai/ai2_arc", "ARC-Challenge"): {"test": json_lines(data / "arc_challenge/test.jsonl", count)},
        ("Rowan/hellaswag", None): {"validation": json_lines(data / "hellaswag/val_1000.jsonl", count)},
    }
    for row in sets["Rowan/hellaswag", None]["validation"]:
        row["label"] = str(row["label"])
    # the harness asks for training rows even where no examples are wanted
    for splits in sets.values():
        splits["train"] = next(iter(splits.values()))
    tasks = ["arc_challenge", "hellaswag"]
    for at, subject in enumerate(subjects):
        share = count // len(subjects) + (at < count % len(subjects))
        if share:
            test = mmlu_rows(data / "mmlu", "test", subject)[:share]
            sets["cais/mmlu", subject] = {"test": test, "dev": mmlu_rows(data / "mmlu", "dev", subject)}
            tasks.append(f"mmlu_{subject}")
    return sets, tasks


def digest(*texts):
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def stand_in(sets):
    datasets.load_dataset = lambda path, name=None, **_: datasets.DatasetDict(
        {split: datasets.Dataset.from_list(rows) for split, rows in sets[path, name].items()}
    )


def all_prompts(data):
    """A digest of the prompts of all questions of each task, and of mmlu's first questions with examples."""
    sets, names = local_sets(data, 10**9)
    stand_in(sets)
    found = {"arc_challenge": [], "hellaswag": [], "mmlu": []}
    few_shot = {}
    for name, task in TaskManager().load(names)["tasks"].items():
        prompts = []
        for row, doc in enumerate(task.eval_docs):
            choices = [f" {choice}" for choice in task.doc_to_choice(doc)]
            prompts.append((row, name, digest(task.fewshot_context(doc, 0), *choices)))
        found[name if name in found else "mmlu"] += prompts
        if name.startswith("mmlu_"):
            doc = task.eval_docs[0]
            few_shot[name[len("mmlu_"):]] = {str(n): digest(task.fewshot_context(doc, n)) for n in (1, 5)}
    prompts = {name: {"questions": len(all), "digest": digest(*(d for _, _, d in sorted(all)))} for name, all in found.items()}
    return prompts, few_shot


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()

    reader = gguf.GGUFReader(args.model)
    sets, tasks = local_sets(args.data, args.questions)
    stand_in(sets)
    lm = HFLM(pretrained=load_model(reader), tokenizer=load_tokenizer(reader), batch_size=4)
    result = lm_eval.simple_evaluate(lm, tasks=tasks, log_samples=True, bootstrap_iters=0)

    golden = {"arc_challenge": [], "hellaswag": [], "mmlu": []}
    for name in tasks:
        for sample in result["samples"][name]:
            pairs = [tuple(pair) for pair in sample["arguments"]]
            encoded = [lm._encode_pair(*pair) for pair in pairs]
            doc = sample["doc"]
            item = {
                "right": int(sample["target"]),
                "prompt": digest(pairs[0][0], *(continuation for _, continuation in pairs)),
                "context": len(encoded[0][0]),
                "tokens": [len(continuation) for _, continuation in encoded],
                "ids": digest(json.dumps(encoded, separators=(",", ":"))),
                "sums": [round(float(response[0]), 6) for response in sample["filtered_resps"]],
                "acc": sample["acc"],
            }
            if "acc_norm" in sample:
                item["acc_norm"] = sample["acc_norm"]
            if name.startswith("mmlu_"):
                item["subject"], item["row"] = doc["subject"], sample["doc_id"]
            golden[name if name in golden else "mmlu"].append(item)
    golden["mmlu"].sort(key=lambda item: (item["row"], item["subject"]))

    prompts, few_shot = all_prompts(args.data)
    versions = {m.__name__: m.__version__ for m in (torch, transformers)} | {"lm_eval": lm_eval.__version__}
    with open(args.out, "w") as file:
        lines = [f'"versions": {json.dumps(versions)}', f'"prompts": {json.dumps(prompts)}', f'"few_shot": {json.dumps(few_shot)}']
        for name, items in golden.items():
            lines.append(f'"{name}": [\n' + ",\n".join(json.dumps(item) for item in items) + "\n]")
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
