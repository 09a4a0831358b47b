"""Other packages take what this one gives and give what it takes. What the page prints of them is
what runs here; `python tools/interop.py` makes an environment that has them."""

import json
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest

PAGE = Path(__file__).parent.parent / "nbs/tutorials/interop.ipynb"
CELLS = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
BLOCKS = [
    block
    for cell in CELLS
    if cell["cell_type"] == "markdown"
    for block in re.findall(r"^```python\n(.*?)^```", "".join(cell["source"]), re.S | re.M)
]
pytestmark = pytest.mark.filterwarnings("ignore")  # they have their own


@pytest.fixture(scope="module")
def page():
    "What the page has made when it was run."
    pytest.importorskip("anndata")
    matplotlib.use("agg")
    made = {}
    for cell in CELLS:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), made)
    return made


def run(page, *words):
    "What the only block of the page with all of some words makes of cells of its own."
    found = [block for block in BLOCKS if all(word in block for word in words)]
    assert len(found) == 1, f"{len(found)} blocks with {words}"
    for package in re.findall(r"^(?:import|from) (\w+)", found[0], re.M):
        pytest.importorskip(package)
    made = page | {"adata": page["adata"].copy()}
    exec(found[0], made)
    matplotlib.pyplot.close("all")
    return made


def check_fates(made):
    "Cells that are of a type become it, progenitors more probably the type of their side."
    adata, fates = made["adata"], made["estimator"].fate_probabilities
    ends = {name.split("_")[0]: fates[name].X.ravel() for name in fates.names}
    assert ends.keys() == {"type A", "type B"}
    assert np.allclose(sum(ends.values()), 1, atol=1e-4)
    types, side = adata.obs["cell_type"], adata.obsm["X_pca"][:, 0]
    for name, share in ends.items():
        assert share[types == name].mean() > 0.9
    between = types == "progenitor"
    assert np.corrcoef(ends["type B"][between], side[between])[0, 1] > 0.8


def test_every_block_is_run():
    kinds = ("import scanpy as sc\n\nsc.pl", "import scvelo", "chain.matrix", "VelocityKernel")
    kinds += ("RealTimeKernel", "moscot")
    assert sorted(sum(kind in block for block in BLOCKS) for kind in kinds) == [1] * 6
    assert len(BLOCKS) == 6


def test_scanpy_plots_what_is_written(page):
    run(page, "import scanpy as sc\n\nsc.pl")


def test_scvelo_draws_streams(page):
    made = run(page, "import scvelo")
    velocity = made["adata"].obsm["velocity_umap"]
    assert np.array_equal(velocity, page["adata"].obsm["velocity_umap"])  # none of its own


def test_cellrank_takes_the_transitions(page):
    made = run(page, "chain.matrix")
    assert abs(made["kernel"].transition_matrix - page["chain"].matrix).max() < 1e-12
    check_fates(made)


def test_cellrank_takes_the_drift(page):
    check_fates(run(page, "VelocityKernel"))


def test_cellrank_takes_the_drift_of_genes(page):
    cellrank = pytest.importorskip("cellrank")
    import scanpy

    from jkonet_star import fit, from_anndata, to_anndata

    adata = page["adata"].copy()
    snapshots = from_anndata(adata, "day", "X")
    model = fit(snapshots, "jkonet-star-linear-potential", n_components=5)
    to_anndata(adata, model, "day", "X")
    scanpy.pp.neighbors(adata, use_rep="X_pca")
    kernel = cellrank.kernels.VelocityKernel(
        adata, attr="layers", xkey="X", vkey="jkonet_drift"
    ).compute_transition_matrix()
    assert np.allclose(kernel.transition_matrix.sum(1), 1)


