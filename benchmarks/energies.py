"""Are the energies right, and how long does it take? See README.md in this folder."""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from jkonet_star.base.devices import versions
from jkonet_star.judge.evaluate import evaluate
from jkonet_star.model.fit import fit
from jkonet_star.work.dataset_options import DatasetOptions
from jkonet_star.work.datasets import make_dataset

# released code: EMD and gradient error of its neural and its linear potential solver
RELEASED = {
    "styblinski_tang": (0.0909, 1.32, 0.0004, 0.0034),
    "wavy_plateau": (0.2038, 2.04, 0.0162, 0.073),
    "oakley_ohagan": (0.0329, 0.151, 0.0035, 0.021),
    "zigzag_ridge": (0.0113, 0.132, 0.0019, 0.031),
    "double_exp": (0.0192, 0.074, 0.0045, 0.045),
    "rotational": (0.1301, 0.314, 0.0182, 0.068),
    "relu": (0.0096, 0.095, 0.0361, 0.133),
    "friedman": (0.0470, 0.375, 0.0454, 0.352),
    "watershed": (0.0008, 0.045, 0.0002, 0.0006),
    "ishigami": (0.0051, 0.129, 0.0073, 0.163),
    "flowers": (0.0031, 0.147, 0.0054, 0.253),
    "bohachevsky": (0.2186, 0.630, 0.1249, 0.588),
    "holder_table": (0.0456, 0.691, 0.0474, 0.708),
    "sphere": (0.1515, 0.166, 0.0004, 0.0003),
}
MIXED = [
    ("styblinski_tang", "flowers", 0.1),
    ("wavy_plateau", "double_exp", 0.2),
    ("oakley_ohagan", "ishigami", 0.2),
    ("double_exp", "styblinski_tang", 0.1),
    ("zigzag_ridge", "wavy_plateau", 0.2),
    ("sphere", "watershed", 0.0),
    ("double_exp", "double_exp", 0.1),
    ("styblinski_tang", "sphere", 0.2),
    ("oakley_ohagan", "wavy_plateau", 0.2),
    ("wavy_plateau", "oakley_ohagan", 0.0),
    ("relu", "sphere", 0.1),
    ("rotational", "relu", 0.1),
    ("watershed", "rotational", 0.2),
    ("holder_table", "oakley_ohagan", 0.1),
]
NEURAL, LINEAR = "jkonet-star-potential", "jkonet-star-linear-potential"


def data(potential, interaction="none", beta=0.0, seed=0, n_particles=2000):
    return make_dataset(
        DatasetOptions(
            potential=potential,
            interaction=interaction,
            beta=beta,
            internal="wiener" if beta else "none",
            n_particles=n_particles,
            seed=seed,
        )
    )[0]


def judge(dataset, solver, **settings):
    start = time.perf_counter()
    solution = fit(dataset.couplings, solver, **settings)
    return {"fit": time.perf_counter() - start} | evaluate(
        solution, dataset.train, dataset.test, dataset.truth
    )


def potential():
    rows, better = [], {NEURAL: 0, LINEAR: 0}
    for name, released in RELEASED.items():
        dataset, row = data(name), [name]
        for solver, (emd, error), settings in (
            (LINEAR, released[2:], {}),
            (NEURAL, released[:2], {"epochs": 1000}),
        ):
            m = judge(dataset, solver, **settings)
            row += [m["emd_one_step_mean"], emd, m["potential_gradient_error"], error, m["fit"]]
            better[solver] += (
                m["emd_one_step_mean"] <= emd and m["potential_gradient_error"] <= error
            )
        rows.append(row)
    rows.append(["median"] + list(np.median([r[1:] for r in rows], axis=0)))
    print_table(
        "Potential (linear, then 1000 epochs of a network)",
        ["function"] + ["EMD", "released", "∇V error", "released", "fit s"] * 2,
        rows,
    )
    print(
        "no worse than the released code in EMD and gradient error: "
        f"linear {better[LINEAR]} of 14, network {better[NEURAL]} of 14"
    )
    return rows


def beta():
    rows = [
        [
            name,
            *(lambda m: (m["beta"], m["beta_error"], m["drift_error"], m["fit"]))(
                judge(data(name, beta=0.2), LINEAR + "-internal")
            ),
        ]
        for name in RELEASED
    ]
    rows.append(["median"] + list(np.median([r[1:] for r in rows], axis=0)))
    print_table(
        "Diffusivity, true β = 0.2 (released: error 0.13 to 0.25)",
        ["function", "β", "error", "drift error", "fit s"],
        rows,
    )
    return rows


