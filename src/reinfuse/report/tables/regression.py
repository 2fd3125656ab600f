"""The regression table of one endpoint: each factor alone and in the plan's models, side by side, with every level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from reinfuse.cohort.cohort_summary import DescribedFactor
from reinfuse.cohort.strata import Stratum
from reinfuse.report.document.model import Row, Table
from reinfuse.report.tables.results import Tables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate

REFERENCE = "1 (reference)"
_MARKS = "†‡§¶#"
_Model = dict[tuple[str, str | None], Estimate]
"""Factor and level -> effect."""


def regression(tables: Tables, endpoint: str) -> Table | None:
    """Return the effects on one endpoint, reference levels as rows; None where none was estimated."""
    effects = tables.effects(endpoint)
    if not effects:
        return None
    return _Regression(tables, endpoint, effects).table()


class _Regression:
    """One table in the making."""

    def __init__(self, tables: Tables, endpoint: str, effects: Sequence[Estimate]) -> None:
        self.tables, self.endpoint = tables, endpoint
        self.what = "OR" if effects[0].statistic == "odds_ratio" else "HR"
        self.models = [_by_term(e for e in effects if e.model == "univariable"), *self._multivariable(effects)]
        self.marks: dict[str, str] = {}

    def _multivariable(self, effects: Sequence[Estimate]) -> Iterator[_Model]:
        """Yield the effects of each model of the plan: their records follow each other in its order."""
        adjusted = iter([e for e in effects if e.model == "multivariable"])
        factors = {f.name: f for f in self.tables.findings.described.factors}
        for model in self.tables.findings.plan.models:
            if model.endpoint == self.endpoint and len(set(model.factors)) > 1 and set(model.factors) <= set(factors):
                size = sum(len(_levels(factors[name])) or 1 for name in model.factors)
                yield _by_term(islice(adjusted, size))

    def table(self) -> Table:
        several = len(self.models) > 2
        names = ["Univariable", *(f"Multivariable{f' {i}' if several else ''}" for i in range(1, len(self.models)))]
        effect = f"{self.what} ({self.tables.ci})"
        p = number_format.p_letter()
        heads = ("", "n", "Events", *(f"{name} {head}" for name in names for head in (effect, p)))
        rows = tuple(row for factor in self.tables.findings.described.factors for row in self._factor(factor))
        caption = f"Factors associated with {lowered(self.tables.labels.endpoint(self.endpoint))}"
        notes = (*self._sizes(names), *(f"{mark} {text}" for text, mark in self.marks.items()))
        return Table(f"regression_{self.endpoint}", caption, heads, rows, notes)

    def _sizes(self, names: Sequence[str]) -> Iterator[str]:
        what = "odds" if self.what == "OR" else "hazard"
        p = number_format.p_letter()
        yield f"{self.what}: {what} ratio of Firth's penalised model; {p}: penalised likelihood ratio"
        for name, model in zip(names[1:], self.models[1:], strict=True):
            first = next(iter(model.values()), None)
            if first is not None and not number_format.hidden(first):
                n, events = number_format.count(first.n), number_format.count(first.events)
                yield f"{name}: complete cases, n = {n}, {events} events"

    def _factor(self, factor: DescribedFactor) -> Iterator[Row]:
        if not any(name == factor.name for model in self.models for name, _ in model):
            return
        label, width = self.tables.labels.factor(factor.name), 2 * len(self.models)
        if factor.kind == "number":
            alone = self.models[0].get((factor.name, None))
            yield Row(label, (*_size(alone), *self._effects(factor.name, level=None)))
            return
        yield Row(label, ("",) * (2 + width))
        reference, *others = factor.levels
        shown = [t for m in self.models for t in ((REFERENCE, "") if any(n == factor.name for n, _ in m) else ("", ""))]
        named = self.tables.labels.level_label
        yield Row(named(factor.name, reference), (*self._level(factor, level=reference), *shown), inner=True)
        for level in others:
            term = level if factor.kind == "category" else None
            cells = (*self._level(factor, level=level), *self._effects(factor.name, level=term))
            yield Row(named(factor.name, level), cells, inner=True)

    def _level(self, factor: DescribedFactor, *, level: str) -> tuple[str, str]:
        """Return patients and events of one level."""
        look, group = self.tables.look, Stratum(factor.name, level)
        record = look.one("response", self.endpoint, "proportion", group=group)
        return _size(record or look.one("survival", self.endpoint, "median", group=group))

    def _effects(self, factor: str, *, level: str | None) -> Iterator[str]:
        for model in self.models:
            e = model.get((factor, level))
            if e is None:
                yield from ("", "")
            elif e.estimate is None:
                yield from (self._noted(e, text=number_format.UNTOLD if number_format.hidden(e) else NOT_ESTIMABLE), "")
            else:
                effect = f"{number_format.ratio(e.estimate)} ({number_format.interval(e)})"
                yield from (self._noted(e, text=effect), number_format.p_value(e.p_value))

    def _noted(self, record: Estimate, *, text: str) -> str:
        """Return a text with the marks of what a record's note says."""
        if number_format.hidden(record):
            return text
        remarks = [p for p in (record.note or "").split("; ") if p]
        return text + "".join(self.marks.setdefault(p, _mark(len(self.marks))) for p in remarks)


def _by_term(effects: Iterator[Estimate] | Sequence[Estimate]) -> _Model:
    by_term: _Model = {}
    for e in effects:
        by_term.setdefault((e.term or "", e.level), e)
    return by_term


def _mark(place: int) -> str:
    """Return the mark of a footnote: †, ‡, ... and then ††, ‡‡."""
    return _MARKS[place % len(_MARKS)] * (place // len(_MARKS) + 1)


def _levels(factor: DescribedFactor) -> tuple[str, ...]:
    return factor.levels[1:]


def _size(record: Estimate | None) -> tuple[str, str]:
    if record is None:
        return "", ""
    hidden = number_format.hidden(record)
    return (hidden, "") if hidden else (number_format.count(record.n), number_format.count(record.events))
