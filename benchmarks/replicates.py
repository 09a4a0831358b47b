"""Part E of honest.py: potential, interaction and diffusivity from many small populations of which
nobody is followed and β is not given. The models are those of Wei and Lu (arXiv 2604.02581): M
replicates of N particles at L + 1 times dt apart, started from N(0, I/4), with β = 1/2 and the mean
over the others divided by N. They are simulated in steps of 0.001 by Heun's method: explicit steps
of that length make the sharp bumps of model E 6 % too weak, which is more than what is measured.
Features are those of the model, as there. Model A has steps of the distance, smoothed over 0.05 as
in their code."""

import resource
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jkonet_star.base.devices import component, static
from jkonet_star.energy.terms import TERMS, LinearTerm, Maker

BETA = 0.5
PUBLISHED = {  # relative errors of the gradients of V and W in per cent, σ given, by dt
    ("E", 2): {0.001: (0.90, 0.75), 0.01: (0.80, 1.10), 0.1: (6.84, 6.93)},
    ("A", 2): {0.001: (0.7, 1.7)},
    ("A", 5): {0.001: (2.4, 2.1)},
    ("A", 10): {0.001: (0.3, 1.2)},
    ("A", 20): {0.001: (0.3, 1.1)},
}


def between(low, high):
    "One for distances from `low` to `high`, with edges 0.05 wide."
    return lambda r: (jnp.tanh((r - low) / 0.05) - jnp.tanh((r - high) / 0.05)) / 2


MODELS = {  # functions of the distance, and what they are multiplied by, of V and of W
    "A": (
        ((lambda r: r, -0.5), (lambda r: r**2, 2.0)),
        ((between(0.5, 1.0), -3.0), (between(1.0, 2.0), 2.0)),
    ),
    "E": (
        ((lambda r: r, -0.5), (lambda r: r**2, 2.0)),
        (
            (lambda r: jnp.exp(-((r - 0.75) ** 2) / (2 * 0.125**2)), -3.0),
            (lambda r: jnp.exp(-((r - 1.5) ** 2) / (2 * 0.25**2)), 2.0),
        ),
    ),
    "B": (((lambda r: r**2, -0.5), (lambda r: r**4, 0.25)), ((lambda r: 1 / (r + 1), 0.5),)),
    "Morse": (
        ((lambda r: r**2, -0.5), (lambda r: r**4, 0.25)),
        (
            (lambda r: jnp.exp(-2 * r), -float(np.exp(1.6))),
            (lambda r: jnp.exp(-4 * r), 0.5 * float(np.exp(3.2))),
        ),
    ),
}
SUBSTEPS = {0.001: 1, 0.01: 1, 0.1: 50}


def distance(z):
    "Smooth at zero, where some of these functions have a kink."
    return jnp.sqrt((z**2).sum(-1) + 1e-8)


@component
class Well(LinearTerm):
    "A potential of given functions of the distance from the origin."

    name = "well"
    functions: tuple = static()

    def features(self, x):
        return jnp.stack([f(distance(x)) for f in self.functions], -1)

    def jacobian(self, at):
        return jax.vmap(jax.jacfwd(self.features))(at.x)

    def n_parameters(self, d):
        return len(self.functions)

    def basis(self, at):
        return self.jacobian(at).reshape(len(at.x), -1)

    def mixing(self, k, d):
        return np.kron(np.eye(len(self.functions)), np.eye(d)[:, k : k + 1])


@component
class Pair(Well):
    "An interaction of given functions of the distance."

    name = "pair"
    needs_population = True
    functions: tuple = static()

    def field(self, params, population, weights):
        return population, weights

    def jacobian(self, at):
        population, weights = at.field
        slope = jax.vmap(jax.jacfwd(self.features))

        def felt(x):
            return jnp.einsum("j,jpd->pd", weights, slope(x - population))

        return jax.vmap(felt)(at.x)


def terms_of(model):
    "A potential and an interaction with the functions of a model, and their true parameters."
    (v, a), (w, b) = (zip(*part) for part in MODELS[model])
    return Well(v), Pair(w), np.array([*a, *b])