def test_cellrank_takes_the_drift_of_some_columns(page):
    cellrank = pytest.importorskip("cellrank")
    import scanpy

    from jkonet_star import fit, from_anndata, to_anndata

    adata = page["adata"].copy()
    model = fit(from_anndata(adata, "day", n_components=3), "jkonet-star-linear-potential")
    to_anndata(adata, model, "day", key="three")
    scanpy.pp.neighbors(adata, use_rep="X_three")
    kernel = cellrank.kernels.VelocityKernel(adata, attr="obsm", xkey="X_three", vkey="three_drift")
    assert np.allclose(kernel.compute_transition_matrix().transition_matrix.sum(1), 1)


def test_cellrank_takes_couplings(page):
    made = run(page, "RealTimeKernel")
    matrix = made["kernel"].transition_matrix
    assert np.allclose(matrix.sum(1), 1)
    day, types = page["day"], page["types"]
    later = np.asarray(matrix @ (day[:, None] == np.unique(day)))  # where the mass of a cell goes
    assert np.allclose(later[day == 0].mean(0), [0.2, 0.8, 0, 0])
    plan = page["coupling_matrices"](page["couplings"], page["snapshots"])[0.0, 1.0]
    block = matrix[day == 0][:, day == 1]
    assert abs(block - 0.8 * 150 * plan).max() < 1e-9
    assert set(types) == {"progenitor", "type A", "type B"}


def test_couplings_of_moscot_are_learned_from(page):
    made = run(page, "moscot")
    theirs, model, x = made["theirs"], page["model"], page["x"]
    assert theirs.n_steps == 3 and theirs.converged.all()
    assert np.allclose(theirs.mass, 1, atol=1e-4)
    for k in range(3):
        plan = made["problem"].solutions[float(k), k + 1.0].transport_matrix
        assert np.isclose(theirs.w[theirs.rows(k)].max(), plan.max() / plan.sum(), rtol=1e-3)
    ours, learned = (np.asarray(m.drift(x)) for m in (model, made["learned"]))
    assert np.corrcoef(ours.ravel(), learned.ravel())[0, 1] > 0.9


def test_moscot_to_cellrank_by_way_of_us_is_what_it_is_directly(page):
    cellrank = pytest.importorskip("cellrank")
    made = run(page, "moscot")
    given = dict(self_transitions="diagonal", threshold=None)
    direct = cellrank.kernels.RealTimeKernel.from_moscot(made["problem"])
    matrices = page["coupling_matrices"](made["theirs"], page["snapshots"])
    named = page["named_couplings"](matrices, made["adata"], "day")
    ours = cellrank.kernels.RealTimeKernel(made["adata"], time_key="day", couplings=named)
    a, b = (k.compute_transition_matrix(**given).transition_matrix for k in (direct, ours))
    assert abs(a - b).max() < 1e-5


def test_growth_that_moscot_was_given_is_found_in_the_rows(page):
    pytest.importorskip("moscot")
    from moscot.problems.time import TemporalProblem

    adata = page["adata"].copy()
    adata.obs["sent"] = 1 + (adata.obsm["X_pca"][:, 0] > 0)
    problem = TemporalProblem(adata).prepare(
        time_key="day", joint_attr="X_pca", a="sent", b=None, marginal_kwargs={}
    )
    problem = problem.solve(epsilon=0.1)
    taken = page["couplings_from_matrices"](page["snapshots"], problem, growth=True)
    first, right = taken.step == 0, taken.x[:, 0] > 0
    rates = [taken.growth[first & side].mean() for side in (right, ~right)]
    assert np.isclose(rates[0] - rates[1], np.log(2), atol=0.05)


def test_wrong_matrices_of_moscot_get_a_sentence(page):
    pytest.importorskip("moscot")
    made = run(page, "moscot")
    from jkonet_star import InputError, Snapshots, couplings_from_matrices

    fewer = Snapshots([x[:100] for x in page["snapshots"].x], page["snapshots"].t)
    with pytest.raises(InputError, match=r"has shape \(150, 150\), between 100 and 100 particles"):
        couplings_from_matrices(fewer, made["problem"])
    hours = Snapshots(page["snapshots"].x, 24 * page["snapshots"].t)
    with pytest.raises(InputError, match="a matrix of time 1.0, but snapshots of"):
        couplings_from_matrices(hours, made["problem"])
