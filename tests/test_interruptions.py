"""Killed, short of disk, not allowed to write, twice at once: what is on disk is whole or absent,
and what was there stays."""

import os
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from jkonet_star.base.errors import InputError
from jkonet_star.base.files import atomic_write, check_writable, load_table, save_table
from jkonet_star.cli import cli
from jkonet_star.work.dataset_files import load_dataset

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
import kill

WRITER = """
import sys, time
from jkonet_star.base.files import atomic_write
print("begins", flush=True)
i, end = 0, time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    i += 1
    text = sys.argv[1] + str(i) * 10000
    with atomic_write("folder", folder=True) as new:
        (new / "one").write_text(text), (new / "two").write_text(text)
    with atomic_write("file") as new:
        new.write_text(text)
"""


def files(folder="."):
    return {p: p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


def writers(folder, seconds, *names):
    return [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, name, str(seconds)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]


def is_whole(text):
    "Whether it is a letter and ten thousand times the same number."
    digits = text[1:]
    return digits == digits[: len(digits) // 10000] * 10000


def test_killed_writers_leave_whole_or_nothing(tmp_path):
    rng = np.random.default_rng(0)
    met = {"folder": 0, "file": 0, "unfinished": 0}
    for kills in range(200):
        if kills >= 20 and all(met.values()):
            break
        (writer,) = writers(tmp_path, 60, "a")
        writer.stdout.readline()  # a busy machine may take long until it begins
        time.sleep(rng.uniform(0, 0.15))
        assert writer.poll() is None, writer.stderr.read()
        writer.kill()
        writer.communicate()
        met["unfinished"] += len(kill.unfinished(tmp_path))
        if (tmp_path / "folder").exists():
            one, two = ((tmp_path / "folder" / name).read_text() for name in ("one", "two"))
            met["folder"] += 1
            assert one == two and is_whole(one)
        if (tmp_path / "file").exists():
            met["file"] += 1
            assert is_whole((tmp_path / "file").read_text())
    assert all(met.values()), met  # or nothing was tested
    with atomic_write(tmp_path / "folder", folder=True), atomic_write(tmp_path / "file") as new:
        new.touch()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_two_writers_of_one_name(tmp_path):
    at_work = writers(tmp_path, 1.5, "a", "b")
    for w in at_work:
        _, said = w.communicate()
        assert w.returncode == 0, said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
    one, two = ((tmp_path / "folder" / name).read_text() for name in ("one", "two"))
    assert one == two and is_whole(one) and is_whole((tmp_path / "file").read_text())


def test_the_name_of_what_was_there_is_no_obstacle(tmp_path):
    for text in ("first", "second"):
        for name in ("old", ".old"):
            with atomic_write(tmp_path / name, folder=True) as new:
                (new / text).touch()
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")) == [
        ".old",
        ".old/second",
        "old",
        "old/second",
    ]


def test_a_killed_command_ends_as_if_nothing_had_happened(tmp_path):
    """Two of the many kills of `python tools/kill.py`; and compiled programs that were cut are made
    again."""
    seen = kill.stress(tmp_path, "generate", kills=2)
    assert seen["kills"] == 2 and seen["finished after"] == 1
    compiled = {p: p.stat().st_size for p in (tmp_path / "cache").iterdir()}
    for p in compiled:
        os.truncate(p, 100)
    _, found = kill.finish(tmp_path, "generate")  # which wants no notes
    assert len(compiled) > 3 and all(p.stat().st_size > 100 for p in compiled)
    assert "small/data.npy" in found


def test_a_data_set_made_by_two_processes_at_once(tmp_path):
    both = [kill.start(tmp_path, "generate") for _ in range(2)]
    for process in both:
        said, _ = process.communicate()
        assert process.returncode == 0 and "Error" not in said, said
    assert load_dataset("small", tmp_path / "data").train.sizes == [150] * 6
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["small"]


@contextmanager
def full_disk(size):
    "No file may become larger than this: the next best thing to a disk without room."
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(folder):
    """Nothing may be written to a folder and those in it; by root neither, who becomes somebody
    else."""
    folders = [folder, *(p for p in folder.rglob("*") if p.is_dir())]
    for f in folders:
        f.chmod(0o555)
    root = os.getuid() == 0
    if root:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)
        for f in folders:
            f.chmod(0o755)


MODEL = "out/small/jkonet-star-linear-potential/model.npz"
COMMANDS = {
    "data": "generate --potential sphere --n-particles 60 --dataset-name small",
    "out": "train -d small -s jkonet-star-linear-potential --n-features 20",
    "moved.npy": f"predict {MODEL} rows.npy --output moved.npy",
    "moved.csv": f"predict {MODEL} rows.npy --output moved.csv",
    "moved.h5ad": f"predict {MODEL} cells.h5ad --output moved.h5ad",
}


