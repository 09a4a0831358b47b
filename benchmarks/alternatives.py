"""Other ways to learn from snapshots that share no individuals, beside the weak form: alternating
entropic bridges, and action matching by a network.

python benchmarks/alternatives.py [--functions NAME ...] [--n-particles N]
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from honest import COUPLED, WEAK

from jkonet_star.base.devices import versions
from jkonet_star.data.simulate import Truth, simulate
from jkonet_star.data.test_functions import test_functions
from jkonet_star.energy.networks import NeuralPotential
from jkonet_star.energy.potentials import potential_features
from jkonet_star.energy.residual import observe
from jkonet_star.energy.terms import Energy
from jkonet_star.model.fit import fit
from jkonet_star.regression.least_squares import counted
from jkonet_star.regression.normal_equations import normal_equations
from jkonet_star.regression.ridge import ridge_problem
from jkonet_star.transport.couplings import Couplings, effective_sizes
from jkonet_star.transport.plans import entropic_plan


def bridges(train, beta, rounds=4):
    """Alternate (as nn-APPEX and SBIRR do) between couplings and energies: a plan entropic around
    the present drift, `y ~ N(x + tau b, 2 beta tau)`, then the drift by least squares on its means
    and beta from what is left.

    Starts without drift at `beta`. Returns the drift and beta.
    """
    energy = Energy.of(potential_features(np.concatenate(train.x)))
    drift, n = lambda x: np.zeros_like(x), len(train.x[0])
    for _ in range(rounds):
        means, left = [], []
        for k, tau in enumerate(train.tau):
            x, y = train.x[k], train.x[k + 1]
            i, j, w, _ = entropic_plan(
                x + tau * drift(x), y, np.full(n, 1 / n), np.full(n, 1 / n), 4 * beta * tau
            )
            means.append(
                np.stack([np.bincount(i, w * y[j, c], n) for c in range(x.shape[1])], 1) * n
            )
            left.append((i, j, w))
        m, span = len(train.tau), np.stack([train.t[:-1], train.t[1:]], 1)
        c = Couplings(
            np.concatenate(train.x[:-1]),
            np.concatenate(means).astype(train.x[0].dtype),
            np.full(m * n, 1 / n),
            np.repeat(np.arange(m), n),
            span,
            np.array(["0"] * m),
            np.ones(m),
            np.ones(m, bool),
        )
        steps = counted(normal_equations(energy, observe(c)), c.d * effective_sizes(c))
        problem = ridge_problem(steps)
        theta = problem.solve(problem.choose().ridge).theta
        drift = lambda x, theta=theta: -np.asarray(energy["potential"].gradient(theta, x))
        beta = np.mean(
            [
                w
                @ ((train.x[k + 1][j] - train.x[k][i] - tau * drift(train.x[k])[i]) ** 2).sum(1)
                / (2 * c.d * tau)
                for k, ((i, j, w), tau) in enumerate(zip(left, train.tau))
            ]
        )
    return drift, float(beta)


def action_matching(train, beta, steps=3000, key=0):
    """A network for V by its action, no couplings: the sum over steps of `tau E[|grad V|^2 / 2 -
    beta lap V] + E_{k+1}[V] - E_k[V]`, E the mean of both ends (Neklyudov et al., 2023, for a
    potential that does not change). Beta is given to it."""
    x, tau = jnp.stack(train.x), jnp.asarray(train.tau)
    scale = x.std()
    net = NeuralPotential(x.mean((0, 1)), scale, scale / tau.sum(), tau[0], 0.0, (64, 64), "tanh")

    def action(p, x):
        def one(a):
            g = lambda b: net.gradient(p, b)
            return (g(a) ** 2).sum() / 2 - beta * jnp.trace(jax.jacfwd(g)(a))

        inside, ends = jax.vmap(jax.vmap(one))(x).mean(1), net.value(p, x).mean(1)
        return (tau * (inside[1:] + inside[:-1]) / 2 + ends[1:] - ends[:-1]).sum()

    optimiser = optax.adam(optax.cosine_decay_schedule(3e-3, steps))
    p = net.init(jax.random.key(key))

    @jax.jit
    def run(p):
        def step(state, key):
            p, o = state
            rows = jax.random.randint(key, (500,), 0, x.shape[1])
            update, o = optimiser.update(jax.grad(action)(p, x[:, rows]), o)
            return (optax.apply_updates(p, update), o), None

        return jax.lax.scan(
            step, (p, optimiser.init(p)), jax.random.split(jax.random.key(key + 1), steps)
        )[0][0]

    p = run(p)
    return (lambda a: -np.asarray(net.gradient(p, jnp.asarray(a)))), beta


def measure(o):
    "All rows so far, after every fit."
    rows = []
    for name in o.functions:
        train, test = (
            simulate(name, beta=0.2, n_particles=o.n_particles, paired=False, key=k)
            for k in (0, 1000)
        )
        truth, x = Truth(test_functions[name], None, 0.2), np.concatenate(test.x)

        def solver(which):
            model = fit(train, which)
            return (lambda a: np.asarray(model.drift(a))), model.beta

        ways = {
            "couplings": lambda: solver(COUPLED + "-potential"),
            "weak form": lambda: solver(WEAK + "-potential-internal"),
            "bridges": lambda: bridges(train, 0.5),
            "action matching, beta known": lambda: action_matching(train, 0.2),
        }
        for way, learn in ways.items():
            start = time.perf_counter()
            drift, beta = learn()
            seconds, true = time.perf_counter() - start, truth.drift(x, None)
            rows.append(
                {
                    "function": name,
                    "way": way,
                    "seconds": seconds,
                    "beta_hat": beta,
                    "drift_error": float(np.linalg.norm(drift(x) - true) / np.linalg.norm(true)),
                }
            )
            print(
                " ".join(
                    f"{k}={v:.3g}" if isinstance(v, float) else f"{k}={v}"
                    for k, v in rows[-1].items()
                ),
                flush=True,
            )
            yield rows


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--functions", nargs="+", default=["styblinski_tang", "oakley_ohagan"])
    p.add_argument("--n-particles", type=int, default=1000)
    p.add_argument("--out", default=str(Path(__file__).parent / "alternatives.json"))
    o = p.parse_args()
    warnings.simplefilter(
        "ignore"
    )  # beta is not identified from couplings, and that is what is shown
    for rows in measure(o):
        Path(o.out).write_text(
            json.dumps(
                {
                    "options": {k: v for k, v in vars(o).items() if k != "out"},
                    "rows": rows,
                    "versions": versions(),
                },
                indent=1,
            )
        )
