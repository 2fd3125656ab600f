"""Published studies beside the cohort: what is compared, and its tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from reinfuse.analyses.published_studies import RECORDS
from reinfuse.analyses.published_synthesis import POOLED, POSITION, PREDICTION
from reinfuse.cohort.strata import AT_LEAST, level_of
from reinfuse.report.document.model import Table
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate

THIS = "This cohort"
MEAN, PREDICTED = "Pooled", "Prediction interval of a further study"


@dataclass(frozen=True)
class PublishedComparison:
    """One endpoint or severe toxicity, in one population: published proportions and the cohort's own.

    Attributes
    ----------
    name
        Of its table and figure, without a blank.
    label
        Of the endpoint or toxicity.
    studies
        A proportion each.
    pooled, prediction
        None where nothing was pooled.
    own
        The cohort's proportion; None where it is not there, or suppressed.
    expected
        Events that are expected of a further study of the cohort's size; None where nothing was pooled.
    excluded
        Studies that report it and are left out, each with the reason as its note.
    """

    name: str
    label: str
    population: str
    studies: tuple[Estimate, ...]
    pooled: Estimate | None
    prediction: Estimate | None
    own: Estimate | None
    expected: Estimate | None
    excluded: tuple[Estimate, ...]

    @property
    def n(self) -> int:
        """Patients of all studies."""
        return sum(e.n or 0 for e in self.studies)

    @property
    def lies(self) -> str:
        """Where the cohort's events lie among those expected of a further study; empty where that is not known."""
        e = self.expected
        if e is None or e.events is None or e.lower is None or e.upper is None:
            return ""
        return "fewer than" if e.events < e.lower else "more than" if e.events > e.upper else "within what is"


def comparisons(tables: StudyTables) -> list[PublishedComparison]:
    """Return all comparisons, in the order of the records."""
    records = [e for e in tables.findings.estimates if e.analysis == RECORDS]
    places = dict.fromkeys((e.endpoint, e.term, e.level, e.population) for e in records)
    return [_comparison(tables, records, place) for place in places]


def _comparison(
    tables: StudyTables, records: list[Estimate], place: tuple[str | None, str | None, str | None, str]
) -> PublishedComparison:
    endpoint, term, level, population = place
    here = [e for e in records if (e.endpoint, e.term, e.level, e.population) == place]
    of = {name: [e for e in here if e.statistic == name] for name in dict.fromkeys(e.statistic for e in here)}
    own_analysis = "response" if term is None else "toxicity"
    own = tables.look.one(own_analysis, endpoint, "proportion", population, term=term, level=level)
    shown = own if own is not None and own.n and not number_format.hidden(own) else None
    label = tables.labels.endpoint(endpoint) if endpoint else f"{term}, grade {(level or '').replace(AT_LEAST, '≥')}"
    return PublishedComparison(
        endpoint or (term or "").lower(), label, population, tuple(of.get("proportion", ())),
        next(iter(of.get(POOLED, ())), None), next(iter(of.get(PREDICTION, ())), None), shown,
        tables.look.one(POSITION, endpoint, "expected_events", population), tuple(of.get("excluded", ())),
    )  # fmt: skip


def published_table(tables: StudyTables, compared: list[PublishedComparison]) -> Table | None:
    """Return the table of one endpoint: all patients first, then each diagnosis; None without any study."""
    lines: list[tuple[str, tuple[str, ...], str | None]] = []
    blank = ("",) * 3
    for one in compared:
        if not one.studies:
            continue
        if len(compared) > 1:
            lines.append((tables.labels.population(one.population), blank, None))
        lines += [_line(level_of(e.group or ""), e, read=read_on(tables, e)) for e in one.studies]
        if one.pooled is not None:
            share = number_format.percent(one.pooled.estimate or 0.0, one.n)
            lines.append((MEAN, (share, number_format.interval(one.pooled), ""), one.pooled.note))
        if one.prediction is not None:
            lines.append((PREDICTED, ("", number_format.interval(one.prediction), ""), one.prediction.note))
        if one.own is not None:
            lines.append(_line(THIS, one.own))
    if not lines:
        return None
    left_out = tuple(f"Not pooled: {level_of(e.group or '')} ({e.note})" for e in compared[0].excluded)
    heads = ("", "Proportion", tables.ci, "Read on")
    caption = f"{compared[0].label}: published second infusions and this cohort"
    return tables.marked(heads, f"studies_{compared[0].name}", caption, lines, left_out)


def _line(head: str, e: Estimate, *, read: date | None = None) -> tuple[str, tuple[str, ...], str | None]:
    return head, (number_format.of(e), number_format.interval(e), "" if read is None else read.isoformat()), e.note


def read_on(tables: StudyTables, study: Estimate) -> date | None:
    """Return the day on which a study was read; None where the report's own day is not told."""
    return _day(tables, study, "age", -1)


def review_by(tables: StudyTables, study: Estimate) -> date | None:
    """Return the day by which a study is to be read again; None where the report's own day is not told."""
    return _day(tables, study, "to_review", 1)


def _day(tables: StudyTables, study: Estimate, statistic: str, sign: int) -> date | None:
    days = next(iter(tables.look.all(RECORDS, study.endpoint, statistic, group=study.group)), None)
    today = str(tables.findings.provenance["date"])
    if days is None or days.estimate is None or len(today) != len("2026-11-29"):
        return None
    return date.fromisoformat(today) + sign * timedelta(days=days.estimate)


def is_stale(tables: StudyTables, study: Estimate) -> bool:
    """Tell whether a study was to be read again before the day of the report."""
    days = next(iter(tables.look.all(RECORDS, study.endpoint, "to_review", group=study.group)), None)
    return days is not None and days.estimate is not None and days.estimate < 0


def notices(tables: StudyTables) -> Iterator[tuple[str, str]]:
    """Yield the label and the notice of each study to which a journal published one, each once."""
    records = [e for e in tables.findings.estimates if (e.analysis, e.statistic) == (RECORDS, "notice")]
    yield from dict.fromkeys((level_of(e.group or ""), e.note or "") for e in records)