def run(line):
    return CliRunner().invoke(cli, line.split(), prog_name="jkonet-star")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    "A folder in which every command has run once."
    here = tmp_path_factory.mktemp("made")
    for above in (here, *list(here.parents)[:2]):
        above.chmod(0o755)  # for the one that root becomes
    before = os.getcwd()
    os.chdir(here)
    rng = np.random.default_rng(0)
    np.save("rows.npy", rng.normal(size=(40, 2)))
    anndata.AnnData(
        rng.normal(size=(40, 3)),
        obs=pd.DataFrame(index=[f"c{i}" for i in range(40)]),
        obsm={"X_pca": rng.normal(size=(40, 2))},
    ).write_h5ad("cells.h5ad")
    for line in COMMANDS.values():
        result = run(line)
        assert result.exit_code == 0, result.output
    yield here
    os.chdir(before)


def refused(line, *words):
    "What a command says that fails with one sentence and changes nothing."
    before = files()
    result = run(line)
    assert result.exit_code == 2 and "Traceback" not in result.output, (
        result.output,
        result.exception,
    )
    said = [s for s in result.output.splitlines() if s.startswith("error: ")]
    assert (
        len(said) == 1
        and result.output.endswith(said[0] + "\n")
        and all(w in said[0] for w in words)
    ), result.output
    assert files() == before
    return said[0]


@pytest.mark.parametrize("place", COMMANDS)
def test_full_disk(made, place):
    written = (
        [Path(place)]
        if Path(place).is_file()
        else [p for p in Path(place).rglob("*") if p.is_file() and p.suffix != ".png"]
    )
    for size in sorted(
        {p.stat().st_size for p in written}
    ):  # of the files to be written, the first that is as large cannot be
        with full_disk(size - 1):
            refused(COMMANDS[place], "cannot write", "What was there before is kept")
    before = {
        p: content
        for p, content in files(made / place if (made / place).is_dir() else made).items()
        if p.suffix != ".json"
    }
    assert run(COMMANDS[place]).exit_code == 0
    assert {p: p.read_bytes() for p in before} == before  # the same again, once there is room


def test_no_room_for_a_figure(made):
    "The model and its numbers are there before figures are drawn."
    folder = Path(MODEL).parent
    figures = {p.name: p.stat().st_size for p in folder.glob("*.png")}
    before = {name: (folder / name).read_bytes() for name in ("model.npz", *figures)}
    with full_disk(min(figures.values()) - 1):
        result = run(COMMANDS["out"])
    assert result.exit_code == 0 and all(
        f"note: the figure {name[:-4]} could not be drawn: cannot write" in result.output
        for name in figures
    ), result.output
    assert (
        sorted(p.name for p in folder.iterdir()) == ["metrics.json", "model.npz"]
        and (folder / "model.npz").read_bytes() == before["model.npz"]
    )
    assert (
        run(COMMANDS["out"]).exit_code == 0
        and {name: (folder / name).read_bytes() for name in before} == before
    )


@pytest.mark.parametrize("place", COMMANDS)
def test_read_only(made, place):
    with read_only(made):
        refused(COMMANDS[place], "cannot write to")


def test_a_table_on_a_full_disk(tmp_path):
    for name in ("t.csv", "t.parquet"):
        save_table(pd.DataFrame({"a": [1.5]}), tmp_path / name)
        with (
            full_disk(1000),
            pytest.raises(InputError, match="cannot write .*What was there before is kept"),
        ):
            save_table(
                pd.DataFrame({"a": np.random.default_rng(0).normal(size=5000)}), tmp_path / name
            )
        assert load_table(tmp_path / name).a.tolist() == [1.5]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.csv", "t.parquet"]


def test_a_place_that_cannot_be_written_to_is_seen_before_work_starts(made):
    with read_only(made), pytest.raises(InputError, match="not writable"):
        check_writable("out")


def test_a_training_goes_on_without_room_for_its_checkpoint(tmp_path):
    from jkonet_star.data.simulate import simulate
    from jkonet_star.regression.epochs import Checkpoint
    from jkonet_star.regression.gradient_descent import GradientDescent, fit_gradient_descent
    from jkonet_star.transport.couple import couple

    couplings = couple(simulate("sphere", n_particles=50))
    fits = []
    for kept in (None, Checkpoint(tmp_path / "kept.npz", every=0.0)):
        if kept is None:
            fits.append(
                fit_gradient_descent(
                    couplings, ("potential",), GradientDescent(epochs=40, hidden=(8,))
                )[1]
            )
            continue
        with full_disk(100), pytest.warns(UserWarning, match="cannot write .*Training goes on"):
            fits.append(
                fit_gradient_descent(
                    couplings,
                    ("potential",),
                    GradientDescent(epochs=40, hidden=(8,)),
                    checkpoint=kept,
                )[1]
            )
    import jax

    assert all(np.array_equal(a, b) for a, b in zip(*map(jax.tree.leaves, fits))) and not list(
        tmp_path.iterdir()
    )
