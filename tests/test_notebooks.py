"""Every notebook is a test: it runs top to bottom, in this process, without a kernel."""
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("agg")
NBS = Path(__file__).parent.parent / "nbs"
NOTEBOOKS = sorted(p for p in NBS.rglob("*.ipynb") if not any(q.startswith((".", "_")) for q in p.relative_to(NBS).parts))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook(notebook):
    import jax
    from nbdev.test import test_nb
    passed, _ = test_nb(notebook, skip_flags=["notest", "slow"], basepath=NBS)
    jax.clear_caches()  # compiled programs of one chapter are of no use to the next, and take gigabytes in all
    assert passed, f"{notebook.name} failed: the traceback is above"
