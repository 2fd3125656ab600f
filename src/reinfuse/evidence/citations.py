"""Exports of literature searches: PubMed's `.nbib` or `.txt` (MEDLINE format) and `.ris`, as records that compare.

What a record says of another article, or another of it, is read from PubMed's tags (NLM, MEDLINE/PubMed data element
descriptions: RIN, EIN, ECI, CRI, RPI, UIN, CIN `in`; ROF, EFR, ECF, CRF, RPF, UOF, CON `of`) and publication types;
RIS has no fields for it, so that its titles, kinds and notes are looked at for the words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from reinfuse.evidence.notices import NoticeKind
from reinfuse.exceptions import Problem, RegisterRefused
from reinfuse.tabular.delimited import decode
from reinfuse.tabular.files import Unreadable, read_bytes
from reinfuse.texts import visible

_LONGEST = 500
"""Characters of a title or a list of authors that are kept."""
_ENDINGS = (".nbib", ".txt", ".ris")
_TAG = re.compile(r"(?=.{4}-)([A-Z][A-Z0-9]{1,3}) {0,2}- ?(.*)")
_LINKS: Mapping[str, tuple[NoticeKind, Literal["in", "of"]]] = {
    "RIN": ("retraction", "in"), "ROF": ("retraction", "of"),
    "ECI": ("expression of concern", "in"), "ECF": ("expression of concern", "of"),
    "EIN": ("correction", "in"), "EFR": ("correction", "of"),
    "CRI": ("republication", "in"), "CRF": ("republication", "of"),
    "RPI": ("republication", "in"), "RPF": ("republication", "of"),
    "UIN": ("republication", "in"), "UOF": ("republication", "of"),
    "CIN": ("comment", "in"), "CON": ("comment", "of"),
}  # fmt: skip
_TYPES: Mapping[str, tuple[NoticeKind, Literal["in", "of"]]] = {
    "retracted publication": ("retraction", "in"), "retraction of publication": ("retraction", "of"),
    "published erratum": ("correction", "of"), "expression of concern": ("expression of concern", "of"),
}  # fmt: skip
"""Publication types that say it where no tag names the other article."""
_OF_TITLE: Sequence[tuple[re.Pattern[str], NoticeKind, Literal["in", "of"]]] = (
    (re.compile(r"(?i)\W*(retracted|withdrawn)( article| paper)?\s*[:\]]"), "retraction", "in"),
    (re.compile(r"(?i)\W*(retraction|withdrawal)( (note|notice)( to| for| of)?\b|( to| of)?\s*:)"), "retraction", "of"),
    (re.compile(r"(?i)\W*(editorial )?expression of concern\b( on| about| to)?"), "expression of concern", "of"),
    (re.compile(r"(?i)\W*((erratum|errata|corrigendum)\b( to| for| in)?|((author|publisher) )?correction( to\b|\s*:))"),
     "correction", "of"),
)  # fmt: skip
_IN_NOTES = re.compile(
    r"(?i)\b(?P<kind>retraction|retracted|erratum|correction|corrected and republished|expression of concern)\s+in:?\s*"
    r"(?P<where>[^\n]{0,300})"
)
_KIND_OF_NOTE: Mapping[str, NoticeKind] = {
    "retraction": "retraction", "retracted": "retraction", "erratum": "correction", "correction": "correction",
    "corrected and republished": "republication", "expression of concern": "expression of concern",
}  # fmt: skip
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")
_PMID = re.compile(r"PMID:?\s*(\d{1,9})")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class CitationLink:
    """What one article says of another.

    Attributes
    ----------
    direction
        ``in``: the notice to this article stands in another; ``of``: this article is the notice to another.
    text
        The other article as it is cited; of RIS, where that is all, the title of the article.
    """

    kind: NoticeKind
    direction: Literal["in", "of"]
    text: str
    doi: str = ""
    pmid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """One record of an export; what it does not say is empty.

    Attributes
    ----------
    source, position
        Name of the file, and its place in it (1 = the first).
    journals
        Its journal's names, in full and abbreviated.
    kinds
        Publication types.
    """

    source: str
    position: int
    title: str
    authors: str = ""
    journals: tuple[str, ...] = ()
    year: str = ""
    volume: str = ""
    first_page: str = ""
    doi: str = ""
    pmid: str = ""
    kinds: tuple[str, ...] = ()
    links: tuple[CitationLink, ...] = ()

    @property
    def is_notice(self) -> bool:
        """Whether it is a notice to another article, and no study; a letter on another one may be a study itself."""
        return any(link.direction == "of" and link.kind != "comment" for link in self.links)


def read_citations(path: Path) -> tuple[Citation, ...]:
    """Return the records of an export of PubMed (`.nbib`, or `.txt` in its own format) or of any database as RIS.

    Raises
    ------
    RegisterRefused
        If it is no such file, or holds records without a title and an identifier, or one that is cut off.
    """
    ending = path.suffix.casefold()
    is_medline = ending in _ENDINGS[:2]
    if ending not in _ENDINGS:
        raise _refused(
            path, "is no export of a literature search", remedy=f"export it as one of: {', '.join(_ENDINGS)}"
        )
    try:
        text, _ = decode(read_bytes(path))
    except Unreadable as error:
        raise _refused(path, error.rule, remedy=error.remedy) from None
    lines = text.splitlines()
    records = list(_of_nbib(lines, path.name) if is_medline else _of_ris(lines, path))
    if not records:
        raise _refused(path, "holds no record", remedy="export the search again, as PubMed's .nbib or as RIS")
    empty = [c.position for c in records if not (c.title or c.doi or c.pmid)]
    if empty:
        rule, remedy = "has neither a title nor a DOI nor a PMID", "export the search again"
        raise RegisterRefused(Problem(table=path.name, row=k, rule=rule, remedy=remedy) for k in empty)
    return tuple(records)


def _refused(path: Path, rule: str, *, remedy: str) -> RegisterRefused:
    return RegisterRefused([Problem(table=path.name, rule=rule, remedy=remedy)])


def _of_nbib(lines: Sequence[str], source: str) -> Iterator[Citation]:
    """Yield the records of PubMed's format: a new one begins with PMID; lines that begin with blanks go on."""
    record: dict[str, list[str]] = defaultdict(list)
    last, position = "", 0
    for line in [*lines, "PMID- "]:
        tag = _TAG.fullmatch(line)
        if tag is None:
            if line.strip() and last:
                record[last][-1] += f" {line.strip()}"
            continue
        if tag[1] == "PMID":
            if record:
                position += 1
                yield _from_medline(record, source, position=position)
            record = defaultdict(list)
        last = tag[1]
        record[last].append(tag[2].strip())


