"""The specifications that ship are plans without fault, the experiments run, and the kept tables
still draw."""

from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parent.parent
EXPERIMENTS = ROOT / "nbs" / "experiments"
TABLES = {"lightspeed": ["lightspeed.csv", "bilevel.csv"]} | {
    n: [f"{n}.csv"]
    for n in ("coupling", "general_energies", "pairing", "small_groups", "growth", "ablations")
}
SMALL = {  # what the page shows takes a minute each
    "lightspeed": {
        "solvers": ["jkonet-star-potential", "jkonet-star-linear-potential", "jkonet-vanilla"],
        "epochs": [5, 10],
        "bilevel_epochs": [1, 2],
        "n_particles": 100,
        "n_timesteps": 3,
    },
    "coupling": {
        "functions": "double_exp",
        "couplings": ["exact", "sinkhorn 0.1", "blocks 25"],
        "n_particles": 100,
        "n_timesteps": 3,
    },
    "pairing": {"functions": "styblinski_tang", "epochs": 5, "n_particles": 100, "n_timesteps": 3},
    "small_groups": {"populations": 3, "ways": ["whole"], "n_timesteps": 4},
    "general_energies": {
        "interactions": "styblinski_tang",
        "betas": 0.2,
        "epochs": 5,
        "n_particles": 100,
        "n_timesteps": 3,
    },
    "scaling": {"n_particles": [100, 200], "dimensions": [2, 5], "epochs": 5, "n_timesteps": 3},
    "growth": {
        "populations": ["wells", "still"],
        "solvers": "jkonet-star-linear-growth",
        "n_particles": 100,
        "n_timesteps": 3,
    },
    "ablations": {
        "groups": ["place", "beta"],
        "epochs": 3,
        "n_particles": 100,
        "n_timesteps": 3,
    },
}


@pytest.mark.parametrize("spec", sorted(EXPERIMENTS.glob("*.yaml")), ids=lambda p: p.stem)
def test_specification(spec, tmp_path):
    from jkonet_star.work.fit_plans import make_plan

    plan = make_plan(spec, tmp_path)
    assert plan.tasks and not any(t.done() for t in plan.tasks) and not list(tmp_path.iterdir())
    assert len({t.identity for t in plan.tasks}) == len(plan.tasks)
    assert {"all_data": 1575, "all_models": 15750}.get(spec.stem, len(plan.tasks)) == len(
        plan.tasks
    )


@pytest.mark.parametrize("name", TABLES)
def test_kept_tables_draw(name, tmp_path):
    import nbformat

    from jkonet_star.work.engine import execute

    tables = [str(EXPERIMENTS / "results" / t) for t in TABLES[name]]
    given = {
        "table": tables if name == "lightspeed" else tables[0],
        "result": str(tmp_path / "none.csv"),
    }
    execute(
        EXPERIMENTS / f"{name}.ipynb", tmp_path / "without.ipynb", given, skip=("figures",)
    )  # as in a task of a sweep
    execute(EXPERIMENTS / f"{name}.ipynb", tmp_path / "drawn.ipynb", given)
    outputs = [
        o for c in nbformat.read(tmp_path / "drawn.ipynb", 4).cells for o in c.get("outputs", [])
    ]
    assert sum("image/png" in o.get("data", {}) for o in outputs) >= 1 and not any(
        o.get("name") == "stderr" for o in outputs
    )
    assert not (tmp_path / "none.csv").exists()


@pytest.mark.parametrize("name", SMALL)
def test_small(name, tmp_path):
    import jax

    from jkonet_star.base.files import load_table
    from jkonet_star.work.engine import execute

    execute(
        EXPERIMENTS / f"{name}.ipynb",
        tmp_path / "run.ipynb",
        SMALL[name] | {"result": str(tmp_path / "result.csv")},
    )
    jax.clear_caches()
    assert len(load_table(tmp_path / "result.csv"))


@pytest.mark.parametrize(
    "notebook",
    sorted(
        p for p in ROOT.glob("nbs/*/*.ipynb") if '"parameters"' in p.read_text(encoding="utf-8")
    ),
    ids=lambda p: p.stem,
)
def test_lists_are_lists(notebook):
    """A parameter that is a list says of what, and may be given as one value; none is a text that
    is cut at its commas."""
    import json
    import re

    import papermill

    code = "\n".join(
        "".join(c["source"])
        for c in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        if c["cell_type"] == "code"
    )
    assert '.split(",")' not in code
    for name, found in papermill.inspect_notebook(notebook).items():
        kind = re.fullmatch(r"list\[(str|int|float)\]", found["inferred_type_name"])
        assert kind is None or f'{name} = as_list({name}, {kind[1]}, "{name}")' in code, (
            f"{name} = {found['default']}"
        )
        assert kind or found["inferred_type_name"] in ("str", "int", "float"), found


def test_one_value_is_a_list_of_one(tmp_path):
    from jkonet_star.base.files import load_table
    from jkonet_star.work.engine import execute

    given = {
        "functions": "sphere",
        "solvers": "jkonet-star-potential",
        "epochs": 2,
        "bilevel_epochs": 2,
        "n_particles": 60,
        "n_timesteps": 2,
        "result": str(tmp_path / "result.csv"),
    }
    execute(EXPERIMENTS / "lightspeed.ipynb", tmp_path / "run.ipynb", given, skip=("figures",))
    found = load_table(tmp_path / "result.csv")
    assert (
        set(found.function) == {"sphere"}
        and set(found.solver) == {"jkonet-star-potential"}
        and set(found.epochs) == {2}
    )


@pytest.mark.parametrize(
    "given, words",
    [
        ({"epochs": "10,30"}, "epochs: '10,30' is not a whole number"),
        ({"functions": "sphere,relu"}, "functions: 'sphere,relu' is one text"),
        ({"solvers": [3]}, "solvers: 3 is not a text"),
    ],
)
def test_another_kind_is_refused(given, words, tmp_path):
    from jkonet_star.work.engine import execute

    with pytest.raises(RuntimeError, match=words):
        execute(EXPERIMENTS / "lightspeed.ipynb", tmp_path / "run.ipynb", given)


def test_honest(monkeypatch):
    "A case of the benchmark whose numbers pages show, of few particles."
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import honest

    options = SimpleNamespace(n_particles=60, weak_only=True)
    rows = list(honest.part_a(options, "sphere", 0.2, 0))
    named = {row["solver"]: row for row in rows}
    known = named[honest.FOLLOWED]
    assert known["covered"] > 0.5 and known["drift_error"] < 0.5 and known["beta_error"] < 0.1
    assert named["the truth"]["emd_one_step"] > 0
