"""What can be learned when no individual is seen twice? Parts A to F, see README.md here."""

import argparse
import json
import multiprocessing
import os
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np

from jkonet_star.base.devices import versions
from jkonet_star.base.errors import InputError
from jkonet_star.base.files import atomic_write
from jkonet_star.data.simulate import Truth, simulate
from jkonet_star.data.snapshots import Snapshots
from jkonet_star.data.test_functions import gradient, test_functions
from jkonet_star.judge.evaluate import gradient_errors, one_step_errors
from jkonet_star.model.fit import fit
from jkonet_star.model.lost_order import Shuffled
from jkonet_star.transport.plans import bures_wasserstein, wasserstein

ENERGIES = (
    "wavy_plateau",
    "flowers",
    "styblinski_tang",
    "oakley_ohagan",
    "watershed",
    "zigzag_ridge",
    "sphere",
    "double_exp",
    "relu",
    "holder_table",
    "ishigami",
    "bohachevsky",
    "rotational",
    "friedman",
    "flat",
)
MIXED = (
    ("styblinski_tang", "flowers", 0.1),
    ("wavy_plateau", "double_exp", 0.2),
    ("oakley_ohagan", "ishigami", 0.2),
    ("double_exp", "double_exp", 0.1),
    ("zigzag_ridge", "wavy_plateau", 0.2),
    ("sphere", "watershed", 0.1),
)
IDENTIFY = {"quadratic": lambda v: 5 * jnp.sum(v**2)} | {
    n: test_functions[n]
    for n in ("styblinski_tang", "bohachevsky", "wavy_plateau", "oakley_ohagan")
}
WEAK, COUPLED = "jkonet-star-weak", "jkonet-star-linear"
FOLLOWED = "weak form, pairs known"
BESIDE = "weak form, a second population beside"
SEEDS = {"A": 3, "B": 10, "C": 3, "D": 1, "E": 1, "F": 1}


def covered(model, snapshots, truth):
    """Part of the nominal 90 % intervals of the drift that hold the truth, over the particles of
    all snapshots."""
    hits = [
        np.abs(np.asarray(model.drift(x, None, None, w)) - truth.drift(x, w))
        < 1.645 * model.drift_errors(x, None, w)
        for x, w in ((snapshots.x[i][::4], None) for i in range(len(snapshots)))
    ]
    return float(np.mean(hits))


def judge(train, test, truth, solver, **settings):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # beta is not identified from couplings, and that is what is shown
        model = fit(train, solver, **settings)
    row = {
        "solver": solver,
        "seconds": time.perf_counter() - start,
        "beta_hat": model.beta,
        "beta_error": model.stats.get("beta_error"),
        "chi2": model.stats.get("chi2"),
    }
    row |= gradient_errors(model, test, truth)
    if "covariance" in model.stats:
        row["covered"] = covered(model, test, truth) if truth.interaction is None else None
    return row, model


AHEAD = {
    "emd": partial(wasserstein, limit=1000),
    "w2": partial(wasserstein, order=2, limit=1000),
    "bw": bures_wasserstein,
}


def one_step(model, test):
    """Means over the steps of the distances between predicted and observed snapshots (length), one
    step ahead."""
    return {
        f"{name}_one_step": float(one_step_errors(model, test, measure=measure).mean())
        for name, measure in AHEAD.items()
    }


def seeds(o, part):
    return range(o.seeds or SEEDS[part])


def cases_a(o):
    return [
        {"function": name, "beta": beta, "seed": seed}
        for beta in o.betas
        for name in o.functions or ENERGIES
        for seed in seeds(o, "A")
    ]


def part_a(o, function, beta, seed):
    """Fifteen functions, unpaired, and oracles: closed form and weak form on the same population
    with known individuals, and predictions of the truth."""
    V = test_functions[function]
    simulated = lambda key, paired=False: simulate(
        V, beta=beta, n_particles=o.n_particles, paired=paired, key=key
    )
    train, known, test, truth = (
        simulated(seed),
        simulated(seed, True),
        simulated(seed + 1000),
        Truth(V, None, beta),
    )
    ways = [
        (train, WEAK + "-potential-internal", None),
        (known, WEAK + "-potential-internal", FOLLOWED),
    ]
    if not o.weak_only:
        ways += [
            (train, COUPLED + "-potential", None),
            (known, COUPLED + "-potential", "oracle, pairs known"),
        ]
    for seen, solver, name in ways:
        row, model = judge(seen, test, truth, solver)
        yield row | {"solver": name or solver} | one_step(model, test)
    move = lambda x, t, w, key: Snapshots(
        [x, truth.step(x, t[1] - t[0], w, np.random.default_rng(key))], t
    )
    yield {"solver": "the truth"} | one_step(SimpleNamespace(predict=move), test)


