"""Holds the events files of runs against their JSON lines, read by TensorBoard itself: by its loader, and by its server over HTTP.

    ./softcot train --log tensorboard --steps 12 --sample-every 4 --save-every 5 --out runs/tb
    ENV/bin/python tests/golden/check_tensorboard.py runs/tb

Needs tensorboard (2.21.0 was used). Every scalar of every update, the texts of samples and the settings are compared: names, steps and values;
nothing may be there twice, and nothing that the logs do not have.
"""

import json
import socket
import struct
import subprocess
import sys
import time
import tomllib
import urllib.parse
import urllib.request
from pathlib import Path

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import metadata as hparams_metadata


def wanted_scalars(folder):
    """{tag: {step: value}} by the names that README gives."""
    wanted = {}
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        data = json.loads(line)
        step = data.pop("step")
        for name, value in data.items():
            if isinstance(value, dict):
                pairs = [(f"{name}/{inner}", one) for inner, one in value.items()]
            elif name == "validation_accuracy":
                pairs = [("validation/accuracy", value)]
            else:
                pairs = [(f"train/{name}", value)]
            for tag, one in pairs:
                if one is not None:
                    wanted.setdefault(tag, {})[step] = one
    return wanted


def wanted_samples(folder):
    """{step: lines}."""
    samples = {}
    for line in (folder / "samples.jsonl").read_text().splitlines():
        data = json.loads(line)
        samples.setdefault(data["step"], []).append(data)
    return samples


def as_f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def check_loader(folder):
    events = event_accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    wanted = wanted_scalars(folder)
    found = {}
    times = []
    for tag in events.Tags()["scalars"]:
        for one in events.Scalars(tag):
            assert one.step not in found.setdefault(tag, {}), f"{tag} has step {one.step} twice"
            found[tag][one.step] = one.value
    # Newer versions of the loader turn scalars into tensors.
    for tag in events.Tags()["tensors"]:
        plugin = events.SummaryMetadata(tag).plugin_data.plugin_name
        if plugin != "scalars":
            continue
        for one in events.Tensors(tag):
            assert one.step not in found.setdefault(tag, {}), f"{tag} has step {one.step} twice"
            found[tag][one.step] = one.tensor_proto.float_val[0]
            times.append((one.step, one.wall_time))
    assert set(found) == set(wanted), f"tags differ: {set(found) ^ set(wanted)}"
    count = 0
    for tag, steps in wanted.items():
        assert set(steps) == set(found[tag]), f"steps of {tag} differ: {set(steps) ^ set(found[tag])}"
        for step, value in steps.items():
            assert as_f32(value) == found[tag][step], f"{tag} at {step}: {found[tag][step]}, not {value}"
            count += 1
    times.sort()
    assert all(a[1] <= b[1] for a, b in zip(times, times[1:])), "times go back"
    samples = wanted_samples(folder)
    texts = events.Tensors("samples")
    assert [one.step for one in texts] == list(samples), "steps of samples differ"
    for one in texts:
        lines = samples[one.step][:8]
        assert len(one.tensor_proto.string_val) == len(lines)
        for text, line in zip(one.tensor_proto.string_val, lines):
            assert f"right is {line['gold']}: reward {line['reward']}".encode() in text
    settings = tomllib.loads((folder / "config.toml").read_text())
    info = hparams_metadata.parse_session_start_info_plugin_data(
        events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    )
    for name, value in settings.items():
        camel = "".join(part.capitalize() if i else part for i, part in enumerate(name.split("-")))
        kept = info.hparams[camel]
        if isinstance(value, bool):
            assert kept.bool_value == value, name
        elif isinstance(value, (int, float)):
            assert kept.number_value == value, name
        elif isinstance(value, str) and name != "out":
            assert kept.string_value == value, name
    return len(wanted), count, len(texts), len(info.hparams)


def check_server(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder.parent), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def ask(path, **query):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/{path}?{urllib.parse.urlencode(query)}") as reply:
            return json.load(reply)

    def post(path, data):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/data/{path}", json.dumps(data).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)

    try:
        wanted = wanted_scalars(folder)
        for _ in range(120):
            try:
                tags = ask("plugin/scalars/tags")
                if set(tags.get(folder.name, {})) == set(wanted):
                    break
            except OSError:
                pass
            time.sleep(0.5)
        assert set(tags.get(folder.name, {})) == set(wanted), f"the server has {tags}"
        for tag, steps in wanted.items():
            points = ask("plugin/scalars/scalars", run=folder.name, tag=tag)
            assert [(step, value) for _, step, value in points] == [
                (step, as_f32(value)) for step, value in sorted(steps.items())
            ], f"the server tells {points} of {tag}"
        texts = ask("plugin/text/text", run=folder.name, tag="samples")
        assert {one["step"] for one in texts} == set(wanted_samples(folder)), "texts of other steps"
        groups = post(
            "plugin/hparams/session_groups",
            {"experimentName": "", "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"], "colParams": [], "startIndex": 0, "sliceSize": 100},
        )["sessionGroups"]
        mine = [group for group in groups if any(one["name"] == folder.name for one in group["sessions"])]
        assert len(mine) == 1 and "lr" in mine[0]["hparams"], f"session groups: {groups}"
    finally:
        server.terminate()
        server.wait()


for name in sys.argv[1:]:
    folder = Path(name).resolve()
    tags, values, texts, settings = check_loader(folder)
    check_server(folder)
    print(f"{name}: {tags} tags with {values} values, {texts} texts, {settings} settings: as in the JSON lines, in loader and server")
