"""Write the site into `_docs`: `python tools/site.py`.

`_quarto.yml` says which pages there are and in which order, notebooks give their text and kept
outputs, the package its documentation. Nothing is
executed, nothing is fetched, and the pages ask no other host for anything: formulas become MathML
here, and the search is a file of its own.
"""

import argparse
import configparser
import html
import json
import posixpath
import re
import shutil
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader
from pages.api import anchors
from pages.notebooks import Writer, read_page

from jkonet_star.base.files import atomic_write

ROOT = Path(__file__).parent.parent
ASSETS = Path(__file__).parent / "pages"


def entries(contents, section=""):
    "Notebooks and the titles of their sections, in the order of a Quarto sidebar."
    for item in contents:
        if isinstance(item, str):
            yield item, section
        else:
            yield from entries(item["contents"], item["section"])


def read_pages(root):
    "All pages in order. A notebook that the sidebar does not name, or names in vain, is an error."
    listed = dict(
        entries(
            yaml.safe_load((root.parent / "_quarto.yml").read_text(encoding="utf-8"))["website"][
                "sidebar"
            ]["contents"]
        )
    )
    there = {
        p.relative_to(root).as_posix()
        for p in root.rglob("*.ipynb")
        if not any(q.startswith((".", "_")) for q in p.relative_to(root).parts)
    }
    if there != set(listed):
        raise SystemExit(
            f"_quarto.yml and {root.name}/ differ in {', '.join(sorted(there ^ set(listed)))}"
        )
    return [read_page(root, source, section) for source, section in listed.items()]


def listed(page, pages):
    """The pages that the `listing` in the front matter of a page names, which Quarto shows as a
    grid of cards too."""
    named = [
        posixpath.normpath(posixpath.join(posixpath.dirname(page.source), s))
        for s in page.front.get("listing", {}).get("contents", [])
    ]
    return [q for s in named for q in pages if q.source == s]


def plain(body):
    "The words of a piece of HTML, without code and formulas."
    body = re.sub(
        r"<details.*?</details>|<math.*?</math>|<pre class=\"code\".*?</pre>", " ", body, flags=re.S
    )
    body = re.sub(r"</?(?:a|code|em|span|strong)\b[^>]*>", "", body)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def records(page):
    """What the search knows of a page: `[address, page, heading, words, whether it is a name]` of
    every section."""
    parts = re.split(r'<h[2-6] id="([^"]+)">(.*?)</h[2-6]>', page.body, flags=re.S)
    yield [page.href, page.title, "", plain(page.lead + " " + parts[0])[:1500], 0]
    names = {ident for _, ident, _, name in page.headings if name}
    for ident, heading, text in zip(parts[1::3], parts[2::3], parts[3::3]):
        shown = plain(re.sub(r'<a class="to-source".*?</a>', "", heading))
        yield [
            f"{page.href}#{ident}",
            page.title,
            shown,
            plain(text)[:1500],
            int(ident in names or "." in ident),
        ]


def as_markdown(page):
    "A page as text for programs that read: prose, code and what it printed."
    parts = [f"# {page.title}", page.lead and f"> {page.lead}"]
    for kind, flags, text, outputs in page.cells:
        if kind == "markdown":
            parts.append(text)
        elif kind == "code" and text and not {"hide", "default_exp"} & flags.keys():
            parts.append(f"```python\n{text}\n```")
            for o in outputs:
                printed = "".join(o.get("text", o.get("data", {}).get("text/plain", ""))).rstrip()
                parts.append(printed and f"```\n{printed}\n```")
    return "\n\n".join(filter(None, (p.strip() for p in parts))) + "\n"


def write_llms(pages, texts, about, out):
    """`llms.txt`, the list of all pages as Markdown, and `llms-full.txt`, all of them in one file.
    See llmstxt.org."""
    lines, section = [f"# {about['lib_name']}", "", f"> {about['description']}"], None
    for page, text in zip(pages, texts):
        (out / f"{page.href}.md").write_text(text, encoding="utf-8")
        if page.section != section:
            section = page.section
            lines += ["", f"## {section}", ""]
        lines.append(f"- [{page.title}]({page.href}.md): {plain(page.lead)}")
    (out / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (out / "llms-full.txt").write_text("\n\n".join(texts), encoding="utf-8")


def build(root, out):
    "Write the pages of the notebooks in `root` and all they need into the empty folder `out`."
    settings = configparser.ConfigParser(delimiters=["="])
    settings.read(root.parent / "settings.ini", encoding="utf-8")
    about = settings["DEFAULT"]
    pages = read_pages(root)
    names = {}
    for page in pages:
        for name, href in anchors(f"jkonet_star.{page.module}", page.href) if page.module else ():
            names[f"{page.module}.{name}"] = href
            names.setdefault(name, href)
    writer = Writer(
        root,
        out,
        {p.source: p.href for p in pages},
        names,
        f"{about['git_url']}/blob/{about['branch']}",
    )
    texts = [as_markdown(page) for page in pages]  # before their bodies are made
    for page in pages:
        writer.write(page)
    template = Environment(
        loader=FileSystemLoader(ASSETS),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    ).get_template("page.html")
    for before, page, after in zip([None, *pages], pages, [*pages[1:], None]):
        text = template.render(
            page=page,
            pages=pages,
            before=before,
            after=after,
            cards=listed(page, pages),
            about=about,
            plain=plain,
        )
        (out / page.href).parent.mkdir(parents=True, exist_ok=True)
        (out / page.href).write_text(text, encoding="utf-8")
    index = json.dumps(
        [r for page in pages for r in records(page)], ensure_ascii=False, separators=(",", ":")
    )
    (out / "search.js").write_text(f"window.searchIndex = {index};\n", encoding="utf-8")
    write_llms(pages, texts, about, out)
    for asset in ("style.css", "page.js", "math.woff2", "math-LICENSE.txt"):
        shutil.copyfile(ASSETS / asset, out / asset)
    return pages


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Write the site from the notebooks and _quarto.yml."
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "_docs",
        help="folder to write, in place of what is there",
    )
    out = parser.parse_args().out
    with atomic_write(out, folder=True) as room:
        pages = build(ROOT / "nbs", room)
    print(f"{len(pages)} pages in {out}: open {out / 'index.html'}")