def summary_a(rows):
    for solver, beta in dict.fromkeys((r["solver"], r["beta"]) for r in rows):
        own = [
            r
            for r in rows
            if (r["solver"], r["beta"]) == (solver, beta) and r["function"] != "flat"
        ]
        e = [r["drift_error"] for r in own if r.get("drift_error") is not None]
        c = [r["covered"] for r in own if r.get("covered") is not None]
        print(
            f"A {solver:36s} beta {beta}: "
            + (
                f"geometric mean of the gradient error {np.exp(np.mean(np.log(e))):.3f}, "
                f"median {np.median(e):.3f}, "
                if e
                else ""
            )
            + (f"90 % intervals cover {np.mean(c):.2f} (median {np.median(c):.2f}), " if c else "")
            + "one step ahead "
            + ", ".join(
                f"{k[:3].strip('_')} {np.mean([r[k] for r in own]):.4f}"
                for k in own[0]
                if k.endswith("_one_step")
            )
        )


def starts(name, V, n, seed, beta=0.1):
    """Initial particles of all three snapshots `[3 n, 2]`: uniform, a random mixture as Guan et al.
    draw it, or nearly Gibbs (time 1 from uniform)."""
    rng = np.random.default_rng(seed)
    if name == "uniform":
        return rng.uniform(-4, 4, (3 * n, 2))
    if name == "mixture":
        k = rng.integers(1, 11)
        means, variances, which = (
            rng.uniform(-3, 3, (k, 2)),
            rng.uniform(0.5, 1, k),
            rng.choice(k, 3 * n, p=rng.dirichlet(np.ones(k))),
        )
        return means[which] + np.sqrt(variances[which])[:, None] * rng.normal(size=(3 * n, 2))
    return simulate(V, beta=beta, n_particles=3 * n, n_steps=100, key=seed).x[-1]


def cases_b(o):
    return [
        {"start": start, "function": name, "seed": seed}
        for start in o.starts
        for name in IDENTIFY
        for seed in seeds(o, "B")
    ]


def part_b(o, start, function, seed):
    """Guan et al. (2025): three marginals, drift on a grid of [-4, 4]^2, sigma^2 = 2 beta = 0.2.
    Their snapshots hold the same particles, and methods are not told who is who; those of `others`
    share none."""
    grid = (
        np.stack(np.meshgrid(*[np.linspace(-4, 4, 50)] * 2), -1).reshape(-1, 2).astype(np.float32)
    )
    V, n = IDENTIFY[function], o.n_particles
    path = simulate(
        V, beta=0.1, x0=starts(start, V, n, seed), n_particles=3 * n, n_steps=2, key=seed
    )
    rng = np.random.default_rng(seed)
    seen = {
        "the same": Snapshots([rng.permutation(np.asarray(x)[:n]) for x in path.x], path.t),
        "others": Snapshots(tuple(path.x[k][k * n : (k + 1) * n] for k in range(3)), path.t),
    }
    seen["the same"] = Shuffled(seen["the same"])
    for particles, data in seen.items():
        clock = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # from the Gibbs measure nobody can tell who is who
            model = fit(data, WEAK + "-potential-internal")
        seconds, b, true = (
            time.perf_counter() - clock,
            np.asarray(model.drift(grid)),
            -np.asarray(gradient(V)(grid)),
        )
        cosine = (b * true).sum(1) / (
            np.linalg.norm(b, axis=1) * np.linalg.norm(true, axis=1) + 1e-12
        )
        yield {
            "particles": particles,
            "nmae": float(np.abs(b - true).sum(1).mean() / np.abs(true).sum(1).mean()),
            "cosine": float(cosine.mean()),
            "sigma2_error": abs(2 * model.beta - 0.2),
            "beta_hat": model.beta,
            "beta_error": model.stats["beta_error"],
            "seconds": seconds,
        }


def summary_b(rows):
    for key in dict.fromkeys((r["particles"], r["start"], r["function"]) for r in rows):
        own = [r for r in rows if (r["particles"], r["start"], r["function"]) == key]
        print(
            f"B {key[0]:8s} {key[1]:8s} {key[2]:16s} "
            + ", ".join(
                f"{k} {np.median([r[k] for r in own]):.3f}"
                for k in ("nmae", "cosine", "sigma2_error", "seconds")
            )
        )


def cases_c(o):
    return [
        {"V": V, "W": W, "beta": beta, "seed": seed}
        for V, W, beta in MIXED
        for seed in seeds(o, "C")
    ]


