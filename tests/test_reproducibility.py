"""Same seed, same versions: the same bytes, in another process and with another number of workers;
and every result says which."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
import kill

RUN = """
from jkonet_star.work.dataset_options import DatasetOptions
from jkonet_star.work.datasets import make_dataset
from jkonet_star.work.dataset_files import save_dataset
from jkonet_star.work.runs import train_and_evaluate
simulation = dict(potential="relu", internal="wiener", beta=0.1, n_particles=200, seed=3)
save_dataset(*make_dataset(DatasetOptions(**simulation, dataset_name="small")), "data")
for solver, settings in {
    "jkonet-star-linear": dict(n_features=40, n_interaction_features=20),
    "jkonet-star-potential-internal": dict(epochs=3, hidden=(8,)),
}.items():
    train_and_evaluate("small", solver, seed=3, figures=solver == "jkonet-star-linear", **settings)
"""
SWEEP = """
generate: {potential: [double_exp, relu], n_particles: 100}
train:
  - {solver: jkonet-star-linear-potential, n_features: 30, seed: [0, 1]}
  - {solver: jkonet-star-potential, epochs: 3, seed: 2}
"""


def all_bytes(folder):
    "Bytes of every file but notebooks, and what `kill.content` makes of those that hold seconds."
    with_seconds = ("metrics.json", "task.json", "tasks.csv", "results.csv", "result.csv", "1.png")
    return {
        p.relative_to(folder).as_posix(): kill.content(p)
        if p.name in with_seconds
        else p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.suffix != ".ipynb"
    }


def same(a, b):
    differ = sorted(k for k in a.keys() | b.keys() if a.get(k) != b.get(k))
    assert a and not differ, f"these differ: {differ}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folders, cache = (
        [tmp_path_factory.mktemp(name) for name in ("one", "two")],
        tmp_path_factory.mktemp("cache"),
    )
    for here in folders:  # the second reads compiled programs that the first wrote, as commands do
        env = {
            **os.environ,
            "JAX_COMPILATION_CACHE_DIR": str(cache),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", RUN],
            cwd=here,
            env=env,
            check=True,
            capture_output=True,
        )
    return folders


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory):
    here = tmp_path_factory.mktemp("sweeps")
    (here / "spec.yaml").write_text(SWEEP)
    for workers in "12":
        subprocess.run(
            [
                sys.executable,
                "-m",
                "jkonet_star.cli",
                "sweep",
                "spec.yaml",
                "--workers",
                workers,
                "--out-dir",
                workers,
            ],
            cwd=here,
            check=True,
            capture_output=True,
        )
    return [here / workers / "spec" for workers in "12"]


def test_two_processes_write_the_same_bytes(runs):
    one, two = map(all_bytes, runs)
    assert (
        sum(name.endswith("model.npz") for name in one) == 2 and "data/small/couplings.npz" in one
    )
    same(one, two)


def test_one_and_two_workers_write_the_same_bytes(sweeps):
    one, two = map(all_bytes, sweeps)
    assert sum(name.endswith("model.npz") for name in one) == 6 and "results.csv" in one
    same(one, two)


def test_every_result_says_its_seed_and_versions(runs, sweeps):
    from jkonet_star.base.devices import versions
    from jkonet_star.base.files import load_table
    from jkonet_star.model.solution import Solution
    from jkonet_star.work.dataset_files import load_dataset

    data = load_dataset("small", runs[0] / "data")
    assert (data.info["parameters"]["seed"], data.info["versions"]) == (3, versions())
    for folder in (runs[0] / "out" / "small").iterdir():
        model, metrics = (
            Solution.load(folder / "model.npz"),
            json.loads((folder / "metrics.json").read_text()),
        )
        assert (
            (model.seed, model.versions)
            == (metrics["seed"], metrics["versions"])
            == (3, versions())
        )
    table = load_table(sweeps[0] / "results.csv")
    assert table.seed.tolist() == [0, 1, 2] * 2 and np.all(
        table.versions == ", ".join(" ".join(v) for v in versions().items())
    )
    for task in table.task:
        assert (
            json.loads((sweeps[0] / "tasks" / task / "task.json").read_text())["versions"]
            == versions()
        )
