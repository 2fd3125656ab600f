"""A search compared with the register: which studies it finds again, what journals say of them now, what is new."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from reinfuse.evidence.citations import Citation, CitationLink
from reinfuse.evidence.notices import NOTICE_KINDS, Notice
from reinfuse.evidence.register import Register
from reinfuse.evidence.screening import ScreeningRow
from reinfuse.evidence.studies import RegisteredStudy

_SMALL_WORDS = {"the", "of", "for", "and", "in", "on"}


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One step of the PRISMA flow: what, how many records, and as of which day."""

    step: str
    records: int
    on: date
    note: str = ""


@dataclass(frozen=True, slots=True)
class RegisterUpdate:
    """What a search says of a register.

    Attributes
    ----------
    again
        Registered studies that the search finds, each with its record.
    missed
        Registered studies with a DOI or PMID that it does not find: how sensitive the search is.
    notices
        Notices that the register did not have, gravest first.
    screening
        The list of all records that are in no register, with the decisions on them so far; new ones last.
    new
        Those of them that no earlier list had.
    flow
        Counts of the PRISMA flow; the steps below `identified` add up to it.
    """

    again: tuple[tuple[RegisteredStudy, Citation], ...]
    missed: tuple[RegisteredStudy, ...]
    notices: tuple[Notice, ...]
    screening: tuple[ScreeningRow, ...]
    new: tuple[ScreeningRow, ...]
    flow: tuple[FlowStep, ...]


def compare_with_search(
    register: Register, citations: Sequence[Citation], *, listed: Sequence[ScreeningRow] = (), searched_on: date
) -> RegisterUpdate:
    """Compare a search with a register.

    Parameters
    ----------
    citations
        Records of one or more exports of the same day.
    listed
        The screening list so far.
    searched_on
        Day of the search.
    """
    unique, doubled = _without_doubles(citations)
    again: list[tuple[RegisteredStudy, Citation]] = []
    notices: list[Notice] = []
    unknown: list[Citation] = []
    set_aside = 0
    for record in unique:
        study = _study_of(register, record)
        if study is not None:
            again.append((study, record))
            notices += [_notice(study, x, on=searched_on) for x in record.links if x.direction == "in"]
            continue
        own = [_notice_itself(s, record, x, on=searched_on) for x in record.links
               if x.direction == "of" and (s := _study_cited(register, x))]  # fmt: skip
        if own or record.is_notice:
            set_aside += 1
            notices += own
        else:
            unknown.append(record)
    rows = [_row(c, searched_on) for c in unknown]
    new = tuple(r for r in rows if not any(_same_article(r, old) for old in listed))
    found_again = {s.name for s, _ in again}
    return RegisterUpdate(
        again=tuple(again),
        missed=tuple(s for s in register.studies if (s.doi or s.pmid) and s.name not in found_again),
        notices=tuple(_unheard(register, notices)),
        screening=(*listed, *new),
        new=new,
        flow=tuple(
            _flow(
                citations, doubled, set_aside, again=len(again), rows=rows, new=len(new), listed=listed, on=searched_on
            )
        ),
    )


def _flow(
    citations: Sequence[Citation], doubled: int, set_aside: int, *, again: int, rows: Sequence[ScreeningRow],
    new: int, listed: Sequence[ScreeningRow], on: date,
) -> Iterable[FlowStep]:  # fmt: skip
    """Yield the steps: identified, and what became of each record."""
    sources = dict.fromkeys(c.source for c in citations)
    counts = ", ".join(f"{s}: {sum(c.source == s for c in citations)}" for s in sources)
    yield FlowStep("records identified", len(citations), on, counts)
    yield FlowStep("duplicates removed", doubled, on, "same DOI or PMID")
    yield FlowStep("notices to other articles", set_aside, on, "retractions, corrections, comments")
    yield FlowStep("already in the register", again, on)
    earlier = [old for r in rows for old in listed if _same_article(r, old)]
    for decision, words in (("exclude", "excluded earlier"), ("include", "included earlier, not in the register yet"),
                            ("", "listed earlier, not decided yet")):  # fmt: skip
        dates = [r.screened_on for r in earlier if r.decision == decision and r.screened_on]
        note = f"last decision {max(dates)}" if dates else ""
        yield FlowStep(words, sum(r.decision == decision for r in earlier), on, note)
    yield FlowStep("new, to be screened", new, on)


def register_flow(register: Register, on: date) -> Iterator[FlowStep]:
    """Yield the last steps of the flow: the studies of the register, and why some are not compared."""
    yield FlowStep("studies in the register", len(register.studies), on)
    yield FlowStep("comparable", sum(s.is_comparable and not s.is_retracted for s in register.studies), on)
    kinds = Counter(s.kind for s in register.studies if not s.differs_in and not s.is_comparable)
    reasons = {f"not comparable: {kind}": count for kind, count in kinds.items()}
    several = Counter(" and ".join(s.differs_in) for s in register.studies if s.differs_in)
    reasons |= {f"not comparable: differs in {what}": count for what, count in sorted(several.items())}
    yield from (FlowStep(step, count, on) for step, count in reasons.items())
    yield FlowStep(
        "comparable but for a retraction", sum(s.is_comparable and s.is_retracted for s in register.studies), on
    )
    yield FlowStep("to be read again by then", len(register.stale(on)), on)


