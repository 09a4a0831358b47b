"""Every notebook is a test: it runs top to bottom, in this process, without a kernel."""
import os
import tempfile
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("agg")
NBS = Path(__file__).parent.parent / "nbs"
NOTEBOOKS = sorted(p for p in NBS.rglob("*.ipynb") if not any(q.startswith((".", "_")) for q in p.relative_to(NBS).parts))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook(notebook, monkeypatch):
    from nbdev.test import test_nb
    with tempfile.TemporaryDirectory() as home:
        monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", os.path.join(home, "cache"))
        passed, _ = test_nb(notebook, skip_flags=["notest", "slow"], basepath=NBS)
    assert passed, f"{notebook.name} failed: the traceback is above"
