"""Every public name says what it is, and every figure what it shows."""

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
MODULES = sorted(
    ".".join(p.relative_to(ROOT / "jkonet_star").with_suffix("").parts)
    for p in (ROOT / "jkonet_star").rglob("[!_]*.py")
)
NOTEBOOKS = sorted(
    p.relative_to(ROOT / "nbs").as_posix()
    for p in (ROOT / "nbs").rglob("*.ipynb")
    if ".ipynb_checkpoints" not in p.parts
)


@pytest.mark.parametrize("module", MODULES)
def test_public_names_have_a_docstring(module):
    import inspect

    from pages.api import methods, public, summary

    found = {}
    for name, obj in public(f"jkonet_star.{module}").items():
        found |= {name: obj} | {
            f"{name}.{m}": f for m, f in (methods(obj) if inspect.isclass(obj) else {}).items()
        }
    without = [name for name, obj in found.items() if not summary(obj)]
    assert not without, f"jkonet_star.{module}: no docstring for {', '.join(without)}"


def test_a_class_in_parts_is_documented_as_one():
    from pages.api import methods, parameters

    from jkonet_star.model.solution import Solution

    assert {"encode", "potential", "drift", "predict", "save"} <= methods(Solution).keys()
    assert "how it went" in parameters(Solution, str)


def test_a_missing_docstring_is_seen():
    from dataclasses import make_dataclass

    from pages.api import summary

    assert not any(
        map(
            summary,
            (
                lambda x: x,
                property(lambda self: 0),
                type("Silent", (ValueError,), {}),
                make_dataclass("Plain", ["x"]),
            ),
        )
    )


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_figures_have_a_text_of_their_own(notebook):
    from pages.notebooks import read_page

    without = []
    for _, flags, text, outputs in read_page(ROOT / "nbs", notebook).cells:
        figures = sum(bool({"image/png", "image/gif"} & o.get("data", {}).keys()) for o in outputs)
        texts = flags.get("fig-alt", [])
        if figures > len([texts] if isinstance(texts, str) else texts) and "hide" not in flags:
            without.append(text.splitlines()[-1])
    assert not without, (
        f"{notebook}: give these cells a line `#| fig-alt: what the figure shows`: {without}"
    )


def settings_classes():
    from jkonet_star.model.methods import solvers
    from jkonet_star.work.dataset_options import DatasetOptions

    return [DatasetOptions, *dict.fromkeys(method.settings for _, method in solvers.values())]


def test_every_setting_has_a_help_and_a_default_within_its_bounds():
    from dataclasses import fields

    classes = settings_classes()
    assert len(classes) == 8
    for cls in classes:
        cls()  # or an `InputError`
        without = [f.name for f in fields(cls) if not f.metadata.get("help")]
        assert not without, f"{cls.__name__}: no help for {without}"


def test_help_shows_every_setting_with_type_default_and_bounds():
    from click.testing import CliRunner

    from jkonet_star.base.settings import bounds, flag, own_fields
    from jkonet_star.cli import cli

    data, *methods = settings_classes()
    for command, classes in ("generate", [data]), ("train", methods):
        shown = " ".join(CliRunner().invoke(cli, [command, "--help"]).output.split()).replace(
            "- ", "-"
        )  # lines end at hyphens
        for cls in classes:
            part = shown if cls is data else shown[shown.index(f" {cls.title}: of jkonet") :]
            for f in own_fields(cls):
                row = part[part.index(f" {flag(f.name)}") :].removeprefix(" --").split(" --")
                row = (
                    "".join(row[:2]) if type(f.default) is bool else row[0]
                )  # --warm-start / --no-warm-start
                assert f.metadata["help"].replace("- ", "-") in row and bounds(f) in row, (cls, row)
                if type(f.default) in (int, float, tuple):
                    values = f.default if isinstance(f.default, tuple) else (f.default,)
                    assert f"default: {','.join(map(str, values))}" in row, row
                    assert {int: " INTEGER", float: " FLOAT"}[
                        type(values[0])
                    ] + ",..." * isinstance(f.default, tuple) in row, row


def test_the_reference_shows_settings():
    from pages.api import settings

    from jkonet_star.bilevel.maps import JKOnet
    from jkonet_star.regression.gradient_descent import GradientDescent

    shown = settings(GradientDescent, lambda text: text)
    assert (
        "<td><code>validation</code></td><td><code>0.1</code></td><td>at least 0 and below 1</td>"
        in shown
    )
    assert "<code>silu</code>, <code>softplus</code>" in shown
    shown = settings(JKOnet, lambda text: text)
    assert "convexity_penalty" in shown and "epochs" not in shown
    assert settings(ValueError, str) == ""


def sources(text):
    "First authors and years that follow the word Source."
    name = r"([A-Z]\w+)(?:(?:,| &| and| et)[^();]*)? \((\d{4})"
    return {pair for part in text.split("Source:")[1:] for pair in re.findall(name, part[:200])}


def test_every_source_is_in_the_bibliography():
    book = json.loads((ROOT / "nbs/tutorials/bibliography.ipynb").read_text())
    lines = "".join("".join(cell["source"]) for cell in book["cells"]).splitlines()
    named = set().union(*(sources(p.read_text()) for p in (ROOT / "jkonet_star").rglob("*.py")))
    assert ("Terpin", "2024") in named and ("Newey", "2009") in named
    missing = [(a, year) for a, year in named if not any(a in s and year in s for s in lines)]
    assert not missing
