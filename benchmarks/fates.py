"""Fates against clones: barcoded cells of mouse haematopoiesis (Weinreb et al., 2020). What becomes
of the cells of a day is predicted and compared with what their relatives are on day 6. Barcodes
are used to judge only."""

import argparse
import json
import os
import platform
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SOLVERS = (
    "jkonet-star-linear-potential",
    "jkonet-star-path",
    "jkonet-star-time-potential",
    "jkonet-star-growth",
)


def read(path, n_components):
    "Day, state, clone (-1 for none) and coordinates of every cell."
    import anndata

    cells = anndata.read_h5ad(path)
    clone = cells.obsm["X_clone"]
    clone = np.asarray(clone.todense() if hasattr(clone, "todense") else clone) > 0
    return (
        cells.obs["time_info"].astype(float).to_numpy(),
        cells.obs["state_info"].astype(str).to_numpy(),
        np.where(clone.any(1), clone.argmax(1), -1),
        np.asarray(cells.obsm["X_pca"], float)[:, :n_components],
    )


def transported(couplings, step, early, later, codes, n_labels):
    "Shares of the labels of the partners of each cell."
    from scipy.spatial import cKDTree

    rows = couplings.rows(step)
    i, j = cKDTree(early).query(couplings.x[rows])[1], cKDTree(later).query(couplings.y[rows])[1]
    shares = np.zeros((len(early), n_labels))
    np.add.at(shares, (i, codes[j]), couplings.w[rows])
    return shares / shares.sum(1, keepdims=True)


def of_clones(clone, early, last, codes, n_labels):
    "Shares of the labels in each clone that is seen on both days."
    both = np.intersect1d(clone[early], clone[last])
    own = {c: codes[clone[last] == c] for c in both if c >= 0}
    return {c: np.bincount(there, minlength=n_labels) / len(there) for c, there in own.items()}


def judged(shares, names, clone, truth):
    "Correlation of the bias towards neutrophils, log loss and calibration over the clones."
    n, m = names.index("Neutrophil"), names.index("Monocyte")
    shares = (shares + 1e-3 / len(names)) / (1 + 1e-3)
    loss, said, true = [], [], []
    for c, q in truth.items():
        p = shares[clone == c].mean(0)
        loss.append(-(q * np.log(p)).sum())
        if q[n] + q[m] > 0:
            said.append(p[n] / (p[n] + p[m])), true.append(q[n] / (q[n] + q[m]))
    bins = np.digitize(said, np.quantile(said, [0.25, 0.5, 0.75]))
    rows = [np.flatnonzero(bins == b) for b in np.unique(bins)]
    gaps = [abs(np.mean(np.take(said, r)) - np.mean(np.take(true, r))) for r in rows]
    return {
        "correlation": float(np.corrcoef(said, true)[0, 1]) if np.ptp(said) > 0 else None,
        "log_loss": float(np.mean(loss)),
        "calibration": float(np.average(gaps, weights=[len(r) for r in rows])),
    }


def table(path, n_components):
    "A row per way and day."
    from jkonet_star import Snapshots, couple, fates, fit

    day, state, clone, x = read(path, n_components)
    cells, last = Snapshots.from_labels(x, day), day == 6
    names, codes = np.unique(state[last], return_inverse=True)
    names = names.tolist()
    models = {}
    for solver in SOLVERS:
        begin = time.perf_counter()
        models[solver] = fit(cells, solver), time.perf_counter() - begin
    for start in (4.0, 2.0):
        early = day == start
        truth = of_clones(clone, early, last, codes, len(names))
        found = {}
        for solver, (model, seconds) in models.items():
            f = fates(model, x[early], (start, 6.0), x[last], state[last])
            assert list(f.labels) == names
            found[solver] = f.shares, seconds, f.n_neighbors
        still = neighbours(x[early], x[last], codes, len(names), found[SOLVERS[0]][2])
        found["nearest neighbours, no motion"] = still, 0.0, None
        if start == 4:
            begin = time.perf_counter()
            pairs = couple(cells)
            shares = transported(pairs, 1, x[early], x[last], codes, len(names))
            found["static transport"] = shares, time.perf_counter() - begin, None
        everywhere = np.tile(np.bincount(codes) / len(codes), (early.sum(), 1))
        found["shares of day 6"] = everywhere, 0.0, None
        for way, (shares, seconds, k) in found.items():
            row = judged(shares, names, clone[early], truth)
            yield (
                {"day": start, "way": way, "clones": len(truth), "neighbors": k}
                | row
                | {"seconds": seconds}
            )


def neighbours(early, later, codes, n_labels, k):
    "Shares among the nearest cells of the later day, as if nothing moved."
    from scipy.spatial import cKDTree

    from jkonet_star.model.fates import _shares

    near = codes[cKDTree(later).query(early, k)[1]]
    return _shares(near, np.bincount(codes, minlength=n_labels) / len(codes), k)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("path", type=Path, help="larry_clones.h5ad")
    p.add_argument("--n-components", type=int, default=10)
    p.add_argument("--out", type=Path, default=HERE / "fates.json")
    o = p.parse_args()
    if not o.path.exists():
        p.error(f"not found: {o.path}; it is a test file of cospar's repository")
    rows = list(table(o.path, o.n_components))
    from jkonet_star.base.devices import versions
    from jkonet_star.base.files import atomic_write

    for r in rows:
        correlation = "-" if r["correlation"] is None else f"{r['correlation']:.3f}"
        print(
            f"day {r['day']:g}  {r['way']:30} correlation {correlation:>6}  log loss "
            f"{r['log_loss']:.3f}  calibration {r['calibration']:.3f}  {r['seconds']:.1f} s"
        )
    machine = {
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "versions": versions(),
    }
    with atomic_write(o.out) as new:
        kept = {"components": o.n_components, "rows": rows, "machine": machine}
        new.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
