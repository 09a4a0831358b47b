"""kill -9 at random moments of `generate`, `train` and `sweep`: what is on disk stays whole, and
ends as if nothing had happened.

python tools/kill.py [--kills N] [--seed S] [generate | train | resume | sweep ...]
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RESUME = """\
from functools import partial
from jkonet_star import cli, solvers
solvers.Checkpoint = partial(solvers.Checkpoint, every=0.1)  # instead of 30 seconds
cli.main()"""
SPEC = """\
generate: {potential: [double_exp, relu], n_particles: 100}
train: {solver: jkonet-star-linear-potential, n_features: 30, seed: [0, 1]}
"""
OURS = [sys.executable, "-m", "jkonet_star.cli"]
COMMANDS = {
    "generate": [
        *OURS,
        "generate",
        "--potential",
        "styblinski_tang",
        "--n-particles",
        "300",
        "--dataset-name",
        "small",
    ],
    "train": [
        *OURS,
        "train",
        "-d",
        "small",
        "-s",
        "jkonet-star-linear-potential",
        "--n-features",
        "50",
    ],
    "resume": [
        sys.executable,
        "-c",
        RESUME,
        "train",
        "-d",
        "small",
        "-s",
        "jkonet-star-potential",
        "--epochs",
        "400",
        "--resume",
    ],
    "sweep": [*OURS, "sweep", "spec.yaml", "--workers", "2"],
}
FOLDERS = {"generate": "data", "train": "out", "resume": "out", "sweep": "out"}


def contents(folder):
    "What a folder has under final names, seconds left out. Fails if a file there is not whole."
    return {
        p.relative_to(folder).as_posix(): content(p)
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not hidden(p, folder)
    }


def hidden(path, folder):
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def unfinished(folder):
    return [
        Path(here) / d for here, folders, _ in os.walk(folder) for d in folders if d.startswith(".")
    ]  # os.walk does not mind what vanishes


def content(path):
    if path.suffix == ".npz":
        with np.load(path) as f:
            return {k: (f[k].dtype.str, f[k].shape, f[k].tobytes()) for k in f.files}
    if path.suffix == ".npy":
        return np.load(path).tobytes()
    if path.suffix == ".json":
        if path.name == "dataset.json":
            from jkonet_star.work.dataset_files import load_dataset

            load_dataset(path.parent.name, path.parent.parent)
        return {k: v for k, v in json.loads(path.read_text()).items() if k != "seconds"}
    if path.suffix == ".csv":
        from jkonet_star.base.files import load_table

        table = load_table(path)
        return table[[c for c in table if not c.startswith("seconds")]].to_csv()
    if path.suffix == ".ipynb":
        import nbformat

        book = nbformat.read(path, 4)
        nbformat.validate(book)
        return [c.source for c in book.cells]
    assert path.suffix == ".png", f"{path}: what is a whole file of this kind?"
    from PIL import Image

    pixels = np.asarray(Image.open(path))
    return (
        pixels.shape if path.parent.name == "figures" else pixels.tobytes()
    )  # those of a sweep show seconds


def start(room, name):
    env = {**os.environ, "JAX_COMPILATION_CACHE_DIR": str(room / "cache"), "MPLBACKEND": "agg"}
    return subprocess.Popen(
        COMMANDS[name],
        cwd=room,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(room, name):
    "Run a command to its end: its seconds and what is on disk then."
    began = time.monotonic()
    process = start(room, name)
    said, _ = process.communicate()
    assert (
        process.returncode == 0
        and "Error" not in said
        and "note" not in said.replace("note: there is no", "")
    ), said
    assert not unfinished(room / FOLDERS[name]), unfinished(room / FOLDERS[name])
    return time.monotonic() - began, contents(room / FOLDERS[name])


def kill(room, name, moment, while_writing):
    """Kill a run and all its processes after `moment` seconds, counted from when it writes for the
    `n`-th time if `while_writing` is such an n. Whether it was killed before its end."""
    folder, process, known = room / FOLDERS[name], start(room, name), set()
    known.update(unfinished(folder))
    news = 0
    while while_writing and news < while_writing and process.poll() is None:
        found = set(unfinished(folder)) - known
        news += len(found)
        known |= found
        time.sleep(0.0002)
    end = time.monotonic() + moment
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.0005)
    killed = process.poll() is None
    if killed:
        os.killpg(process.pid, signal.SIGKILL)
    # its workers have the other end of the pipe too: all of them are gone then
    process.communicate()
    return killed


def stress(room, name, kills, seed=0, every=5):
    """Kill a command so many times, half of them while it writes; after each `every`, and at the
    end, it must end as an undisturbed run does. What was seen, as a dictionary."""
    rng, room = np.random.default_rng(seed), Path(room)
    (room / "spec.yaml").write_text(SPEC)
    if name in ("train", "resume"):
        finish(room, "generate")
    shutil.rmtree(room / FOLDERS[name], ignore_errors=True)
    finish(room, name)
    shutil.rmtree(room / FOLDERS[name])
    seconds, undisturbed = finish(room, name)
    shutil.rmtree(room / FOLDERS[name])
    seen = {
        "command": name,
        "seconds": round(seconds, 1),
        "kills": 0,
        "while it wrote": 0,
        "left unfinished": 0,
        "finished after": 0,
        "found whole": 0,
    }
    moments = rng.permutation(np.linspace(0, seconds, kills))  # over all of it
    while seen["kills"] < kills:
        n = seen["kills"]
        writing = (
            int(rng.integers(1, 12 if name == "sweep" else 4 if name == "resume" else 2))
            if n % 2
            else 0
        )
        if not kill(room, name, 10 ** rng.uniform(-4, -0.5) if writing else moments[n], writing):
            if not writing:
                moments[n] *= 0.9  # it was faster this time
            continue
        found = contents(room / FOLDERS[name])
        seen["kills"] += 1
        seen["while it wrote"] += writing > 0
        seen["left unfinished"] += bool(unfinished(room / FOLDERS[name]))
        seen["found whole"] += len(found)
        if seen["kills"] % every == 0 or seen["kills"] == kills:
            _, again = finish(room, name)
            wrong = {
                k for k in undisturbed.keys() | again.keys() if undisturbed.get(k) != again.get(k)
            }
            assert not wrong, (
                f"after {seen['kills']} kills of {name} these differ from an undisturbed run: "
                f"{sorted(wrong)}"
            )
            seen["finished after"] += 1
            if seen["finished after"] % 2:  # else what is there is replaced
                shutil.rmtree(room / FOLDERS[name])
            if seen["finished after"] % 3 == 0:
                shutil.rmtree(room / "cache")
    return seen


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commands", nargs="*", default=list(COMMANDS), metavar="COMMAND")
    parser.add_argument("--kills", type=int, default=40, help="of each command")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name in given.commands:
        with tempfile.TemporaryDirectory() as room:
            print(json.dumps(stress(room, name, given.kills, given.seed)), flush=True)
