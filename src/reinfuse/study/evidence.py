"""The register of published studies: listed, cited, and compared with a new search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.evidence import RegisteredStudy, read_register
from reinfuse.evidence.citations import read_citations
from reinfuse.evidence.figures import TOXICITIES, PublishedFigure
from reinfuse.evidence.reading import read_screening, with_notices
from reinfuse.evidence.search_strategy import search_strategy
from reinfuse.evidence.update import RegisterUpdate, compare_with_search, register_flow
from reinfuse.exceptions import Problem, RequestRefused, nearest
from reinfuse.output import Destination
from reinfuse.report.export.evidence_folder import strategy_text, write_update
from reinfuse.report.text.bibtex import study_entry

__all__ = ["ListedStudy", "list_studies", "search_texts", "studies_as_bibtex", "update_register"]


@dataclass(frozen=True)
class ListedStudy:
    """A study of the register with those of its figures that were asked for.

    Attributes
    ----------
    is_stale
        It was to be read again before today.
    """

    study: RegisteredStudy
    figures: tuple[PublishedFigure, ...]
    is_stale: bool

    @property
    def figure_lines(self) -> list[str]:
        """Its figures in words, each with what keeps it from being compared."""
        return [f.in_words + (f" [differs in {', '.join(f.differs_in)}]" if f.differs_in else "") for f in self.figures]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values, dates as texts."""
        fields = asdict(self.study) | {"figures": [asdict(f) for f in self.figures], "is_stale": self.is_stale}
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in fields.items()} | {
            "notices": [asdict(n) | {"raised_on": n.raised_on.isoformat()} for n in self.study.notices]
        }


def list_studies(
    folders: Sequence[Path] = (),
    *,
    name: str | None = None,
    endpoint: str | None = None,
    disease: str | None = None,
    construct: str | None = None,
    on: date | None = None,
) -> list[ListedStudy]:
    """Return studies of the register with their figures.

    Parameters
    ----------
    folders
        Further folders of published studies.
    name
        That of one study.
    endpoint, disease, construct
        Figures of an endpoint or kind of toxicity, of patients with a diagnosis, of a construct with this in its name.
    on
        Today, unless given.

    Raises
    ------
    RegisterRefused
        With every problem of the folders.
    RequestRefused
        If there is no such study, endpoint or disease.
    """
    register = read_register(*folders)
    _refuse_unknown("study", name, [s.name for s in register.studies])
    _refuse_unknown("endpoint", endpoint, [*ENDPOINTS, *TOXICITIES])
    _refuse_unknown("disease", disease, list(dict.fromkeys(d for s in register.studies for d in s.diseases)))
    chosen = register.figures(endpoint=endpoint, disease=disease, construct=construct)
    today = on or date.today()
    return [
        ListedStudy(s, figures, s.is_stale(today))
        for s in register.studies
        if name in (None, s.name)
        and (construct is None or construct.casefold() in s.construct.casefold())
        and (disease is None or disease in s.diseases)
        and ((figures := tuple(f for f in chosen if f.study == s.name)) or endpoint is None)
    ]


def _refuse_unknown(what: str, name: str | None, names: list[str]) -> None:
    if name is not None and name not in names:
        near = nearest(name, names, short=3)
        remedy = f"did you mean {near!r}?" if near else f"there are: {', '.join(names)}"
        raise RequestRefused([Problem(table="evidence", column=what, value=name, rule=f"is no {what} of the register",
                                      remedy=remedy)])  # fmt: skip


def studies_as_bibtex(studies: Sequence[RegisteredStudy]) -> str:
    """Return the studies as BibTeX."""
    return "\n\n".join(study_entry(s) for s in studies) + "\n"


def search_texts(folders: Sequence[Path] = ()) -> str:
    """Return the search strategy of each database, to paste.

    Raises
    ------
    RegisterRefused
        With every problem of the folders.
    """
    return strategy_text(search_strategy(read_register(*folders)))


def update_register(
    exports: Sequence[Path], folders: Sequence[Path] = (), *, place: Destination, searched_on: date | None = None
) -> RegisterUpdate:
    """Compare exports of a literature search with the register, and write what is new as a folder that joins it.

    Parameters
    ----------
    exports
        PubMed's `.nbib`, or `.ris` of any database, all of one day.
    folders
        Further folders of published studies; one of an earlier update brings its notices and screening decisions.
    searched_on
        Day of the search; today, unless given.

    Raises
    ------
    RegisterRefused
        With every problem of the folders, or of an export.
    OutputRefused
        If the folder cannot be written.
    """
    place.check()
    register = read_register(*folders)
    listed = [row for folder in folders for row in read_screening(folder)]
    citations = [c for path in exports for c in read_citations(path)]
    day = searched_on or date.today()
    update = compare_with_search(register, citations, listed=listed, searched_on=day)
    before = [n for s in register.studies for n in s.notices]
    included = list(register_flow(with_notices(register, update.notices), day))
    write_update(update, [*before, *update.notices], search_strategy(register), included=included, place=place)
    return update
