"""Sweeps with the real thing: a scheduler and workers as processes of their own, one of which is
killed, or all; and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest

SLOW = """
import time
from pathlib import Path
import numpy as np
import pandas as pd
from jkonet_star.base.files import save_table
if hold and len(list(Path("out/draws/tasks").glob("*/task.json"))) >= 2:
    Path("held").touch()
    while not Path("go").exists():
        time.sleep(0.05)
time.sleep(seconds)
save_table(pd.DataFrame({"draw": np.random.default_rng(seed).normal(size=3)}), result)
"""
LISTEN = """
import os, signal, sys
# who runs pytest in the background ignores Ctrl-C, and so would what it starts
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
CLI = [sys.executable, "-m", "jkonet_star.cli", "sweep", "draws.yaml"]


@pytest.fixture
def here(tmp_path):
    "A folder with a notebook that draws numbers slowly, and a sweep of it."
    book = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "language": "python", "display_name": "python3"}
        }
    )
    parameters = nbformat.v4.new_code_cell(
        "seed: int = 0\nseconds: float = 0.0\nhold: bool = False\nresult: str = 'draw.csv'",
        metadata={"tags": ["parameters"]},
    )
    book.cells = [parameters, nbformat.v4.new_code_cell(SLOW)]
    nbformat.write(book, tmp_path / "draw.ipynb")
    (tmp_path / "draws.yaml").write_text(
        "notebook: draw.ipynb\nparameters: {seed: [0, 1, 2, 3, 4, 5], seconds: 0.5}\n"
    )
    return tmp_path


def done(here, out):
    return sorted((here / out / "draws" / "tasks").glob("*/task.json"))


def wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None and time.monotonic() < end, process.stdout.read()
        time.sleep(0.05)


def start(here, *command):
    return subprocess.Popen(
        [sys.executable, "-c", LISTEN, *command],
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_a_worker_is_killed_and_nothing_is_lost(here):
    scheduler = start(
        here,
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
        "scheduler.json",
    )
    workers = []
    try:
        wait_for((here / "scheduler.json").is_file, scheduler)
        address = json.loads((here / "scheduler.json").read_text())["address"]
        workers = [
            start(
                here,
                sys.executable,
                "-m",
                "distributed.cli.dask_worker",
                address,
                "--nthreads",
                "1",
                "--no-nanny",
                "--no-dashboard",
                "--name",
                name,
            )
            for name in ("one", "two")
        ]
        sweep = start(here, *CLI, "--scheduler", address, "--out-dir", "killed")
        wait_for(lambda: len(done(here, "killed")) >= 2, sweep)
        os.killpg(workers[0].pid, signal.SIGKILL)
        said, _ = sweep.communicate(timeout=180)
        assert sweep.returncode == 0, said
        assert "6 done" in said and "0 failed" in said
    finally:
        for p in (*workers, scheduler):
            if p.poll() is None:
                os.killpg(p.pid, signal.SIGKILL)
            p.communicate()

    undisturbed = subprocess.run(
        [*CLI, "--workers", "2", "--out-dir", "undisturbed"],
        cwd=here,
        capture_output=True,
        text=True,
    )
    assert undisturbed.returncode == 0 and undisturbed.stderr == "", undisturbed.stderr
    tables = [
        (here / out / "draws" / "results.csv").read_bytes() for out in ("killed", "undisturbed")
    ]
    assert tables[0] == tables[1]
    assert len(tables[0].splitlines()) == 1 + 6 * 3


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["ctrl_c", "kill_9"])
def test_an_end_keeps_what_is_done(here, end):
    (here / "draws.yaml").write_text(
        "notebook: draw.ipynb\nparameters: {seed: [0, 1, 2, 3, 4, 5], hold: true}\n"
    )
    sweep = start(here, *CLI, "--workers", "1")
    wait_for((here / "held").is_file, sweep)  # the third task waits, the first two are done
    os.killpg(sweep.pid, end)  # as a terminal does: to the workers too
    said, _ = sweep.communicate(timeout=180)
    if end == signal.SIGINT:
        assert (
            sweep.returncode == 2
            and "are done and kept: the same command goes on" in said
            and "Traceback" not in said
        ), said
    before = {p: p.stat().st_mtime_ns for p in done(here, "out")}
    assert len(before) == 2
    (here / "go").touch()
    again = subprocess.run([*CLI, "--workers", "1"], cwd=here, capture_output=True, text=True)
    assert (
        again.returncode == 0
        and f"{6 - len(before)} done" in again.stdout
        and f"{len(before)} found" in again.stdout
    ), again.stdout + again.stderr
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert len((here / "out" / "draws" / "results.csv").read_text().splitlines()) == 1 + 6 * 3


def test_a_queue_starts_the_workers(here):
    """dask-jobqueue with an `sbatch` that starts the job here and now: everything of Slurm but the
    waiting."""
    (here / "bin").mkdir()
    for name, text in {
        "sbatch": 'cp "$1" job.sh\nsetsid bash job.sh > /dev/null 2>&1 &\n'
        "echo Submitted batch job $!",
        "scancel": 'kill -- -"$1"',
    }.items():
        (here / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
        (here / "bin" / name).chmod(0o755)
    (here / "draws.yaml").write_text("notebook: draw.ipynb\nparameters: {seed: [0, 1, 2]}\n")
    (here / "queue.yaml").write_text(
        "queue_system: slurm\njobs: 1\ncores: 1\nmemory: 1GB\nwalltime: '00:05:00'\ninterface: lo\n"
    )
    sweep = subprocess.run(
        [*CLI, "--cluster", "queue.yaml"],
        cwd=here,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{here / 'bin'}:{os.environ['PATH']}"},
        timeout=180,
    )
    assert sweep.returncode == 0 and "3 done" in sweep.stdout and sweep.stderr == "", (
        sweep.stdout + sweep.stderr
    )
    assert len((here / "out" / "draws" / "results.csv").read_text().splitlines()) == 1 + 3 * 3