def _from_medline(record: Mapping[str, list[str]], source: str, *, position: int) -> Citation:
    def first(tag: str) -> str:
        return next(iter(record.get(tag, ())), "")

    dois = [x.removesuffix("[doi]").strip() for tag in ("LID", "AID") for x in record.get(tag, ()) if "[doi]" in x]
    links = [_link(kind, direction, text) for tag, (kind, direction) in _LINKS.items() for text in record.get(tag, ())]
    for name in record.get("PT", ()):
        kind_and_direction = _TYPES.get(name.casefold())
        if kind_and_direction and not any((x.kind, x.direction) == kind_and_direction for x in links):
            links.append(_link(*kind_and_direction, f"PubMed lists it as {name}"))
    year = _YEAR.search(first("DP"))
    return Citation(
        source=source, position=position, title=_plain(first("TI") or first("BTI")),
        authors=_plain(", ".join(record.get("AU", ()))),
        journals=tuple(_plain(x) for tag in ("TA", "JT") for x in record.get(tag, ())),
        year=year[0] if year else "", volume=first("VI"), first_page=first("PG").split("-")[0],
        doi=dois[0].casefold() if dois else "", pmid=first("PMID"), kinds=tuple(record.get("PT", ())),
        links=tuple(links),
    )  # fmt: skip


