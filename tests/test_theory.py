"""Against theory, not against ourselves: processes, distances and steps whose answer is known in
closed form."""

import warnings
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jkonet_star import Energy
from jkonet_star.base.errors import IdentifiabilityWarning
from jkonet_star.data.simulate import simulate
from jkonet_star.data.snapshots import Snapshots
from jkonet_star.model.fit import fit
from jkonet_star.transport.couple import couple
from jkonet_star.transport.plans import wasserstein

K, BETA = 1.5, 0.4
spring = lambda x: 0.5 * K * jnp.sum(x**2)
EXACT = {"features": "polynomial", "degree": 2}


def ornstein_uhlenbeck(m0, v0, t, beta=BETA):
    "Mean and variance of dX = -K X dt + √(2β) dB. Gardiner (2009), §4.5.4."
    return m0 * np.exp(-K * t), v0 * np.exp(-2 * K * t) + beta / K * (1 - np.exp(-2 * K * t))


def unlike(x, mean, variance):
    """How many standard errors the mean and the variance of a Gaussian sample `x` are from what
    they should be, at most."""
    n = len(x)
    return max(
        np.max(abs(x.mean(0) - mean) / np.sqrt(variance / n)),
        np.max(abs(x.var(0) - variance) / (variance * np.sqrt(2 / n))),
    )


def test_simulated_ornstein_uhlenbeck():
    x0 = np.random.default_rng(0).normal([3, -2], [0.5, 2], (20_000, 2))
    seen = simulate(spring, beta=BETA, x0=x0, n_particles=len(x0), n_steps=400, dt=0.0025, key=1)
    for k in (40, 200, 400):
        assert (
            unlike(
                seen.x[k], *ornstein_uhlenbeck(np.array([3, -2]), np.array([0.25, 4]), seen.t[k])
            )
            < 4
        )


@pytest.mark.parametrize("n_steps, dt", [(1, 0.3), (7, 0.1)])
def test_the_scheme_has_its_own_exact_moments(n_steps, dt):
    "x⁺ = (1 - K dt) x + √(2β dt) ξ: the variance of the discrete process, not only of its limit."
    x0 = np.random.default_rng(0).normal(2, 1, (40_000, 1))
    seen, q = (
        simulate(spring, beta=BETA, x0=x0, n_particles=len(x0), d=1, n_steps=n_steps, dt=dt, key=2),
        (1 - K * dt) ** 2,
    )
    assert (
        unlike(
            seen.x[-1],
            2 * (1 - K * dt) ** n_steps,
            q**n_steps + 2 * BETA * dt * (1 - q**n_steps) / (1 - q),
        )
        < 4
    )


def test_heat_flow():
    """Without forces the variance grows by 2 β t in every direction, and the kurtosis of the
    displacement is that of a Gaussian."""
    seen = simulate(
        beta=0.3, x0=np.zeros((30_000, 3)), n_particles=30_000, d=3, n_steps=10, dt=0.05, key=3
    )
    for k in (1, 5, 10):
        assert unlike(seen.x[k], 0, np.full(3, 2 * 0.3 * seen.t[k])) < 4
    z = seen.x[-1] / seen.x[-1].std(0)
    assert abs((z**4).mean() - 3) < 4 * np.sqrt(24 / z.size)
    np.testing.assert_allclose(np.corrcoef(z.T), np.eye(3), atol=4 / np.sqrt(len(z)))


def test_learned_ornstein_uhlenbeck():
    """V and β from paired snapshots of the exact solution; the explicit step finds those of a step,
    (1 - exp(-K τ)) / τ and β (1 - exp(-2 K τ)) / (2 K τ)."""
    g, tau, n, T = (
        np.random.default_rng(0),
        0.01,
        300,
        20,
    )  # noise smaller than the spacing: pairs can be found
    noise = BETA / K * (1 - np.exp(-2 * K * tau))
    x = [g.normal([2, -1], [2, 1.5], (n, 2))]
    for _ in range(T):
        x.append(x[-1] * np.exp(-K * tau) + np.sqrt(noise) * g.normal(size=x[-1].shape))
    model = fit(
        Snapshots(x, tau * np.arange(T + 1), paired=True),
        "jkonet-star-linear-potential-internal",
        **EXACT,
    )
    assert abs(model.beta / (noise / (2 * tau)) - 1) < 0.1
    x0 = g.normal([2, -1], [2, 1.5], (20_000, 2))
    ahead = model.predict(x0, tau * np.arange(T + 1), key=5).x[-1]
    mean, variance = ornstein_uhlenbeck(np.array([2, -1]), np.array([4, 2.25]), T * tau)
    learned = 4 * np.sqrt(
        2 * BETA * T * tau / n
    )  # four standard errors of the mean displacement of the particles it was learned from
    assert (
        np.max(abs(ahead.mean(0) - mean)) < learned
        and np.max(abs(ahead.var(0) / variance - 1)) < 0.12
    )


