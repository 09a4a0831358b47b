"""The machine as it is: no home, a user without a name, a shell with other settings, a platform
that JAX does not find, its debugging switches."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from jkonet_star.cli import cli
from jkonet_star.work.commands import LazyGroup

pytestmark = pytest.mark.newest
ODD = {
    "HOME": "/nowhere",
    "MPLBACKEND": "nonsense",
    "LANG": "C",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
}


def run(here, line, **environment):
    return subprocess.run(
        [sys.executable, "-m", "jkonet_star.cli", *line.split()],
        cwd=here,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | environment,
    )


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    "A folder with a data set, made where nothing is as it should be."
    here = tmp_path_factory.mktemp("machine")
    (here / "größe.yaml").write_text(
        "# Zahl der Wellen, für später\nn_features: 10\n", encoding="utf-8"
    )
    done = run(
        here,
        "generate --potential sphere --n-particles 60 --n-timesteps 2 --dataset-name small",
        **ODD,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return here


def test_a_shell_with_other_settings(here):
    """Neither a home, nor a window to draw in, nor a text encoding: the model, its figures, and no
    word about it."""
    done = run(here, "train -d small -s jkonet-star-linear-potential --config größe.yaml", **ODD)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    names = [p.name for p in (here / "out" / "small" / "jkonet-star-linear-potential").iterdir()]
    assert sorted(names) == ["energies.png", "metrics.json", "model.npz", "predictions.png"]


@pytest.mark.parametrize(
    "line",
    [
        "generate --potential sphere",
        "train -d small",
        "predict model.npz rows.npy",
        "sweep small.yaml --workers 1",
    ],
)
def test_a_platform_that_is_not_there(here, line):
    (here / "small.yaml").write_text("generate: {potential: sphere, n_particles: 60}\n")
    done = run(here, line, JAX_PLATFORMS="nonsense")
    said = (
        "error: JAX finds no device on this machine for JAX_PLATFORMS=nonsense: "
        "set JAX_PLATFORMS=cpu, or install what the platform needs\n"
    )
    assert done.returncode == 2 and done.stderr == said, done.stderr
    assert not (here / "out" / "small" / "tasks").exists()


def test_what_computes_nothing_needs_no_platform(here):
    assert run(here, "list", JAX_PLATFORMS="nonsense").returncode == 0
    (here / "small.yaml").write_text("generate: {potential: sphere, n_particles: 60}\n")
    assert run(here, "sweep small.yaml --dry-run", JAX_PLATFORMS="nonsense").returncode == 0


@pytest.mark.parametrize("home", [None, "", "nowhere", "closed"])
def test_homes(home, tmp_path, monkeypatch):
    """A user without a name and a home that is unset, empty, not there, or a file where a folder
    should be made."""
    for name in ("JAX_COMPILATION_CACHE_DIR", "MPLCONFIGDIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.getuid", lambda: 54321)
    (tmp_path / "closed").mkdir(), (tmp_path / "closed" / ".cache").touch()
    if home is None:
        monkeypatch.delenv("HOME", raising=False)
    else:
        monkeypatch.setenv("HOME", home and str(tmp_path / home))
    assert LazyGroup.get_command(cli, None, "list").name == "list"
    assert (
        "JAX_COMPILATION_CACHE_DIR" not in os.environ
        and os.environ["MPLCONFIGDIR"] == os.environ["IPYTHONDIR"]
    )
    assert Path(os.environ["MPLCONFIGDIR"]).is_dir() and [p.name for p in tmp_path.iterdir()] == [
        "closed"
    ]


def test_a_home(tmp_path, monkeypatch):
    for name in ("JAX_COMPILATION_CACHE_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    LazyGroup.get_command(cli, None, "list")
    assert (
        os.environ["JAX_COMPILATION_CACHE_DIR"] == str(tmp_path / ".cache" / "jkonet_star")
        and "MPLCONFIGDIR" not in os.environ
    )


def test_a_link_to_another_disk(tmp_path, monkeypatch):
    "`out` leads elsewhere: results go there, and the link stays."
    from jkonet_star.work.dataset_files import save_dataset
    from jkonet_star.work.dataset_options import DatasetOptions
    from jkonet_star.work.datasets import make_dataset
    from jkonet_star.work.runs import train_and_evaluate

    monkeypatch.chdir(tmp_path)
    (
        (tmp_path / "data").symlink_to("disk/data"),
        (tmp_path / "out").symlink_to("disk/out"),
    )  # neither is there yet
    save_dataset(
        *make_dataset(
            DatasetOptions(potential="sphere", n_particles=60, n_timesteps=2, dataset_name="small")
        ),
        "data",
    )
    for _ in range(2):
        train_and_evaluate("small", "jkonet-star-linear-potential", n_features=10, figures=False)
    assert (tmp_path / "data").is_symlink() and (tmp_path / "out").is_symlink()
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.glob("disk/*/*")) == [
        "disk/data/small",
        "disk/out/small",
    ]
    assert (
        tmp_path / "disk" / "out" / "small" / "jkonet-star-linear-potential" / "model.npz"
    ).is_file()


@pytest.mark.parametrize(
    "solver, settings",
    [
        ("jkonet-star-potential", {"epochs": 2, "hidden": (4,)}),
        ("jkonet-star-potential", {"epochs": 2, "hidden": (4,), "validation": 0}),
        ("jkonet-star-linear-potential-internal", {"n_features": 10}),
        ("jkonet-vanilla", {"epochs": 1, "hidden": (4,), "map_hidden": (4,), "inner_steps": 2}),
    ],
)
def test_jax_stops_at_the_first_nan(solver, settings):
    "Nothing that works computes one on its way."
    import jax
    import numpy as np

    from jkonet_star.data.simulate import simulate
    from jkonet_star.model.fit import fit

    seen = simulate("double_exp", beta=0.1, n_particles=40, n_steps=2)
    with jax.debug_nans(True), jax.debug_infs(True):
        model = fit(seen, solver, **settings)
    assert np.isfinite(model.drift(seen.x[0])).all()
    if "losses" in model.stats:
        assert np.isfinite(model.stats["losses"][:, 0]).all() and np.isnan(
            model.stats["losses"][:, 1]
        ).all() == (settings.get("validation") == 0 or solver == "jkonet-vanilla")


def test_a_switch_of_jax_that_stops_a_command(tmp_path, monkeypatch):
    from click.testing import CliRunner

    def stop(*_):
        raise FloatingPointError("invalid value (nan) encountered in mul\nand more")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # commands set it
    monkeypatch.setattr("jkonet_star.work.datasets.make_dataset", stop)
    line = "generate --potential sphere".split()
    assert isinstance(
        CliRunner().invoke(cli, line).exception, FloatingPointError
    )  # a fault of ours has a traceback
    monkeypatch.setenv("JAX_DEBUG_NANS", "1")
    done = CliRunner().invoke(cli, line)
    assert done.exit_code == 2
    assert (
        done.stderr == "error: JAX was told by JAX_DEBUG_NANS=1 to be strict, and stops: "
        "invalid value (nan) encountered in mul. Without it the command goes on\n"
    )