@partial(jax.jit, static_argnames=("model", "n_steps", "substeps"))
def simulated(model, key, start, n_steps, substeps, h=0.001):
    "All populations at all times, `[L + 1, M, N, d]`."
    well, pair, theta = terms_of(model)
    n_well = len(well.functions)

    def energy(x):  # of one population, times N
        z = (x[:, None] - x).reshape(-1, x.shape[1])
        others = (1 - jnp.eye(len(x))).reshape(-1) / len(x)
        return (well.features(x) @ theta[:n_well]).sum() + (
            others @ pair.features(z) @ theta[n_well:] / 2
        )

    slope = jax.vmap(jax.grad(energy))

    def substep(x, key):
        kick = jnp.sqrt(2 * BETA * h) * jax.random.normal(key, x.shape)
        force = slope(x)
        ahead = slope(x - h * force + kick)
        return x - h * (force + ahead) / 2 + kick, None

    def step(x, key):
        x = jax.lax.scan(substep, x, jax.random.split(key, substeps))[0]
        return x, x

    return jnp.concatenate(
        [start[None], jax.lax.scan(step, start, jax.random.split(key, n_steps))[1]]
    )


def snapshots(x, dt, seed):
    "Members in no order, with the name of their population."
    from jkonet_star import Snapshots

    T, M, N, d = x.shape
    names, rng = np.repeat(np.arange(M).astype(str), N), np.random.default_rng(seed)
    rows = [rng.permutation(M * N) for _ in range(T)]
    clouds = tuple(np.asarray(a, np.float64).reshape(-1, d)[r] for a, r in zip(x, rows))
    return Snapshots(clouds, dt * np.arange(T), groups=tuple(names[r] for r in rows))


def errors(model, x, found):
    "Relative errors of the gradients of V and of W over particles and pairs, in per cent."
    well, pair, theta = terms_of(model)
    n = len(well.functions)
    z = (x[:, :, None] - x[:, None])[:, ~np.eye(x.shape[1], dtype=bool)].reshape(-1, x.shape[2])

    def relative(term, at, true, own):
        J = jax.vmap(jax.jacfwd(term.features))(at)
        size = lambda v: float(jnp.sqrt((jnp.einsum("npd,p->nd", J, v) ** 2).mean()))
        return 100 * size(own - true) / size(true)

    return (
        relative(well, x.reshape(-1, x.shape[2]), theta[:n], found[:n]),
        relative(pair, z[:100_000], theta[n:], found[n:]),
    )


def row(model, d, dt, seed, M, N=10, L=100):
    "What is found of one data set; errors in per cent."
    from jkonet_star import WeakForm, fit

    start, move = jax.random.split(jax.random.key(seed))
    start = 0.5 * jax.random.normal(start, (M, N, d))
    x = simulated(model, move, start, L, round(dt / 0.001))
    seen = snapshots(x, dt, seed)
    well, pair, _ = terms_of(model)
    TERMS["well"] = Maker(features=lambda particles, settings, seed: well)
    TERMS["pair"] = Maker(features=lambda particles, settings, seed: pair)
    begin = time.perf_counter()
    by = WeakForm(substeps=SUBSTEPS[dt])
    model_found = fit(seen, ("well", "pair", "internal"), by=by, seed=seed)
    seconds = time.perf_counter() - begin
    params = model_found.params
    theta = np.concatenate([params["well"], params["pair"]])
    some = np.asarray(x[:: max(1, L // 10), ::20]).reshape(-1, N, d)
    v, w = errors(model, some, theta)
    stated = model_found.stats["relative_errors"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    published = PUBLISHED.get((model, d), {}).get(dt, (None, None))
    return {
        "V": v,
        "W": w,
        "V_published": published[0],
        "W_published": published[1],
        "beta": float(model_found.beta),
        "beta_error": model_found.stats["beta_error"],
        "drift_stated": 100 * stated["drift"],
        "V_stated": 100 * stated["well"],
        "W_stated": 100 * stated["pair"],
        "chi2": model_found.stats["chi2"],
        "skipped_times": model_found.stats["skipped_times"],
        "seconds": seconds,
        "GiB": peak,
    }
