"""How the book is built: chapters import earlier ones, and every export cell is shown in use."""

import ast
import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

NBS = Path(__file__).parent.parent / "nbs"
LONGEST = 310  # exported lines of a chapter: about 250


class Cell(NamedTuple):
    "A code cell without its directives."

    exported: bool
    code: str


class Chapter(NamedTuple):
    "A notebook that exports a module."

    module: str
    path: Path
    cells: list[Cell]


def chapter(path):
    "The `Chapter` of a notebook; `module` is empty for a page that exports none."
    module, cells = "", []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        named = re.search(r"^#\|\s*default_exp (\S+)", source, re.M)
        if named:
            module = named[1]
        elif cell["cell_type"] == "code":
            exported = re.search(r"^#\|\s*exporti?\b", source, re.M) is not None
            code = re.sub(r"^#\|.*\n?|^\s*[%!].*$", "", source, flags=re.M)
            cells.append(Cell(exported, code))
    return Chapter(module, path, cells)


BOOK = [chapter(p) for p in sorted(NBS.glob("[0-9]_*/*.ipynb"))]
PLACE = {c.module: i for i, c in enumerate(BOOK)}
NAMES = [f"{c.path.parent.name}-{c.path.stem}" for c in BOOK]


def definitions(code):
    "Functions and classes that a cell defines, methods that it adds to a class included."
    found = []
    for node in ast.parse(code).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.append(node.name)
    return found


def names(code):
    "All names and attributes that a cell mentions."
    nodes = list(ast.walk(ast.parse(code)))
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {
        n.attr for n in nodes if isinstance(n, ast.Attribute)
    }


def only_imports(code):
    return all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in ast.parse(code).body)


def unshown(found):
    "Sentences on export cells of a chapter that are not shown in use."
    wrong = []
    for i, cell in enumerate(found.cells):
        defined = definitions(cell.code) if cell.exported else []
        if not defined:
            continue
        after = [c for c in found.cells[i + 1 :] if not only_imports(c.code)]
        if not after or after[0].exported or not names(after[0].code) & set(defined):
            wrong.append(f"no cell calls {', '.join(defined)} right after it is defined")
        used = set().union(*(names(c.code) for c in after if not c.exported), ())
        wrong += [f"no cell of the chapter calls {d}" for d in defined if d not in used]
    return wrong


def imported(code):
    "Modules of the package that a cell imports, within functions too."
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module != "jkonet_star":
            yield node.module.removeprefix("jkonet_star.")


@pytest.mark.parametrize("found", BOOK, ids=NAMES)
def test_every_export_cell_is_followed_by_a_cell_that_calls_it(found):
    assert not unshown(found), "\n".join(unshown(found))


@pytest.mark.parametrize("found", BOOK, ids=NAMES)
def test_a_chapter_imports_earlier_ones_only(found):
    for cell in found.cells:
        later = [m for m in imported(cell.code) if PLACE.get(m, -1) > PLACE[found.module]]
        assert not later, f"{found.module} imports {later}, which come later in the book"


@pytest.mark.parametrize("found", BOOK, ids=NAMES)
def test_a_chapter_can_be_held_in_the_head(found):
    lines = sum(len(c.code.strip().splitlines()) for c in found.cells if c.exported)
    assert lines <= LONGEST, f"{found.module} exports {lines} lines: split it"


def test_a_cell_that_nothing_calls_is_seen():
    cells = [Cell(True, "def f(): pass\ndef g(): pass"), Cell(False, "f()")]
    assert unshown(Chapter("m", Path("m"), cells)) == ["no cell of the chapter calls g"]
    assert len(unshown(Chapter("m", Path("m"), cells[:1]))) == 3
