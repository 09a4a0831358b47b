"""The options of the bilevel solvers that their chapter only names: each trains."""

import numpy as np
import pytest

TINY = dict(epochs=2, batch_size=50, hidden=(8,), map_hidden=(8,), inner_steps=10)


@pytest.mark.parametrize(
    "settings",
    [
        ("JKOnet", dict(differentiation="unrolled", convexity="penalty")),
        (
            "MongeGap",
            dict(teacher_forcing=True, warm_start=False, inner_tolerance=0.1, inner_min_steps=2),
        ),
    ],
    ids=lambda s: s[0],
)
def test_options(settings):
    from jkonet_star.bilevel import maps
    from jkonet_star.bilevel.training import fit_bilevel
    from jkonet_star.data.simulate import simulate
    from jkonet_star.data.snapshots import Snapshots
    from jkonet_star.transport.couple import couple

    name, options = settings
    whole = simulate("styblinski_tang", n_particles=110)
    uneven = Snapshots(
        tuple(x[:n] for x, n in zip(whole.x, (90, 60, 110))), np.array([0.0, 0.02, 0.03])
    )
    energy, params, stats = fit_bilevel(
        couple(uneven), ("potential",), getattr(maps, name)(**TINY, **options)
    )
    assert stats["stopped"] is None and np.isfinite(stats["losses"][:, 0]).all()
    assert np.isfinite(
        np.asarray(energy["potential"].value(params["potential"], uneven.x[0]))
    ).all()
