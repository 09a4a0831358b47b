"""Retracing is a defect: a second fit, prediction or evaluation of the same shapes compiles
nothing."""

import warnings

import pytest


@pytest.mark.parametrize(
    "solver, settings",
    [
        ("jkonet-star-linear-potential", {}),
        ("jkonet-star-linear", dict(n_features=30, n_interaction_features=20)),
        ("jkonet-star", dict(epochs=2, hidden=(8,))),
        ("jkonet-star-time-potential", dict(epochs=2, hidden=(8,))),
    ],
    ids=lambda a: a if isinstance(a, str) else "",
)
def test_second_fit_compiles_nothing(solver, settings):
    from jkonet_star.base.compiling import count_compilations
    from jkonet_star.base.errors import IdentifiabilityWarning
    from jkonet_star.data.simulate import simulate
    from jkonet_star.model.fit import fit
    from jkonet_star.transport.couple import couple

    counts = []
    for key in (0, 1):
        seen = simulate("styblinski_tang", n_particles=150, key=key)
        with warnings.catch_warnings(), count_compilations() as took:
            warnings.simplefilter("ignore", IdentifiabilityWarning)
            model = fit(couple(seen), solver, seed=key, **settings)
            model.predict(seen.x[0], seen.t), model.drift(seen.x[1], seen.t[1])
        counts.append(took["compilations"])
    assert counts[0] > 0 and counts[1] == 0, f"{counts[1]} compilations in the second fit"
