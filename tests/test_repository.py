"""What must hold of the repository as a whole: clean notebooks, an exported package in step with
them."""

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def copy(tmp_path):
    here = tmp_path / "copy"
    noise = shutil.ignore_patterns(
        ".git", ".venv", "venv", "__pycache__", "*.egg-info", "_docs", "_proc", ".coverage*",
        ".pytest_cache",
    )  # fmt: skip
    made = {"data", "out"}  # by commands, at the top
    shutil.copytree(
        ROOT,
        here,
        symlinks=True,
        ignore=lambda at, names: noise(at, names) | (made if Path(at) == ROOT else set()),
    )
    return here


def nbdev(command, here):
    subprocess.run(
        [sys.executable, "-c", f"from nbdev.{command}"],
        cwd=here,
        check=True,
        env={**os.environ, "PYTHONPATH": str(here)},
    )


def test_package_is_exported_from_the_notebooks(tmp_path):
    here = copy(tmp_path)
    nbdev("doclinks import nbdev_export; nbdev_export.__wrapped__()", here)
    made, kept = (
        {p.relative_to(d).as_posix() for p in (d / "jkonet_star").rglob("*.py")}
        for d in (here, ROOT)
    )
    assert made == kept
    changed = filecmp.cmpfiles(here, ROOT, made, shallow=False)[1]
    assert not changed, f"run nbdev_export: {changed} differ from the notebooks"


def test_notebooks_are_clean(tmp_path):
    here = copy(tmp_path)
    nbdev("clean import nbdev_clean; nbdev_clean.__wrapped__()", here)
    for p in (ROOT / "nbs").rglob("*.ipynb"):
        before, after = (json.loads(q.read_text()) for q in (p, here / p.relative_to(ROOT)))
        assert before == after, f"run nbdev_clean: {p.name} has metadata or execution counts"


def test_outputs_have_no_errors_warnings_or_paths_of_a_machine():
    for p in (ROOT / "nbs").rglob("*.ipynb"):
        for cell in json.loads(p.read_text())["cells"]:
            for out in cell.get("outputs", []):
                text = json.dumps(out)
                assert out["output_type"] != "error" and out.get("name") != "stderr", (
                    f"{p.name} keeps an error or a warning: {text[:300]}"
                )
                assert "/home/" not in text and "/work/" not in text and "/root/" not in text, (
                    f"{p.name} shows a path of one machine"
                )


def test_importing_the_command_line_does_not_import_jax():
    code = (
        "import sys, jkonet_star.cli; "
        "assert not {'jax', 'ot', 'matplotlib', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_settings_imports_neither_jax_nor_numpy():
    code = (
        "import sys, jkonet_star.base.settings; "
        "assert not {'jax', 'numpy', 'click'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_readme_is_the_index_notebook():
    sys.path.insert(0, str(ROOT / "tools"))
    from readme import readme

    assert (ROOT / "README.md").read_text() == readme(ROOT), "run python tools/readme.py"


def test_constraints_fit_the_bounds():
    from packaging.utils import canonicalize_name

    sys.path.insert(0, str(ROOT / "tools"))
    from constraints import asked

    tested = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    )
    for r in asked(ROOT):
        assert r.specifier.contains(tested[canonicalize_name(r.name)]), (
            f"{r} in settings.ini, {tested[canonicalize_name(r.name)]} in constraints.txt: "
            "run python tools/constraints.py"
        )


def test_contributing_has_the_commands_of_its_notebook():

    blocks = [
        re.search(r"```sh\n(.*?)```", text, re.S)[1]
        for text in (
            (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
            "".join(
                "".join(c["source"])
                for c in json.loads(
                    (ROOT / "nbs/tutorials/contributing.ipynb").read_text(encoding="utf-8")
                )["cells"]
            ),
        )
    ]
    assert blocks[0] == blocks[1]


def test_the_citation_is_that_of_the_readme():
    import yaml

    paper = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))[
        "preferred-citation"
    ]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for said in (
        f"title={{{paper['title']}}}",
        f"volume={{{paper['volume']}}}",
        f"pages={{{paper['start']}--{paper['end']}}}",
        f"year={{{paper['year']}}}",
    ):
        assert said in readme


def test_the_workflow_runs_what_ci_runs_on_every_python_of_setup():

    import yaml

    jobs = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))["jobs"]
    named = re.findall(r"Python :: (3\.\d+)", (ROOT / "setup.py").read_text(encoding="utf-8"))
    assert jobs["test"]["strategy"]["matrix"]["python"] == named
    assert jobs["test"]["steps"][-1]["run"] == "bash .ci/run"


def test_every_reference_is_on_the_page_of_the_bibliography():
    from jkonet_star.model.citation import references

    page = (ROOT / "nbs/tutorials/bibliography.ipynb").read_text(encoding="utf-8").lower()
    for key, entry in references().items():
        title = re.search(r"  title = \{(.*)\},", entry)[1].lower()
        assert title in page, f"{key} is in references.bib, not on the page"


def test_code_is_formatted():
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "-q", "nbs", "tests", "tools", "benchmarks"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
