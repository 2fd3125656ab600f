"""Tables of the CAR-T counts: exposure, persistence, their factors, outcome, and the sampled models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.kinetics.exposure import MEASURES
from reinfuse.kinetics.infusion_factors import label
from reinfuse.kinetics.population.parameters import ACTED_ON, PARAMETERS
from reinfuse.report.document.model import Row, Table
from reinfuse.report.tables.robustness import InferenceTables, ratio
from reinfuse.report.text import number_format
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate

OUTCOME = {"log10_auc_0_28": "AUC0-28, per tenfold", "log10_cmax": "Peak by day 28, per tenfold"}
JOINT = {"current": "Current count, per tenfold", "area": "Cumulative AUC, per tenfold"}
EFFECTS = {"total_effect": "Total effect", "direct_effect": "Direct effect", "indirect_effect": "Indirect effect"}
SHOWN = ("cmax", "auc_0_28", "tmax", "tlast", "half_life")
QUARTILES = ("median", "iqr_low", "iqr_high")
PERSISTING = (28.0, 90.0, 180.0, 365.0)
Line = tuple[str, tuple[str, ...], str | None]


def quartiles(records: Sequence[Estimate]) -> str:
    """Return median and quartiles of one measure, `9,181 (4,044 to 25,112)`."""
    by_statistic = {e.statistic: e.estimate for e in records}
    if by_statistic.get("median") is None:
        return number_format.UNTOLD if any(number_format.hidden(e) for e in records) else NOT_ESTIMABLE
    low, high = (
        number_format.measured(by_statistic.get("iqr_low")),
        number_format.measured(by_statistic.get("iqr_high")),
    )
    return f"{number_format.measured(by_statistic['median'])} ({number_format.limits(low, high)})"


def measured(record: Estimate | None) -> str:
    """Return an estimate of any size with its interval; an estimate that is missing as its note begins."""
    if record is None:
        return "–"
    if record.estimate is None:
        return (
            number_format.UNTOLD if number_format.hidden(record) else (record.note or NOT_ESTIMABLE).partition(":")[0]
        )
    if record.lower is None or record.upper is None:
        return number_format.measured(record.estimate)
    lower, upper = number_format.measured(record.lower), number_format.measured(record.upper)
    return f"{number_format.measured(record.estimate)} ({number_format.limits(lower, upper)})"


class KineticTables(InferenceTables):
    """Makes the tables of the counts; each is None where nothing was run."""

    def infusions(self) -> list[int | None]:
        """Numbers of the infusions that were counted."""
        return list(dict.fromkeys(e.infusion for e in self.look.all("kinetics", "cmax", "median")))

    def _groups(self) -> list[str | None]:
        return list(dict.fromkeys(e.group for e in self.look.all("kinetics", "cmax", "median")))

    def _named(self, group: str | None, infusion: int | None) -> str:
        who = "All patients" if group is None else self.labels.group(group)
        return f"{who}, CART{infusion}"

    def exposure(self) -> Table | None:
        """Median and quartiles of the measures by group and infusion."""
        rows = []
        for group in self._groups():
            for infusion in self.infusions():
                where = {"group": group, "infusion": infusion}
                of = {m: [e for s in QUARTILES for e in self.look.all("kinetics", m, s, **where)] for m in SHOWN}
                if of["cmax"]:
                    cells = (number_format.count(of["cmax"][0].n), *(quartiles(of[m]) if of[m] else "–" for m in SHOWN))
                    rows.append(Row(self._named(group, infusion), cells, inner=group is not None))
        unit = (self.findings.kinetics or {}).get("unit", "")
        units = {m: f", {MEASURES[m][1]}" if MEASURES[m][1] else f", {unit}" for m in SHOWN}
        units["auc_0_28"] = f", {unit} x days"
        heads = ("", "n", *(f"{MEASURES[m][0]}{units[m]}" for m in SHOWN))
        note = ("Median (quartiles). Half-life needs three counts after the peak and an adequate log-linear fit",)
        return Table("exposure", "Exposure after each infusion", heads, tuple(rows), note) if rows else None

    def persistence(self) -> Table | None:
        """Persistence, and loss with death and the next infusion as competing events."""
        lines: list[Line] = []
        for infusion in self.infusions():
            for group in self._groups():
                where = {"group": group, "infusion": infusion}
                median = next(iter(self.look.all("kinetics", "persistence", "median", **where)), None)
                if median is None or median.n == 0:
                    continue
                still = [next(iter(self.look.all("kinetics", "persistence", "rate_at", at=d, **where)), None)
                         for d in PERSISTING]  # fmt: skip
                lost = next(iter(self.look.all("kinetics", "loss", "cumulative_incidence", at=90.0, **where)), None)
                shares = (number_format.share(e) if e else "–" for e in (*still, lost))
                cells = (number_format.count(median.n), number_format.count(median.events), _between(median), *shares)
                lines.append((self._named(group, infusion), cells, lost.note if lost and group is None else None))
        if not lines:
            return None
        days = (f"Persisting on day {d:g}" for d in PERSISTING)
        heads = (
            "",
            "n",
            "Losses observed",
            "Median, days (interval-censored)",
            *days,
            "Cumulative incidence of loss by day 90",
        )
        return self.marked(heads, "persistence", f"Persistence of CAR-T cells ({self.ci})", lines)

    def ratios(self) -> list[Estimate]:
        """Ratios of exposure and of times of persistence."""
        return [*self.look.all("kinetics", "cmax", "ratio"), *self.look.all("kinetics", "auc_0_28", "ratio"),
                *self.look.all("kinetics", "persistence", "time_ratio")]  # fmt: skip

    def term(self, e: Estimate) -> str:
        """Return the factor of a ratio in words."""
        return self.labels.term(e.stratum or "") if e.statistic == "time_ratio" else label(e.stratum or "")

    def factors(self) -> Table | None:
        """Factors of exposure and persistence."""
        lines: list[Line] = []
        for e in self.ratios():
            what = "Persistence" if e.statistic == "time_ratio" else MEASURES[e.endpoint or ""][0]
            cells = (str(e.model), number_format.count(e.n), number_format.count(e.events), ratio(e), self._p(e))
            remark = "; ".join(p for p in (e.note or "").split("; ") if " of " not in p)  # n and events tell it
            lines.append((f"{what}: {self.term(e)}", cells, remark))
        heads = ("Measure and factor", "Model", "n", "Events", f"Ratio ({self.ci})", self.p)
        note = ("Peak and AUC: n = infusions, events = patients. Persistence: n = patients, events = losses",)
        return (
            self.marked(heads, "exposure_factors", "Factors associated with exposure", lines, note) if lines else None
        )

    def outcome(self) -> Table | None:
        """Exposure, response and PFS."""
        lines: list[Line] = []
        for end, statistic in (("response", "odds_ratio"), ("pfs", "hazard_ratio")):
            for e in self.look.all("kinetics", end, statistic):
                when = f" from day {e.at:g}" if e.at else ""
                head = f"{self.labels.endpoint(end)}{when}: {OUTCOME.get(e.term or '', e.term)}"
                cells = (
                    statistic.replace("_", " "),
                    number_format.count(e.n),
                    number_format.count(e.events),
                    ratio(e),
                    self._p(e),
                )
                lines.append((head, cells, e.note))
        heads = ("Outcome and exposure", "Ratio of", "n", "Events", f"Ratio ({self.ci})", self.p)
        return self.marked(heads, "exposure_outcome", "Exposure and outcome", lines) if lines else None

    def mediation(self) -> Table | None:
        """Direct and indirect effects on response."""
        lines: list[Line] = []
        for statistic, what in EFFECTS.items():
            for e in self.look.all("mediation", "response", statistic):
                shown = number_format.UNTOLD if number_format.hidden(e) else NOT_ESTIMABLE
                limits = (signed(e.lower), signed(e.upper))
                value = shown if e.estimate is None else f"{signed(e.estimate)} ({number_format.limits(*limits)})"
                lines.append((f"{self.labels.term(e.stratum or '')}: {what}", (number_format.count(e.n),
                                                                            number_format.count(e.events),
                                                                            value), e.note))  # fmt: skip
        lines.sort(key=lambda line: line[0].partition(":")[0])
        heads = ("Factor and effect", "n", "Events", f"Difference in response proportion ({self.ci})")
        return self.marked(heads, "mediation", "Direct and indirect effects on response", lines) if lines else None

    def sampling(self) -> Iterator[Row]:
        """Rows of the diagnostics of each sampled model."""
        for analysis, endpoint, term, head in (("population", "counts", None, "Population model"),
                                               *(("joint", "pfs", k, f"Joint model, {v[0].lower()}{v[1:]}")
                                                 for k, v in JOINT.items())):  # fmt: skip
            of = {s: next(iter(self.look.all(analysis, endpoint, s, term=term)), None)
                  for s in ("chains", "iterations", "rhat", "effective_draws", "divergences", "energy")}  # fmt: skip
            if of["chains"] is not None:
                note = next((e.note for e in of.values() if e and e.note), None)
                shown = (_diagnostic(s, e) for s, e in of.items())
                yield Row(head, (*shown, note or "none"))

    def diagnostics(self) -> Table | None:
        """How the sampled models were sampled."""
        rows = tuple(self.sampling())
        heads = ("", "Chains", "Draws", "Largest R-hat", "Smallest effective sample size", "Divergences",
                 "Lowest energy fraction (E-BFMI)", "Diagnostic warnings")  # fmt: skip
        return Table("sampling", "MCMC diagnostics", heads, rows) if rows else None

    def population(self) -> Table | None:
        """Typical values, prior beside posterior."""
        rows = []
        for p in PARAMETERS:
            get = {s: next(iter(self.look.all("population", p.name, s)), None)
                   for s in ("typical", "prior_typical", "total_sd", "prior_total_sd", "between_infusion_share",
                             "shrinkage")}  # fmt: skip
            if get["typical"] is not None:
                unit = f", {get['typical'].unit}" if get["typical"].unit not in (None, "ratio") else ""
                rows.append(Row(f"{p.label}{unit}", tuple(measured(e) for e in get.values())))
        residual = [next(iter(self.look.all("population", "counts", s)), None)
                    for s in ("residual_sd", "prior_residual_sd")]  # fmt: skip
        if rows and residual[0] is not None:
            rows.append(Row("Residual error, log count", ("", "", *(measured(e) for e in residual), "", "")))
        heads = ("Parameter", f"Typical value ({self.ci})", "Prior", "SD between infusions", "Prior",
                 "Proportion of variance within patients", "Shrinkage")  # fmt: skip
        note = ("SD on the log scale (logit for the persisting fraction, log-log for expansion). Intervals are "
                "credible intervals. Shrinkage near 1: single infusions say little of the parameter",)  # fmt: skip
        return Table("population", "Population model", heads, tuple(rows), note) if rows else None

    def population_effects(self) -> Table | None:
        """Factors on the curve's parameters."""
        lines: list[Line] = []
        names = [PARAMETERS[k].name for k in ACTED_ON]
        of = {n: {(e.term, e.level): e for e in self.look.all("population", n, "ratio")} for n in names}
        for effect, first in of[names[0]].items():
            note = next((e.note for n in names if (e := of[n].get(effect)) and e.note), None)
            lines.append((label(first.stratum or ""), tuple(measured(of[n].get(effect)) for n in names), note))
        heads = ("Factor", *(PARAMETERS[k].label for k in ACTED_ON))
        table_notes = (f"Ratios ({self.ci}, credible), all factors in one model. Persisting fraction: odds ratio",)
        return (
            self.marked(heads, "population_effects", "Factors associated with kinetic parameters", lines, table_notes)
            if lines
            else None
        )

    def joint(self) -> Table | None:
        """Hazard of progression or death by the count."""
        lines: list[Line] = []
        for e in self.look.all("joint", "pfs", "hazard_ratio"):
            prior = next(iter(self.look.all("joint", "pfs", "prior_hazard_ratio", term=e.term)), None)
            cells = (number_format.count(e.n), number_format.count(e.events), ratio(e), ratio(prior))
            lines.append((JOINT.get(e.term or "", str(e.term)), cells, e.note))
        heads = ("Exposure in the hazard model", "n", "Events", f"Hazard ratio ({self.ci}, credible)", "Prior")
        return (
            self.marked(heads, "joint", "Joint model of counts and progression-free survival", lines) if lines else None
        )


def _diagnostic(statistic: str, record: Estimate | None) -> str:
    if record is None or record.estimate is None:
        return NOT_ESTIMABLE
    if statistic == "rhat":
        return number_format.printed(f"{record.estimate:.3f}")
    return number_format.measured(record.estimate)


def _between(median: Estimate) -> str:
    if median.estimate is None:
        return (
            number_format.UNTOLD if number_format.hidden(median) else (median.note or NOT_ESTIMABLE).partition(":")[0]
        )
    return number_format.limits(number_format.plain(median.lower), number_format.plain(median.upper))


def signed(value: float | None) -> str:
    """Return a difference of shares in percentage points."""
    return NOT_ESTIMABLE if value is None else f"{int(number_format.hundredths(value)):+d}%".replace("-", "−")