def _of_ris(lines: Sequence[str], path: Path) -> Iterator[Citation]:
    import rispy

    begun = sum(line.startswith("TY  -") for line in lines)
    try:
        records = rispy.RisParser(skip_unknown_tags=True, enforce_list_tags=False).parse_lines(iter(lines))
    except (KeyError, TypeError, AttributeError, rispy.parser.ParseError):
        raise _refused(path, "is not valid RIS", remedy="export the search again as RIS") from None
    if len(records) != begun:  # rispy leaves out a record that does not end, without a word
        rule = f"holds {begun} records, of which {len(records)} end with ER"
        raise _refused(path, rule, remedy="export the search again as RIS")
    for position, record in enumerate(records, 1):
        yield _from_ris(record, path.name, position=position)


def _from_ris(record: Mapping[str, Any], source: str, *, position: int) -> Citation:
    def texts(*names: str) -> list[str]:
        values = [record[name] for name in names if name in record]
        return [str(x) for value in values for x in (value if isinstance(value, list) else [value]) if str(x).strip()]

    def first(*names: str) -> str:
        return next(iter(texts(*names)), "")

    title = _plain(first("title", "primary_title"))
    kinds = tuple(_plain(x) for x in texts("type_of_work", "type_of_reference"))
    notes = "\n".join(texts("notes", "note", "research_notes"))
    doi = _DOI.search(" ".join(texts("doi", "urls")))
    pmid = _PMID.search(" ".join(texts("accession_number", "notes", "note", "custom2")))
    number = first("accession_number")
    if pmid is None and "pubmed" in first("name_of_database", "database_provider").casefold() and number.isdecimal():
        pmid = re.fullmatch(r"(\d{1,9})", number)
    year = _YEAR.search(first("year", "publication_year", "date"))
    return Citation(
        source=source, position=position, title=title, authors=_plain(", ".join(texts("authors", "first_authors"))),
        journals=tuple(_plain(x) for x in texts("journal_name", "secondary_title", "alternate_title1",
                                                "alternate_title2", "alternate_title3")),
        year=year[0] if year else "", volume=first("volume"), first_page=first("start_page").split("-")[0],
        doi=doi[0].rstrip(".,;)").casefold() if doi else "", pmid=pmid[1] if pmid else "", kinds=kinds,
        links=tuple(_links_of_words(title, (*kinds, *texts("keywords")), notes=notes)),
    )  # fmt: skip


def _links_of_words(title: str, kinds: Sequence[str], *, notes: str) -> Iterator[CitationLink]:
    """Yield what title, kinds and notes of a record say in words."""
    for pattern, kind, direction in _OF_TITLE:
        if match := pattern.match(title):
            yield _link(kind, direction, title[match.end() :].strip(" :"))
            break
    else:
        if any(re.fullmatch(r"(?i)retracted (article|publication)", x) for x in kinds):
            yield _link("retraction", "in", "listed as retracted")
    for note in _IN_NOTES.finditer(notes):
        yield _link(_KIND_OF_NOTE[note["kind"].casefold()], "in", note["where"].strip())


def _link(kind: NoticeKind, direction: Literal["in", "of"], text: str) -> CitationLink:
    doi, pmid = _DOI.search(text), _PMID.search(text)
    link = CitationLink(kind=kind, direction=direction, text=_plain(text))
    return replace(link, doi=doi[0].rstrip(".,;)").casefold() if doi else "", pmid=pmid[1] if pmid else "")


def _plain(text: str) -> str:
    """Return a text in one line that every document can hold."""
    return visible(" ".join(text.split()), _LONGEST)
