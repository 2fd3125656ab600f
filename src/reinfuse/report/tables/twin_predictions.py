"""Tables of how well the twins of a cohort predicted the responses that were observed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.report.document.model import Row, Table
from reinfuse.report.text import number_format
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.simulation.twins.prediction_scores import ANALYSIS, BASE_RATE


def prediction_tables(estimates: Sequence[Estimate]) -> Iterator[Table]:
    """Yield the Brier scores beside the base rate's, and the calibration by groups; nothing without predictions."""
    records = [e for e in estimates if e.analysis == ANALYSIS]
    if records:
        yield _scores(records)
        yield _groups(records)


def _scores(records: Sequence[Estimate]) -> Table:
    at = {(e.statistic, e.group): e for e in records}
    rows = []
    for name in (name for statistic, name in at if statistic == "brier_score"):
        difference = _interval(at.get(("brier_difference", name)))
        rows.append(Row(str(name).capitalize(), (_number(at["brier_score", name]), difference)))
    slope = next(e for e in records if e.statistic == "calibration_slope")
    rows.append(Row("Calibration slope of the prediction", (_interval(slope), "")))
    return Table("virtual_prediction_scores", f"Predicted and observed responses of {number_format.count(slope.n)} "
                 "patients", ("Prediction", "Brier score", "Difference from the base rate"), tuple(rows),
                 (f"Base rate: the {BASE_RATE}. A difference below 0 is better; in brackets, 95% paired interval",
                  "Slope: 1 where predictions are as far apart as they should be; Firth logistic, 95% profile CI"),
                 )  # fmt: skip


def _groups(records: Sequence[Estimate]) -> Table:
    rows = []
    for mean in (e for e in records if e.statistic == "mean_prediction"):
        observed = next(e for e in records if e.statistic == "proportion" and e.term == mean.term)
        rows.append(Row(str(mean.term).capitalize(), (number_format.count(mean.n), f"{100 * (mean.estimate or 0):.0f}%",
                                                      number_format.of(observed))))  # fmt: skip
    return Table("virtual_prediction_groups", "Calibration of the predicted response, by groups of similar predictions",
                 ("Group", "n", "Mean prediction", "Observed"), tuple(rows),
                 ("Observed: with exact 95% interval (Clopper-Pearson)",))  # fmt: skip


def _number(record: Estimate) -> str:
    return NOT_ESTIMABLE if record.estimate is None else f"{record.estimate:.3f}"


def _interval(record: Estimate | None) -> str:
    if record is None:
        return "reference"
    if record.estimate is None or record.lower is None or record.upper is None:
        return record.note or NOT_ESTIMABLE
    return f"{record.estimate:.3f} ({record.lower:.3f} to {record.upper:.3f})"
