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
    return Regression(tables, endpoint, effects).table()


class Regression:
    """The models of one endpoint, in the making of a table.

    Parameters
    ----------
    effects
        On the endpoint.
    marks
        Notes of the table so far -> their marks, where it holds several endpoints.
    """

    def __init__(
        self, tables: Tables, endpoint: str, effects: Sequence[Estimate], *, marks: dict[str, str] | None = None
    ) -> None:
        self.tables, self.endpoint = tables, endpoint
        self.what = "OR" if effects[0].statistic == "odds_ratio" else "HR"
        self.models = [_by_term(e for e in effects if e.model == "univariable"),
                       *(model for model in self._multivariable(effects) if model)]  # fmt: skip
        self.marks = {} if marks is None else marks

    def _multivariable(self, effects: Sequence[Estimate]) -> Iterator[_Model]:
        """Yield the effects of each model of the plan: their records follow each other in its order."""
        adjusted = iter([e for e in effects if e.model == "multivariable"])
        factors = {f.name: f for f in self.tables.findings.described.factors}
        for model in self.tables.findings.plan.models:
            if model.endpoint == self.endpoint and len(set(model.factors)) > 1 and set(model.factors) <= set(factors):
                size = sum(len(_levels(factors[name])) or 1 for name in model.factors)
                yield _by_term(islice(adjusted, size))

    @property
    def used(self) -> list[DescribedFactor]:
        """The factors with an effect."""
        names = {name for model in self.models for name, _ in model}
        return [f for f in self.tables.findings.described.factors if f.name in names]

    def table(self) -> Table:
        """Return the table of this endpoint alone."""
        names = named(len(self.models))
        effect = f"{self.what} ({self.tables.ci})"
        p = number_format.p_letter()
        heads = ("", "n", "Events", *(f"{name} {head}" for name in names for head in (effect, p)))
        rows = tuple(row for factor in self.used for row in self._factor(factor))
        caption = f"Factors associated with {lowered(self.tables.labels.endpoint(self.endpoint))}"
        what = f"{self.what}: {self.ratio} of Firth's penalised model; {p}: penalised likelihood ratio"
        tests = self.tables.look.all("global_test", self.endpoint, "p_value")
        together = f"{p} beside a category's name: all its levels together" if any(t.p_value for t in tests) else None
        notes = [what, together, *self.sizes(), *(f"{mark} {text}" for text, mark in self.marks.items())]
        return Table(f"regression_{self.endpoint}", caption, heads, rows, tuple(n for n in notes if n))

    @property
    def ratio(self) -> str:
        """What the effects are: odds ratio or hazard ratio."""
        return f"{'odds' if self.what == 'OR' else 'hazard'} ratio"

    def sizes(self) -> Iterator[str]:
        """Yield patients and events of each multivariable model."""
        for name, model in zip(named(len(self.models))[1:], self.models[1:], strict=True):
            first = next(iter(model.values()), None)
            if first is not None and not number_format.hidden(first):
                n, events = number_format.count(first.n), number_format.count(first.events)
                yield f"{name}: complete cases, n = {n}, {events} events"

    def _factor(self, factor: DescribedFactor) -> Iterator[Row]:
        label, width = self.tables.labels.factor(factor.name), 2 * len(self.models)
        if factor.kind == "number":
            alone = self.models[0].get((factor.name, None))
            yield Row(label, (*_size(alone), *self.effects(factor.name, level=None)))
            return
        yield Row(label, ("", "", *self._of_all_levels(factor, width)))
        for level in factor.levels:
            cells = (*_size(self.of_level(factor, level=level)), *self.cells(factor, level=level))
            yield Row(self.tables.labels.level_label(factor.name, level), cells, inner=True)

    def _of_all_levels(self, factor: DescribedFactor, width: int) -> tuple[str, ...]:
        """Return the p-value of all levels together in each model, in the column of p-values."""
        tests = self.tables.look.all("global_test", self.endpoint, "p_value", term=factor.name)
        by_model: dict[str | None, list[Estimate]] = {}
        for test in tests:
            by_model.setdefault(test.model, []).append(test)
        cells = [""] * width
        for i, model in enumerate(self.models):
            kind = "univariable" if i == 0 else "multivariable"
            if any(name == factor.name for name, _ in model) and by_model.get(kind):
                test = by_model[kind].pop(0)
                cells[2 * i + 1] = "" if test.p_value is None else number_format.p_value(test.p_value)
        return tuple(cells)

    def cells(self, factor: DescribedFactor, *, level: str) -> Iterator[str]:
        """Yield effect and p of a level in each model; of the reference, that it is one where a model holds it."""
        if level != factor.levels[0]:
            yield from self.effects(factor.name, level=level if factor.kind == "category" else None)
            return
        for model in self.models:
            yield from (REFERENCE if any(name == factor.name for name, _ in model) else "", "")

    def of_level(self, factor: DescribedFactor, *, level: str) -> Estimate | None:
        """Return the record with patients and events of one level."""
        look, group = self.tables.look, Stratum(factor.name, level)
        record = look.one("response", self.endpoint, "proportion", group=group)
        return record or look.one("survival", self.endpoint, "median", group=group)

    def effects(self, factor: str, *, level: str | None) -> Iterator[str]:
        """Yield effect and p of a factor or of one of its levels in each model."""
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


def named(models: int) -> list[str]:
    """Return the names of columns of so many models, the first univariable."""
    return ["Univariable", *(f"Multivariable{f' {i}' if models > 2 else ''}" for i in range(1, models))]


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
