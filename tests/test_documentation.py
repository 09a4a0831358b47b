"""Every public name says what it is, and every figure what it shows."""
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
MODULES = sorted(p.stem for p in (ROOT / "jkonet_star").glob("[!_]*.py"))
NOTEBOOKS = sorted(p.relative_to(ROOT / "nbs").as_posix() for p in (ROOT / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)


@pytest.mark.parametrize("module", MODULES)
def test_public_names_have_a_docstring(module):
    import inspect
    from pages.api import methods, public, summary
    found = {}
    for name, obj in public(f"jkonet_star.{module}").items():
        found |= {name: obj} | {f"{name}.{m}": f for m, f in (methods(obj) if inspect.isclass(obj) else {}).items()}
    without = [name for name, obj in found.items() if not summary(obj)]
    assert not without, f"jkonet_star.{module}: no docstring for {', '.join(without)}"


def test_a_missing_docstring_is_seen():
    from dataclasses import make_dataclass
    from pages.api import summary
    assert not any(map(summary, (lambda x: x, property(lambda self: 0), type("Silent", (ValueError,), {}), make_dataclass("Plain", ["x"]))))


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_figures_have_a_text_of_their_own(notebook):
    from pages.notebooks import read_page
    without = []
    for _, flags, text, outputs in read_page(ROOT / "nbs", notebook).cells:
        figures = sum(bool({"image/png", "image/gif"} & o.get("data", {}).keys()) for o in outputs)
        texts = flags.get("fig-alt", [])
        if figures > len([texts] if isinstance(texts, str) else texts) and "hide" not in flags:
            without.append(text.splitlines()[-1])
    assert not without, f"{notebook}: give these cells a line `#| fig-alt: what the figure shows`: {without}"
