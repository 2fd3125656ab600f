"""Documents read back: HTML as its parts, Word and PDF as texts, and what makes HTML accessible."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

VOID = {"meta", "img", "br", "link", "input", "hr"}
HEADINGS = {f"h{i}": i for i in range(1, 7)}


class Page(HTMLParser):
    """What a page loads, shows and is made of.

    Attributes
    ----------
    tags
        Name and attributes of each element, in order.
    tables
        Rows of cells of each table, the head first; the caption apart, in `captions`.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.captions: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.feed(text)
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("th", "td"):
            self.tables[-1][-1].append("")
        if tag == "caption":
            self.captions.append("")
        if tag in HEADINGS:
            self.headings.append((HEADINGS[tag], ""))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()
        if tag in ("p", "li", "th", "td", "caption", "dt", "dd", "figcaption", *HEADINGS):
            self.words.append("\n")

    def handle_data(self, data):
        if {"style", "script", "title"} & set(self.open):
            return
        self.words.append(data)
        if {"th", "td"} & set(self.open):
            self.tables[-1][-1][-1] += data
        if "caption" in self.open:
            self.captions[-1] += data
        if self.open and self.open[-1] in HEADINGS:
            level, said = self.headings[-1]
            self.headings[-1] = (level, said + data)

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of every element of a kind."""
        return [told for name, told in self.tags if name == tag]

    @property
    def plain(self) -> str:
        """The words as one text, a line for each paragraph and cell."""
        return "".join(self.words)


def inaccessible(page: Page) -> list[str]:
    """Return what keeps a page from being read by everybody; empty if nothing was found."""
    found = list(page.faults)
    found += ["no language"] * (not page.all("html")[0].get("lang"))
    found += ["no title"] * ("<title>" not in page.text or "<title></title>" in page.text)
    found += [
        f"{tag} is there {len(page.all(tag))} times" for tag in ("h1", "main", "header") if len(page.all(tag)) != 1
    ]
    levels = [level for level, _ in page.headings]
    found += [f"heading {b} after {a}" for a, b in pairwise(levels) if b > a + 1]
    found += [f"empty heading of level {level}" for level, said in page.headings if not said.strip()]
    found += ["an image without words"] * sum(len(i.get("alt", "")) < 10 for i in page.all("img"))
    found += ["a table without caption"] * (len(page.tables) - len(page.captions))
    found += ["a head without scope"] * sum(t.get("scope") not in ("row", "col") for t in page.all("th"))
    found += ["nobody can zoom"] * any("user-scalable" in m.get("content", "") for m in page.all("meta"))
    ids = [told["id"] for _, told in page.tags if "id" in told]
    found += [f"id {i} occurs twice" for i in sorted({i for i in ids if ids.count(i) > 1})]
    found += [f"link {a['href']} leads nowhere" for a in page.all("a") if a["href"].removeprefix("#") not in ids]
    for _, told in page.tags:
        if "aria-labelledby" in told and told["aria-labelledby"] not in ids:
            found.append(f"{told['aria-labelledby']} labels nothing")
        if told.get("tabindex") == "0" and not told.get("aria-label"):
            found.append("a region of its own without name")
    return found + [f"{a} on {b}: contrast {c:.1f}" for a, b, c in contrasts(page.text) if c < 4.5]


def outside(page: Page) -> list[str]:
    """Return what a page would load, or run; empty if nothing."""
    found = [tag for tag, _ in page.tags if tag in ("script", "link", "iframe", "object", "embed", "base", "form")]
    found += [told["src"][:60] for _, told in page.tags if "src" in told and not told["src"].startswith("data:image/")]
    found += [name for _, told in page.tags for name in told if name.startswith("on")]
    return found + re.findall(r"@import|url\((?!%23)|srcset", page.text)


def contrasts(text: str) -> list[tuple[str, str, float]]:
    """Return the contrast of each colour of text with its ground, in each of the style sheet's schemes (WCAG 2.1)."""
    found = []
    for rules in re.findall(r":root\{([^}]*)\}", text.partition("@media print")[0]):
        colours = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", rules))
        for ink, paper in (("ink", "paper"), ("faint", "paper"), ("accent", "paper"), ("accent", "tint"),
                           ("warn-ink", "warn")):  # fmt: skip
            light, dark = sorted((_luminance(colours[ink]), _luminance(colours[paper])), reverse=True)
            found.append((ink, paper, (light + 0.05) / (dark + 0.05)))
    return found


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def docx_text(path: Path) -> str:
    """Return the words of a Word file, in order: a line for each paragraph and cell."""
    import docx
    from docx.oxml.ns import qn

    body = docx.Document(str(path)).element.body
    return "\n".join("".join(t.text or "" for t in p.iter(qn("w:t"))) for p in body.iter(qn("w:p")))


def pdf_text(path: Path) -> str:
    """Return the words of a PDF, page by page, without the pages' feet."""
    from pypdf import PdfReader

    pages = [page.extract_text() for page in PdfReader(path).pages]
    return "\n".join(re.sub(r"\n?(Page|Página) \d+ (of|de) \d+\s*$", "", page) for page in pages)
