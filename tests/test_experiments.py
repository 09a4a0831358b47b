"""The specifications that ship are plans without fault, the experiments run, and the kept tables still draw."""
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parent.parent / "nbs" / "experiments"
TABLES = {"lightspeed": "lightspeed.csv,bilevel.csv"} | {n: f"{n}.csv" for n in ("coupling", "general_energies", "pairing", "ablations")}
SMALL = {  # what the page shows takes a minute each
    "lightspeed": {"solvers": "jkonet-star-potential,jkonet-star-linear-potential,jkonet-vanilla"}, "coupling": {"functions": "double_exp"}, "pairing": {"functions": "styblinski_tang"},
    "general_energies": {"interactions": "styblinski_tang"}, "scaling": {"n_particles": "150,300", "dimensions": "2,5", "epochs": 50}}


@pytest.mark.parametrize("spec", sorted(EXPERIMENTS.glob("*.yaml")), ids=lambda p: p.stem)
def test_specification(spec, tmp_path):
    from jkonet_star.sweep import make_plan
    plan = make_plan(spec, tmp_path)
    assert plan.tasks and not any(t.done() for t in plan.tasks) and not list(tmp_path.iterdir())
    assert len({t.identity for t in plan.tasks}) == len(plan.tasks)
    assert {"all_data": 1575, "all_models": 15750}.get(spec.stem, len(plan.tasks)) == len(plan.tasks)


@pytest.mark.parametrize("name", TABLES)
def test_kept_tables_draw(name, tmp_path):
    import nbformat
    from jkonet_star.sweep import execute
    tables = ",".join(str(EXPERIMENTS / "results" / t) for t in TABLES[name].split(","))
    given = {"table": tables, "result": str(tmp_path / "none.csv")}
    execute(EXPERIMENTS / f"{name}.ipynb", tmp_path / "without.ipynb", given, skip=("figures",))  # as in a task of a sweep
    execute(EXPERIMENTS / f"{name}.ipynb", tmp_path / "drawn.ipynb", given)
    outputs = [o for c in nbformat.read(tmp_path / "drawn.ipynb", 4).cells for o in c.get("outputs", [])]
    assert sum("image/png" in o.get("data", {}) for o in outputs) >= 1 and not any(o.get("name") == "stderr" for o in outputs)
    assert not (tmp_path / "none.csv").exists()


@pytest.mark.parametrize("name", SMALL)
def test_small(name, tmp_path):
    import jax
    from jkonet_star.runs import load_table
    from jkonet_star.sweep import execute
    execute(EXPERIMENTS / f"{name}.ipynb", tmp_path / "run.ipynb", SMALL[name] | {"result": str(tmp_path / "result.csv")})
    jax.clear_caches()
    assert len(load_table(tmp_path / "result.csv"))