def mixed():
    rows = []
    for V, W, b in MIXED:
        dataset, row = data(V, W, b), [f"{V} + {W}", b]
        for solver in ("jkonet-star-linear", "jkonet-star"):
            m = judge(dataset, solver)
            row += [
                m["drift_error"],
                m["potential_gradient_error"],
                m["interaction_gradient_error"],
                m["beta"],
                m["fit"],
            ]
        rows.append(row)
    print_table(
        "Mixed energies (linear, then network; released linear solver: drift error 0.05 to 0.52)",
        ["V + W", "β"] + ["drift", "V", "W", "β̂", "fit s"] * 2,
        rows,
    )
    dataset = data("styblinski_tang", "flowers", 0.1)
    seconds = {}
    from jkonet_star.regression.gradient_descent import GradientDescent, fit_gradient_descent

    for epochs in (
        2,
        2,
        52,
    ):  # the first compiles; the schedule's length is part of what is compiled
        fit_gradient_descent(
            dataset.couplings, ("potential", "interaction"), GradientDescent(epochs=epochs)
        )
        start = time.perf_counter()
        fit_gradient_descent(
            dataset.couplings, ("potential", "interaction"), GradientDescent(epochs=epochs)
        )
        seconds[epochs] = time.perf_counter() - start
    print(
        "one epoch of jkonet-star after compilation: "
        f"{(seconds[52] - seconds[2]) / 50:.3f} s (released 4.7 s)"
    )
    return rows + [["seconds per epoch", (seconds[52] - seconds[2]) / 50]]


def bilevel():
    rows, solvers = [], ("jkonet", "jkonet-vanilla", "jkonet-monge-gap")
    for name in [*RELEASED, "flat"]:
        dataset, row = data(name, n_particles=1000), [name]
        for solver in solvers:
            with warnings.catch_warnings(record=True):
                warnings.simplefilter("always")
                solution = fit(dataset.couplings, solver, epochs=20)
            m = evaluate(solution, dataset.train, dataset.test, dataset.truth)
            row += [m["emd_one_step_mean"], len(solution.stats["losses"])]
        rows.append(row[:1] + [m["emd_no_motion_mean"]] + row[1:])
        print(*rows[-1], flush=True)
    print_table(
        "Bilevel, 20 epochs of 500 particles; an epoch count below 20 is a training that stopped",
        ["function", "no motion"] + [h for s in solvers for h in (s, "epochs")],
        rows,
    )
    return rows


def epochs():
    rows, dataset = [], data("styblinski_tang")
    for solver, n, released in (
        ("jkonet", 4, 6.2),
        ("jkonet-vanilla", 4, 8.4),
        ("jkonet-monge-gap", 4, 21.7),
        (NEURAL, 300, 0.024),
    ):
        seconds = []
        for _ in range(2):  # the first time compiles
            start = time.perf_counter()
            fit(dataset.couplings, solver, epochs=n)
            seconds.append(time.perf_counter() - start)
        rows.append([solver, seconds[1] / n, seconds[0] - seconds[1], released])
    print_table(
        "One epoch of 1000 particles and 5 steps, seconds after compilation",
        ["solver", "s per epoch", "compilation s", "released"],
        rows,
    )
    return rows


def commands():
    rows = []
    with tempfile.TemporaryDirectory() as tmp:
        for label, line, released in [
            (
                "generate --n-particles 2000",
                "generate --potential styblinski_tang --n-particles 2000 --dataset-name bench",
                10.5,
            ),
            (f"train {LINEAR}", f"train --dataset bench --solver {LINEAR}", 55),
            (
                f"train {NEURAL} --epochs 1000",
                f"train --dataset bench --solver {NEURAL} --epochs 1000",
                36.5,
            ),
        ]:
            seconds = []
            for _ in range(3):
                start = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-m", "jkonet_star.cli", *line.split()],
                    cwd=tmp,
                    check=True,
                    capture_output=True,
                )
                seconds.append(time.perf_counter() - start)
            rows.append([label, min(seconds), float(np.median(seconds)), max(seconds), released])
    print_table(
        "Whole commands, seconds with imports, evaluation and figures",
        ["command", "min", "median", "max", "released"],
        rows,
    )
    return rows


def memory():
    with tempfile.TemporaryDirectory() as tmp:
        start = time.perf_counter()
        subprocess.run(
            [
                sys.executable,
                "-m",
                "jkonet_star.cli",
                *"generate --potential styblinski_tang --n-particles 20000 --dimension 30".split(),
            ],
            cwd=tmp,
            check=True,
            capture_output=True,
        )
        rows = [
            [
                "generate --n-particles 20000 --dimension 30",
                resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20,
                time.perf_counter() - start,
            ]
        ]
    print_table("Memory", ["command", "GiB", "s"], rows)
    return rows


def print_table(title, head, rows):
    text = [
        [
            f"{v:.2g}"
            if isinstance(v, float) and abs(v) < 1
            else f"{v:.2f}"
            if isinstance(v, float)
            else "–"
            if v is None
            else str(v)
            for v in r
        ]
        for r in rows
    ]
    widths = [max(map(len, column)) for column in zip(head, *text)]
    print(f"\n{title}")
    for r in [head, *text]:
        print(
            "  ".join(
                v.ljust(w) if i == 0 else v.rjust(w) for i, (v, w) in enumerate(zip(r, widths))
            )
        )
    sys.stdout.flush()


PARTS = {f.__name__: f for f in (memory, commands, potential, beta, mixed, epochs, bilevel)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=PARTS)
    chosen = parser.parse_args().part
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {versions()}")
    found = {name: part() for name, part in PARTS.items() if chosen in (None, name)}
    file = Path(__file__).with_name("results.json")
    tables = json.loads(file.read_text())["tables"] if file.exists() else {}
    result = {
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "versions": versions(),
        "tables": tables | found,
    }
    file.write_text(json.dumps(result, indent=1, default=float))