@pytest.mark.parametrize("paired", [True, False])
def test_the_weak_form_knows_its_error(paired):
    """Of an explicit Ornstein-Uhlenbeck step, curvature and β are within four of the standard
    errors that are stated; those of followed individuals are smaller by far, and β's is sqrt(2 / n)
    of it, n the number of coordinates seen to move."""
    g, tau, n, T, k = np.random.default_rng(0), 0.1, 1000, 4, 1.5
    x = [g.normal([2, -1], [2, 1.5], (n * (1 if paired else T + 1), 2))]
    for _ in range(T):
        x.append((1 - k * tau) * x[-1] + np.sqrt(2 * BETA * tau) * g.normal(size=x[-1].shape))
    seen = Snapshots(
        [p if paired else p[i * n : (i + 1) * n] for i, p in enumerate(x)],
        tau * np.arange(T + 1),
        paired=paired,
    )
    model = fit(
        seen,
        "jkonet-star-weak-potential-internal",
        n_features=20,
        axis_bands=(3, 6),
        n_frequencies=60,
    )
    at = np.array([[1.0, 0.5], [-1.0, -2.0]])
    sd = model.drift_errors(at)
    assert np.all(abs(np.asarray(model.drift(at)) + k * at) < 4 * sd)
    assert abs(model.beta - BETA) < 4 * model.stats["beta_error"]
    expected = BETA * np.sqrt(2 / (2 * n * T))
    assert (
        0.8 < model.stats["beta_error"] / expected < 1.25
        if paired
        else model.stats["beta_error"] > 3 * expected
    )


def test_wasserstein_between_gaussians():
    """W₂² = |m - m'|² + tr(S + S' - 2 (S^½ S' S^½)^½). Dowson & Landau (1982); here S and S' do not
    commute."""
    A, B, m = (
        np.array([[2.0, 0.5], [0.0, 1.0]]),
        np.array([[0.5, 0.0], [1.0, 1.5]]),
        np.array([1.0, -2.0]),
    )
    S, R = A @ A.T, B @ B.T
    root = lambda M: (lambda w, U: U * np.sqrt(w) @ U.T)(*np.linalg.eigh(M))
    exact = np.sqrt(m @ m + np.trace(S + R - 2 * root(root(S) @ R @ root(S))))
    g = np.random.default_rng(0)
    errors = [
        abs(
            wasserstein(g.normal(size=(n, 2)) @ A.T, g.normal(size=(n, 2)) @ B.T + m, order=2)
            - exact
        )
        / exact
        for n in (100, 1500)
    ]
    assert errors[1] < 0.04
    # the optimal map of one Gaussian to another is linear and monotone:
    # on such pairs the distance is exact
    T = np.linalg.inv(root(S)) @ root(root(S) @ R @ root(S)) @ np.linalg.inv(root(S))
    x = g.normal(size=(400, 2)) @ A.T
    x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T, bias=True))).T @ A.T
    np.testing.assert_allclose(wasserstein(x, x @ T.T + m, order=2), exact, rtol=1e-6)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_transport_on_the_line_is_sorting(power, weighted):
    g = np.random.default_rng(0)
    x, y = g.normal(size=300), 2 * g.normal(size=300) + 1
    a = g.exponential(size=300) if weighted else np.ones(300)
    b = g.exponential(size=300) if weighted else np.ones(300)
    i, j, a, b = np.argsort(x), np.argsort(y), a / a.sum(), b / b.sum()
    levels = np.sort(np.r_[0, np.cumsum(a[i]), np.cumsum(b[j])])
    mid, mass = (levels[1:] + levels[:-1]) / 2, np.diff(levels)
    quantile = lambda v, w: v[np.minimum(np.searchsorted(np.cumsum(w), mid), 299)]
    cost = (mass @ abs(quantile(x[i], a[i]) - quantile(y[j], b[j])) ** power) ** (1 / power)
    np.testing.assert_allclose(wasserstein(x[:, None], y[:, None], a, b, power), cost, rtol=1e-6)
    c = couple(Snapshots([x[:, None], y[:, None]], [0, 1], [a, b]))
    order = np.lexsort((c.y[:, 0], c.x[:, 0]))
    assert (np.diff(c.y[order, 0]) >= -1e-12).all(), "the pairs of an optimal plan do not cross"
    if not weighted:
        np.testing.assert_array_equal(c.y[order, 0], y[j])


