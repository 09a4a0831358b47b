"""Cells beside other packages, and many cells. See README.md in this folder."""

import argparse
import platform
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from jkonet_star.base.files import save_table
from jkonet_star.data.reading import from_file
from jkonet_star.data.scaling import standardize
from jkonet_star.data.selecting import select_rows
from jkonet_star.data.simulate import Truth, simulate
from jkonet_star.data.snapshots import Snapshots
from jkonet_star.judge.compare import compare
from jkonet_star.judge.evaluate import gradient_errors, one_step_errors
from jkonet_star.model.fit import fit
from jkonet_star.transport.couple import couple
from jkonet_star.transport.plans import wasserstein

HERE = Path(__file__).parent


def otcfm(iterations=10_000, batch=256, sigma=0.1, learning_rate=1e-4, width=64):
    """OT-CFM from its own package, with the settings of its single-cell example: a function as
    `compare` takes them."""
    import torch
    from torchcfm.conditional_flow_matching import ExactOptimalTransportConditionalFlowMatcher
    from torchcfm.models.models import MLP

    def fit(snapshots, seed):
        torch.set_num_threads(1)  # networks this small are slower on more
        torch.manual_seed(seed), np.random.seed(seed)  # noqa: NPY002, the package draws from it
        matcher, net = (
            ExactOptimalTransportConditionalFlowMatcher(sigma=sigma),
            MLP(dim=snapshots.d, time_varying=True, w=width),
        )
        optimizer = torch.optim.Adam(net.parameters(), learning_rate)
        clouds = [torch.tensor(x, dtype=torch.float32) for x in snapshots.x]
        for _ in range(iterations):
            parts = []
            for k, tau in enumerate(snapshots.tau):
                x0, x1 = (c[torch.randint(len(c), (batch,))] for c in clouds[k : k + 2])
                s, x, u = matcher.sample_location_and_conditional_flow(x0, x1)
                parts.append(
                    (torch.cat([x, (snapshots.t[k] + tau * s)[:, None].float()], 1), u / tau)
                )
            inputs, velocity = (torch.cat(p) for p in zip(*parts))
            optimizer.zero_grad()
            ((net(inputs) - velocity) ** 2).mean().backward()
            optimizer.step()

        @torch.no_grad()
        def move(x, t0, t1, steps=100):
            x, h = torch.tensor(x, dtype=torch.float32), (t1 - t0) / steps
            f = lambda x, t: net(torch.cat([x, torch.full((len(x), 1), float(t))], 1))
            for t in t0 + h * np.arange(steps):  # Runge-Kutta of order 4
                a = f(x, t)
                b = f(x + h / 2 * a, t + h / 2)
                c = f(x + h / 2 * b, t + h / 2)
                x = x + h / 6 * (a + 2 * b + 2 * c + f(x + h * c, t + h))
            return x.numpy()

        return move

    return fit


def peers(path, time_key="samples", features="x1,x2,x3,x4,x5", seed=0):
    """One-step and left-out-time errors of solvers, baselines and OT-CFM on the same cells and
    splits."""
    (cells,), _ = standardize(from_file(path, time_key, features.split(",")))
    epochs = {
        "jkonet-star-time-potential": {"epochs": 100},
        "jkonet-star-potential": {"epochs": 100},
    }
    along = {"evaluate_at": "path", "epochs": 30, "batch_size": 1000}

    def path(snapshots, seed):
        model = fit(snapshots, "jkonet-star-time-potential", seed, **along)
        return lambda x, t0, t1: model.predict(x, [t0, t1]).x[1]

    others = {"jkonet-star-time-potential, path": path, "OT-CFM": otcfm()}
    table = compare(
        cells,
        [*epochs, "jkonet-star-linear-potential"],
        0.4,
        seed,
        others,
        epochs,
        sys.stderr.isatty(),
    )
    return table.rename_axis("method").reset_index()


def landscape(v):
    "Two wells along the first axis, a bowl along the others, as stiff as the axis is short."
    return (v[0] ** 2 - 4) ** 2 / 16 + ((1 + np.arange(len(v) - 1)) * v[1:] ** 2).sum() / 10


def synthetic(n_cells, d, n_times, seed=0):
    """Unpaired snapshots of a process in `d` components that is simulated finely, every cell seen
    once."""
    x = np.random.default_rng(seed).normal(size=(n_cells, d)) * 3 / np.sqrt(1 + np.arange(d))
    seen, n = [], n_cells // n_times
    for k in range(n_times):
        seen.append(x[k * n : (k + 1) * n])
        x = simulate(
            landscape, d=d, n_particles=n_cells, n_steps=10, dt=0.02, x0=x, key=seed + k
        ).x[-1]
    return Snapshots(seen, 0.2 * np.arange(n_times))


def large(n_cells, d=50, n_times=5):
    """Many cells in many components: seconds and error of couplings in blocks, and of the exact
    ones where they can be had."""
    cells, n = synthetic(n_cells, d, n_times), n_cells // n_times
    held = select_rows(cells, [np.arange(min(1000, n // 5))] * n_times)
    cells = select_rows(cells, [np.arange(min(1000, n // 5), n)] * n_times)
    rows = []
    for name, blocks in {"blocks of 1000": 1000, "exact": None}.items():
        if blocks is None and n > 3000:
            continue
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that blocks hold different cells is the question here
            couplings = couple(cells, batch_size=blocks)
        coupled = time.perf_counter()
        model = fit(couplings, "jkonet-star-time-potential", epochs=30, batch_size=500)
        fitted = time.perf_counter()
        rows.append(
            {
                "cells": n_cells,
                "components": d,
                "couplings": name,
                "seconds to couple": coupled - begin,
                "seconds to fit": fitted - coupled,
                "drift error": gradient_errors(model, held, Truth(landscape))["drift_error"],
                "one-step W1": one_step_errors(model, held).mean(),
                "no motion": np.mean([wasserstein(a, b) for a, b in zip(held.x, held.x[1:])]),
                "peak GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--a549", help="path of a549_emt.csv: compare with other packages")
    parser.add_argument(
        "--large", type=int, nargs="*", default=[], help="numbers of synthetic cells"
    )
    args = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    for name, table in {
        "cells_peers": peers(args.a549) if args.a549 else None,
        "cells_large": pd.concat([large(n) for n in args.large]) if args.large else None,
    }.items():
        if table is not None:
            save_table(table, HERE / f"{name}.csv")
            print(table.round(3).to_string(index=False), "\n")
