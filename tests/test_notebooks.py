"""Every notebook is a test: it runs top to bottom, in this process, without a kernel."""

import ast
import os
import re
import warnings
from pathlib import Path

import matplotlib
import pytest
from test_experiments import EXPERIMENTS, SMALL

matplotlib.use("agg")
ROOT = Path(__file__).parent.parent
NBS = ROOT / "nbs"
NEWEST = {"anndata", "reading", "cells", "particles", "predict"}  # also on the newest Python
NOTEBOOKS = sorted(
    p
    for p in NBS.rglob("*.ipynb")
    if not any(q.startswith((".", "_")) for q in p.relative_to(NBS).parts)
    and not (p.parent == EXPERIMENTS and p.stem in SMALL)
)


@pytest.fixture
def as_package(monkeypatch):
    """For `coverage run`: the cells that nbdev exports count as the lines of the package that they
    are."""
    if "COVERAGE_RUN" not in os.environ:
        return
    from execnb.shell import CaptureShell
    from IPython.core.compilerop import CachingCompiler

    plain = lambda text: re.sub(
        r"from (\.+|jkonet_star\.)(?=\w)[\w.]*", "from", re.sub(r"^#\|.*\n", "", text, flags=re.M)
    ).strip()
    exported = {}
    for path in (ROOT / "jkonet_star").rglob("*.py"):
        text = path.read_text()
        for cell in re.finditer(r"^# %% .*\n((?:(?!# %% ).*\n)*)", text, re.M):
            exported[plain(cell[1])] = str(path), text.count("\n", 0, cell.start(1))

    class Compiler(CachingCompiler):
        def place(self, source):
            return exported.get(plain(source))

        def ast_parse(self, source, *args, **kwargs):
            tree = super().ast_parse(source, *args, **kwargs)
            if self.place(source):
                ast.increment_lineno(tree, self.place(source)[1])
            return tree

        def get_code_name(self, raw_code, transformed_code, number):
            return (
                self.place(raw_code)[0]
                if self.place(raw_code)
                else super().get_code_name(raw_code, transformed_code, number)
            )

    monkeypatch.setattr(CaptureShell, "compiler_class", Compiler)


def is_newest(path):
    "Whether a chapter runs on the newest Python too, by .ci/run."
    return path.parent.name[0].isdigit() and path.stem.partition("_")[2] in NEWEST


@pytest.mark.parametrize(
    "notebook",
    [pytest.param(p, marks=pytest.mark.newest if is_newest(p) else ()) for p in NOTEBOOKS],
    ids=lambda p: f"{p.parent.name}-{p.stem}",
)
def test_notebook(notebook, as_package):
    import jax
    from nbdev.test import test_nb

    with warnings.catch_warnings():  # what one chapter ignores, the next does not
        passed, _ = test_nb(notebook, skip_flags=["notest", "slow"], basepath=NBS)
    # compiled programs of one chapter are of no use to the next, and take gigabytes in all
    jax.clear_caches()
    assert passed, f"{notebook.name} failed: the traceback is above"
