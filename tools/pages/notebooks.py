"""Notebooks to pages: Markdown, code, kept outputs, figures with alternative texts."""

import base64
import html
import json
import posixpath
import re
import shutil
import struct
from dataclasses import dataclass, field

import yaml
from markdown_it import MarkdownIt
from math_core import LatexToMathML
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from .api import document

LATEX = LatexToMathML()


@dataclass
class Page:
    "One notebook as it becomes one page; `href` is relative to the top of the site."

    source: str
    section: str
    href: str
    cells: list = field(default_factory=list)  # (kind, directives, text, outputs)
    title: str = ""
    lead: str = ""
    module: str = ""
    front: dict = field(default_factory=dict)
    body: str = ""
    headings: list = field(
        default_factory=list
    )  # (level, id, text, whether it is a name of the package)
    figures: list = field(default_factory=list)  # (address from the top, alternative text)

    def to(self, href):
        "The address `href`, seen from this page."
        return posixpath.relpath(href, posixpath.dirname(self.href) or ".")


def directives(source):
    "The `#|` lines at the top of a cell as a dict, and the rest."
    lines, found = source.splitlines(), {}
    while lines and lines[0].startswith("#|"):
        name, colon, value = lines.pop(0)[2:].strip().partition(":")
        found |= {name: yaml.safe_load(value)} if colon else {name.split()[0]: name.split()[1:]}
    return found, "\n".join(lines).strip()


def read_page(root, source, section=""):
    """A `Page` whose cells are read and whose body is still to be made. Title and lead are the `#`
    and `>` lines of its first cell."""
    page = Page(
        source, section, re.sub(r"(^|/)\d+_", r"\1", source).removesuffix(".ipynb") + ".html"
    )
    for cell in json.loads((root / source).read_text(encoding="utf-8"))["cells"]:
        flags, text = directives("".join(cell["source"]))
        text = re.sub(
            r"^\{\{< include (\S+) >\}\}$",
            lambda m: (root / source).parent.joinpath(m[1]).read_text(encoding="utf-8"),
            text,
            flags=re.M,
        )
        page.module = "".join(flags.get("default_exp", page.module))
        heading = (
            re.match(r"# (.*)\n*((?:>.*\n?)*)", text)
            if cell["cell_type"] == "markdown" and not page.title
            else None
        )
        if heading:
            page.title, page.lead, text = (
                heading[1].strip(),
                re.sub(r"^> ?", "", heading[2], flags=re.M).strip(),
                text[heading.end() :],
            )
        if cell["cell_type"] == "raw":
            page.front |= yaml.safe_load(text.strip("-\n")) or {}
        page.cells.append((cell["cell_type"], flags, text, cell.get("outputs", [])))
    return page


def colour(code, language):
    "Code as HTML."
    try:
        lexer = get_lexer_by_name(language or "text")
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    marked = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return f'<pre class="code" tabindex="0"><code>{marked}</code></pre>'


def folded(code):
    "Python code that is there for who asks."
    return f'<details class="source"><summary>Code</summary>{colour(code, "python")}</details>'


