"""The table of patients, as a plan's `[report.table1]` asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.cohort.baseline_variables import LABELS
from reinfuse.cohort.strata import factor_of
from reinfuse.plan.report_options import Summary
from reinfuse.report.document.model import Row, Table
from reinfuse.report.text import number_format
from reinfuse.report.text.estimate_index import Lookup
from reinfuse.report.text.labels import Labels, lowered, without_unit
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.results.findings import Findings

Column = tuple[str, str | None]
"""Population and group."""
_STATISTICS: dict[Summary, tuple[str, ...]] = {
    "median (quartiles)": ("median", "iqr_low", "iqr_high"),
    "median (range)": ("median", "min", "max"),
    "mean (SD)": ("mean", "sd"),
}


class PatientTable:
    """Makes the table of patients of one study."""

    def __init__(self, findings: Findings, look: Lookup, labels: Labels) -> None:
        self.options = findings.plan.report.table1
        self.look, self.labels = look, labels
        self.records = [e for e in findings.estimates if e.analysis == "baseline"]
        self.columns: list[Column] = [(p, None) for p in findings.described.populations]
        if self.options.by is not None:
            counts = look.all("baseline", None, "count", population="all", term=None)
            groups = [e.group for e in counts if factor_of(e.group) == self.options.by]
            self.columns = [("all", None)] * self.options.overall + [("all", group) for group in groups]

    def table(self) -> Table:
        """Return the table, with the columns that compare the groups where the plan asks for them."""
        compared = self._compared
        heads = [self._head(column) for column in self.columns] + list(compared)
        rows = tuple(row for name in self._names() for row in self._variable(name, compared=list(compared.values())))
        return Table("baseline", "Patient characteristics at the index infusion", ("", *heads), rows,
                     tuple(self._notes()))  # fmt: skip

    def _record(self, statistic: str, column: Column, term: str | None, **where: object) -> Estimate | None:
        population, group = column
        return self.look.one("baseline", None, statistic, population, group, term=term, **where)

    def _head(self, column: Column) -> str:
        size = self._record("count", column, None)
        population, group = column
        label = self.labels.population(population) if group is None else self.labels.level(group)
        if size is not None and number_format.hidden(size):
            return f"{label} ({number_format.hidden(size)})"
        return f"{label} (n = {number_format.count(size.estimate if size else 0)})"

    def _names(self) -> list[str]:
        """Return the variables that records describe, in the order of the plan."""
        every = dict.fromkeys(e.term for e in self.look.all("baseline", None, "missing", population="all") if e.term)
        names = [name for name in every if name != self.options.by]
        return names if self.options.variables is None else [n for n in self.options.variables if n in names]

    # Rows

    def _variable(self, name: str, *, compared: Sequence[str]) -> Iterator[Row]:
        label = self._label(name)
        further = tuple(self._comparison(statistic, name=name) for statistic in compared)
        median = self._record("median", ("all", None), name)
        if median is not None:
            summary = self.options.summary(name)
            how = f", {summary}" if summary != self.options.numbers else ""
            cells = tuple(self._number(name, column, summary=summary) for column in self.columns)
            yield Row(f"{label}{f', {median.unit}' if median.unit else ''}{how}", (*cells, *further))
        else:
            yield from self._levels(name, label, further=further)
        yield from self._missing(name, further=len(further))

    def _label(self, name: str) -> str:
        own = self.labels.own_label(name) or LABELS.get(name) or _of_an_infusion(name) or self.labels.factor(name)
        return without_unit(own)

    def _number(self, name: str, column: Column, *, summary: Summary) -> str:
        records = [self._record(statistic, column, name) for statistic in _STATISTICS[summary]]
        if any(e is not None and number_format.hidden(e) for e in records):
            return number_format.UNTOLD
        printed = number_format.mean if summary == "mean (SD)" else number_format.plain
        first, *others = [printed(e.estimate, e.unit) if e else number_format.NOT_SHOWN for e in records]
        if first == number_format.NOT_SHOWN:
            return first
        return f"{first} ({number_format.limits(*others) if len(others) > 1 else others[0]})"

    def _levels(self, name: str, label: str, *, further: tuple[str, ...]) -> Iterator[Row]:
        shares = self.look.all("baseline", None, "proportion", population="all", group=None, term=name)
        levels = [e.level for e in shares if e.level is not None]
        if set(levels) <= {"yes", "no"}:
            yield Row(label, (*(self._share(name, "yes", column=column) for column in self.columns), *further))
            return
        yield Row(label, (*("" for _ in self.columns), *further))
        for level in levels:
            cells = (self._share(name, level, column=column) for column in self.columns)
            yield Row(self.labels.level_label(name, level), (*cells, *("" for _ in further)), True)

    def _share(self, name: str, level: str, *, column: Column) -> str:
        record = self._record("proportion", column, name, level=level)
        if record is None or (record.estimate is None and not number_format.hidden(record)):
            return number_format.NOT_SHOWN
        return number_format.of(record)

    def _missing(self, name: str, *, further: int) -> Iterator[Row]:
        records = [self._record("missing", column, name) for column in self.columns]
        some = any(e is not None and (e.estimate or number_format.hidden(e)) for e in records)
        if self.options.missing == "always" or (self.options.missing == "if any" and some):
            cells = (number_format.hidden(e) or number_format.count(e.estimate) if e else "" for e in records)
            yield Row("missing", (*cells, *("" for _ in range(further))), True)

    # Columns that compare the groups

    @property
    def _compared(self) -> dict[str, str]:
        """The heads of these columns, and the statistic that each shows."""
        heads = {"SMD": ("smd", self.options.smd), number_format.p_letter(): ("p_value", self.options.p)}
        there = {e.statistic for e in self.records}
        return {head: statistic for head, (statistic, asked) in heads.items() if asked and statistic in there}

    def _comparison(self, statistic: str, *, name: str) -> str:
        records = self.look.all("baseline", None, statistic, term=name)
        values = [e.estimate for e in records if e.estimate is not None]
        if len(values) < len(records) or not values:
            return NOT_ESTIMABLE
        return number_format.p_value(values[0]) if statistic == "p_value" else number_format.difference(max(values))

    # Notes

    def _notes(self) -> Iterator[str]:
        columns = self.columns
        yield (f"Continuous variables: {self.options.numbers}. Categorical variables: patients "
               "(% of those with a value).")  # fmt: skip
        if "smd" in self._compared.values():
            pairs = "; the largest between any two groups" if len([c for c in columns if c[1]]) > 2 else ""
            yield f"SMD: absolute standardised mean difference{pairs}."
        if "p_value" in self._compared.values():
            methods = dict.fromkeys(e.method for e in self.look.all("baseline", None, "p_value") if e.method)
            yield f"{number_format.p_letter()}: {'; '.join(methods)}."
        yield from self._without_group()
        yield from number_format.rounding(self.records)

    def _without_group(self) -> Iterator[str]:
        """Say who is in no group, where that is known."""
        by = self.options.by
        missing = self._record("missing", ("all", None), by) if by is not None else None
        if by is None or missing is None or not missing.estimate:
            return
        where = "in the column of all patients only" if self.options.overall else "in no column"
        patients = "patient" if missing.estimate == 1 else "patients"
        yield (f"{number_format.count(missing.estimate)} {patients} without a value of {lowered(self._label(by))}: "
               f"{where}.")  # fmt: skip


def _of_an_infusion(name: str) -> str | None:
    if name.startswith("cart") and name.endswith("_regimen"):
        return f"Lymphodepletion before {name.removesuffix('_regimen').upper()}"
    if name.startswith("cart") and name.endswith("_dose_cells_per_kg"):
        return f"{name.split('_', maxsplit=1)[0].upper()} dose"
    return None
