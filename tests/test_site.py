"""The site as it is written, and as a browser shows it. Without Chromium only the first half is
tested."""

import os
import shutil
import subprocess
import sys
import threading
import time
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parent.parent
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
browser_only = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"
)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    "The folder of the site, built once however many processes test."
    room = tmp_path_factory.getbasetemp()
    room = room.parent if "PYTEST_XDIST_WORKER" in os.environ else room
    try:
        (room / "site-begun").mkdir()
    except FileExistsError:
        while not (room / "site-done").exists():
            time.sleep(0.1)
        return room / "site"
    try:
        subprocess.run(
            [sys.executable, ROOT / "tools" / "site.py", "--out", room / "site"], check=True
        )
    finally:
        (room / "site-done").touch()
    return room / "site"


class Parsed(HTMLParser):
    "What of a page can be wrong without a browser."

    def __init__(self, path):
        super().__init__()
        self.path, self.ids, self.links, self.loaded, self.headings, self.images = (
            path,
            [],
            [],
            [],
            [],
            [],
        )
        self.words, self.open = [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.open.append(tag)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if tag == "a" else []
        self.loaded += [attrs[k] for k in ("src", "href") if k in attrs and tag != "a"]
        self.headings += [int(tag[1])] if tag in ("h1", "h2", "h3", "h4", "h5", "h6") else []
        self.images += [attrs.get("alt")] if tag == "img" else []

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"code", "pre", "script"} & set(self.open):
            self.words.append(data)


@pytest.fixture(scope="session")
def parsed(site):
    return {p: Parsed(p) for p in sorted(site.rglob("*.html"))}


def test_links_images_and_anchors_are_there(site, parsed):
    wrong = []
    for path, page in parsed.items():
        for link in page.links + page.loaded:
            url = urlsplit(link)
            if url.scheme in ("http", "https"):
                wrong += [f"{path.name} loads {link}"] if link in page.loaded else []
            elif url.scheme != "data":
                target = (path.parent / unquote(url.path)).resolve() if url.path else path
                known = target in parsed and (
                    not url.fragment or unquote(url.fragment) in parsed[target].ids
                )
                wrong += (
                    []
                    if known or (target.is_file() and not url.fragment)
                    else [f"{path.relative_to(site)} links to {link}"]
                )
    assert not wrong, "\n".join(wrong)


def modules():
    "Modules of the package and the pages that define them."
    from pages.notebooks import read_page

    found = (
        read_page(ROOT / "nbs", p.relative_to(ROOT / "nbs").as_posix())
        for p in (ROOT / "nbs").rglob("[0-9]*.ipynb")
    )
    return [(f"jkonet_star.{page.module}", page.href) for page in found if page.module]


def test_every_public_name_has_its_place(site, parsed):
    sys.path.insert(0, str(ROOT / "tools"))
    from pages.api import anchors

    ids = {
        f"{path.relative_to(site).as_posix()}#{ident}"
        for path, page in parsed.items()
        for ident in page.ids
    }
    places = {place for name, href in modules() for _, place in anchors(name, href)}
    assert len(places) > 100 and not places - ids, places - ids


def test_headings_texts_and_formulas(parsed):
    wrong = []
    for path, page in parsed.items():
        jumps = [(a, b) for a, b in zip(page.headings, page.headings[1:]) if b > a + 1]
        checks = {
            "not one h1": page.headings.count(1) != 1,
            f"headings jump: {jumps}": jumps,
            "an image without a text": not all(page.images),
            "an identifier twice": len(set(page.ids)) < len(page.ids),
            "a formula is not rendered": "$$" in "".join(page.words)
            or "\\frac" in "".join(page.words),
        }
        wrong += [f"{path.name}: {what}" for what, is_wrong in checks.items() if is_wrong]
    assert not wrong, "\n".join(wrong)


# In a browser

