"""The tables that answer a report's question: outcomes, time to event by the primary factor, associations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from reinfuse.cohort.cohort_summary import DescribedEndpoint, DescribedFactor
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, declaration
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.cohort.strata import AT_LEAST, Stratum
from reinfuse.report.document.model import Row, Table
from reinfuse.report.tables.results import Tables
from reinfuse.report.tables.robustness import ratio
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import listed, lowered
from reinfuse.results.estimate import Estimate

_MODELS = ("univariable", "multivariable")
_NAMES = {"odds_ratio": "odds ratio", "hazard_ratio": "hazard ratio"}
_YEAR = 12
"""Months at which the probability of no event stands beside a median."""
_Effects = Mapping[tuple[str, str | None, str], Estimate]
"""Factor, level and kind of model -> effect."""


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
        effects = {end.name: self._effects_by_term(end.name) for end in self._modelled()}
        models = [m for m in _MODELS if any(m == key[2] for of_end in effects.values() for key in of_end)]
        if not models:
            return None
        marks: dict[str, int] = {}
        rows = [row for end in self._modelled() for row in self._of_endpoint(end, effects[end.name], models, marks)]
        heads = ("", "Events of n", *(h for m in models for h in (f"{m.capitalize()} ({self.ci})", self.p)), "Note")
        notes = (*self._sizes(effects), *(f"({number}) {text}" for text, number in marks.items()))
        ends = listed([lowered(end.label) for end in self._modelled()])
        return Table("associations", f"Factors associated with {ends}", heads, tuple(rows), notes)

    def _sizes(self, effects: Mapping[str, _Effects]) -> Iterator[str]:
        """Yield patients and events of the multivariable models, each of complete cases."""
        models = {
            end: next((e for e in of.values() if e.model == "multivariable"), None) for end, of in effects.items()
        }
        sizes = [f"{lowered(self.labels.endpoint(end))} n = {number_format.count(e.n)}, "
                 f"events {number_format.count(e.events)}"
                 for end, e in models.items() if e is not None and e.n is not None]  # fmt: skip
        if sizes:
            yield f"Multivariable models, complete cases: {', '.join(sizes)}"

    def _modelled(self) -> Sequence[DescribedEndpoint]:
        """Return the endpoints of the plan's models; without models the main endpoints."""
        with_effects = [e for e in self.findings.described.endpoints if self.effects(e.name)]
        planned = {m.endpoint for m in self.findings.plan.models}
        if planned:
            return [e for e in with_effects if e.name in planned]
        return [e for e in with_effects if declaration(e.name).main] or with_effects[:1]

    def _effects_by_term(self, endpoint: str) -> _Effects:
        return {(e.term or "", e.level, e.model or ""): e for e in self.effects(endpoint)}

    def _of_endpoint(
        self, end: DescribedEndpoint, effects: _Effects, models: Sequence[str], marks: dict[str, int]
    ) -> Iterator[Row]:
        first = next(iter(effects.values()))
        yield Row(f"{end.label}: {_NAMES[first.statistic]}", ("",) * (2 + 2 * len(models)))
        for factor in self.findings.described.factors:
            of_factor = {key[1:]: e for key, e in effects.items() if key[0] == factor.name}
            if of_factor and factor.kind == "number":
                of = [of_factor.get((None, m)) for m in models]
                yield Row(factor.label, (_counts(of[0]), *_cells(of, marks)), inner=True)
            elif of_factor:
                yield from self._of_factor(end, factor, of_factor, models=models, marks=marks)

    def _of_factor(
        self,
        end: DescribedEndpoint,
        factor: DescribedFactor,
        effects: Mapping[tuple[str | None, str], Estimate],
        *,
        models: Sequence[str],
        marks: dict[str, int],
    ) -> Iterator[Row]:
        """Yield the reference, and each other level with its effects."""
        used = {model for _, model in effects}
        for level in factor.levels:
            group = Stratum(factor.name, level)
            if level == factor.levels[0]:
                cells = (*(text for m in models for text in ("reference" if m in used else "", "")), "")
            else:
                own = level if factor.kind == "category" else None
                cells = _cells([effects.get((own, m)) for m in models], marks)
            yield Row(self.labels.group(group), (self._level(end, group), *cells), inner=True)

    def _level(self, end: DescribedEndpoint, group: Stratum) -> str:
        """Return the events and patients of one level."""
        if end.kind == "binary":
            return _counts(self.look.one("response", end.name, "proportion", group=group))
        return _counts(self.look.one("survival", end.name, "median", group=group))


def _counts(record: Estimate | None) -> str:
    if record is None or record.n is None or record.events is None or number_format.hidden(record):
        return number_format.NOT_SHOWN
    return f"{number_format.count(record.events)} of {number_format.count(record.n)}"


def _cells(effects: Sequence[Estimate | None], marks: dict[str, int]) -> tuple[str, ...]:
    """Return ratio and p of each model, and the numbers of the notes on them."""
    cells = [text for e in effects for text in (("", "") if e is None else (ratio(e), _p(e)))]
    notes = [part for e in effects if e is not None for part in (e.note or "").split("; ") if part]
    numbers = sorted({marks.setdefault(part, len(marks) + 1) for part in notes})
    return (*cells, ",".join(map(str, numbers)))


def _p(e: Estimate) -> str:
    return number_format.p_value(e.p_value)
