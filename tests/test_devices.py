"""Fits and predictions are the same on one device, on eight, and in two processes."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from fastcore.test import test_close as check_close

SCRIPT = """
import sys
import jax, numpy as np
if len(sys.argv) > 2:
    jax.distributed.initialize(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
from jkonet_star.transport.couple import couple
from jkonet_star.data.simulate import simulate
from jkonet_star.model.fit import fit
snapshots = simulate("styblinski_tang", "double_exp", n_particles=403, n_steps=2)
couplings = couple(snapshots)
points = np.random.default_rng(0).uniform(-3, 3, (50, 2)).astype(np.float32)
results = {}
for solver, settings in {
    "jkonet-star-linear": dict(n_features=30, n_interaction_features=20),
    "jkonet-star": dict(epochs=3, hidden=(16,), batch_size=128, interaction_points=100),
}.items():
    model = fit(couplings, solver, **settings)
    results[solver] = np.asarray(model.drift(points, population=snapshots.x[0]))
    ahead = model.predict(snapshots.x[0], snapshots.t, key=1)
    results[solver + " ahead"] = np.asarray(ahead.x[-1])
if jax.process_index() == 0:
    np.savez(sys.argv[1], devices=jax.device_count(), processes=jax.process_count(), **results)
"""


def start(folder, name, devices, *arguments):
    "The script as a process; its first argument is the file it writes."
    environment = os.environ | {
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "PYTHONWARNINGS": "ignore",
    }
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder / name), *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(*processes):
    "What the first of some processes wrote."
    for p in processes:
        _, errors = p.communicate(timeout=300)
        assert p.returncode == 0, errors[-3000:]
    with np.load(processes[0].args[3]) as f:
        return dict(f)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    return result(start(folder, "one.npz", 1))


def check_same(one, many, devices, processes):
    assert (int(many["devices"]), int(many["processes"])) == (devices, processes)
    assert int(one["devices"]) == 1
    for name in set(one) - {"devices", "processes"}:
        unit = np.abs(one[name]).max()
        check_close(one[name] / unit, many[name] / unit, 1e-5 if "linear" in name else 1e-3)


def test_eight_devices(one, tmp_path):
    check_same(one, result(start(tmp_path, "eight.npz", 8)), 8, 1)


def test_two_processes_as_on_two_machines(one, tmp_path):
    with socket.socket() as s:
        s.bind(("localhost", 0))
        address = f"localhost:{s.getsockname()[1]}"
    two = [start(tmp_path, "two.npz", 2, address, "2", str(k)) for k in range(2)]
    check_same(one, result(*two), 4, 2)