def _without_doubles(citations: Sequence[Citation]) -> tuple[list[Citation], int]:
    """Return records, each article once, and how many were left out; what a double says of notices is kept."""
    unique: list[Citation] = []
    place: dict[str, int] = {}
    for record in citations:
        keys = [f"{n}:{x}" for n, x in (("doi", record.doi), ("pmid", record.pmid)) if x]
        at = next((place[k] for k in keys if k in place), None)
        if at is None:
            at = len(unique)
            unique.append(record)
        else:
            unique[at] = _joined(unique[at], record)
        place |= dict.fromkeys(keys, at)
    return unique, len(citations) - len(unique)


def _joined(one: Citation, other: Citation) -> Citation:
    linked = {(x.kind, x.direction) for x in one.links}
    more = (x for x in other.links if (x.kind, x.direction) not in linked)
    return replace(one, links=(*one.links, *more), doi=one.doi or other.doi, pmid=one.pmid or other.pmid)


def _study_of(register: Register, record: Citation) -> RegisteredStudy | None:
    """Return the study that a record is of: by DOI, by PMID, or by journal, volume and first page."""
    for study in register.studies:
        if (study.doi and study.doi.casefold() == record.doi) or (study.pmid and study.pmid == record.pmid):
            return study
    for study in register.studies:
        other = (study.doi and record.doi) or (study.pmid and record.pmid)
        page = study.pages.split("-")[0]
        if not other and page and (study.volume, page) == (record.volume, record.first_page) and any(
            _same_journal(study.journal, name) for name in record.journals
        ):  # fmt: skip
            return study
    return None


def _study_cited(register: Register, link: CitationLink) -> RegisteredStudy | None:
    """Return the study that a notice is to: by DOI or PMID, or where it names a title alone, by that."""
    for study in register.studies:
        if (study.doi and study.doi.casefold() == link.doi) or (study.pmid and study.pmid == link.pmid):
            return study
    title = _letters(link.text)
    titled = [s for s in register.studies if s.title and _letters(s.title) in title] if title else []
    return titled[0] if titled and not (link.doi or link.pmid) else None


def _same_journal(one: str, other: str) -> bool:
    """Tell whether one name of a journal is the other's, or abbreviates it word by word."""
    words, others = ([w for w in re.findall(r"\w+", x.casefold()) if w not in _SMALL_WORDS] for x in (one, other))
    return len(words) == len(others) and all(
        a.startswith(b) or b.startswith(a) for a, b in zip(words, others, strict=True)
    )


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text.casefold())


def _notice(study: RegisteredStudy, link: CitationLink, *, on: date) -> Notice:
    return Notice(study=study.name, kind=link.kind, reference=link.text, doi=link.doi, pmid=link.pmid, raised_on=on)


def _notice_itself(study: RegisteredStudy, record: Citation, link: CitationLink, *, on: date) -> Notice:
    journal = next(iter(record.journals), "")
    place = f"{journal} {record.year};{record.volume}:{record.first_page}" if journal else record.title
    return Notice(
        study=study.name, kind=link.kind, reference=place.strip(";: "), doi=record.doi, pmid=record.pmid, raised_on=on
    )


def _unheard(register: Register, notices: Sequence[Notice]) -> list[Notice]:
    """Return the notices that are new, each once, gravest first."""
    heard = [n for s in register.studies for n in s.notices]
    own: list[Notice] = []
    for n in sorted(notices, key=lambda n: (NOTICE_KINDS.index(n.kind), n.study, not n.doi, not n.pmid)):
        if not any(_same_notice(n, other) for other in (*heard, *own)):
            own.append(n)
    return own


def _same_notice(one: Notice, other: Notice) -> bool:
    """Tell whether two are one notice: by DOI or PMID, or where one of them has neither, by study and kind."""
    if (one.study, one.kind) != (other.study, other.kind):
        return False
    shared = [(a, b) for a, b in ((one.doi, other.doi), (one.pmid, other.pmid)) if a and b]
    return any(a == b for a, b in shared) if shared else not ((one.doi or one.pmid) and (other.doi or other.pmid))


def _row(record: Citation, on: date) -> ScreeningRow:
    return ScreeningRow(
        title=record.title, authors=record.authors, journal=next(iter(record.journals), ""), year=record.year,
        doi=record.doi, pmid=record.pmid, kind="; ".join(record.kinds), source=record.source, listed_on=on,
    )  # fmt: skip


def _same_article(one: ScreeningRow, other: ScreeningRow) -> bool:
    """Tell whether two rows are of one article: by DOI or PMID, or by title where one of them has neither."""
    shared = [(a, b) for a, b in ((one.doi, other.doi), (one.pmid, other.pmid)) if a and b]
    if shared:
        return any(a.casefold() == b.casefold() for a, b in shared)
    return bool(one.title) and _letters(one.title) == _letters(other.title)