def part_c(o, V, W, beta, seed):
    """Mixed energies: snapshots that share nobody, the same with a second population elsewhere, and
    as oracles the weak form of individuals that are known."""
    train, test = (_independent(V, W, beta, o.n_particles, k) for k in (seed, seed + 1000))
    known, truth = (
        _independent(V, W, beta, o.n_particles, seed, True),
        Truth(test_functions[V], test_functions[W], beta),
    )
    ways = [(train, WEAK, None), (known, WEAK, FOLLOWED)]
    ways += [
        (_beside(V, W, beta, o.n_particles, seed, paired), WEAK, name)
        for paired, name in ((False, BESIDE), (True, BESIDE + ", pairs known"))
    ]
    for seen, solver, name in ways + [(train, COUPLED, None)] * (not o.weak_only):
        yield judge(seen, test, truth, solver)[0] | {"solver": name or solver}


def _seen(path, n, paired):
    "Of a population, n others at each time, or the same ones."
    return Snapshots(
        tuple(x[:n] if paired else x[k * n : (k + 1) * n] for k, x in enumerate(path.x)),
        path.t,
        paired=paired,
    )


def _independent(V, W, beta, n, key, paired=False):
    """Snapshots of one interacting population of six times as many particles, of which a different
    sixth is seen at each time, or the same one."""
    return _seen(simulate(V, W, beta, n_particles=6 * n, key=key), n, paired)


def _beside(V, W, beta, n, key, paired):
    """The population of `_independent`, and a smaller one that starts around (2, 2), of which as
    many are seen: another mean and another spread."""
    near = np.random.default_rng(key).uniform(1, 3, (6 * n, 2))
    wide = _independent(V, W, beta, n, key, paired)
    narrow = _seen(simulate(V, W, beta, x0=near, n_particles=6 * n, key=key + 500), n, paired)
    names = np.repeat(["wide", "near (2, 2)"], n)
    clouds = tuple(np.concatenate(pair) for pair in zip(wide.x, narrow.x))
    return Snapshots(clouds, wide.t, paired=paired, groups=(names,) * len(clouds))


def cases_d(o):
    return [
        {"every": every, "function": name, "seed": seed}
        for every in o.every
        for name in ("double_exp", "oakley_ohagan", "flowers", "watershed")
        for seed in seeds(o, "D")
    ]


def part_d(o, every, function, seed):
    "Simulated with dt = 0.01, seen every 10, 50, 100 steps."
    V = test_functions[function]
    try:
        train, test = (_rarely(V, 0.2, o.n_particles, every, k) for k in (seed, seed + 1000))
        followed = _rarely(V, 0.2, o.n_particles, every, seed, True)
    except InputError as e:  # explicit steps of 0.01 are unstable far out
        yield {"failed": str(e)}
        return
    for seen, substeps in (
        (train, None),
        (train, 1),
        (train, min(every, 10)),
        (followed, min(every, 10)),
    )[o.weak_only :]:
        solver, settings = (
            (COUPLED + "-potential", {})
            if substeps is None
            else (WEAK + "-potential-internal", {"substeps": substeps})
        )
        row = {"substeps": substeps, "followed": seen is followed}
        try:
            found, model = judge(seen, test, Truth(V, None, 0.2), solver, **settings)
        except InputError as e:
            yield row | {"failed": str(e)}
            continue
        if substeps:
            x = test.x[0][::4]
            row["sampling_error"] = float(
                np.linalg.norm(model.drift_errors(x)) / np.linalg.norm(gradient(V)(x))
            )
        yield row | found


def _rarely(V, beta, n, every, key, paired=False):
    "Six snapshots, `every` steps of 0.01 apart, of others each time or of the same individuals."
    if paired:
        path = [simulate(V, beta=beta, n_particles=n, n_steps=5 * every, key=1000 * key)] * 6
    else:
        path = [
            simulate(V, beta=beta, n_particles=n, n_steps=max(k * every, 1), key=1000 * key + k)
            for k in range(6)
        ]
    return Snapshots(
        tuple(p.x[k * every] for k, p in enumerate(path)),
        0.01 * every * np.arange(6),
        paired=paired,
    )


def cases_e(o):
    return [
        {"model": model, "d": d, "dt": dt, "M": o.replicates, "seed": seed}
        for model in o.models
        for d in o.dims
        for dt in o.dts
        for seed in seeds(o, "E")
    ]


def part_e(o, model, d, dt, M, seed):
    """Many small populations of which every member is seen (replicates.py)."""
    from replicates import row

    return [row(model, d, dt, seed, M)]


