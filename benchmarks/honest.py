"""What can be learned when no individual is seen twice? Parts A to D, see README.md in this folder."""
import argparse
import json
import time
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jkonet_star.core import InputError
from jkonet_star.energies import functions, gradient
from jkonet_star.evaluate import Truth, gradient_errors, one_step_errors
from jkonet_star.simulate import simulate
from jkonet_star.snapshots import Snapshots
from jkonet_star.solvers import fit, fit_matched, versions
from jkonet_star.weak_form import drift_errors

ENERGIES = ("wavy_plateau", "flowers", "styblinski_tang", "oakley_ohagan", "watershed", "zigzag_ridge", "sphere", "double_exp", "relu", "holder_table", "ishigami",
            "bohachevsky", "rotational", "friedman", "flat")
MIXED = (("styblinski_tang", "flowers", 0.1), ("wavy_plateau", "double_exp", 0.2), ("oakley_ohagan", "ishigami", 0.2), ("double_exp", "double_exp", 0.1),
         ("zigzag_ridge", "wavy_plateau", 0.2), ("sphere", "watershed", 0.1))
IDENTIFY = {"quadratic": lambda v: 5 * jnp.sum(v**2)} | {n: functions[n] for n in ("styblinski_tang", "bohachevsky", "wavy_plateau", "oakley_ohagan")}
WEAK, COUPLED = "jkonet-star-weak", "jkonet-star-linear"
FOLLOWED = "weak form, pairs known"


def covered(model, snapshots, truth):
    "Part of the nominal 90 % intervals of the drift that hold the truth, over the particles of all snapshots."
    hits = [np.abs(np.asarray(model.drift(x, None, None, w)) - truth.drift(x, w)) < 1.645 * drift_errors(model.energy, model.params, x, None, w)
            for x, w in ((snapshots.x[i][::4], None) for i in range(len(snapshots)))]
    return float(np.mean(hits))


def judge(train, test, truth, solver, **settings):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # beta is not identified from couplings, and that is what is shown
        model = fit(train, solver, **settings)
    row = {"solver": solver, "seconds": time.perf_counter() - start, "beta_hat": model.beta, "beta_error": model.stats.get("beta_error"), "chi2": model.stats.get("chi2")}
    row |= gradient_errors(model, test, truth)
    if "covariance" in model.params:
        row["covered"] = covered(model, test, truth) if truth.interaction is None else None
    return row, model


def part_a(o):
    "Fifteen functions, unpaired, and two oracles: closed form and weak form on the same population with known individuals."
    rows = []
    for beta in o.betas:
        for name in o.functions or ENERGIES:
            for seed in range(o.seeds):
                V = functions[name]
                simulated = lambda key, paired=False: simulate(V, beta=beta, n_particles=o.n_particles, paired=paired, key=key)
                train, known, test, truth = simulated(seed), simulated(seed, True), simulated(seed + 1000), Truth(V, None, beta)
                here = {"function": name, "beta": beta, "seed": seed}
                row, model = judge(train, test, truth, WEAK + "-potential-internal")
                rows.append(here | row | {"one_step": float(one_step_errors(model, test).mean())})
                show(rows[-1])
                rows.append(here | judge(known, test, truth, WEAK + "-potential-internal")[0] | {"solver": FOLLOWED})
                if not o.weak_only:
                    row, model = judge(train, test, truth, COUPLED + "-potential")
                    rows.append(here | row | {"one_step": float(one_step_errors(model, test).mean())})
                    rows.append(here | judge(known, test, truth, COUPLED + "-potential")[0] | {"solver": "oracle, pairs known"})
                show(rows[-1])
    for solver in dict.fromkeys(r["solver"] for r in rows):
        for beta in o.betas:
            e = [r["drift_error"] for r in rows if r["solver"] == solver and r["beta"] == beta and r["drift_error"] is not None and r["function"] != "flat"]
            c = [r["covered"] for r in rows if r["solver"] == solver and r["beta"] == beta and r.get("covered") is not None]
            print(f"A {solver:36s} beta {beta}: geometric mean of the gradient error {np.exp(np.mean(np.log(e))):.3f}, median {np.median(e):.3f}" + (f", 90 % intervals cover {np.mean(c):.2f} (median {np.median(c):.2f})" if c else ""))
    return rows


def starts(name, V, n, seed, beta=0.1):
    "Initial particles of all three snapshots `[3 n, 2]`: uniform, a random mixture as Guan et al. draw it, or nearly Gibbs (time 1 from uniform)."
    rng = np.random.default_rng(seed)
    if name == "uniform":
        return rng.uniform(-4, 4, (3 * n, 2))
    if name == "mixture":
        k = rng.integers(1, 11)
        means, variances, which = rng.uniform(-3, 3, (k, 2)), rng.uniform(0.5, 1, k), rng.choice(k, 3 * n, p=rng.dirichlet(np.ones(k)))
        return means[which] + np.sqrt(variances[which])[:, None] * rng.normal(size=(3 * n, 2))
    return simulate(V, beta=beta, n_particles=3 * n, n_steps=100, key=seed).x[-1]


