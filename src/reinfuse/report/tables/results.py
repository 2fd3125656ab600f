"""The report's tables: texts in cells, made from records alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.cohort.endpoint_catalog import declaration
from reinfuse.cohort.strata import AT_LEAST
from reinfuse.report.document.model import Row, Table
from reinfuse.report.tables.table1 import PatientTable
from reinfuse.report.text import number_format
from reinfuse.report.text.estimate_index import Lookup
from reinfuse.report.text.labels import Labels, lowered
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.results.findings import Findings


class Tables:
    """Makes the tables of one study."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.look = Lookup(findings.estimates)
        self.labels = Labels(findings)
        self.populations = list(findings.described.populations)
        self.ci = number_format.level(findings.plan.confidence)
        self.p = number_format.p_letter()

    def baseline(self) -> Table:
        """Who the patients are, overall and by subgroup or group."""
        return PatientTable(self.findings, self.look, self.labels).table()

    def response(self) -> Table | None:
        """Response, complete response, undetectable MRD, by population and by group."""
        ends = [e for e in self.findings.described.endpoints if e.kind == "binary"]
        if not ends:
            return None
        rows = []
        groups = dict.fromkeys(e.group for e in self.look.all("response", ends[0].name, "proportion") if e.group)
        places: list[tuple[str, str, str | None]] = [
            *((self.labels.population(p), p, None) for p in self.populations),
            *((self.labels.group(g), "all", g) for g in groups if f"{g}" not in self.populations),
        ]
        for label, population, group in places:
            records = [self.look.one("response", e.name, "proportion", population, group) for e in ends]
            cells = [_share(f) for f in records]
            rows.append(Row(label, tuple(cells)))
        heads = tuple(f"{e.label}, {self.ci}" for e in ends)
        return Table(
            "response", "Response", ("", *heads), tuple(rows), ("Exact (Clopper-Pearson) confidence intervals.",)
        )

    def survival(self, endpoint: str) -> Table:
        """Median and survival at 6, 12 and 24 months, by population and by group."""
        every = self.look.all("survival", endpoint, "median")
        rows = []
        for e in every:
            if e.group in self.populations:
                continue
            rates = self.look.all("survival", endpoint, "rate_at", population=e.population, group=e.group)
            label = self.labels.group(e.group) if e.group else self.labels.population(e.population)
            rows.append(Row(label, (number_format.count(e.n), number_format.count(e.events), number_format.time(e),
                                    *(number_format.share(r) for r in rates))))  # fmt: skip
        days = [e.at for e in self.look.all("survival", endpoint, "rate_at", population="all", group=None)]
        heads = ("", "n", "Events", f"Median, months ({self.ci})",
                 *(f"At {number_format.month(d)} months ({self.ci})" for d in days))  # fmt: skip
        rows = [Row(r.head, (*r.cells, *[""] * (len(heads) - 1 - len(r.cells)))) for r in rows]
        tests = self.look.all("survival", endpoint, "p_value")
        shown = [f"{self.labels.factor(t.term or '').split(', per ')[0]} {number_format.p_value(t.p_value)}"
                 for t in tests if t.p_value is not None]  # fmt: skip
        notes = [f"Log-rank {self.p}: {', '.join(shown)}"] if shown else []
        follow_up = self.look.one("survival", endpoint, "median_follow_up")
        if follow_up is not None and follow_up.n and not number_format.hidden(follow_up):
            notes.append(f"Median follow-up (reverse Kaplan-Meier): {number_format.time(follow_up)} months")
        notes += number_format.rounding([*every, follow_up])
        label = f"{self.labels.endpoint(endpoint)}{declaration(endpoint).origin}"
        return Table(f"survival_{endpoint}", label, heads, tuple(rows), tuple(notes))

    def competing(self) -> Table | None:
        """Cumulative incidence of competing events."""
        ends = [e for e in self.findings.described.endpoints if e.competing]
        rows = []
        heads: tuple[str, ...] = ()
        for end in ends:
            for population in self.populations:
                rates = self.look.all("competing", end.name, "rate_at", population=population)
                if not rates:
                    continue
                if len(rates) > len(heads) - 3:
                    heads = ("", "n", "Events", *(
                        f"At {number_format.month(r.at)} months ({self.ci})"
                                                  for r in rates))  # fmt: skip
                cells = (number_format.count(rates[0].n), number_format.count(rates[0].events),
                         *(number_format.share(r) for r in rates))  # fmt: skip
                rows.append(Row(f"{end.label}, {self.labels.population(population)}", cells))
        rows = [Row(r.head, (*r.cells, *[""] * (len(heads) - 1 - len(r.cells)))) for r in rows]
        return Table("competing", "Cumulative incidence of competing events", heads, tuple(rows)) if rows else None

    def toxicity(self) -> Table | None:
        """Worst grade of each kind."""
        shares = self.look.all("toxicity", None, "proportion", population="all")
        rows = []
        for kind in dict.fromkeys(e.term for e in shares):
            rows.append(Row(f"{kind}, grade ≥3", tuple(self._toxicity(kind, 3, p) for p in self.populations)))
            rows.append(Row("any grade", tuple(self._toxicity(kind, 1, p) for p in self.populations), True))
            for grade in range(1, 6):
                records = [
                    self.look.one("toxicity", None, "count", p, term=kind, level=f"{grade}") for p in self.populations
                ]
                cells = tuple(number_format.count(f.estimate) if f else "" for f in records)
                if any(c not in ("", "0") for c in cells):
                    rows.append(Row(f"grade {grade}", cells, True))
        if not rows:
            return None
        heads = ("", *(self.labels.population(p) for p in self.populations))
        return Table("toxicity", f"Toxicity after the index infusion, worst grade ({self.ci})", heads, tuple(rows))

    def _toxicity(self, kind: str | None, least: int, population: str) -> str:
        return _share(self.look.one("toxicity", None, "proportion", population, term=kind, level=f"{AT_LEAST}{least}"))

    def association(self, endpoint: str) -> Table | None:
        """Univariable and multivariable effects on one endpoint."""
        records = self.effects(endpoint)
        if not records:
            return None
        marks: dict[str, int] = {}
        rows = []
        permuted = self.look.all("permutation", endpoint, "p_value")
        adjusted = self.look.all("sensitivity", endpoint, "p_adjusted")
        for e in records:
            remarks = [p for p in (e.note or "").split("; ") if p]
            flags = ",".join(str(marks.setdefault(s, len(marks) + 1)) for s in remarks)
            value = f"{number_format.ratio(e.estimate)} ({number_format.interval(e)})"
            if e.estimate is None:
                value = number_format.UNTOLD if number_format.hidden(e) else NOT_ESTIMABLE
            others = [
                next((r.p_value for r in tests if (r.term, r.level, r.model) == (e.term, level, e.model)), None)
                for tests, level in ((permuted, None), (adjusted, e.level))
            ]
            cells = (str(e.model), number_format.count(e.n), number_format.count(e.events), value,
                     *(number_format.p_value(value) for value in (e.p_value, *others)), flags)  # fmt: skip
            rows.append(Row(self.labels.term(e.stratum or ""), cells))
            if e.level is not None and _last_of_factor(e, records):
                rows += self._of_all_levels(e)
        what = "Odds ratio" if records[0].statistic == "odds_ratio" else "Hazard ratio"
        heads = ("Factor", "Model", "n", "Events", f"{what} ({self.ci})", self.p, f"Permutation {self.p}",
                 f"BH-adjusted {self.p}", "Note")  # fmt: skip
        notes = tuple(f"({number}) {text}" for text, number in marks.items())
        caption = f"Factors associated with {lowered(self.labels.endpoint(endpoint))}"
        return Table(f"association_{endpoint}", caption, heads, tuple(rows), notes)

    def _of_all_levels(self, e: Estimate) -> Iterator[Row]:
        """Yield the test of all levels of the category of an effect, in its model."""
        for test in self.look.all("global_test", e.endpoint, "p_value", term=e.term, model=e.model):
            shown = NOT_ESTIMABLE if test.p_value is None else ""
            counts = (number_format.count(test.n), number_format.count(test.events))
            cells = (str(e.model), *counts, shown, number_format.p_value(test.p_value), "", "", "")
            yield Row(f"{self.labels.factor(e.term or '')}: all levels together", cells)

    def effects(self, endpoint: str) -> Sequence[Estimate]:
        """Return the effects on an endpoint, univariable first."""
        return [*self.look.all("association", endpoint, "odds_ratio"),
                *self.look.all("association", endpoint, "hazard_ratio")]  # fmt: skip


def _last_of_factor(e: Estimate, records: Sequence[Estimate]) -> bool:
    """Tell whether no other effect of the same factor follows in its model."""
    place = next(i for i, r in enumerate(records) if r is e)
    after = records[place + 1] if place + 1 < len(records) else None
    return after is None or (after.term, after.model) != (e.term, e.model)


def _share(record: Estimate | None) -> str:
    """Return a proportion with its interval."""
    if record is None or (not record.n and not number_format.hidden(record)):
        return "not evaluated"
    return (
        number_format.of(record)
        if number_format.hidden(record)
        else f"{number_format.of(record)}; {number_format.interval(record)}"
    )
