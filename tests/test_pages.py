"""Every command that a page prints works as printed, from the root of a clone; where that takes
long, with fewer particles and epochs."""

import json
import re
import shlex
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    *sorted(
        p
        for p in (ROOT / "nbs").rglob("*.ipynb")
        if not any(q.startswith((".", "_")) for q in p.relative_to(ROOT / "nbs").parts)
        and p.name != "index.ipynb"
    ),
]
LESS = {  # added to a command that would take long
    "jkonet-star generate --potential": "--n-particles 60",
    "jkonet-star train": "--epochs 2",
    "jkonet-star sweep": "--dry-run",
    "papermill nbs/tutorials/cells.ipynb": "-p epochs 2 -p members 2",
    "papermill nbs/experiments/pairing.ipynb": "-p n_timesteps 2",
    "papermill nbs/experiments/cells.ipynb": '-p epochs 2 -y "seeds: [0]"',
}
ELSEWHERE = {  # not run here: by which words a command begins, and why
    "python3 -m venv": ".ci/run does it",
    ". ": ".ci/run does it",
    "pip install": ".ci/run does it",
    "pytest": "this is it",
    "coverage": "as long as the suite",
    "git clone": "the network",
    "cd jkonet_star": "the network",
    "jupyter lab": "opens a browser",
    "nbdev_": "tests/test_repository.py",
    "python tools/readme.py": "tests/test_repository.py",
    "python tools/constraints.py": "tests/test_repository.py",
    "python tools/site.py": "tests/test_site.py",
    "python tools/interop.py": "other packages; tests/test_interop.py where they are",
    "python benchmarks/": "a quarter of an hour",
    "dask": "waits for others",
    "jkonet-star sweep SPEC.yaml --scheduler": "tests/test_sweep.py",
    "jkonet-star sweep SPEC.yaml --cluster": "tests/test_sweep.py",
}


def blocks(page):
    "The commands of each block of a page."
    text = page.read_text(encoding="utf-8")
    cells = (
        ["".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == "markdown"]
        if page.suffix == ".ipynb"
        else [text]
    )
    for cell in cells:
        for block in re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", cell, re.S | re.M):
            lines = block.replace("\\\n", " ").splitlines()
            yield [
                part.strip()
                for line in lines
                for part in re.split(r"&&|;", re.sub(r"(^|\s)#.*", "", line))
                if part.strip()
            ]


COMMANDS = [(page.stem, commands) for page in PAGES for commands in blocks(page)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    "The root of a clone, with files such as a reader has."
    import anndata

    here = tmp_path_factory.mktemp("clone")
    for name in ("nbs", "benchmarks", "tools", "tests", "README.md", "constraints.txt"):
        (here / name).symlink_to(ROOT / name)
    rng = np.random.default_rng(0)
    day = np.repeat([0, 1, 3], 50)
    x = rng.normal(size=(150, 6)) * 0.3 + day[:, None]
    features = pd.DataFrame(x, columns=[f"x{i + 1}" for i in range(6)])
    features.assign(day=day).to_csv(here / "cells.csv", index=False)
    features.assign(samples=day).to_csv(here / "a549_emt.csv", index=False)
    pd.DataFrame(
        {"east": x[:, 0], "north": x[:, 1], "herd": np.tile(["a", "b"], 75), "day": day}
    ).to_csv(here / "animals.csv", index=False)
    obs = pd.DataFrame({"day": day.astype(float)}, index=[f"c{i}" for i in range(150)])
    anndata.AnnData(x.astype(np.float32), obs=obs, obsm={"X_pca": x}).write_h5ad(
        here / "cells.h5ad"
    )
    (here / "eb5").mkdir()
    np.save(here / "eb5" / "data.npy", x)
    np.save(here / "eb5" / "sample_labels.npy", day)
    (here / "SPEC.yaml").write_text("generate: {potential: sphere, n_particles: 60}\n")
    for name in ("lightspeed", "bilevel"):
        (here / "out" / name).mkdir(parents=True)
        (here / "out" / name / "results.csv").write_bytes(
            (ROOT / "nbs" / "experiments" / "results" / f"{name}.csv").read_bytes()
        )
    return here


def beginning(command, known):
    return next((text for start, text in known.items() if command.startswith(start)), None)


def program(words):
    "What a command starts, in this process."
    from jkonet_star.cli import cli

    if words[0] == "jkonet-star":
        return cli, words[1:]
    if words[:2] == ["python", "-m"] and words[2].startswith("jkonet_star."):
        return cli, [
            {"data_generator": "generate", "train": "train"}[words[2].split(".")[1]],
            *words[3:],
        ]
    assert words[0] == "papermill", f"{words[0]} is new: say how it is tested"
    from papermill.cli import papermill

    import jkonet_star.work.engine  # noqa: F401, registers the engine

    assert Path(words[2]).parent.is_dir(), f"{words[2]}: papermill wants the folder to be there"
    return papermill, [*words[1:], "--engine", "in_process", "--no-progress-bar"]


@pytest.mark.newest
@pytest.mark.parametrize(
    "page, commands", COMMANDS, ids=[f"{page}-{i}" for i, (page, _) in enumerate(COMMANDS)]
)
def test_commands(page, commands, clone, monkeypatch):
    monkeypatch.chdir(clone)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # commands set it
    for command in commands:
        words = shlex.split(command)
        if beginning(command, ELSEWHERE):
            assert all(Path(w).exists() for w in words if w.endswith((".py", ".ipynb"))), command
            continue
        if words[0] == "mkdir":
            assert words[:2] == ["mkdir", "-p"]
            Path(words[2]).mkdir(exist_ok=True)
            continue
        if (
            words[0] == "jkonet-star" and "--dataset" in words
        ):  # with fewer particles another name is made
            words = [w.replace("_N_1000_", "_N_60_") for w in words]
        less = shlex.split(beginning(command, LESS) or "")
        called, arguments = program(words)
        if arguments[0] == "generate" and "--help" not in words:
            less = [*less, "--overwrite"]  # pages share a folder here, and names of their data sets
        done = CliRunner().invoke(called, arguments + less * ("--help" not in words))
        assert done.exit_code == 0, (command, done.output[-3000:], done.exc_info)


def test_reasons_are_of_commands_that_are_printed():
    printed = [c for _, commands in COMMANDS for c in commands]
    assert (
        len(printed) > 40
        and {
            start for start in (*ELSEWHERE, *LESS) if not any(c.startswith(start) for c in printed)
        }
        == set()
    )


def test_options_in_sentences_are_known():
    "`jkonet-star generate --batch-size 500` within a sentence names an option that there is."
    from jkonet_star.cli import cli

    told = [
        shlex.split(line)
        for page in PAGES
        for line in re.findall(r"`(jkonet-star [a-z]+ --[^`]*)`", page.read_text(encoding="utf-8"))
    ]
    for words in told:
        known = {
            o for p in cli.get_command(None, words[1]).params for o in (*p.opts, *p.secondary_opts)
        } | {"--help"}
        assert {w.split("=")[0] for w in words if w.startswith("--")} <= known, words
    assert told