def part_b(o):
    "Guan et al. (2025): three marginals, drift on a grid of [-4, 4]^2, sigma^2 = 2 beta = 0.2. Their snapshots hold the same particles, and methods are not told who is who; those of `others` share none."
    grid = np.stack(np.meshgrid(*[np.linspace(-4, 4, 50)] * 2), -1).reshape(-1, 2).astype(np.float32)
    rows, n = [], o.n_particles
    for start in o.starts:
        for name, V in IDENTIFY.items():
            for seed in range(o.seeds):
                path = simulate(V, beta=0.1, x0=starts(start, V, n, seed), n_particles=3 * n, n_steps=2, key=seed)
                rng = np.random.default_rng(seed)
                seen = {"the same": Snapshots([rng.permutation(np.asarray(x)[:n]) for x in path.x], path.t), "others": Snapshots(tuple(path.x[k][k * n:(k + 1) * n] for k in range(3)), path.t)}
                for particles, learn in (("the same", fit_matched), ("others", fit)):
                    clock = time.perf_counter()
                    model = learn(seen[particles], WEAK + "-potential-internal")
                    seconds, b, true = time.perf_counter() - clock, np.asarray(model.drift(grid)), -np.asarray(gradient(V)(grid))
                    cosine = (b * true).sum(1) / (np.linalg.norm(b, axis=1) * np.linalg.norm(true, axis=1) + 1e-12)
                    rows.append({"particles": particles, "start": start, "function": name, "seed": seed, "nmae": float(np.abs(b - true).sum(1).mean() / np.abs(true).sum(1).mean()), "cosine": float(cosine.mean()),
                                 "sigma2_error": abs(2 * model.beta - 0.2), "beta_hat": model.beta, "beta_error": model.stats["beta_error"], "seconds": seconds})
            for particles in seen:
                own = [r for r in rows if r["function"] == name and r["start"] == start and r["particles"] == particles]
                print(f"B {particles:8s} {start:8s} {name:16s} " + ", ".join(f"{k} {np.median([r[k] for r in own]):.3f}" for k in ("nmae", "cosine", "sigma2_error", "seconds")), flush=True)
    return rows


def part_c(o):
    "Mixed energies."
    rows = []
    for V, W, beta in MIXED:
        for seed in range(o.seeds):
            train, test = (_independent(V, W, beta, o.n_particles, k) for k in (seed, seed + 1000))
            for solver in (WEAK,) if o.weak_only else (WEAK, COUPLED):
                row, _ = judge(train, test, Truth(functions[V], functions[W], beta), solver)
                rows.append({"V": V, "W": W, "beta": beta, "seed": seed} | row)
                show(rows[-1])
    return rows


def _independent(V, W, beta, n, key):
    "Unpaired snapshots of one interacting population of six times as many particles, a different sixth of which is seen at each time."
    path = simulate(V, W, beta, n_particles=6 * n, key=key)
    m = len(path.x[0]) // 6
    return Snapshots(tuple(path.x[k][k * m:(k + 1) * m] for k in range(6)), path.t)


def part_d(o):
    "Simulated with dt = 0.01, seen every 10, 50, 100 steps."
    rows = []
    for every in o.every:
        for name in ("double_exp", "oakley_ohagan", "flowers", "watershed"):
            for seed in range(o.seeds):
                here, truth = {"every": every, "function": name, "seed": seed}, Truth(functions[name], None, 0.2)
                try:
                    train, test = (_rarely(functions[name], 0.2, o.n_particles, every, k) for k in (seed, seed + 1000))
                    followed = _rarely(functions[name], 0.2, o.n_particles, every, seed, True)
                except InputError as e:  # explicit steps of 0.01 are unstable far out
                    rows.append(here | {"failed": str(e)})
                    show(rows[-1])
                    continue
                for seen, substeps in ((train, None), (train, 1), (train, min(every, 10)), (followed, min(every, 10)))[o.weak_only:]:
                    solver, settings = (COUPLED + "-potential", {}) if substeps is None else (WEAK + "-potential-internal", {"substeps": substeps})
                    row = here | {"substeps": substeps, "followed": seen is followed}
                    try:
                        found, model = judge(seen, test, truth, solver, **settings)
                        if substeps:
                            x = test.x[0][::4]
                            sd = np.linalg.norm(drift_errors(model.energy, model.params, x)) / np.linalg.norm(gradient(functions[name])(x))
                            row |= {"sampling_error": float(sd)}
                        row |= found
                    except InputError as e:
                        row |= {"failed": str(e)}
                    rows.append(row)
                    show(row)
    return rows


def _rarely(V, beta, n, every, key, paired=False):
    "Six snapshots, `every` steps of 0.01 apart, of others each time or of the same individuals."
    if paired:
        path = [simulate(V, beta=beta, n_particles=n, n_steps=5 * every, key=1000 * key)] * 6
    else:
        path = [simulate(V, beta=beta, n_particles=n, n_steps=max(k * every, 1), key=1000 * key + k) for k in range(6)]
    return Snapshots(tuple(p.x[k * every] for k, p in enumerate(path)), 0.01 * every * np.arange(6), paired=paired)


def show(row):
    print(" ".join(f"{k}={v:.3g}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items() if v is not None and k not in ("interaction_gradient_error", "converged")), flush=True)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("parts", nargs="*", default=["A", "B", "C", "D"])
    p.add_argument("--seeds", type=int, default=1)
    p.add_argument("--n-particles", type=int, default=2000)
    p.add_argument("--betas", type=float, nargs="+", default=[0.0, 0.1, 0.2])
    p.add_argument("--functions", nargs="+")
    p.add_argument("--starts", nargs="+", default=["uniform", "mixture", "gibbs"])
    p.add_argument("--every", type=int, nargs="+", default=[10, 50, 100])
    p.add_argument("--weak-only", action="store_true", help="leave out the closed forms")
    p.add_argument("--out", default=str(Path(__file__).parent / "honest.json"))
    o = p.parse_args()
    out = Path(o.out)
    found = json.loads(out.read_text()) if out.exists() else {}
    for part in o.parts:
        found[part] = {"options": vars(o), "rows": {"A": part_a, "B": part_b, "C": part_c, "D": part_d}[part](o)}
        out.write_text(json.dumps(found | {"versions": versions(), "devices": str(jax.devices())}, indent=1))
