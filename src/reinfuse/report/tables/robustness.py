"""Tables of the robustness and sensitivity analyses."""

from __future__ import annotations

from reinfuse.analyses.proportional_hazards import BY_TIME
from reinfuse.cohort.strata import level_of, parts_of
from reinfuse.report.document.model import Row, Table
from reinfuse.report.tables.results import Tables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered, without_unit
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate

RATIOS = ("odds_ratio", "hazard_ratio")


def ratio(record: Estimate | None) -> str:
    """Return a ratio with its interval, `5.67 (1.35 to 30.1)`; an open end is said."""
    if record is None:
        return "–"
    if record.estimate is None:
        return number_format.UNTOLD if number_format.hidden(record) else NOT_ESTIMABLE
    low = "no limit" if record.lower is None else number_format.ratio(record.lower)
    high = "no limit" if record.upper is None else number_format.ratio(record.upper)
    return f"{number_format.ratio(record.estimate)} ({number_format.limits(low, high)})"


class InferenceTables(Tables):
    """Makes the further tables of one study; each is None where nothing was run."""

    def _one_of(self, analysis: str, endpoint: str, **where: object) -> Estimate | None:
        return next((e for s in RATIOS for e in self.look.all(analysis, endpoint, s, **where)), None)

    def _terms(self, analysis: str, endpoint: str) -> list[Estimate]:
        return [e for s in RATIOS for e in self.look.all(analysis, endpoint, s)]

    def _ends(self) -> list[str]:
        return [e.name for e in self.findings.described.endpoints]

    def _p(self, record: Estimate | None) -> str:
        return number_format.p_value(record.p_value) if record else "–"

    def named(self, record: Estimate) -> str:
        """Return what an effect is an association of: `bulky disease and overall survival`."""
        factor, endpoint = self.labels.term(record.stratum or ""), self.labels.endpoint(record.endpoint or "")
        return f"{lowered(factor)} and {lowered(endpoint)}"

    def marked(
        self,
        heads: tuple[str, ...],
        name: str,
        caption: str,
        lines: list[tuple[str, tuple[str, ...], str | None]],
        notes: tuple[str, ...] = (),
    ) -> Table:
        """Return a table whose last column points to the notes of its rows."""
        marks: dict[str, int] = {}
        rows = []
        for head, cells, note in lines:
            remarks = list(dict.fromkeys(p for p in (note or "").split("; ") if p))
            rows.append(Row(head, (*cells, ",".join(str(marks.setdefault(s, len(marks) + 1)) for s in remarks))))
        explained = tuple(f"({number}) {text}" for text, number in marks.items())
        return Table(name, caption, (*heads, "Note"), tuple(rows), (*notes, *explained))

    def small_samples(self) -> Table | None:
        """Firth's answer beside the simulated and the permuted one."""
        lines: list[tuple[str, tuple[str, ...], str | None]] = []
        for end in self._ends():
            for e in self._terms("calibrated", end):
                firth = self._one_of("association", end, **effect_of(e))
                permuted = self.look.all("permutation", end, "p_value", term=e.term, model=e.model)
                head = f"{self.labels.endpoint(end)}: {self.labels.term(e.stratum or '')}"
                lines.append((head, (str(e.model), number_format.count(e.n), number_format.count(e.events),
                                     ratio(firth),
                                     self._p(firth), ratio(e), self._p(e),
                                     self._p(permuted[0] if permuted else None)), e.note))  # fmt: skip
        if not lines:
            return None
        heads = ("Endpoint and factor", "Model", "n", "Events", f"Firth, chi-square ({self.ci})", self.p,
                 f"Firth, simulated ({self.ci})", self.p, f"Permutation {self.p}")  # fmt: skip
        return self.marked(heads, "small_samples", "Associations by small-sample methods", lines)

    def sensitivity(self) -> Table | None:
        """E-values of the models' effects."""
        lines: list[tuple[str, tuple[str, ...], str | None]] = []
        for end in self._ends():
            for e in self.look.all("sensitivity", end, "e_value"):
                limit = self.look.all("sensitivity", end, "e_value_of_limit", **effect_of(e))
                effect = self._one_of("association", end, **effect_of(e))
                head = f"{self.labels.endpoint(end)}: {self.labels.term(e.stratum or '')}"
                values = [_value(x) for x in (e, *limit[:1])]
                lines.append((head, (ratio(effect), *values, *["–"] * (2 - len(values))), e.note))
        if not lines:
            return None
        note = ("An unmeasured confounder associated with both factor and outcome by risk ratios of this size could "
                "explain the association; 1 = no confounding is needed",)  # fmt: skip
        heads = ("Endpoint and factor", f"Ratio ({self.ci})", "E-value", "E-value of the CI limit")
        return self.marked(
            heads, "e_values", "E-values: unmeasured confounding needed to explain each association", lines, note
        )

    def averaging(self, endpoint: str) -> Table | None:
        """Inclusion by model averaging and by bootstrap selection."""
        probabilities = self.look.all("averaging", endpoint, "inclusion_probability")
        frequencies = {e.term: e for e in self.look.all("stability", endpoint, "inclusion_frequency")}
        if not any(e.estimate is not None for e in (*probabilities, *frequencies.values())):
            return None
        rows = []
        for name in dict.fromkeys([*(e.term for e in probabilities), *frequencies]):
            if name is None:
                continue
            probability = next((e for e in probabilities if e.term == name), None)
            cells = (percent(probability), percent(frequencies.get(name)))
            effects = [e for e in self._terms("averaging", endpoint) if e.term == name]
            single = len(effects) == 1 and effects[0].level is None
            rows.append(
                Row(self.labels.factor(name), (*cells, *(self._effect(effects[0], endpoint) if single else ("", ""))))
            )
            rows += [Row(self.labels.term(e.stratum or ""), ("", "", *self._effect(e, endpoint)), True)
                     for e in effects if not single]  # fmt: skip
        what = "odds ratio" if self.look.all("averaging", endpoint, "odds_ratio") else "hazard ratio"
        heads = ("Factor", "Posterior inclusion probability", "Bootstrap inclusion frequency",
                 f"Model-averaged {what}", "Bootstrap sign agreement")  # fmt: skip
        best = [f"{self._model(e.term)} {number_format.percent(e.estimate or 0, 0)}"
                for e in self.look.all("averaging", endpoint, "model_probability")]  # fmt: skip
        first = probabilities[0] if probabilities else next(iter(frequencies.values()))
        notes = [f"n = {number_format.count(first.n)}, events {number_format.count(first.events)}"] + (
            [f"Most probable models: {'; '.join(best)}"] if best else []
        )
        notes += [first.note] if first.note else []
        caption = f"Variable selection for {lowered(self.labels.endpoint(endpoint))}"
        return Table(f"averaging_{endpoint}", caption, heads, tuple(rows), tuple(notes))

    def _effect(self, e: Estimate, endpoint: str) -> tuple[str, str]:
        sign = self.look.all("stability", endpoint, "sign_stability", term=e.term, level=e.level)
        return number_format.ratio(e.estimate), percent(sign[0] if sign else None)

    def _model(self, term: str | None) -> str:
        names = parts_of(term)
        return " + ".join(n if n == "no factor" else without_unit(self.labels.factor(n)) for n in names)

    def prediction(self) -> Table | None:
        """The models' c-index and calibration, corrected for optimism."""
        rows = []
        for end in self._ends():
            measures = [self.look.all("stability", end, s)
                        for s in ("c_index", "c_index_corrected", "calibration_slope_corrected")]  # fmt: skip
            if measures[0] and measures[0][0].estimate is not None:
                first = measures[0][0]
                cells = (
                    number_format.count(first.n),
                    number_format.count(first.events),
                    *(_with_interval(f[0]) if f else "–" for f in measures),
                )
                rows.append(Row(self.labels.endpoint(end), cells))
        heads = (
            "Multivariable model",
            "n",
            "Events",
            f"Apparent c-index ({self.ci})",
            f"Optimism-corrected c-index ({self.ci})",
            f"Calibration slope ({self.ci})",
        )
        notes = ("c-index 0.5: no discrimination; calibration slope below 1: overfitting. Intervals: of the apparent "
                 "c-index by the infinitesimal jackknife; of corrected numbers shifted by the optimism.",)  # fmt: skip
        return (
            Table(
                "prediction",
                "Predictive performance of the multivariable models (internal validation)",
                heads,
                tuple(rows),
                notes,
            )
            if rows
            else None
        )

    def influence(self) -> Table | None:
        """How many single patients change each conclusion."""
        rows = []
        for end in self._ends():
            for e in self.look.all("influence", end, "patients_changing"):
                left_out = [r for r in self._terms("influence", end) if effect_of(r) == effect_of(e)]
                values = [r.estimate for r in left_out if r.estimate is not None]
                changing = [level_of(r.group) for r in left_out if r.note]
                full = self._one_of("association", end, **effect_of(e))
                ends = [number_format.ratio(value) for value in (min(values), max(values))] if values else []
                spread = number_format.limits(*ends) if ends else "–"
                cells = (ratio(full), self._p(full), spread, number_format.count(e.estimate), ", ".join(changing))
                rows.append(Row(f"{self.labels.endpoint(end)}: {self.labels.term(e.stratum or '')}", cells))
        heads = (
            "Endpoint and factor",
            f"All patients ({self.ci})",
            self.p,
            "Leave-one-out range (most influential patients)",
            "Patients whose exclusion changes the conclusion",
            "Which",
        )
        return Table("influence", "Influence of single patients (leave-one-out)", heads, tuple(rows)) if rows else None

    def proportional(self) -> Table | None:
        """Tests of proportional hazards, and how ratios change where they fail."""
        lines: list[tuple[str, tuple[str, ...], str | None]] = []
        for end in self._ends():
            for e in self.look.all("proportional", end, "p_value"):
                over = self.look.all("proportional", end, "hazard_ratio", model=e.model)
                over_time = [r for r in over if r.term in (e.term, f"{e.term}{BY_TIME}") and r.level == e.level]
                term = "global test" if e.term == "all terms" else self.labels.term(e.stratum or "")
                cells = (str(e.model), number_format.p_value(e.p_value) if e.p_value is not None else NOT_ESTIMABLE,
                         *([ratio(r) for r in over_time] if len(over_time) == 2 else ("", "")))  # fmt: skip
                notes = (e.note, over_time[0].note if over_time else None, self._means(e))
                lines.append((f"{self.labels.endpoint(end)}: {term}", cells, "; ".join(x for x in notes if x)))
        if not lines:
            return None
        heads = ("Endpoint and term", "Model", f"Proportional-hazards test {self.p}", f"Hazard ratio ({self.ci})",
                 f"Factor per doubling of time ({self.ci})")  # fmt: skip
        return self.marked(heads, "proportional", "Tests of proportional hazards", lines)

    def _means(self, e: Estimate) -> str | None:
        """Return the difference of restricted means that stands for a ratio that changes over time."""
        for r in self.look.all("proportional", e.endpoint, "restricted_mean_difference", **effect_of(e)):
            if r.estimate is not None and r.lower is not None:
                months = (number_format.months(r.at), number_format.months(r.estimate), number_format.interval(r))
                return "difference of restricted means to {} months, unadjusted: {} months ({})".format(*months)
        return None

    def imputation(self) -> Table | None:
        """Completed data beside complete cases."""
        lines: list[tuple[str, tuple[str, ...], str | None]] = []
        for end in self._ends():
            for e in self._terms("imputation", end):
                cases = self._one_of("association", end, **effect_of(e))
                cells = (str(e.model), number_format.count(cases.n) if cases else "–", ratio(cases), self._p(cases),
                         number_format.count(e.n), ratio(e), self._p(e))  # fmt: skip
                lines.append((f"{self.labels.endpoint(end)}: {self.labels.term(e.stratum or '')}", cells, e.note))
        if not lines:
            return None
        heads = (
            "Endpoint and factor",
            "Model",
            "n",
            f"Complete cases ({self.ci})",
            self.p,
            "n",
            f"Imputed ({self.ci})",
            self.p,
        )
        return self.marked(
            heads, "imputation", "Complete-case analysis and multiple imputation of missing factor values", lines
        )


def effect_of(record: Estimate) -> dict[str, object]:
    """Return which effect of which model a record belongs to, as the index looks it up."""
    return {"term": record.term, "level": record.level, "model": record.model}


def _with_interval(record: Estimate) -> str:
    """Return a number of two decimals with its interval, where it has one."""
    if record.estimate is None:
        return "–"
    shown = [number_format.printed(f"{v:.2f}") for v in (record.estimate, record.lower, record.upper) if v is not None]
    return shown[0] if len(shown) < 3 else f"{shown[0]} ({number_format.limits(*shown[1:])})"


def _value(record: Estimate) -> str:
    """Return a record's ratio alone."""
    return number_format.UNTOLD if number_format.hidden(record) else number_format.ratio(record.estimate)


def percent(record: Estimate | None) -> str:
    """Return a record's share as a whole percentage."""
    return "–" if record is None or record.estimate is None else number_format.percent(record.estimate, 0)