def cases_f(o):
    return [
        {"n": n, "function": name, "seed": seed}
        for n in o.sizes
        for name in o.functions or ENERGIES
        for seed in seeds(o, "F")
    ]


def part_f(o, n, function, seed):
    "The weak form of part A at β = 0.2, with more and more particles of which none is seen twice."
    V = test_functions[function]
    train, test = (
        simulate(V, beta=0.2, n_particles=size, paired=False, key=key)
        for size, key in ((n, seed), (2000, seed + 1000))
    )
    yield judge(train, test, Truth(V, None, 0.2), WEAK + "-potential-internal")[0]


def summary_f(rows):
    for n in sorted({r["n"] for r in rows}):
        own = [r for r in rows if r["n"] == n]
        e = [r["drift_error"] for r in own if r["drift_error"] is not None]
        off = [(r["beta_hat"] - 0.2) / r["beta_error"] for r in own]
        print(
            f"F N = {n}: geometric mean of the gradient error {np.exp(np.mean(np.log(e))):.4f}, "
            f"beta off by {np.sqrt(np.mean(np.square(off))):.2f} stated errors, "
            f"{np.mean([r['seconds'] for r in own]):.0f} s"
        )


PARTS = {
    "A": (cases_a, part_a, summary_a),
    "B": (cases_b, part_b, summary_b),
    "C": (cases_c, part_c, None),
    "D": (cases_d, part_d, None),
    "E": (cases_e, part_e, None),
    "F": (cases_f, part_f, summary_f),
}


def run(job):
    "The rows of one case."
    part, case, o = job
    return [case | row for row in PARTS[part][1](o, **case)]


def alone(cores):
    "A worker's core is its own, so that seconds are those of one core."
    os.sched_setaffinity(0, {cores.get()})


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("parts", nargs="*", default=list("ABCDEF"))
    p.add_argument("--seeds", type=int, help=f"of every case; {SEEDS} if not given")
    p.add_argument("--n-particles", type=int, default=2000)
    p.add_argument("--betas", type=float, nargs="+", default=[0.0, 0.1, 0.2])
    p.add_argument("--functions", nargs="+")
    p.add_argument("--starts", nargs="+", default=["uniform", "mixture", "gibbs"])
    p.add_argument("--every", type=int, nargs="+", default=[10, 50, 100])
    p.add_argument("--models", nargs="+", default=["A", "E", "B", "Morse"], help="of part E")
    p.add_argument("--dims", type=int, nargs="+", default=[2], help="of part E")
    p.add_argument("--dts", type=float, nargs="+", default=[0.001, 0.01, 0.1], help="of part E")
    p.add_argument("--replicates", type=int, default=2000, help="of part E")
    p.add_argument("--sizes", type=int, nargs="+", default=[2000, 8000, 32_000], help="of part F")
    p.add_argument("--weak-only", action="store_true", help="leave out the closed forms")
    p.add_argument("--jobs", type=int, default=1, help="cores, with a process on each")
    p.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).parent / "honest.json",
        help="rows of other cases that it holds are kept",
    )
    o = p.parse_args()
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # of the workers
    jobs = [(part, case, o) for part in o.parts for case in PARTS[part][0](o)]
    spawn = multiprocessing.get_context("spawn")
    cores = spawn.Manager().Queue()
    for core in sorted(os.sched_getaffinity(0))[: o.jobs]:
        cores.put(core)
    with ProcessPoolExecutor(o.jobs, spawn, alone, (cores,)) as pool:
        running = {pool.submit(run, job): job for job in jobs}
        for done in as_completed(running):
            (part, case, _), rows = running[done], done.result()
            keep(o.out, part, case, rows)
            for r in rows:
                print(
                    part,
                    *(
                        f"{k}={v:.3g}" if isinstance(v, float) else f"{k}={v}"
                        for k, v in r.items()
                        if v is not None
                    ),
                    flush=True,
                )
    found = json.loads(o.out.read_text())
    for part in o.parts:
        if PARTS[part][2]:
            PARTS[part][2](found[part]["rows"])


def keep(path, part, case, rows):
    "Add the rows of a case to the file, in place of what it held of this case."
    found = json.loads(path.read_text()) if path.exists() else {}
    others = [
        r for r in found.get(part, {}).get("rows", []) if any(r[k] != v for k, v in case.items())
    ]
    names = ["quadratic", *ENERGIES]
    rows = sorted(
        others + rows, key=lambda r: [names.index(r[k]) if k == "function" else r[k] for k in case]
    )
    found |= {part: {"rows": rows}, "versions": versions(), "devices": str(jax.devices())}
    with atomic_write(path) as new:
        new.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
