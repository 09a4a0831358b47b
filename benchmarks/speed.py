"""Seconds and memory of every stage, at several sizes, beside plain ways to do the same; see
README.md in this folder."""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
GRIDS = {
    "N": [(n, 2, 5) for n in (1000, 4000, 16000)],
    "d": [(2000, d, 5) for d in (2, 10)],
    "T": [(2000, 2, t) for t in (5, 20)],
}
NETWORKS = ("jkonet-star-potential", "jkonet-star", "jkonet-star-time-potential")


def seconds(f, repeats=2):
    "Cold, and the least of the warm runs."
    import jax

    taken = []
    for _ in range(1 + repeats):
        start = time.perf_counter()
        jax.block_until_ready(f())
        taken.append(time.perf_counter() - start)
    return taken[0], min(taken[1:])


def data(n, d, T):
    from jkonet_star.data.simulate import simulate
    from jkonet_star.transport.couple import couple

    seen = simulate("styblinski_tang" if d == 2 else "sphere", n_particles=n, d=d, n_steps=T)
    return seen, couple(seen, batch_size=1000)


def stages(n, d, T):
    "What is timed: a name, and a function without arguments."
    import jax
    import numpy as np

    from jkonet_star.data.simulate import simulate
    from jkonet_star.data.snapshots import Snapshots
    from jkonet_star.energy.density import fit_mixtures
    from jkonet_star.energy.interactions import interaction_features
    from jkonet_star.energy.potentials import potential_features
    from jkonet_star.energy.residual import observe
    from jkonet_star.energy.terms import Energy
    from jkonet_star.judge.evaluate import one_step_errors
    from jkonet_star.model.fit import fit
    from jkonet_star.regression.least_squares import LeastSquares, fit_least_squares
    from jkonet_star.regression.normal_equations import normal_equations
    from jkonet_star.transport.couple import couple

    seen, c = data(n, d, T)
    apart = Snapshots(seen.x, seen.t)
    x = np.concatenate(seen.x)
    V, W = potential_features(x, n_features=100, degree=3), interaction_features(x, 100)
    one = LeastSquares(
        n_features=100,
        n_interaction_features=100,
        lengthscales=(0.7,),
        interaction_lengthscales=(2.0,),
    )
    yield "simulate", lambda: simulate("sphere", beta=0.1, n_particles=n, d=d, n_steps=T).x
    yield "couple, paired blocks of 250", lambda: couple(seen, batch_size=250).w
    yield "couple, matched blocks of 250", lambda: couple(apart, batch_size=250).w
    yield "density (10 Gaussians a time)", lambda: [m.means_ for m in fit_mixtures(apart, 10)]
    slopes = jax.jit(V.basis_gradients)
    yield "features (slopes of 100 waves and polynomials)", lambda: slopes(x)
    yield "normal equations, V", lambda: normal_equations(Energy.of(V), observe(c))
    yield "normal equations, V and W", lambda: normal_equations(Energy.of(V, W), observe(c))
    yield "closed form, V", lambda: fit_least_squares(c, ("potential",), one)[1]["potential"]
    yield (
        "closed form, V and W",
        lambda: fit_least_squares(c, ("potential", "interaction"), one)[1]["potential"],
    )
    for name in NETWORKS:
        yield f"20 epochs, {name}", lambda name=name: fit(c, name, epochs=20).params
    model = fit(c, "jkonet-star-linear-potential")
    yield (
        "whole fit, jkonet-star-linear-potential",
        lambda: fit(c, "jkonet-star-linear-potential").params,
    )
    yield "predict", lambda: model.predict(seen.x[0], seen.t).x
    if n <= 4000:
        yield "evaluate (EMD one step ahead)", lambda: one_step_errors(model, seen)


def measure(n, d, T):
    "Rows of one size, in a process of its own so that the memory is its own."
    rows = []
    for stage, f in stages(n, d, T):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        cold, warm = seconds(f)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rows.append(
            {
                "stage": stage,
                "N": n,
                "d": d,
                "T": T,
                "cold": cold,
                "warm": warm,
                "peak MiB so far": peak / 1024,
                "grew by MiB": (peak - before) / 1024,
            }
        )
    return rows


