"""What lies between snapshots: times are left out, and the population there is predicted from the
time before, and from the first. Beside the solver, the straight interpolation of the coupling and
published numbers. The method was chosen on A549, PBMC and simulations; embryoid bodies are
measured with the defaults."""

import argparse
import json
import os
import platform
import time
from pathlib import Path

HERE = Path(__file__).parent
SOLVER = "jkonet-star-path"
COURSES = {  # order of the distance, and which times are left out together
    "embryoid bodies": (1, ([1], [2], [3])),
    "embryoid bodies, two left out": (2, ([1, 3],)),
    "A549": (1, ([1], [2])),
    "PBMC, every second": (1, (list(range(1, 20, 2)),)),
}
PUBLISHED = {
    "embryoid bodies": {
        "OTP-FM": 0.643,
        "WLF-OT": 0.641,
        "Cell-MNN": 0.690,
        "OT-MFM": 0.713,
        "OT-CFM": 0.790,
    },
    "embryoid bodies, two left out": {"OTP-FM": 0.827, "iJKOnet": 0.916},
}


def courses(folder):
    "Snapshots of each course."
    import numpy as np

    from jkonet_star import Snapshots, standardize

    features = [f"x{k}" for k in range(1, 6)]
    bodies = Snapshots.from_file(folder / "eb5")
    (a549,), _ = standardize(Snapshots.from_file(folder / "a549_emt.csv", "samples", features))
    with np.load(folder / "pbmc.npz") as f:
        pbmc = Snapshots(tuple(f["Xs"][:, :, :10]), np.arange(len(f["Xs"])))
    return dict(zip(COURSES, (bodies, bodies, a549, pbmc)))


def straight(couplings, k, t):
    "Particles and weights at a time within step k, on straight lines."
    rows, (begin, end) = couplings.rows(k), couplings.span[k]
    s = (t - begin) / (end - begin)
    return (1 - s) * couplings.x[rows] + s * couplings.y[rows], couplings.w[rows]


def measured(seen, left_out, order):
    "Errors and seconds where these times are left out."
    import numpy as np

    from jkonet_star import Snapshots, couple, fit, wasserstein

    kept = [k for k in range(len(seen)) if k not in left_out]
    known, begin = Snapshots(tuple(seen.x[k] for k in kept), seen.t[kept]), time.perf_counter()
    pairs = couple(known, batch_size=500 if max(known.sizes) > 1000 else None)
    model = fit(pairs, SOLVER)
    rows, seconds = [], time.perf_counter() - begin
    for k in left_out:
        step = int(np.searchsorted(known.t, seen.t[k])) - 1
        between = {
            "before": (model.predict(known.x[step], [known.t[step], seen.t[k]]).x[1], None),
            "first": (model.predict(known.x[0], [known.t[0], seen.t[k]]).x[1], None),
            "straight": straight(pairs, step, seen.t[k]),
        }
        rows.append(
            {"left_out": k, "seconds": seconds}
            | {
                name: wasserstein(x, seen.x[k], w, order=order, limit=20_000)
                for name, (x, w) in between.items()
            }
        )
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("folder", type=Path, help="with eb5, a549_emt.csv and pbmc.npz")
    p.add_argument("--out", type=Path, default=HERE / "between.json")
    o = p.parse_args()
    missing = [n for n in ("eb5", "a549_emt.csv", "pbmc.npz") if not (o.folder / n).exists()]
    if missing:
        p.error(f"not found in {o.folder}: {', '.join(missing)}")
    rows = []
    for name, seen in courses(o.folder).items():
        order, parts = COURSES[name]
        own = [row for part in parts for row in measured(seen, part, order)]
        rows += [{"course": name, "order": order} | row for row in own]
        mean = {key: sum(row[key] for row in own) / len(own) for key in own[0] if key != "left_out"}
        print(f"{name:30} " + "  ".join(f"{key} {value:.3f}" for key, value in mean.items()))
        for method, value in PUBLISHED.get(name, {}).items():
            print(f"{'':30} {method}, published: {value:.3f}", flush=True)
    from jkonet_star.base.devices import versions
    from jkonet_star.base.files import atomic_write

    machine = {
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "versions": versions(),
    }
    with atomic_write(o.out) as new:
        kept = {"rows": rows, "published": PUBLISHED, "machine": machine}
        new.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