@pytest.mark.parametrize(
    "place, step",
    [
        ("target", lambda k, tau: 1 / (1 + tau * k)),
        ("source", lambda k, tau: 1 - tau * k),
        ("midpoint", lambda k, tau: (1 - tau * k / 2) / (1 + tau * k / 2)),
    ],
)
@pytest.mark.parametrize("tau", [0.1, 0.8])
def test_a_step_of_a_quadratic(place, step, tau):
    """The JKO step of k x²/2 is x / (1 + τ k): fitted at the target, k is found, and the prediction
    takes that step; likewise the explicit and the midpoint step."""
    x = np.random.default_rng(0).normal([1, 2], 0.5, (100, 2))
    k = np.array([0.4, 1.1])
    ratio = step(k, tau)
    seen = Snapshots([x, x * ratio, x * ratio**2], [0, tau, 2 * tau])
    model = fit(seen, "jkonet-star-linear-potential", evaluate_at=place, **EXACT)
    np.testing.assert_allclose(model.drift(x), -k * x, atol=2e-3)
    new = np.random.default_rng(1).normal([1, 2], 0.5, (50, 2))
    np.testing.assert_allclose(model.predict(new, [0, tau]).x[1], new * ratio, atol=2e-3)


def test_attraction_contracts_the_variance_and_keeps_the_mean():
    """W = w |z|²/2: every particle is drawn to the mean, so each step multiplies deviations by 1 -
    w dt; with noise, an Ornstein-Uhlenbeck process about the mean."""
    w, g = 0.8, np.random.default_rng(0)
    pull = lambda z: 0.5 * w * jnp.sum(z**2)
    x0 = g.normal([1, 5], [1, 2], (500, 2))
    still = simulate(None, pull, x0=x0, n_particles=500, n_steps=20, dt=0.05)
    np.testing.assert_allclose(still.x[-1].mean(0), x0.mean(0), rtol=1e-5)
    np.testing.assert_allclose(still.x[-1].var(0) / x0.var(0), (1 - w * 0.05) ** 40, rtol=1e-4)
    x0 = g.normal(0, 2, (3000, 1))
    noisy = simulate(None, pull, BETA, x0=x0, n_particles=3000, d=1, n_steps=100, dt=0.01, key=4).x[
        -1
    ]
    expected = x0.var() * np.exp(-2 * w) + BETA / w * (1 - np.exp(-2 * w))
    assert abs(noisy.var() / expected - 1) < 4 * np.sqrt(2 / 3000) + 0.01


def test_learned_attraction_contracts_likewise():
    w, tau, g = 0.8, 0.1, np.random.default_rng(0)
    x = [g.normal([1, 5], [1, 2], (300, 2))]
    for _ in range(3):
        x.append(x[-1] - tau * w * (x[-1] - x[-1].mean(0)))
    model = fit(Snapshots(x, tau * np.arange(4)), "jkonet-star-linear-interaction")
    new = g.normal([-1, 2], [1, 2], (200, 2))
    ahead = model.predict(new, [0, tau]).x[1]
    np.testing.assert_allclose(ahead.mean(0), new.mean(0), atol=1e-3)
    np.testing.assert_allclose(ahead.var(0) / new.var(0), (1 - tau * w) ** 2, rtol=0.02)