def baselines():
    "Plain ways to do the same, at one size: seconds of both."
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax
    import ot
    from scipy.spatial.distance import cdist
    from sklearn.mixture import GaussianMixture

    from jkonet_star.data.snapshots import Snapshots
    from jkonet_star.energy.density import fit_mixtures
    from jkonet_star.energy.networks import MLP
    from jkonet_star.energy.potentials import potential_features
    from jkonet_star.energy.residual import observe
    from jkonet_star.energy.terms import Energy
    from jkonet_star.regression.gradient_descent import (
        GradientDescent,
        fit_gradient_descent,
        fit_many_networks,
    )
    from jkonet_star.regression.normal_equations import normal_equations
    from jkonet_star.transport.couple import couple

    rows = []

    def row(what, ours, baseline, theirs):
        rows.append(
            {
                "what": what,
                "seconds": ours,
                "baseline": baseline,
                "baseline seconds": theirs,
                "ratio": ours / theirs,
            }
        )
        print(
            f"{what:58} {ours:9.3f} s   {baseline:48} {theirs:9.3f} s   ratio {ours / theirs:.3f}",
            flush=True,
        )

    seen, c = data(2000, 2, 5)
    apart = Snapshots(seen.x, seen.t)
    dense = lambda: [ot.emd([], [], cdist(a, b, "sqeuclidean")) for a, b in zip(seen.x, seen.x[1:])]
    row(
        "couple, exact, N = 2000, T = 5",
        seconds(lambda: couple(apart).w, 1)[1],
        "POT emd on the dense matrix, step by step",
        seconds(dense, 1)[1],
    )
    row(
        "couple, matched blocks of 250, N = 2000, T = 5",
        seconds(lambda: couple(apart, batch_size=250).w, 1)[1],
        "POT emd on the dense matrix, step by step",
        seconds(dense, 1)[1],
    )
    mixtures = lambda: [GaussianMixture(10, random_state=0).fit(a) for a in seen.x]
    row(
        "density, 10 Gaussians, N = 2000, 6 times",
        seconds(lambda: [m.means_ for m in fit_mixtures(apart, 10)], 1)[1],
        "scikit-learn GaussianMixture, one by one",
        seconds(mixtures, 1)[1],
    )

    V = potential_features(np.concatenate(seen.x), n_features=100, degree=4)
    energy, obs = Energy.of(V), observe(c)
    one_feature = lambda theta, x: V.value(theta, x[None])[0]
    p = len(V.parts[0].powers) + 100

    @jax.jit
    def per_feature(z, v, w):
        A = jax.vmap(lambda x: jax.lax.map(lambda e: jax.grad(one_feature, 1)(e, x), jnp.eye(p)))(z)
        return jnp.einsum("mpk,mqk,m->pq", A, A, w), jnp.einsum("mpk,mk,m->p", A, v, w)

    row(
        f"normal equations, {p} features, N = 2000, T = 5",
        seconds(lambda: normal_equations(energy, obs))[1],
        "a gradient per feature by autodiff (float32)",
        seconds(lambda: per_feature(obs.z, obs.velocity, obs.w))[1],
    )

    config = GradientDescent(epochs=40, validation=0.0)
    fit_once = lambda: fit_gradient_descent(c, ("potential",), config)[1]
    ours = seconds(fit_once)[1] / config.epochs
    network, steps = MLP((64, 64), "silu"), len(obs.w) // config.batch_size
    params = network.init(jax.random.key(0), jnp.zeros(2))
    value = lambda p, z, v: jnp.mean(
        jnp.sum((v + jax.grad(lambda z: network.apply(p, z).sum())(z)) ** 2, 1)
    )
    bare = jax.jit(jax.value_and_grad(value))
    z, v = jnp.asarray(obs.z[: config.batch_size]), jnp.asarray(obs.velocity[: config.batch_size])
    forward_backward = lambda: [bare(params, z, v) for _ in range(steps)]
    row(
        "an epoch of jkonet-star-potential, N = 2000, T = 5",
        ours,
        "bare forward and backward of the network, as often",
        seconds(forward_backward)[1],
    )

    optimizer = optax.adam(1e-2)

    @jax.jit
    def update(p, s, z, v):
        g = jax.grad(value)(p, z, v)
        change, s = optimizer.update(g, s, p)
        return optax.apply_updates(p, change), s

    def loop():
        p, s, rng = params, optimizer.init(params), np.random.default_rng(0)
        for rows in np.split(rng.permutation(len(obs.w))[: steps * config.batch_size], steps):
            p, s = update(p, s, obs.z[rows], obs.velocity[rows])
        return p

    row(
        "an epoch of jkonet-star-potential, N = 2000, T = 5",
        ours,
        "a Python loop over minibatches, jitted step",
        seconds(loop)[1],
    )
    jax.clear_caches()
    one = seconds(fit_once)
    jax.clear_caches()
    eight = seconds(
        lambda: [
            f[1]
            for f in fit_many_networks(c, ("potential",), config, [{"seed": k} for k in range(8)])
        ]
    )
    row("eight seeds side by side, 40 epochs, compilation included", eight[0], "one seed", one[0])
    row("eight seeds side by side, 40 epochs, warm", eight[1], "one seed", one[1])
    return rows


