"""What a reader can find in the files of a folder: their texts, without the marks around them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from zipfile import ZipFile

_SHOWN = frozenset({"alt", "title", "aria-label", "content", "descr", "summary", "placeholder"})
"""Attributes that are texts."""
_NOT_TEXT = frozenset({"style", "script"})
_INLINE = frozenset({"a", "b", "i", "em", "strong", "span", "sub", "sup", "tspan", "w:r", "w:t", "w:rpr"})
"""Elements that do not part words."""
_MARKED = (".html", ".svg", ".xml", ".rels")
_PLAIN = (".csv", ".txt", ".bib", ".toml", ".md")


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of every file that has one; of a Word document those of its parts.

    Pictures (PNG) and PDF are made of the same texts as the SVG and the HTML beside them.
    """
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = str(path.relative_to(folder))
        if path.suffix == ".docx":
            with ZipFile(path) as parts:
                yield from ((f"{name}/{part}", marked(parts.read(part).decode("utf-8")))
                            for part in sorted(parts.namelist()) if part.endswith(_MARKED))  # fmt: skip
        elif path.suffix in _MARKED:
            yield name, marked(path.read_text(encoding="utf-8"))
        elif path.suffix == ".json":
            yield name, "\n".join(_strings(json.loads(path.read_text(encoding="utf-8"))))
        elif path.suffix in _PLAIN:
            yield name, path.read_text(encoding="utf-8")


def marked(text: str) -> str:
    """Return the text of HTML or XML: what is shown, attributes that are texts, and comments."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return "".join(reader.texts)


def _strings(value: object) -> Iterator[str]:
    """Yield every text of JSON, names too; a number is no text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


class _Reader(HTMLParser):
    """Gathers texts. The times of a Word document's properties are its template's."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._skipped: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NOT_TEXT or tag.startswith("dcterms:"):
            self._skipped = tag
        if tag not in _INLINE:
            self.texts.append("\n")
        self.texts += [f"\n{value}\n" for name, value in attrs if name in _SHOWN and value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._skipped = None

    def handle_endtag(self, tag: str) -> None:
        if tag == self._skipped:
            self._skipped = None
        if tag not in _INLINE:
            self.texts.append("\n")

    def handle_data(self, data: str) -> None:
        if self._skipped is None:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.texts.append(f"\n{data}\n")