def test_first_order_in_time_without_noise():
    "Half the step, half the error: x(t) = x₀ exp(-K t)."
    x0 = np.array([[1.0], [-2.0], [0.5]])
    errors = [
        np.max(
            abs(
                simulate(spring, x0=x0, n_particles=3, d=1, n_steps=n, dt=1 / n).x[-1]
                - x0 * np.exp(-K)
            )
        )
        for n in (10, 20, 40, 80)
    ]
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 1, atol=0.15)


def test_first_order_in_distribution_with_noise():
    """The bias of the variance of the scheme in its stationary state is β / K · K dt / 2 to first
    order: dt β / 2."""
    x0 = np.sqrt(BETA / K) * np.random.default_rng(0).normal(size=(200_000, 1))
    for dt in (0.4, 0.2):
        found = (
            simulate(
                spring,
                beta=BETA,
                x0=x0,
                n_particles=len(x0),
                d=1,
                n_steps=int(6 / dt),
                dt=dt,
                key=7,
            )
            .x[-1]
            .var()
        )
        np.testing.assert_allclose(
            found - BETA / K,
            BETA / K * (1 / (1 - K * dt / 2) - 1),
            atol=4 * found * np.sqrt(2 / len(x0)),
        )


def test_error_falls_with_the_number_of_particles():
    "Paired noisy displacements: the error of the drift falls as 1/√N."

    def error(n, seed):
        x0 = np.random.default_rng(seed).normal([1, 0], 1, (n, 2))
        seen = simulate(spring, beta=0.02, x0=x0, n_particles=n, n_steps=2, dt=0.05, key=seed)
        model = fit(replace(seen, paired=True), "jkonet-star-linear-potential", **EXACT)
        points = np.random.default_rng(99).normal([1, 0], 1, (200, 2))
        return np.sqrt(np.mean((np.asarray(model.drift(points)) + K * points) ** 2))

    errors = [np.mean([error(n, s) for s in range(6)]) for n in (60, 960)]
    assert 2 < errors[0] / errors[1] < 8  # 4 in theory


@pytest.fixture(scope="module")
def whole():
    "Models with every kind of term, on a population that is no Gaussian."
    g = np.random.default_rng(3)
    seen = simulate("styblinski_tang", "flowers", 0.1, n_particles=40, n_steps=2, key=3)
    small = {
        "jkonet-star": dict(epochs=5, hidden=(8,)),
        "jkonet-star-linear": dict(n_features=20, n_interaction_features=20),
        "jkonet-star-time-potential": dict(epochs=5, hidden=(8,)),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        return g.uniform(-3, 3, (6, 2)), {name: fit(seen, name, **s) for name, s in small.items()}


@pytest.mark.parametrize(
    "name", ["jkonet-star", "jkonet-star-linear", "jkonet-star-time-potential"]
)
def test_forces_are_differences_of_energies(whole, name):
    "-drift = ∇V + mean ∇W, by central differences in double precision."
    x, models = whole
    model = models[name]
    with jax.enable_x64(True):
        x, h, t = np.asarray(x, np.float64), 1e-5, 0.01

        def energy(p):
            v = np.asarray(model.potential(p, t), np.float64)
            if "interaction" not in model.energy:
                return v
            return v + np.mean(
                [np.asarray(model.interaction(p - q), np.float64) for q in x], axis=0
            )

        slopes = np.stack([(energy(x + h * e) - energy(x - h * e)) / (2 * h) for e in np.eye(2)], 1)
        drift = np.asarray(model.drift(x, t, x), np.float64)
    np.testing.assert_allclose(-drift, slopes, rtol=1e-4, atol=1e-4 * np.abs(slopes).max())


def test_an_interaction_is_even_and_zero_at_no_distance(whole):
    z = whole[0]
    for name in ("jkonet-star", "jkonet-star-linear"):
        model = whole[1][name]
        np.testing.assert_allclose(
            model.interaction(z), model.interaction(-z), rtol=1e-4, atol=1e-5
        )
        np.testing.assert_allclose(model.interaction(np.zeros(2)), 0, atol=1e-5)


def test_newtons_third_law(whole):
    "Forces of an even interaction add up to nothing: it cannot move the mean."
    x, models = whole
    model = models["jkonet-star-linear"]
    alone = replace(model, energy=Energy.of(model.energy["interaction"]))
    np.testing.assert_allclose(
        np.sum(alone.drift(x), 0), 0, atol=1e-4 * np.abs(alone.drift(x)).max()
    )
