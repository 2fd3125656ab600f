"""Tables of a virtual trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from reinfuse.report.document.model import Row, Table
from reinfuse.report.text import number_format
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.simulation.calibration.posterior_checks import agreement
from reinfuse.simulation.model.parameters import MECHANISMS
from reinfuse.simulation.trial.protocol import Arm, dose_text
from reinfuse.simulation.trial.trial import unread
from reinfuse.simulation.trial.trial_results import VirtualFindings
from reinfuse.simulation.twins.virtual_twins import ANALYSIS, OBSERVED, POPULATION, PREDICTED

LABELS = {
    "response": "Response", "cr": "Complete response", "umrd_day28": "uMRD, day 28", "crs_grade_3": "CRS, grade ≥3",
    "pfs_6_months": "PFS at 6 months", "seen_day28": "CAR-T cells detectable, day 28",
    "seen_day90": "CAR-T cells detectable, day 90", "seen_day180": "CAR-T cells detectable, day 180",
    "pfs_days": "Restricted mean PFS, days", "persistence_days": "Restricted mean persistence, days",
    "peak": "Cmax, cells/µL (geometric mean)",
}  # fmt: skip
"""Labels of quantities."""
LEVELS = ("response", "cr", "umrd_day28", "crs_grade_3", "pfs_6_months", "seen_day90", "persistence_days", "peak")
CONTRASTS = ("response", "cr", "pfs_6_months", "crs_grade_3", "persistence_days")
EFFECTS = (
    ("response", "Cy-Flu before CART1", "as selected", "odds_ratio", "Response, Cy-Flu before CART1"),
    ("response", "higher dose at CART2", "as selected", "odds_ratio", "Response, higher dose"),
    ("pfs", "Cy-Flu before CART1", "as selected", "hazard_ratio", "Progression, Cy-Flu before CART1"),
    ("pfs", "higher dose at CART2", "as selected", "hazard_ratio", "Progression, higher dose"),
    ("persistence_days", "both", "as selected", "ratio", "Persistence, both"),
    ("response", "Cy-Flu before CART1", "same patients", "odds_ratio", "Response, Cy-Flu before CART1, same patients"),
)  # fmt: skip
"""Effects of the reference study's factors: endpoint, term, model, statistic, and their name."""


_YES_NO = {True: "yes", False: "no", None: "–"}


def valued(record: Estimate | None) -> str:
    """Return a share, a difference of shares in points, or a number, with its interval."""
    if record is None or record.estimate is None:
        return NOT_ESTIMABLE if record is None else (record.note or NOT_ESTIMABLE)
    values = [record.estimate, *(v for v in (record.lower, record.upper) if v is not None)]
    if record.statistic in ("proportion", "risk_difference"):
        sign = "+" if record.statistic == "risk_difference" else ""
        texts = [_whole(float(number_format.hundredths(v)), sign) for v in values]
        unit = "%" if record.statistic == "proportion" else " points"
    elif record.unit == "days":
        sign = "+" if record.statistic == "mean_difference" else ""
        texts, unit = [_whole(v, sign) for v in values], ""
    else:
        texts, unit = [f"{v:.3g}" for v in values], ""
    return f"{texts[0]}{unit} ({texts[1]} to {texts[2]})" if len(texts) == 3 else f"{texts[0]}{unit}"


def _whole(value: float, sign: str) -> str:
    """Return a whole number; one that is rounded to 0 has no sign."""
    return f"{value:{sign}.0f}" if round(value) else "0"


