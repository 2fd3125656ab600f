"""The tables that answer a report's question: outcomes, time to event by the primary factor, associations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from reinfuse.cohort.cohort_summary import DescribedEndpoint, DescribedFactor
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, declaration
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.cohort.strata import AT_LEAST, Stratum
from reinfuse.report.document.model import Row, Table
from reinfuse.report.tables.regression import Regression, named
from reinfuse.report.tables.results import Tables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import listed, lowered
from reinfuse.results.estimate import Estimate

_YEAR = 12
"""Months at which the probability of no event stands beside a median."""


class MainTables(Tables):
    """Makes the tables of the report that its readers look for first."""

    @property
    def primary(self) -> DescribedFactor | None:
        """The first factor of the plan's models that divides patients into groups; None where there is none."""
        factors = {f.name: f for f in self.findings.described.factors if f.kind != "number"}
        named = (f for model in self.findings.plan.models for f in model.factors if f in factors)
        return next((factors[name] for name in named), None)

    def outcomes(self) -> Table | None:
        """Every outcome of all patients: n, events, and proportion or median."""
        rows = [*self._endpoints(), *self._severe()]
        heads = ("Outcome", "n", "Events", f"Estimate ({self.ci})")
        notes = ("Proportions: exact (Clopper-Pearson) intervals. Medians: Kaplan-Meier.",)
        return Table("outcomes", "Outcomes of all patients", heads, tuple(rows), notes, columns=1) if rows else None

    def _endpoints(self) -> Iterator[Row]:
        for end in self.findings.described.endpoints:
            if end.competing or not (end.name not in ENDPOINTS or declaration(end.name).summarised):
                continue
            if end.kind == "binary":
                share = self.look.one("response", end.name, "proportion")
                yield from self._row(end.label, share, number_format.share)
            else:
                median = self.look.one("survival", end.name, "median")
                label = f"{end.label}{declaration(end.name).origin}"
                yield from self._row(f"{label}: median, months", median, number_format.time)

    def _severe(self) -> Iterator[Row]:
        level = f"{AT_LEAST}3"
        for e in self.look.all("toxicity", None, "proportion", population="all", group=None, level=level):
            yield from self._row(f"{e.term} grade ≥3", e, number_format.share)

    def _row(self, head: str, record: Estimate | None, shown: Callable[[Estimate], str]) -> Iterator[Row]:
        if record is not None:
            events = number_format.hidden(record) or number_format.count(record.events)
            yield Row(head, (number_format.count(record.n), events, shown(record)))

    def times(self) -> Table | None:
        """Medians and probabilities at a year by the primary factor, of the endpoints that are shown by factors."""
        factor, ends = self.primary, self.by_factor
        if factor is None:
            return None
        rows = [row for end in ends for row in self._of_levels(end, factor)]
        if not rows:
            return None
        tests = {e.label: self.look.one("survival", e.name, "p_value", term=factor.name) for e in ends}
        shown = [f"{lowered(label)} {number_format.p_value(t.p_value)}"
                 for label, t in tests.items() if t is not None and t.p_value is not None]  # fmt: skip
        notes = (f"Log-rank {self.p}: {', '.join(shown)}.",) if shown else ()
        medians = [e for end in ends for e in self.look.all("survival", end.name, "median")]
        heads = ("", "n", "Events", f"Median, months ({self.ci})", f"At {_YEAR} months ({self.ci})")
        caption = f"Time to event by {lowered(factor.label)}"
        return Table("times", caption, heads, tuple(rows), (*notes, *number_format.rounding(medians)), columns=1)

    @property
    def by_factor(self) -> list[DescribedEndpoint]:
        """The times to event that are shown by factors."""
        own = {e.name for e in self.findings.plan.endpoints}
        return [e for e in self.findings.described.endpoints if e.kind == "time" and not e.competing
                and (declaration(e.name).by_factor or e.name in own)]  # fmt: skip

    def _of_levels(self, end: DescribedEndpoint, factor: DescribedFactor) -> Iterator[Row]:
        rows = []
        for level in (None, *factor.levels):
            group = None if level is None else Stratum(factor.name, level)
            median = self.look.one("survival", end.name, "median", group=group)
            if median is not None:
                name = "All patients" if level is None else self.labels.level_label(factor.name, level)
                rates = self.look.all("survival", end.name, "rate_at", population="all", group=group)
                at = next((r for r in rates if round((r.at or 0) / DAYS_A_MONTH) == _YEAR), None)
                cells = (number_format.count(median.n), number_format.count(median.events), number_format.time(median),
                         "" if at is None else number_format.share(at))  # fmt: skip
                rows.append(Row(name, cells, inner=True))
        if rows:
            yield Row(end.label, ("", "", "", ""))
            yield from rows

    def associations(self) -> Table | None:
        """Univariable and multivariable effects side by side, a row a level, of the endpoints of the plan's models."""
        ends = self._modelled()
        if not ends:
            return None
        marks: dict[str, str] = {}
        models = {end.name: Regression(self, end.name, self.effects(end.name), marks=marks) for end in ends}
        names = named(max(len(one.models) for one in models.values()))
        heads = ("", "Events of n", *(head for name in names for head in (f"{name} ({self.ci})", self.p)))
        rows = [row for end in ends for row in self._of_endpoint(end, models[end.name], width=len(heads) - 1)]
        sizes = [f"{end.label}, {lowered(text)}" for end in ends for text in models[end.name].sizes()]
        notes = (*sizes, *(f"{mark} {text}" for text, mark in marks.items()))
        caption = f"Factors associated with {listed([lowered(end.label) for end in ends])}"
        return Table("associations", caption, heads, tuple(rows), notes)

    def _modelled(self) -> Sequence[DescribedEndpoint]:
        """Return the endpoints of the plan's models; without models the main endpoints."""
        with_effects = [e for e in self.findings.described.endpoints if self.effects(e.name)]
        planned = {m.endpoint for m in self.findings.plan.models}
        if planned:
            return [e for e in with_effects if e.name in planned]
        return [e for e in with_effects if declaration(e.name).main] or with_effects[:1]

    def _of_endpoint(self, end: DescribedEndpoint, models: Regression, *, width: int) -> Iterator[Row]:
        """Yield a row of the endpoint's name and one of each level of its factors, so many cells wide."""

        def row(head: str, record: Estimate | None, effects: Iterator[str]) -> Row:
            cells = (_counts(record), *effects)
            return Row(head, (*cells, *("",) * (width - len(cells))), inner=True)

        yield Row(f"{end.label}: {models.ratio}", ("",) * width)
        for factor in models.used:
            if factor.kind == "number":
                alone = models.models[0].get((factor.name, None))
                yield row(factor.label, alone, models.effects(factor.name, level=None))
            for level in factor.levels if factor.kind != "number" else ():
                of_level = models.of_level(factor, level=level)
                yield row(self.labels.group(Stratum(factor.name, level)), of_level, models.cells(factor, level=level))


def _counts(record: Estimate | None) -> str:
    """Return events and patients."""
    if record is None or record.n is None or record.events is None or number_format.hidden(record):
        return number_format.NOT_SHOWN
    return f"{number_format.count(record.events)} of {number_format.count(record.n)}"