class Writer:
    """Makes the bodies of pages. `names` are the addresses of the package's public names, `hrefs`
    those of the notebooks."""

    def __init__(self, root, out, hrefs, names, repository):
        self.root, self.out, self.hrefs, self.names, self.repository = (
            root,
            out,
            hrefs,
            names,
            repository,
        )
        self.md = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
        self.md.use(
            dollarmath_plugin,
            renderer=lambda text, options: LATEX.convert_with_local_state(
                text, displaystyle=options["display_mode"]
            ),
        )
        rules = {
            "heading_open": self.heading,
            "code_inline": self.code,
            "fence": self.fence,
            "image": self.image,
            "link_open": self.link,
        }
        for name, rule in rules.items():
            self.md.add_render_rule(
                name, lambda md, tokens, i, options, env, rule=rule: rule(tokens, i, env)
            )
        for name, tag in {
            "table_open": '<div class="scroll" tabindex="0"><table>',
            "table_close": "</table></div>",
        }.items():
            self.md.add_render_rule(name, lambda md, tokens, i, options, env, tag=tag: tag)

    def write(self, page):
        "Fill in `body`, `headings` and `figures`."
        self.page, self.level = page, 1
        self.ids = {
            t.partition("#")[2] for t in self.names.values() if t.startswith(page.href + "#")
        }
        page.lead = self.md.renderInline(page.lead)
        page.body = "\n".join(self.cell(*c) for c in page.cells)

    def markdown(self, text, own=()):
        "Markdown as HTML; code that is one of the names `own` is no link."
        return self.md.render(text, {"own": own})

    # Rules for Markdown

    def heading(self, tokens, i, env):
        level = int(tokens[i].tag[1])
        text = "".join(t.content for t in tokens[i + 1].children)
        ident = re.sub(r"\W+", "-", text.lower()).strip("-")
        while ident in self.ids:
            ident += "-"
        self.ids.add(ident)
        self.page.headings.append((level, ident, text, False))
        self.level = level
        return f'<h{level} id="{ident}">'

    def code(self, tokens, i, env):
        text = tokens[i].content
        name = re.sub(r"\(.*\)$", "", text)
        target = self.names.get(f"{self.page.module}.{name}") or self.names.get(name)
        inside = sum((t.type == "link_open") - (t.type == "link_close") for t in tokens[:i])
        shown = f"<code>{html.escape(text)}</code>"
        return (
            shown
            if inside or not target or text in env.get("own", ())
            else f'<a href="{self.page.to(target)}">{shown}</a>'
        )

    def fence(self, tokens, i, env):
        return colour(tokens[i].content, tokens[i].info.strip())

    def beside(self, address):
        "An address in a notebook, from the top of `nbs/`."
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.page.source), address))

    def link(self, tokens, i, env):
        href, hash_, anchor = tokens[i].attrs["href"].partition("#")
        if href and "://" not in href:
            source = self.beside(href)
            href = self.page.to(self.hrefs[source]) if source in self.hrefs else self.copied(source)
        return f'<a href="{html.escape(href + hash_ + anchor)}">'

    def image(self, tokens, i, env):
        source = self.beside(tokens[i].attrs["src"])
        return self.figure(
            self.copied(source), tokens[i].content, (self.root / source).read_bytes()
        )

    def copied(self, source):
        "The address, from the page, of a file beside the notebooks, which is copied into the site."
        if not (self.root / source).is_file():
            raise SystemExit(f"{self.page.source} refers to {source}, which is not in {self.root}")
        (self.out / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.root / source, self.out / source)
        return self.page.to(source)

    # Cells

    def cell(self, kind, flags, text, outputs):
        if kind == "markdown":
            return self.markdown(text)
        if kind != "code" or not text or {"hide", "default_exp"} & flags.keys():
            return ""
        if {"export", "exporti"} & flags.keys():
            return self.exported(text)
        alts = flags.get("fig-alt", [])
        alts = [alts] if isinstance(alts, str) else list(alts)
        shown = (
            ""
            if flags.get("echo") is False
            else folded(text)
            if flags.get("code-fold")
            else colour(text, "python")
        )
        caption = (
            f'<p class="caption">{self.md.renderInline(flags["fig-cap"])}</p>'
            if "fig-cap" in flags
            else ""
        )
        results = "".join(self.output(o, alts) for o in outputs)
        return f'<div class="cell">{shown}{results}{caption}</div>'

    def exported(self, text):
        "The documentation of the public names that a cell defines, and its code, folded."
        defined = re.findall(r"^(?:def |class )?(\w+)(?=[(:]| *=)", text, flags=re.M)
        parts = []
        for name in defined:
            if self.names.get(f"{self.page.module}.{name}", "").startswith(self.page.href):
                self.page.headings.append((self.level + 1, name, name, True))
                parts.append(
                    document(
                        f"jkonet_star.{self.page.module}",
                        name,
                        self.level + 1,
                        self.markdown,
                        colour,
                        self.repository,
                    )
                )
        if defined:
            parts.append(folded(text))
        return "".join(parts)

    def output(self, out, alts):
        data = {k: "".join(v) for k, v in out.get("data", {}).items()}
        kind = next((k for k in ("png", "gif") if f"image/{k}" in data), None)
        if kind:
            page = self.page.href.removesuffix(".html").replace("/", "-")
            name = f"figures/{page}-{len(self.page.figures) + 1}.{kind}"
            image = base64.b64decode(data[f"image/{kind}"])
            (self.out / "figures").mkdir(exist_ok=True)
            (self.out / name).write_bytes(image)
            section = self.page.headings[-1][2] if self.page.headings else self.page.title
            return self.figure(
                self.page.to(name),
                alts.pop(0) if alts else f"Figure in the section {section}",
                image,
            )
        if "text/html" in data:
            table = re.sub(
                r"<style.*?</style>|<caption></caption>| border=\"1\"| style=\"[^\"]*\"",
                "",
                data["text/html"],
                flags=re.S,
            )
            values = re.findall(r"<td[^>]*>(.*?)</td>", table)
            numbers = (
                " numbers"
                if 2 * sum(bool(re.match(r"[-+−]?[\d.]|nan", v)) for v in values) > len(values)
                else ""
            )
            return f'<div class="scroll output{numbers}" tabindex="0">{table}</div>'
        if "text/markdown" in data:
            return self.markdown(data["text/markdown"])
        text = re.sub(
            r"\x1b\[[0-9;]*m", "", "".join(out.get("text", data.get("text/plain", "")))
        ).rstrip()
        return f'<pre class="output" tabindex="0">{html.escape(text)}</pre>' if text else ""

    def figure(self, address, alt, image):
        width, height = (
            struct.unpack("<HH", image[6:10])
            if image.startswith(b"GIF")
            else struct.unpack(">II", image[16:24])
        )
        self.page.figures.append(
            (posixpath.normpath(posixpath.join(posixpath.dirname(self.page.href), address)), alt)
        )
        wide = " wide" if width > 1.8 * height else ""
        size = f'width="{width}" height="{height}"'
        image = f'<img src="{address}" alt="{html.escape(alt)}" {size}>'
        return f'<span class="figure{wide}" tabindex="0">{image}</span>'