class VirtualTables:
    """Tables of one virtual trial."""

    def __init__(self, findings: VirtualFindings, ablation: Sequence[Estimate], targets: pl.DataFrame,
                 *, unknowns: pl.DataFrame) -> None:  # fmt: skip
        self.findings, self.ablated, self._targets, self._unknowns = findings, ablation, targets, unknowns
        everybody = [e for e in (*findings.estimates, *ablation) if e.population == "all"]
        self._at = {(e.analysis, e.endpoint, e.group, e.model, e.term, e.statistic): e for e in everybody}
        self.short = unread(findings.protocols.follow_days)
        of_twins = [e for e in findings.estimates if e.population == POPULATION]
        self._twins = {(e.endpoint, e.group, e.model): e for e in of_twins if e.analysis == ANALYSIS}

    def level(self, quantity: str, arm: str) -> Estimate | None:
        """Return the record of a quantity in an arm."""
        for statistic in ("proportion", "mean", "geometric_mean"):
            if (record := self._at.get(("virtual", quantity, arm, None, None, statistic))) is not None:
                return record
        return None

    def contrast(self, quantity: str, arm: str, *, model: str) -> Estimate | None:
        """Return the record of a difference to the reference arm."""
        reference = self.findings.protocols.all_arms[0].name
        for statistic in ("risk_difference", "mean_difference", "ratio"):
            if (record := self._at.get(("virtual", quantity, arm, model, reference, statistic))) is not None:
                return record
        return None

    def effect(self, case: str, endpoint: str, term: str, model: str, statistic: str) -> Estimate | None:
        """Return an effect of the simulated reference study with or without a mechanism."""
        return self._at.get(("virtual_ablation", endpoint, case, model, term, statistic))

    def arms(self) -> Table:
        """Return the arms."""
        rows = [
            Row(arm.name, (_schedule_text(arm), *self._given(arm.name))) for arm in self.findings.protocols.all_arms
        ]
        return Table("virtual_arms", "Arms", ("Arm", "Infusions", "Virtual patients", "Given the last "
                                                                                      "infusion"), tuple(rows),
                     (self._who(),))  # fmt: skip

    def _given(self, arm: str) -> tuple[str, str]:
        given = self._at["virtual", "given", arm, None, None, "proportion"]
        return number_format.count(
            given.n
        ), f"{number_format.count(given.events)} ({number_format.percent(given.estimate or 0, given.n or 0)})"

    def _read(self, quantities: Sequence[str]) -> tuple[str, ...]:
        """Return the quantities that the follow-up is long enough to read."""
        return tuple(q for q in quantities if q not in self.short)

    def _who(self) -> str:
        if not self.findings.protocols.selected:
            return "Every infusion is given to all patients alive on its day"
        return ("A later infusion is given to living patients without response on day 28 or with progression since, "
                "and antigen-positive tumour of 1 mL or more, as in the reference study")  # fmt: skip

    def levels(self) -> Table:
        """Return outcomes of the last infusion in each arm."""
        rows = [Row(arm.name, (
            number_format.count(self._at["virtual", "given", arm.name, None, None, "proportion"].events),
                               *(valued(self.level(q, arm.name)) for q in self._read(LEVELS))))
                for arm in self.findings.protocols.all_arms]  # fmt: skip
        notes = (
            "Among patients given the last infusion; in brackets, 95% prediction interval",
            "CRS: a surrogate from peak and tumour burden, calibrated to the rate of the reference study",
            *(f"{LABELS[q]}: {reason}" for q, reason in self.short.items() if q in LEVELS),
        )
        head = ("Arm", "n", *(LABELS[q] for q in self._read(LEVELS)))
        return Table("virtual_levels", "Outcomes of the last infusion", head, tuple(rows), notes)

    def contrasts(self) -> Table:
        """Return differences from the reference arm: in the same patients, and as observed in a study."""
        rows = []
        for arm in self.findings.protocols.all_arms[1:]:
            same = [self.contrast(q, arm.name, model="same patients") for q in self._read(CONTRASTS)]
            selected = [self.contrast(q, arm.name, model="as selected") for q in self._read(CONTRASTS)]
            n = next((e.n for e in same if e is not None), 0)
            rows.append(Row(arm.name, (number_format.count(n), *(valued(e) for e in same))))
            rows.append(Row("as observed in a study", ("", *(valued(e) for e in selected)), inner=True))
        return Table("virtual_contrasts", f"Differences from {self.findings.protocols.all_arms[0].name}",
                     ("Arm", "n", *(LABELS[q] for q in self._read(CONTRASTS))), tuple(rows),
                     ("n: patients given the last infusion in both arms; upper rows compare these same patients, lower "
                      "rows the patients given it in each arm",))  # fmt: skip

    def twins(self) -> Table | None:
        """Return predictions for twins of a centre's patients in each arm, and the check on their own infusion."""
        if not self._twins:
            return None
        rows, shown = [], self._read(CONTRASTS)
        for arm in dict.fromkeys(str(g) for _, g, _ in self._twins if g not in (PREDICTED, OBSERVED)):
            rows.append(Row(arm, tuple(valued(self._twins[q, arm, None]) for q in shown)))
            if (CONTRASTS[0], arm, "same patients") in self._twins:
                gains = (valued(self._twins[q, arm, "same patients"]) for q in shown)
                rows.append(Row("difference from the first", tuple(gains), inner=True))
        for group in (PREDICTED, OBSERVED):
            if (record := self._twins.get(("response", group, None))) is not None:
                value = number_format.of(record) if group == OBSERVED else valued(record)
                rows.append(Row(group.capitalize(), (value, *("",) * (len(shown) - 1))))
        n = next(iter(self._twins.values())).n
        return Table("virtual_twins", f"Virtual twins of the centre's {number_format.count(n)} patients",
                     ("Second infusion", *(LABELS[q] for q in shown)), tuple(rows),
                     ("Means over patients; 95% prediction interval over populations of the ensemble",))  # fmt: skip

    def carried(self) -> Table | None:
        """Return the published findings in the simulated study, with all mechanisms and without each."""
        cases = ["all mechanisms", *(f"without {name}" for name in MECHANISMS)]
        rows = [Row(case, tuple(valued(self.effect(case, *effect[:4])) for effect in EFFECTS)) for case in cases]
        if not self.ablated:
            return None
        return Table("virtual_ablation", "Ablation: the simulated reference study without each mechanism",
                     ("Model", *(f"{name} ({kind.replace('_', ' ')})" for *_, kind, name in EFFECTS)), tuple(rows),
                     ("Median and 95% range over the ensemble. Published: odds ratios above 1, hazard ratios below 1, "
                      "longer persistence with both; effect sizes were not available",))  # fmt: skip

    def targets(self) -> Table:
        """Return the published results beside the ensemble."""
        return Table("virtual_targets", "Calibration targets: published and simulated",
                     ("Target", "n", "Published", "Simulated (95% range)", "Predictive range", "In range",
                      "Within error", "Met", "Source"),
                     tuple(self._target_rows()),
                     (agreement(self._targets),
                      "Predictive range: 95% range of the result of a study of that size, with the discrepancy of the "
                      "model and the study's sampling error; in range: it holds the published value. The size of an "
                      "association was not published",
                      "Within error: the median within 1.96 errors of the published value, of sampling and the model's "
                      "discrepancy; association: 95% of the ensemble in the published direction. Met: in range, and "
                      "within the error",
                      "Held out: predicted, not used in calibration"))  # fmt: skip

    def _target_rows(self) -> Iterator[Row]:
        for role in ("calibrated", "held out"):
            yield Row(role.capitalize(), ("",) * 8)
            for t in self._targets.filter(pl.col("role") == role).iter_rows(named=True):
                percent = t["kind"] == "proportion"
                scale, end = (
                    (100.0, "%") if percent else (1.0, f" {t['unit']}" if t["unit"] not in (None, "", "ratio") else "")
                )
                low, middle, high = (f"{scale * t[c]:.3g}" for c in ("low", "simulated", "high"))
                if t["kind"] == "association":
                    published, predictive = "better", ""
                    end = f"; {number_format.hundredths(t['share_above'])}% of the ensemble"
                else:
                    published = f"{scale * t['published']:.3g}{end}"
                    predictive = " to ".join(f"{scale * t[f'predictive_{c}']:.3g}" for c in ("low", "high")) + end
                yield Row(t["target"], (number_format.count(t["n"]), published, f"{middle} ({low} to {high}){end}",
                                        predictive, *(_YES_NO[t[c]] for c in ("in_range", "within_error", "met")),
                                        t["source"]),
                          inner=True)  # fmt: skip

    def unknowns(self) -> Table:
        """Return prior and posterior of the uncertain parameters."""
        rows = [Row(f"{u['unknown']}: {u['label'].lower()}", (
            u["unit"], f"{u['prior']:.3g} ({u['prior_low']:.2g} to {u['prior_high']:.2g})",
            f"{u['posterior']:.3g} ({u['low']:.2g} to {u['high']:.2g})", "yes" if u["informed"] else "no", u["source"]))
            for u in self._unknowns.iter_rows(named=True)]  # fmt: skip
        return Table("virtual_unknowns", "Uncertain parameters: prior and posterior",
                     ("Population median or CV", "Unit", "Prior (95%)", "Posterior (95%)", "Informed",
                      "Source of the prior"),
                     tuple(rows), ("Informed: posterior standard deviation below 0.8 of the prior's, or median "
                                   "shifted by more than half of it; the others rest on the prior alone",))  # fmt: skip


def _schedule_text(arm: Arm) -> str:
    parts, day = [], 0.0
    for one in arm.infusions:
        day += one.after_days
        cy, flu = one.courses
        own = one.cy is not None or one.flu is not None
        regimen = f"Cy {cy:g}, Flu {flu:g} courses" if own else one.lymphodepletion
        split = f" in {len(one.shares)} parts" if len(one.shares) > 1 else ""
        parts.append(f"day {day:g}: {regimen}, {dose_text(one.dose_cells_per_kg)}{split}")
    return "; ".join(parts)
