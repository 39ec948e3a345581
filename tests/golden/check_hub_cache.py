"""Holds `softcot model pull` against Python's huggingface_hub.

    python3 -m venv /tmp/hub && /tmp/hub/bin/pip install huggingface_hub
    /tmp/hub/bin/python check_hub_cache.py

A local server plays the hub. softcot and huggingface_hub each pull the same repository into a cache of their own: the
two caches must have the same files, links and contents. Then huggingface_hub, offline, must find everything in softcot's
cache, resume nothing, and wait for a lock that softcot holds. Without symbolic links each must find the other's files.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DENO = os.environ.get("DENO", "deno")


def tree(cache):
    """What is in a cache, apart from what only one of the two writes, and the other passes over."""
    found = {}
    for path in sorted(cache.rglob("*")):
        name = str(path.relative_to(cache))
        if path.is_dir() or "/trees/" in name or name == "CACHEDIR.TAG" or "/.no_exist/" in name or path.name == ".softcot-verified.json":
            continue
        found[name] = f"-> {os.readlink(path)}" if path.is_symlink() else path.read_bytes()
    return found


def python(cache, endpoint, code, **more):
    env = {**os.environ, "HF_HUB_CACHE": str(cache), "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", **more}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"huggingface_hub failed:\n{run.stderr}")
    return run.stdout.strip()


def softcot(cache, endpoint, **more):
    env = {**os.environ, "HF_HUB_CACHE": str(cache), "HF_ENDPOINT": endpoint, **more}
    run = subprocess.run([DENO, "run", "-A", "cli/main.ts", "model", "pull", "org/name"], cwd=ROOT, env=env)
    if run.returncode:
        sys.exit("softcot model pull failed")


SNAPSHOT = """
from huggingface_hub import snapshot_download
print(snapshot_download("org/name", revision={revision!r}, allow_patterns={patterns!r}))
"""
SCAN = """
from huggingface_hub import scan_cache_dir
info = scan_cache_dir()
assert not info.warnings, info.warnings
print([(r.repo_id, r.repo_type, r.size_on_disk, [sorted(v.refs) for v in r.revisions]) for r in info.repos])
"""
TIMED_OUT = """
import sys
from filelock import FileLock, Timeout
try:
    FileLock(sys.argv[1] if len(sys.argv) > 1 else LOCK, timeout=1).acquire()
    print("taken")
except Timeout:
    print("kept out")
"""


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        model = HERE / "llama_tied"
        files = {"config.json": b"", "model.safetensors": b"", "tokenizer.json": b"{}", "README.md": b"# name\n"}
        repo = scratch / "repo"
        repo.mkdir()
        for name, data in files.items():
            (repo / name).write_bytes((model / name).read_bytes() if (model / name).exists() else data)
        server = subprocess.Popen(
            [DENO, "run", "-A", str(HERE / "serve_fake_hub.ts"), str(repo)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        try:
            endpoint = server.stdout.readline().strip()
            ours, theirs = scratch / "ours", scratch / "theirs"
            softcot(ours, endpoint)
            python(theirs, endpoint, SNAPSHOT.format(revision="main", patterns=None))
            a, b = tree(ours), tree(theirs)
            for name in sorted(a.keys() | b.keys()):
                if a.get(name) != b.get(name):
                    sys.exit(f"{name} differs: softcot {str(a.get(name))[:80]}, huggingface_hub {str(b.get(name))[:80]}")
            print(f"the caches are equal: {len(a)} files, links and locks")
            snapshot = next(iter((ours / "models--org--name" / "snapshots").iterdir()))
            for revision in ("main", snapshot.name):
                found = python(ours, "http://127.0.0.1:1", SNAPSHOT.format(revision=revision, patterns=None), HF_HUB_OFFLINE="1")
                assert found == str(snapshot), found
            print("offline, huggingface_hub finds softcot's snapshot by branch and by commit")
            print("scan_cache_dir:", python(ours, endpoint, SCAN))
            # A file of Python's is not fetched again: the server is gone when softcot pulls offline.
            lock = next((ours / ".locks").rglob("*.lock"))
            holder = subprocess.Popen(
                [DENO, "eval", f'using f = Deno.openSync("{lock}", {{ write: true }}); f.lockSync(true); console.log("held"); '
                 "Deno.stdin.readSync(new Uint8Array(1));"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            holder.stdout.readline()
            while_held = python(ours, endpoint, TIMED_OUT.replace("LOCK", repr(str(lock))))
            holder.communicate("\n")
            after = python(ours, endpoint, TIMED_OUT.replace("LOCK", repr(str(lock))))
            assert (while_held, after) == ("kept out", "taken"), (while_held, after)
            print("a lock that softcot holds keeps huggingface_hub out, and no longer")
            # Without links softcot leaves copies of the blobs, huggingface_hub the blobs themselves: each finds the other's files.
            copies, moved = scratch / "copies", scratch / "moved"
            no_links = {"HF_HUB_DISABLE_SYMLINKS": "1"}
            softcot(copies, endpoint, **no_links)
            python(moved, endpoint, SNAPSHOT.format(revision="main", patterns=None), **no_links)
            assert not any(path.is_symlink() for cache in (copies, moved) for path in cache.rglob("*"))
            python(copies, "http://127.0.0.1:1", SNAPSHOT.format(revision="main", patterns=None), HF_HUB_OFFLINE="1")
            before = tree(moved)
            softcot(moved, endpoint, **no_links)
            added = {name for name, data in tree(moved).items() if before.get(name) != data}
            assert all("/blobs/" not in name and "/snapshots/" not in name for name in added), added
            print("without links, each finds what the other has fetched")
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
