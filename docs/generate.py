"""What the site takes from the program: sample documents, gallery and list of public names.

``python docs/generate.py`` analyses the bundled cohort and writes ``docs/_build/extra/sample`` (report, supplement,
brief), ``docs/_static/report_page_1.png``, ``docs/gallery`` and ``docs/api``. Nothing is listed by hand: figures and
tables are those of the registry of analyses, names those of ``__all__``.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import pypdfium2

import reinfuse
from reinfuse import exceptions, statistics
from reinfuse.analyses.registry import modules
from reinfuse.data import DEMO, dataset
from reinfuse.plan.options import Analyses
from reinfuse.plan.switches import declared
from reinfuse.report.analyses.registry import shown
from reinfuse.report.figures.catalog import figures
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.notebook.shown_table import ShownTable

DOCS = Path(__file__).resolve().parent
SAMPLE = DOCS / "_build" / "extra" / "sample"
DOCUMENTS = ("report.html", "report.pdf", "report.docx", "supplement.html", "supplement.pdf", "brief.html", "brief.pdf")
_DOTS_AN_INCH = 100
_COLOURS = 64
_SYNTHETIC = "Drawn of the bundled synthetic cohort when these pages were built. Nothing clinical follows from them."
_GALLERY = """\
# Gallery

Every figure and table of report and supplement: {figures} [figures](figures.md) and {tables} [tables](tables.md).
The [app](app.md).

```{{toctree}}
:hidden:

figures
tables
app
```

````{{container}} thumbs
{thumbs}
````

Not from this cohort, or with an extra only:

{others}
- [virtual patients](../virtual.md)
"""
_APP = """\
# The app

Pictures of its screens are made where there is a Chromium (`docs/app_pictures.py`). [What each screen does](../app.md).
"""
_API = """\
# API reference

[From Python](../python.md) shows these in use.

```{{eval-rst}}
.. currentmodule:: reinfuse
.. autosummary::
   :toctree: generated
   :nosignatures:

   {names}
```

## The statistics by themselves

```{{toctree}}
:maxdepth: 1

{modules}
```

## What is refused

```{{toctree}}
:maxdepth: 1

exceptions
```
"""


def main() -> None:
    """Make everything anew."""
    demo = dataset(DEMO)
    cohort = reinfuse.read_cohort(demo.path)
    findings = reinfuse.analyze(cohort, demo.plan)
    _sample(findings)
    further = demo.plan.replace(analyses=Analyses.none().model_dump() | dict.fromkeys(declared(), True))
    _gallery([findings, reinfuse.analyze(cohort, further)])
    _api()


def _sample(findings: reinfuse.Findings) -> None:
    """Write the documents of the bundled cohort, and the first page of the report as a picture."""
    SAMPLE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place:
        results = reinfuse.save(findings, Path(place) / "results")
        for name in DOCUMENTS:
            shutil.copyfile(results / name, SAMPLE / name)
    page = pypdfium2.PdfDocument(SAMPLE / "report.pdf")[0].render(scale=_DOTS_AN_INCH / 72).to_pil()
    page.convert("RGB").quantize(_COLOURS).save(DOCS / "_static" / "report_page_1.png", optimize=True)


def _gallery(every: list[reinfuse.Findings]) -> None:
    """Write a page of all figures and one of all tables; what an earlier analysis has shown is not shown again."""
    folder = _emptied(DOCS / "gallery")
    drawn: dict[str, Drawn] = {}
    tables: dict[str, ShownTable] = {}
    for findings in every:
        for _, name, draw in figures(findings):
            if name not in drawn and (drawing := draw()) is not None:
                drawn[name] = drawing
        report = reinfuse.Report(findings)
        tables |= {name: report.table(name) for name in report.tables if name not in tables}
    for name, drawing in drawn.items():
        (folder / f"{name}.svg").write_bytes(drawing.svg)
    shown_here = {"figures": map(_figure, drawn.values()), "tables": map(_table, tables.values())}
    for name, items in shown_here.items():
        (folder / f"{name}.md").write_text(f"# {name.capitalize()}\n\n{_SYNTHETIC}\n\n{''.join(items)}", "utf-8")
    (folder / "app.md").write_text(_APP, "utf-8")
    others = "\n".join(f"- {what}" for what in _not_shown(every))
    thumbs = "\n".join(map(_thumb, drawn.values()))
    index = _GALLERY.format(figures=len(drawn), tables=len(tables), others=others, thumbs=thumbs)
    (folder / "index.md").write_text(index, "utf-8")


def _not_shown(every: list[reinfuse.Findings]) -> Iterator[str]:
    """Yield what each analysis tells that gave no number here."""
    given = {e.analysis for findings in every for e in findings.estimates if e.estimate is not None}
    yield from (f"{modules()[name].name}: {modules()[name].what}" for name in shown()
                if modules()[name].records not in given)  # fmt: skip


def _thumb(drawn: Drawn) -> str:
    """Return a small picture of a figure that leads to it."""
    place = f"figures.html#figure-{drawn.name.replace('_', '-')}"
    return f"```{{image}} {drawn.name}.svg\n:alt: {drawn.title}\n:target: {place}\n:loading: lazy\n```"


def _figure(drawn: Drawn) -> str:
    """Return a figure with its title, its text for those who do not see it, and the call that draws it."""
    alt = " ".join(drawn.alt.split())
    picture = f"```{{image}} {drawn.name}.svg\n:alt: {alt}\n:loading: lazy\n```"
    return f'(figure-{drawn.name})=\n## {drawn.title}\n\n{picture}\n\n`report.figure("{drawn.name}")`\n\n'


def _table(table: ShownTable) -> str:
    """Return a table as a notebook shows it, under its caption, and the call that gives it."""
    return (f"## {table.table.caption}\n\n<div class=\"shown-table\">\n{_one_block(table._repr_html_())}\n</div>\n\n"
            f"`report.table(\"{table.name}\")`\n\n")  # fmt: skip


def _one_block(markup: str) -> str:
    """Return HTML without blank lines, at which Markdown would end it."""
    return "\n".join(line for line in markup.splitlines() if line.strip())


def _api() -> None:
    """Write the pages that list what is public."""
    folder = _emptied(DOCS / "api")
    names = "\n   ".join(n for n in reinfuse.__all__ if n not in ("__version__", *_rooms()))
    index = _API.format(names=names, modules="\n".join(statistics.__all__))
    (folder / "index.md").write_text(index, "utf-8")
    for name in statistics.__all__:
        _module(folder / f"{name}.md", f"reinfuse.statistics.{name}", _usable(name))
    _module(folder / "exceptions.md", "reinfuse.exceptions", list(exceptions.__all__))


def _rooms() -> list[str]:
    return [name for name in reinfuse.__all__ if inspect.ismodule(getattr(reinfuse, name))]


def _usable(name: str) -> list[str]:
    """Return the functions of a module that can be used by themselves, which show an example, and its results."""
    module = import_module(f"reinfuse.statistics.{name}")
    own = [(n, m) for n, m in vars(module).items() if getattr(m, "__module__", "") == module.__name__ and n[0] != "_"]
    return [n for n, m in own if inspect.isclass(m) or ">>>" in (getattr(m, "__doc__", "") or "")]


def _module(path: Path, module: str, names: list[str]) -> None:
    path.write_text(f"# {module}\n\n```{{eval-rst}}\n.. automodule:: {module}\n   :members: {', '.join(names)}\n```\n",
                    "utf-8")  # fmt: skip


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