FAULTS = r"""() => {
  const faults = [];
  document.querySelectorAll("details").forEach((d) => d.open = true);
  if (document.documentElement.scrollWidth > innerWidth)
    faults.push(`is ${document.documentElement.scrollWidth} wide on a screen of ${innerWidth}`);
  for (const img of document.querySelectorAll("main img")) {
    const box = img.getBoundingClientRect();
    if (!img.complete || !img.naturalWidth || box.width < 100 || box.height < 50
        || box.left < 0 || box.left > innerWidth - 100)
      faults.push(`does not show ${img.src}`);
  }
  for (const math of document.querySelectorAll("math")) {
    const box = math.getBoundingClientRect();
    if (math.namespaceURI !== "http://www.w3.org/1998/Math/MathML"
        || box.width < 2 || box.height < 2)
      faults.push(`does not show the formula ${math.textContent}`);
  }
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
    .getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      known.set(colour, [...canvas.getImageData(0, 0, 1, 1).data]);
    }
    return known.get(colour);
  };
  const luminance = (c) => c.slice(0, 3)
    .map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      if (c[3] === 255) return c;
    }
    return [255, 255, 255];
  };
  const low = new Set();
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())
        || !e.checkVisibility()) continue;
    const [a, b] = [luminance(rgba(getComputedStyle(e).color)), luminance(behind(e))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5)
      low.add(`has contrast ${contrast.toFixed(1)} in `
        + `<${e.tagName.toLowerCase()} class="${e.className}">`);
  }
  return [...faults, ...low];
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def address(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@browser_only
@pytest.mark.parametrize(
    "width,height,scheme", [(1280, 900, "light"), (390, 844, "dark")], ids=["desktop", "phone"]
)
def test_every_page(site, address, chromium, width, height, scheme):
    tab = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    said = []
    tab.on(
        "console",
        lambda m: said.append(f"says {m.text}") if m.type in ("error", "warning") else None,
    )
    tab.on("pageerror", lambda e: said.append(f"fails with {e}"))
    tab.on("requestfailed", lambda r: said.append(f"cannot load {r.url}"))
    tab.on(
        "request",
        lambda r: (
            None if r.url.startswith((address, "data:")) else said.append(f"asks for {r.url}")
        ),
    )
    wrong = []
    for path in sorted(site.rglob("*.html")):
        page = path.relative_to(site).as_posix()
        tab.goto(f"{address}/{page}", wait_until="load")
        wrong += [f"{page} {fault}" for fault in (*said, *tab.evaluate(FAULTS))]
        said.clear()
    tab.close()
    assert not wrong, "\n".join(wrong)


@browser_only
@pytest.mark.parametrize("served", [True, False], ids=["served", "file"])
def test_search_finds_couple(site, address, chromium, served):
    tab = chromium.new_page(viewport={"width": 390, "height": 844})
    tab.goto(f"{address if served else site.as_uri()}/experiments/pairing.html")
    tab.fill("#search", "couple")
    tab.wait_for_selector("#found a")
    assert tab.locator("#found a strong").first.inner_text() == "couple"
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/couple.html#couple")
    assert tab.locator("#couple").is_visible()
    tab.close()


@browser_only
def test_pages_open_from_the_menu_of_a_phone(address, chromium):
    tab = chromium.new_page(viewport={"width": 390, "height": 844})
    tab.goto(f"{address}/index.html")
    assert not tab.locator("#pages").is_visible()
    tab.click("button.menu")
    tab.click("#pages >> text=Couplings >> nth=0")
    tab.wait_for_url("**/couplings.html")
    tab.close()


def test_every_page_is_there_as_markdown(site, parsed):
    listed = (site / "llms.txt").read_text(encoding="utf-8")
    whole = (site / "llms-full.txt").read_text(encoding="utf-8")
    for page in parsed:
        text, page = (
            page.with_name(page.name + ".md").read_text(encoding="utf-8"),
            page.relative_to(site).as_posix(),
        )
        assert f"({page}.md)" in listed and text in whole and text.startswith("# ")
    assert "## Unreleased" in (site / "tutorials/changelog.html.md").read_text(encoding="utf-8")
    assert "def fit(" in (site / "model" / "fit.html.md").read_text(encoding="utf-8")