def cloud(n):
    from jkonet_star.data.simulate import simulate

    return simulate("styblinski_tang", n_particles=n, n_steps=1, paired=False)


def drifting(n, d, pull=0.0):
    "Paired snapshots of a population that moves down a wavy bowl, with a pull towards its mean."
    import numpy as np

    from jkonet_star.data.snapshots import Snapshots

    x = [np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)]
    for _ in range(5):
        x.append(
            (
                x[-1] - 0.01 * (x[-1] + 0.3 * np.sin(2 * x[-1]) + pull * (x[-1] - x[-1].mean(0)))
            ).astype(np.float32)
        )
    return Snapshots(tuple(x), np.arange(6) * 0.01, paired=True)


def large(item):
    "Rows of one item, in a process of its own so that the memory is its own."
    import ot  # noqa: F401, not a part of the first coupling's time

    from jkonet_star.model.fit import fit
    from jkonet_star.transport.couple import couple

    rows = []

    def timed(what, f, **more):
        start = time.perf_counter()
        found = f()
        rows.append(
            {
                "what": what,
                "seconds": time.perf_counter() - start,
                "peak GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            }
            | {k: v(found) for k, v in more.items()}
        )
        return found

    cost = lambda c: float(c.w @ ((c.x - c.y) ** 2).sum(1) / c.n_steps)
    if item == "gap":
        s = cloud(10_000)
        blocks = [
            timed(
                f"couple, matched blocks of 500, {passes} passes, N = 10000",
                lambda: couple(s, batch_size=500, passes=passes),
                cost=cost,
            )
            for passes in (0, 3, 10)
        ]
        exact = timed("couple, exact, N = 10000", lambda: couple(s, batch_size=-1), cost=cost)
        for row, c in zip(rows, blocks):
            row["gap"] = cost(c) / cost(exact) - 1
    elif item.startswith("couple"):
        n = int(item.split()[1])
        s = cloud(n)
        timed(
            f"couple, matched blocks of 500, N = {n}", lambda: couple(s, batch_size=500), cost=cost
        )
    elif item.startswith("weak"):
        from jkonet_star.data.simulate import simulate

        n = int(item.split()[1])
        s = simulate("oakley_ohagan", beta=0.2, n_particles=n, paired=False)
        timed(
            f"weak form, N = {n}, d = 2, T = 5, nobody seen twice",
            lambda: fit(s, "jkonet-star-weak-potential-internal"),
            features=lambda m: m.stats["n_features"],
        )
    else:
        n, d, solver, settings = {
            "V": (1_000_000, 10, "jkonet-star-linear-potential", dict(n_features=135, degree=2)),
            "V and W": (100_000, 2, "jkonet-star-linear", {}),
        }[item]
        s = drifting(n, d, pull=1.0 if "W" in item else 0.0)
        c = timed(
            f"couple, paired blocks of 250, N = {n}, d = {d}, T = 5",
            lambda: couple(s, batch_size=250),
        )
        del s
        for again in ("", ", once more"):
            timed(
                f"closed form of {item}, N = {n}, d = {d}, T = 5{again}",
                lambda: fit(c, solver, **settings),
                features=lambda m: m.stats["n_features"],
            )
    return rows


def all_large():
    rows = []
    weak = [f"weak {n}" for n in (2000, 8000, 32_000, 1_000_000)]
    couplings = [f"couple {n}" for n in (20_000, 100_000, 400_000)]
    for item in ("gap", *couplings, "V", "V and W", *weak):
        rows += json.loads(
            subprocess.run(
                [sys.executable, "-W", "ignore", __file__, "--item", item],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout.splitlines()[-1]
        )
        for r in rows[-3:]:
            print({k: round(v, 4) if isinstance(v, float) else v for k, v in r.items()}, flush=True)
    return rows


def start_up():
    "Imports and commands, the least of five new processes."

    def run(*command):
        taken = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            taken.append(time.perf_counter() - start)
        return taken

    py = sys.executable
    jax, ours, tool = (
        run(py, "-c", f"import {m}") for m in ("jax", "jkonet_star", "jkonet_star.model.fit")
    )
    helped = run(py, "-m", "jkonet_star.cli", "--help")
    rows = [
        {"what": "import jax", "seconds": min(jax)},
        {
            "what": "import jkonet_star",
            "seconds": min(ours),
            "beside import jax": min(ours) / min(jax),
        },
        {
            "what": "import jkonet_star.model.fit",
            "seconds": min(tool),
            "beside import jax": min(tool) / min(jax),
        },
        {"what": "jkonet-star --help", "seconds": min(helped)},
    ]
    import tempfile

    with tempfile.TemporaryDirectory() as tmp:
        home = os.environ | {"XDG_CACHE_HOME": tmp, "HOME": tmp}
        for command in (
            ["generate", "--potential", "sphere", "--n-particles", "500", "--dataset-name", "s"],
            ["train", "--dataset", "s", "--solver", "jkonet-star-linear-potential"],
            ["train", "--dataset", "s", "--solver", "jkonet-star-potential", "--epochs", "20"],
        ):
            for which in ("first", "second"):
                start = time.perf_counter()
                subprocess.run(
                    [py, "-m", "jkonet_star.cli", *command],
                    check=True,
                    capture_output=True,
                    cwd=tmp,
                    env=home,
                )
                taken = time.perf_counter() - start
                rows.append(
                    {
                        "what": f"jkonet-star {command[0]} "
                        f"{command[4] if command[0] == 'train' else ''} ({which} run)",
                        "seconds": taken,
                        "beside import jax": taken / min(jax),
                    }
                )
    for r in rows:
        print({k: round(v, 3) if isinstance(v, float) else v for k, v in r.items()}, flush=True)
    return rows


def exponents(rows):
    "Slopes of log seconds (warm) against log N, d and T, from the first to the last size of each."
    import numpy as np

    found = []
    for axis, grid in GRIDS.items():
        k = "NdT".index(axis)
        for stage in dict.fromkeys(r["stage"] for r in rows):
            at = [r for r in rows if r["stage"] == stage and (r["N"], r["d"], r["T"]) in grid]
            if len(at) > 1:
                size, warm = np.array(
                    [[(r["N"], r["d"], r["T"])[k] for r in at], [r["warm"] for r in at]]
                )
                found.append(
                    {
                        "stage": stage,
                        "axis": axis,
                        "exponent": float(np.polyfit(np.log(size), np.log(warm), 1)[0]),
                    }
                )
    return found


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument(
        "parts",
        nargs="*",
        default=["stages", "baselines", "large", "start"],
        help="stages, baselines, large, start",
    )
    p.add_argument("--one", type=int, nargs=3, metavar=("N", "D", "T"), help=argparse.SUPPRESS)
    p.add_argument("--item", help=argparse.SUPPRESS)
    p.add_argument("--output", type=Path, default=HERE / "speed.json")
    o = p.parse_args()
    if o.one:
        print(json.dumps(measure(*o.one)))
        return
    if o.item:
        print(json.dumps(large(o.item)))
        return
    if len(o.parts) > 1:  # a process each: a child's peak of memory begins at its parent's
        for part in o.parts:
            subprocess.run(
                [sys.executable, "-W", "ignore", __file__, part, "--output", str(o.output)],
                check=True,
            )
        return
    kept = json.loads(o.output.read_text()) if o.output.exists() else {}
    if "stages" in o.parts:
        rows = []
        for size in dict.fromkeys(s for grid in GRIDS.values() for s in grid):
            out = subprocess.run(
                [sys.executable, __file__, "--one", *map(str, size)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            rows += json.loads(out.splitlines()[-1])
            for r in rows[-len([q for q in rows if (q["N"], q["d"], q["T"]) == size]) :]:
                print(
                    f"N {r['N']:6} d {r['d']:3} T {r['T']:3}  {r['stage']:48} "
                    f"cold {r['cold']:8.3f}  "
                    f"warm {r['warm']:8.4f} s  +{r['grew by MiB']:.0f} MiB",
                    flush=True,
                )
        kept |= {"stages": rows, "exponents": exponents(rows)}
    for name, f in (("baselines", baselines), ("large", all_large), ("start", start_up)):
        if name in o.parts:
            kept[name] = f()
    import jax

    from jkonet_star.base.devices import versions
    from jkonet_star.base.files import atomic_write

    kept["machine"] = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "devices": str(jax.devices()),
        "versions": versions(),
    }
    with atomic_write(o.output) as new:
        new.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
