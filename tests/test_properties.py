"""What must hold of any input: a finite result or a refusal; files that were damaged; units, order
and names that do not matter."""

import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jkonet_star.base.errors import IdentifiabilityWarning, InputError
from jkonet_star.data.reading import from_file
from jkonet_star.data.simulate import simulate
from jkonet_star.data.snapshots import Snapshots
from jkonet_star.model.fit import ensemble, fit
from jkonet_star.model.lost_order import Shuffled, Stream
from jkonet_star.model.methods import solvers
from jkonet_star.model.solution import Solution
from jkonet_star.moments.fourier import WeakForm
from jkonet_star.regression.epochs import Checkpoint
from jkonet_star.regression.gradient_descent import GradientDescent
from jkonet_star.regression.in_steps import CurvedPaths
from jkonet_star.regression.least_squares import LeastSquares
from jkonet_star.transport.couple import couple
from jkonet_star.work.dataset_files import load_dataset, save_dataset
from jkonet_star.work.dataset_options import DatasetOptions
from jkonet_star.work.datasets import make_dataset

LINEAR = {
    "solver": "jkonet-star-linear-potential",
    "n_features": 8,
    "lengthscales": (0.7,),
    "degree": 2,
}
SIZES = (2, 7)  # few, because every new shape is compiled
few = lambda n: settings(
    max_examples=n,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

shapes = {
    "cloud": lambda rng, n, d: rng.normal(size=(n, d)),
    "collinear": lambda rng, n, d: rng.normal(size=(n, 1)) * np.arange(1, d + 1),
    "constant feature": lambda rng, n, d: rng.normal(size=(n, d)) * (np.arange(d) > 0) + 5,
    "duplicates": lambda rng, n, d: rng.integers(0, 2, (n, d)).astype(float),
    "coincident": lambda rng, n, d: np.ones((n, d)),
    "outlier": lambda rng, n, d: (
        rng.normal(size=(n, d)) * np.where(np.arange(n) == 0, 1e6, 1)[:, None]
    ),
    "far": lambda rng, n, d: rng.normal(size=(n, d)) + 1e4,
}


@st.composite
def populations(draw):
    "Snapshots of any shape, size, scale and weight."
    d, T = draw(st.sampled_from((1, 2, 3))), draw(st.sampled_from((1, 2)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    shape, scale = (
        shapes[draw(st.sampled_from(sorted(shapes)))],
        10.0 ** draw(st.sampled_from((-8, -3, 0, 3, 8))),
    )
    sizes = [draw(st.sampled_from(SIZES)) for _ in range(T + 1)]
    still, gaps = draw(st.booleans()), draw(st.sampled_from(([1.0, 1.0], [1e-6, 3.0], [1e5, 0.1])))
    x = [scale * shape(np.random.default_rng(0) if still else rng, n, d) for n in sizes]
    weights = draw(st.sampled_from((None, "random", "lopsided")))
    w = {
        None: None,
        "random": [rng.random(n) for n in sizes],
        "lopsided": [np.r_[1e12, np.zeros(n - 2), 1e-12] for n in sizes],
    }[weights]
    return Snapshots(
        x, np.r_[0, np.cumsum(gaps[:T])], w, paired=draw(st.booleans()) and len(set(sizes)) == 1
    )


def moved(seen):
    "What a model fitted to snapshots says of them, with all that is warned of."
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        warnings.filterwarnings("ignore", "at time .* are far from all")
        warnings.filterwarnings("ignore", "JAXopt", DeprecationWarning)  # OTT-JAX still imports it
        c = couple(seen)
        assert np.isfinite(c.x).all() and np.isfinite(c.y).all() and (c.w >= 0).all()
        np.testing.assert_allclose(np.bincount(c.step, c.w), 1, rtol=1e-6)
        model = fit(seen, **LINEAR)
        ahead = model.predict(seen.x[0], seen.t, seen.weights_at(0))
    return model, ahead


@few(150)
@given(populations())
def test_any_population_gives_numbers_or_is_refused(seen):
    try:
        model, ahead = moved(seen)
    except InputError:
        return
    assert all(np.isfinite(x).all() for x in ahead.x)
    assert (
        np.isfinite(model.potential(seen.x[-1])).all() and np.isfinite(model.drift(seen.x[0])).all()
    )


@few(15)
@given(
    st.sampled_from((-1e300, 1e19, -1e18, 1e-300, np.nan, np.inf, 0.0)),
    st.sampled_from((1e-300, 1e-30, 1e30, 1e300)),
)
def test_numbers_at_the_end_of_the_line(value, gap):
    x = np.linspace(0, 1, 14).reshape(7, 2)
    with_value = x.copy()
    with_value[3, 1] = value
    try:
        _, ahead = moved(Snapshots([x, with_value], [0, gap]))
    except InputError:
        return
    assert all(np.isfinite(x).all() for x in ahead.x)


# damaged files

rng = np.random.default_rng(0)
DAYS = np.repeat([0.0, 1.0], 12)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    "A valid file of each format."
    here = tmp_path_factory.mktemp("valid")
    x = rng.normal(size=(24, 2)) + DAYS[:, None]
    np.save(here / "a.npy", x.reshape(2, 12, 2))
    pd.DataFrame({"day": DAYS, "a": x[:, 0], "b": x[:, 1], "name": "cell"}).to_csv(
        here / "a.csv", index=False
    )
    anndata.AnnData(
        obs=pd.DataFrame({"day": DAYS}, index=[f"c{i}" for i in range(24)]), obsm={"X_pca": x}
    ).write_h5ad(here / "a.h5ad")
    fit(Snapshots([x[:12], x[12:]], [0, 1]), **LINEAR).save(here / "a.npz")
    Checkpoint(here / "state.npz", identity="a").write(STATE, 3)
    options = DatasetOptions(
        load_from_file=str(here / "a.csv"), time_key="day", dataset_name="set", standardize=True
    )
    save_dataset(*make_dataset(options), here)
    return here


STATE = {"params": np.arange(40.0), "losses": np.ones((3, 2))}


def from_checkpoint(path):
    state, done = Checkpoint(path, True, "a").read(STATE)
    return np.append(state["params"], done)


def from_model(path):
    model = Solution.load(path)
    return model.potential(np.zeros((5, 2)))


def from_set(path):
    s = load_dataset(path.name, path.parent)
    assert s.truth is None
    return np.concatenate(s.train.x + s.test.x + (s.couplings.x, s.couplings.y))


LOADERS = {
    "a.npy": lambda p: np.concatenate(from_file(p).x),
    "a.csv": lambda p: np.concatenate(from_file(p, "day").x),
    "a.h5ad": lambda p: np.concatenate(from_file(p, "day").x),
    "a.npz": from_model,
    "state.npz": from_checkpoint,
    **{
        f"set/{name}": lambda p: from_set(p.parent)
        for name in (
            "dataset.json",
            "data.npy",
            "split.npz",
            "couplings.npz",
            "scaling.npz",
            "sample_labels.npy",
        )
    },
}
cuts = st.floats(0, 1, exclude_max=True).map(lambda part: lambda b: b[: int(part * len(b))])
damages = st.one_of(
    cuts,
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4
    ).map(lambda flips: lambda b: flipped(b, flips)),
    st.tuples(st.integers(0, 127), st.integers(1, 255)).map(
        lambda flip: lambda b: flipped(b, [(min(flip[0], len(b) - 1) / len(b), flip[1])])
    ),
)  # the header


def flipped(data, flips):
    data = bytearray(data)
    for place, bits in flips:
        data[int(place * len(data))] ^= bits
    return bytes(data)


@pytest.mark.parametrize("name", LOADERS)
def test_a_damaged_file_is_refused_or_read_in_its_shape(originals, name):
    whole, load = (originals / name).read_bytes(), LOADERS[name]
    shape = load(originals / name).shape

    @few(20 if name.startswith("set") else 120)
    @given(
        cuts if name == "a.h5ad" else damages
    )  # HDF5 itself ends the process at some flipped bytes
    def damaged(damage):
        changed = damage(whole)
        assume(changed != whole)
        with tempfile.TemporaryDirectory() as tmp, warnings.catch_warnings():
            warnings.simplefilter("error")
            path = Path(tmp) / name
            if name.startswith("set"):
                path.parent.mkdir()
                for p in (originals / "set").iterdir():
                    (path.parent / p.name).write_bytes(p.read_bytes())
            path.write_bytes(changed)
            try:
                found = load(path)
            except InputError as e:
                assert "\n" not in str(e)
                return
        assert np.isfinite(found).all()
        if name == "a.csv" and len(changed) < len(whole):  # rows have no count of their own
            assert found.shape[1] == shape[1] and len(found) <= shape[0]
        elif name != "a.csv":
            assert found.shape == shape

    damaged()


# what does not matter


@pytest.fixture(scope="module")
def two_arms():
    "Two populations in a valley, and what a model makes of them."
    g = np.random.default_rng(1)
    x0 = g.normal([1, -1], 0.7, (60, 2))
    x = [x0, 0.8 * x0 + 0.02 * g.normal(size=x0.shape), 0.6 * x0 + 0.02 * g.normal(size=x0.shape)]
    arm = np.where(x0[:, 0] > 1, "west", "east")
    return Snapshots(x, [0.0, 1.0, 2.0], [g.uniform(0.5, 1, 60)] * 3, groups=[arm] * 3)


PLAIN = {"solver": "jkonet-star-linear-potential", "n_features": 30}


@pytest.fixture(scope="module")
def reference(two_arms):
    return fit(two_arms, **PLAIN)


def relief(v):
    return np.asarray(v, float) - np.mean(v)


def close(a, b, size):
    np.testing.assert_allclose(a, b, rtol=0, atol=size)


@pytest.mark.parametrize("a", [1e-8, 0.5, 1e8])
def test_another_unit_of_length(two_arms, reference, a):
    "x -> a x: V -> a² V, and predictions move along."
    seen, x = replace(two_arms, x=tuple(a * p for p in two_arms.x)), two_arms.x[0]
    model = fit(seen, **PLAIN)
    v = relief(reference.potential(x))
    close(relief(model.potential(a * x)) / a**2, v, 1e-3 * np.ptp(v))
    close(model.predict(a * x, seen.t).x[-1] / a, reference.predict(x, seen.t).x[-1], 1e-4)


QUICK = {
    GradientDescent: {"epochs": 10, "hidden": (8,)},
    LeastSquares: {"n_features": 30, "n_interaction_features": 20},
    CurvedPaths: {"n_features": 30},
    WeakForm: {
        "n_features": 20,
        "axis_bands": (3, 6),
        "n_interaction_features": 20,
        "n_frequencies": 60,
        "iterations": 2,
    },
}
BILEVEL = {"epochs": 1, "hidden": (8,), "map_hidden": (8,), "inner_steps": 4, "inner_min_steps": 1}


@pytest.fixture(scope="module")
def valley():
    "Individuals that slide into a valley, in double precision."
    seen = simulate("styblinski_tang", "flowers", 0.1, n_particles=60, n_steps=2)
    return replace(seen, x=tuple(np.asarray(x, float) for x in seen.x))


def elsewhere(seen, spreads, steps):
    "The same snapshots, so many spreads and steps from here."
    away = spreads * seen.x[0].std() * np.resize([1.0, -0.7, 0.3], seen.d)
    later = steps * seen.tau[0]
    return replace(seen, x=tuple(x + away for x in seen.x), t=seen.t + later)


def said_of(model, x, t):
    "What users ask of a model at particles in raw units: energies, forces, and where they go."
    z, parts = model.encode(x), {}
    if "potential" in model.energy:
        parts["potential"] = relief(model.potential(z, t[0]))
        parts["gradient"] = np.asarray(model.potential_gradient(z, t[0]))
    parts["drift"] = np.asarray(model.drift(z, t[0]))
    parts["predict"] = model.decode(model.predict(z, t, key=3).x[-1]) - x
    return parts


BILEVEL_SAME = {"jkonet", "jkonet-monge-gap"}  # take their steps from the origin as jkonet-vanilla


@pytest.mark.parametrize("solver", [s for s in solvers if s not in BILEVEL_SAME])
def test_another_origin(valley, solver):
    "x -> x + c, t -> t + c: nothing changes, for no solver."
    given = QUICK.get(solvers[solver][1].settings, BILEVEL)
    moved = elsewhere(valley, -1e7, 1e7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        here, there = (fit(s, solver, **given) for s in (valley, moved))
    wanted = said_of(here, valley.x[0], valley.t)
    for name, found in said_of(there, moved.x[0], moved.t).items():
        close(found, wanted[name], 1e-3 * np.abs(wanted[name]).max())
    if here.beta is not None:
        assert there.beta == pytest.approx(here.beta, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("how", ["sinkhorn", "growth", "score", "components", "stream", "many"])
def test_another_origin_of_all_ways_to_fit(valley, how):
    few = {"n_features": 30, "lengthscales": (0.7,), "degree": 2, "ridge": 1e-6}
    ways = {
        "sinkhorn": lambda s: fit(couple(s, epsilon=0.1), "jkonet-star-linear-potential", **few),
        "growth": lambda s: fit(
            couple(replace(s, paired=False), growth="estimate"),
            "jkonet-star-linear-potential",
            **few,
        ),
        "score": lambda s: fit(
            s,
            "jkonet-star-linear-potential-internal",
            evaluate_at="target",
            n_gmm_components=3,
            **few,
        ),
        "components": lambda s: fit(
            s, "jkonet-star-linear-potential", standardize=True, n_components=1, **few
        ),
        "stream": lambda s: fit(
            Stream(s, batch_size=20, rows=40), "jkonet-star-linear-potential", **few
        ),
        "many": lambda s: ensemble(
            s, "jkonet-star-potential", over=[{"seed": 1}, {"seed": 2}], epochs=5, hidden=(8,)
        ).members[1],
    }
    moved = elsewhere(valley, 1e6, 1e6)
    wanted = said_of(ways[how](valley), valley.x[0], valley.t)
    for name, found in said_of(ways[how](moved), moved.x[0], moved.t).items():
        close(found, wanted[name], 1e-3 * np.abs(wanted[name]).max())


def test_a_force_that_turns_at_dates_of_all_kinds():
    "Unix seconds, Julian and Excel dates, years: the push of every step is the one that was there."
    push = np.array([[1.0, 0], [0, 1.0], [-1.0, 0], [0, -1.0]])
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(push, 0)])[:, None]
    x = list(np.random.default_rng(1).normal(size=(100, 2)) * 0.5 + path)

    def pushes(t):
        model = fit(
            Snapshots(x, t), "jkonet-star-time-potential", epochs=60, batch_size=40, hidden=(32,)
        )
        return [(model.predict(x[k], t[k : k + 2]).x[1] - x[k]).mean(0) for k in range(4)]

    reference = pushes(np.arange(5.0))
    assert ((np.array(reference) * push).sum(1) > 0.4).all()
    for start, step in [(1.7e9, 60), (2460000.5, 1 / 24), (45000, 1 / 1440), (2024, 1 / 365.25)]:
        close(pushes(start + step * np.arange(5.0)), reference, 1e-2)


@pytest.mark.parametrize("c", [1e-6, 0.5, 1e6])
@pytest.mark.parametrize("start", [0.0, 7.0])
def test_another_unit_and_origin_of_time(two_arms, reference, c, start):
    "t -> c (t + start): V -> V / c, and predictions are the same."
    seen, x = replace(two_arms, t=c * (two_arms.t + start)), two_arms.x[0]
    model = fit(seen, **PLAIN)
    v = relief(reference.potential(x))
    close(c * relief(model.potential(x)), v, 2e-3 * np.ptp(v))
    close(model.predict(x, seen.t).x[-1], reference.predict(x, two_arms.t).x[-1], 2e-4)


def test_the_order_of_particles(two_arms, reference):
    g = np.random.default_rng(2)
    orders = [g.permutation(60) for _ in two_arms.x]
    of = lambda parts: tuple(p[o] for p, o in zip(parts, orders))
    seen, x = (
        replace(
            two_arms, x=of(two_arms.x), weights=of(two_arms.weights), groups=of(two_arms.groups)
        ),
        two_arms.x[0],
    )
    pairs = [
        {tuple(row) for row in np.column_stack([c.x, c.y])}
        for c in (couple(two_arms), couple(seen))
    ]
    assert pairs[0] == pairs[1]
    close(fit(seen, **PLAIN).predict(x, seen.t).x[-1], reference.predict(x, seen.t).x[-1], 2e-4)


def test_the_names_of_groups(two_arms, reference):
    renamed = replace(
        two_arms, groups=tuple(np.where(g == "west", "a", "z") for g in two_arms.groups)
    )
    x, t = two_arms.x[0], two_arms.t
    close(fit(renamed, **PLAIN).predict(x, t).x[-1], reference.predict(x, t).x[-1], 2e-4)


def test_the_size_of_weights(two_arms):
    again = replace(two_arms, weights=tuple(1e6 * w for w in two_arms.weights))
    for a, b in zip(again.weights, two_arms.weights):
        np.testing.assert_allclose(a, b, rtol=1e-14)


WEAK = {
    "solver": "jkonet-star-weak-potential-internal",
    "n_features": 20,
    "axis_bands": (3, 6),
    "n_frequencies": 60,
}


@pytest.fixture(scope="module")
def walkers():
    "Followed individuals, and what the weak form makes of them."
    seen = simulate("styblinski_tang", beta=0.1, n_particles=200, n_steps=2)
    return seen, fit(seen, **WEAK)


@pytest.mark.parametrize("a, c", [(1e-6, 1.0), (1e6, 1.0), (1.0, 1e-6), (1.0, 1e6), (0.5, 3.0)])
def test_another_unit_for_the_weak_form(walkers, a, c):
    "x -> a x, t -> c t: V -> a² / c V, beta -> a² / c beta."
    seen, before = walkers
    model, x = fit(replace(seen, x=tuple(a * p for p in seen.x), t=c * seen.t), **WEAK), seen.x[0]
    v = relief(before.potential(x))
    close(c / a**2 * relief(model.potential(a * x)), v, 1e-3 * np.ptp(v))
    assert model.beta * c / a**2 == pytest.approx(before.beta, rel=1e-3)


def test_the_order_of_individuals(walkers):
    """Rows of all times in another order change nothing; of one time each in its own, matched and
    fitted in turns, little."""
    seen, before = walkers
    g, x = np.random.default_rng(3), seen.x[0]
    order, v = g.permutation(len(x)), relief(before.potential(x))
    again = fit(replace(seen, x=tuple(p[order] for p in seen.x)), **WEAK)
    close(relief(again.potential(x)), v, 1e-3 * np.ptp(v))
    lost = fit(Shuffled(Snapshots([g.permutation(p) for p in seen.x], seen.t)), **WEAK)
    close(relief(lost.potential(x)), v, 0.1 * np.ptp(v))
