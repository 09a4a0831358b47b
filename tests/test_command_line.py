"""Options of the command line that its chapter only names."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from jkonet_star.cli import cli

pytestmark = pytest.mark.newest

GENERATE = "generate --potential sphere --n-particles 30 --n-timesteps 2 --dataset-name small"


def test_debug(tmp_path, monkeypatch):
    """JAX compiles nothing, and compiles again afterwards; and a closed form says that it has no
    epochs."""
    import jax

    import jkonet_star.model.fit

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)  # commands set it
    fit, compiled = jkonet_star.model.fit.fit, []
    monkeypatch.setattr(
        "jkonet_star.model.fit.fit",
        lambda *a, **k: compiled.append(not jax.config.jax_disable_jit) or fit(*a, **k),
    )
    train = "train -d small -s jkonet-star-linear-potential --n-features 5 --epochs 3"
    for line in (GENERATE, f"{train} --debug", train):
        done = CliRunner().invoke(cli, line.split())
        assert done.exit_code == 0, done.output
        assert "train" not in line or done.stderr == "note: a closed form has no epochs\n"
    assert compiled == [False, True] and not jax.config.jax_disable_jit
    assert Path("out", "small", "jkonet-star-linear-potential", "model.npz").is_file()


def test_wandb(tmp_path, monkeypatch):
    """What is sent, to a stand-in for Weights & Biases: a row for each epoch, and the numbers of
    metrics.json."""
    sent, started = [], {}
    run = SimpleNamespace(log=sent.append, summary={}, finish=lambda: sent.append("end"))
    monkeypatch.setitem(
        sys.modules, "wandb", SimpleNamespace(init=lambda **given: started.update(given) or run)
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)  # commands set it
    for line in (GENERATE, "train -d small -s jkonet-star-potential --epochs 2 --hidden 4 --wandb"):
        result = CliRunner().invoke(cli, line.split())
        assert result.exit_code == 0, result.output
    assert (
        started["config"]["epochs"] == 2
        and started["config"]["hidden"] == (4,)
        and [s if s == "end" else s["epoch"] for s in sent] == [1, 2, "end"]
    )
    assert run.summary["dataset"] == "small" and run.summary["emd_one_step_mean"] > 0


def test_a_population_that_grows(tmp_path, monkeypatch):
    """A data set, whose couplings conserve mass, is coupled again for a solver of growth; a new
    process reads its model and says how masses multiply."""
    rng = np.random.default_rng(0)
    cells = pd.DataFrame(rng.normal(size=(90, 2)), columns=["a", "b"])
    cells["day"] = np.repeat([0, 1], [30, 60])
    cells.to_csv(tmp_path / "cells.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)  # commands set it
    for line in (
        "generate --load-from-file cells.csv --time-key day --mass counts --dataset-name cells",
        "train -d cells -s jkonet-star-growth --n-features 5 --lengthscales 1",
    ):
        done = CliRunner().invoke(cli, line.split())
        assert done.exit_code == 0, done.output
    model = "out/cells/jkonet-star-growth/model.npz"
    predict = f"predict {model} cells.csv --time-key day --output moved.csv"
    main = "import sys; from jkonet_star.cli import main; main()"
    subprocess.run([sys.executable, "-c", main, *predict.split()], check=True)
    moved = pd.read_csv("moved.csv")
    first = moved[(moved.day == 0) & (moved.time == 1)]
    assert np.isclose(first.mass.mean(), 2, rtol=0.1)
