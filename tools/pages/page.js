// Search, the menu of narrow screens, and where the reader is. The index is a script, so that it loads from a file as well.
const top_ = document.documentElement.dataset.top;
const input = document.getElementById("search");
const found = document.getElementById("found");

function loadIndex() {
  if (window.searchIndex || document.getElementById("index")) return;
  const script = Object.assign(document.createElement("script"), { id: "index", src: `${top_}/search.js`, onload: search });
  document.head.append(script);
}

function score([, page, heading, words, isName], terms) {
  const name = (heading || page).toLowerCase();
  const text = `${page} ${words}`.toLowerCase();
  let total = 0;
  for (const term of terms) {
    const here = (name === term ? 40 : name.startsWith(term) ? 20 : name.includes(term) ? 10 : 0) + (text.includes(term) ? 1 : 0);
    if (!here) return 0;
    total += here;
  }
  return total + (total > 9 * terms.length ? 5 * isName + (heading ? 0 : 8) : 0);
}

function excerpt(words, term) {
  const at = Math.max(0, words.toLowerCase().indexOf(term) - 40);
  return (at ? "…" : "") + words.slice(at, at + 120);
}

function search() {
  const terms = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = terms.length && window.searchIndex ? window.searchIndex.map((r) => [score(r, terms), r]).filter(([s]) => s) : [];
  hits.sort((a, b) => b[0] - a[0]);
  found.replaceChildren(...hits.slice(0, 12).map(([, [href, page, heading, words]]) => {
    const link = Object.assign(document.createElement("a"), { href: `${top_}/${href}` });
    const head = Object.assign(document.createElement("strong"), { textContent: heading || page });
    const rest = Object.assign(document.createElement("span"), { textContent: (heading ? `${page} · ` : "") + excerpt(words, terms[0]) });
    link.append(head, rest);
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
  if (terms.length && !hits.length && window.searchIndex) found.append(Object.assign(document.createElement("li"), { textContent: "Nothing found" }));
  found.hidden = !terms.length;
}

input.addEventListener("focus", loadIndex);
input.addEventListener("input", search);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== input) { event.preventDefault(); input.focus(); }
  if (event.key === "Escape") { found.hidden = true; }
  const links = [...found.querySelectorAll("a")];
  if (found.hidden || !links.length || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
  const at = links.indexOf(document.activeElement);
  if (event.key === "Enter") { if (document.activeElement === input) links[0].click(); return; }
  event.preventDefault();
  (links[at + (event.key === "ArrowDown" ? 1 : -1)] || input).focus();
});
document.addEventListener("click", (event) => { if (!event.target.closest(".search")) found.hidden = true; });

const menu = document.querySelector("button.menu");
menu.addEventListener("click", () => menu.setAttribute("aria-expanded", document.body.classList.toggle("open")));

const entries = new Map([...document.querySelectorAll(".toc a")].map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
function mark() {
  let last;
  for (const [id, a] of entries) {
    a.removeAttribute("aria-current");
    if (!last || document.getElementById(id).getBoundingClientRect().top < 120) last = a;
  }
  last?.setAttribute("aria-current", "location");
}
addEventListener("scroll", mark, { passive: true });
mark();
document.querySelector("#pages [aria-current]")?.scrollIntoView({ block: "nearest" });
