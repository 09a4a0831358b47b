"""Populations that grow, rolled out from the first time: how near shapes and masses come, beside
published numbers, and what is found of a simulated potential and rate.

Masses are the counts, settings the defaults. The default length of the coupling was chosen on
gene_growth_lj.csv, which is not measured here for that reason.
"""

import argparse
import json
import multiprocessing
import os
import platform
import time
from pathlib import Path

HERE = Path(__file__).parent
PUBLISHED = {  # W1 at each time or its mean, as their papers state them
    "gene_growth": {
        "WFR-FM": {"mean": 0.019, "mass": 0.001},
        "DeepRUOT": {"mean": 0.043, "mass": 0.017},
    },
    "gene_growth_attract": {"CytoBridge": {"w1": [0.015, 0.014, 0.018, 0.038]}},
    "a549_emt": {
        "TIGON": {"w1": [0.243, 0.266, 0.285]},
        "VAR-RUOT": {"w1": [0.254, 0.267, 0.268]},
    },
}
SOLVER = "jkonet-star-growth"
GROWING = (SOLVER, "jkonet-star-linear-growth")


def cold(f):
    "What a function gives, and its seconds."
    start = time.perf_counter()
    found = f()
    return found, time.perf_counter() - start


def rolled_out(path):
    "The row of a file of cells: fitted on all times, predicted from the first."
    import numpy as np

    from jkonet_star import Snapshots, couple_growing, fit, wasserstein

    seen = Snapshots.from_file(path, "samples", mass="counts")
    pairs, to_couple = cold(lambda: couple_growing(seen))
    model, to_fit = cold(lambda: fit(pairs, SOLVER))
    ahead = model.predict(seen.x[0], seen.t, mass=seen.mass_at(0))
    later = range(1, len(seen))
    w1 = [
        wasserstein(ahead.x[k], seen.x[k], ahead.weights_at(k), seen.weights_at(k)) for k in later
    ]
    mass = [abs(ahead.mass_at(k) / seen.mass_at(k) - 1) for k in later]
    return {
        "data": path.stem,
        "method": SOLVER,
        "w1": [float(w) for w in w1],
        "mean": float(np.mean(w1)),
        "mass": float(max(mass)),
        "couple_seconds": to_couple,
        "fit_seconds": to_fit,
    }


def wells(solver):
    """The row of a solver on two wells of which the right one grows and the left one shrinks: 1000
    particles at five times, with and without growth."""
    import jax.numpy as jnp
    import numpy as np

    from jkonet_star import Truth, evaluate, fit, gradient_errors, simulate_growing

    potential = lambda v: (v[0] ** 2 - 4) ** 2 / 16 + v[1] ** 2 / 2
    rate = lambda v: 0.5 * jnp.tanh(2 * v[0])
    rng, n = np.random.default_rng(0), 1000
    start = rng.normal(0, 0.4, (n, 2))
    start += np.where(rng.random(n) < 0.5, -2.4, 1.6)[:, None] * [1, 0] + [0, 0.5]
    seen = simulate_growing(
        potential, growth=rate, key=0, x0=start, n_particles=n, n_steps=4, dt=0.2
    )
    model, seconds = cold(lambda: fit(seen, solver))
    truth = Truth(potential, growth=rate)
    if solver in GROWING:
        found = evaluate(model, seen, seen, truth)
    else:  # a force between the wells that nothing limits: rolled out, it may not stay finite
        found = gradient_errors(model, seen, truth)
    row = {"data": "wells", "method": solver, "seconds": seconds}
    for name in ("drift_error", "growth_error", "growth_correlation"):
        row[name] = found.get(name)
    row["mass"] = max(found["mass_error"]) if found.get("mass_error") else None
    return row


def show(row):
    "A row of the table."
    number = lambda value: "" if value is None else f"{value:.3f}"
    w1 = " ".join(f"{w:.3f}" for w in row.get("w1", ()))
    if row["data"] == "wells":
        numbers = [number(row[k]) for k in ("drift_error", "growth_error", "growth_correlation")]
        print(
            f"wells  {row['method']:30} drift {numbers[0]}  rate {numbers[1] or '-'}  "
            f"correlation {numbers[2] or '-'}  mass {number(row['mass']) or '-'}  "
            f"{row['seconds']:.1f} s",
            flush=True,
        )
        return
    times = [f"{row[k]:.1f}" for k in ("couple_seconds", "fit_seconds") if k in row]
    print(
        f"{row['data']:20} {row['method']:20} W1 {w1:24} mean {number(row.get('mean')):6} "
        f"mass {number(row.get('mass')):6} {' + '.join(times)}",
        flush=True,
    )


def published(name):
    "Rows of others."
    for method, said in PUBLISHED[name].items():
        w1 = said.get("w1", ())
        yield {"data": name, "method": method} | said | ({"mean": sum(w1) / len(w1)} if w1 else {})


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("folder", type=Path, help=", ".join(f"{name}.csv" for name in PUBLISHED))
    p.add_argument("--out", type=Path, default=HERE / "growth.json")
    o = p.parse_args()
    files = [o.folder / f"{name}.csv" for name in PUBLISHED]
    missing = [str(path) for path in files if not path.exists()]
    if missing:
        p.error(f"not found: {', '.join(missing)}; they are tables of CytoBridge's repository")
    rows = []
    jobs = [(rolled_out, path) for path in files]
    jobs += [(wells, solver) for solver in (*GROWING, "jkonet-star-linear-potential")]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:  # all are cold
        for f, of in jobs:
            own = [pool.apply(f, (of,))]
            own += published(of.stem) if f is rolled_out else []
            for row in own:
                show(row)
            rows += own
    from jkonet_star.base.devices import versions
    from jkonet_star.base.files import atomic_write

    kept = {
        "rows": rows,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": len(os.sched_getaffinity(0)),
            "versions": versions(),
        },
    }
    with atomic_write(o.out) as new:
        new.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
