"""Tables of published rates: studies, mean and prediction, leave-one-out, subgroups, and what borrowing gives."""

from __future__ import annotations

import math

from reinfuse.evidence.borrowing import Borrowing, RateEstimate
from reinfuse.evidence.hazard_borrowing import HazardBorrowing
from reinfuse.evidence.printed_times import PrintedNumbers
from reinfuse.evidence.records import synthesis_records
from reinfuse.evidence.subgroups import Subgroups
from reinfuse.evidence.synthesis import Synthesis
from reinfuse.report.document.model import Row, Table
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate

NAMES = {
    "pooled_proportion": "Median study", "prediction": "Further study", "tau": "SD of log odds between studies",
    "i_squared": "I²",
}  # fmt: skip


def title_of(synthesis: Synthesis) -> str:
    """Return what a synthesis is of: `Complete response after a second infusion, CLL`."""
    return f"{synthesis.label} after a second infusion{f', {synthesis.disease}' if synthesis.disease else ''}"


def studies(synthesis: Synthesis) -> Table:
    """Return one row a study, the own cohort last."""
    confidence = number_format.level(synthesis.confidence)
    rows = []
    for study, figure in zip(synthesis.registered, synthesis.figures, strict=True):
        rows.append(
            Row(study.label, (", ".join(figure.diseases), study.construct, *_share_cells(synthesis, study.label),
                              figure.basis, study.read_on.isoformat()))
        )  # fmt: skip
    if synthesis.placed is not None:
        own = synthesis.placed.own
        rows.append(Row(own.label, ("", "", *_share_cells(synthesis, own.label), "own data", "")))
    head = ("Study", "Patients", "Construct", "Events / n", "%", confidence, "Counts", "Read on")
    return Table("published_studies", f"Published studies: {title_of(synthesis)}", head, tuple(rows),
                 ("Exact intervals (Clopper-Pearson).",))  # fmt: skip


def _share_cells(synthesis: Synthesis, label: str) -> tuple[str, str, str]:
    record = next(e for e in synthesis_shares(synthesis) if e.group == label)
    n = record.n or 0
    return f"{record.events} / {n}", number_format.percent(record.estimate or 0, n), number_format.interval(record)


def synthesis_shares(synthesis: Synthesis) -> list[Estimate]:
    """Return the records of single studies, and of the own cohort."""
    return [e for e in synthesis_records(synthesis) if e.statistic in ("proportion", "own_proportion")]


def pooled(synthesis: Synthesis) -> Table | None:
    """Return mean, prediction and heterogeneity by each method, the reported ones first; None without a study."""
    records = [e for e in synthesis_records(synthesis) if e.statistic in NAMES]
    if not records:
        return None
    first = [e for i, e in enumerate(records) if i == 0 or (e.statistic == "prediction" and "scale 1" in str(e.method))]
    rest = sorted((e for e in records if e not in first), key=lambda e: list(NAMES).index(e.statistic))
    rows = [Row(NAMES[e.statistic], _cells(e)) for e in first] + [Row(NAMES[e.statistic], _cells(e), inner=True)
                                                                  for e in rest]  # fmt: skip
    head = ("Quantity", "Estimate", number_format.level(synthesis.confidence), number_format.p_letter(), "Method")
    notes = ("The first two rows are those reported; the others are sensitivity analyses.",
             f"{number_format.p_letter().capitalize()}: test of no heterogeneity.")  # fmt: skip
    return Table("published_pooled", f"Published studies together: {title_of(synthesis)}", head, tuple(rows), notes)


def _cells(record: Estimate) -> tuple[str, str, str, str]:
    if record.unit == "fraction":
        n = record.n or 0
        value = "" if record.estimate is None else number_format.percent(record.estimate, n)
        inside = "" if record.lower is None and record.estimate is not None else number_format.interval(record)
    else:
        value, inside = (number_format.ratio(record.estimate), "" if record.lower is None else _plain_limits(record))
    p = "" if record.p_value is None else number_format.p_value(record.p_value)
    return value, inside, p, f"{record.method}{f'; {record.note}' if record.note else ''}"


def _plain_limits(record: Estimate) -> str:
    upper = "not reached" if record.upper is None else number_format.ratio(record.upper)
    return number_format.limits(number_format.ratio(record.lower), upper)


def left_out(synthesis: Synthesis) -> Table | None:
    """Return the mean and prediction without each study; None with fewer than three."""
    if not synthesis.without_one:
        return None
    records = [e for e in synthesis_records(synthesis) if e.statistic == "leave_one_out"]
    rows = []
    for record, one in zip(records, synthesis.without_one, strict=True):
        low, high = one.pooled.prediction
        prediction = number_format.limits(*(number_format.percent(x, record.n or 0) for x in (low, high)))
        rows.append(Row(f"Without {one.label}", (number_format.share(record), prediction)))
    head = ("", f"Median study ({number_format.level(synthesis.confidence)})", "Further study")
    return Table("published_left_out", "Leave-one-study-out", head, tuple(rows))


def excluded(synthesis: Synthesis) -> Table | None:
    """Return the studies that report the endpoint and are not pooled, with the reason; None if there are none."""
    rows = tuple(Row(e.study.label, (e.reason,)) for e in synthesis.excluded)
    return Table("published_excluded", "Studies not pooled", ("Study", "Reason"), rows) if rows else None


def subgroups(groups: Subgroups, *, confidence: float) -> Table | None:
    """Return one row a subgroup, with the test of equal means; None with fewer than two."""
    if groups.difference is None:
        return None
    rows = []
    for name, one in groups.groups:
        record = next(e for e in synthesis_records(one) if e.statistic == "pooled_proportion")
        rows.append(Row(name, (str(len(one.rows)), f"{record.events} / {record.n}", number_format.share(record))))
    p = number_format.p_is(groups.difference.p_value)
    notes = (f"Test of equal log odds, {groups.difference.df} df: {p}.",
             "One study alone has no pooled interval.")  # fmt: skip
    head = (groups.by.capitalize(), "Studies", "Events / n", f"Median study ({number_format.level(confidence)})")
    return Table(f"published_by_{groups.by}", f"Published studies by {groups.by}", head, tuple(rows), notes)


def printed(numbers: PrintedNumbers) -> Table | None:
    """Return medians (in months) or ratios as printed, and their pooled mean if it can be had; None without any."""
    if not numbers.numbers:
        return None
    rows = [Row(x.study.label, (", ".join(x.figure.diseases), x.figure.subset, number_format.ratio(x.value),
                                "not printed" if x.lower is None or x.upper is None else
                                number_format.limits(number_format.ratio(x.lower), number_format.ratio(x.upper))))
            for x in numbers.numbers]  # fmt: skip
    note = numbers.reason or ""
    if numbers.pooled is not None:
        mean, (low, high) = math.exp(numbers.pooled.mean), (math.exp(x) for x in numbers.pooled.interval)
        inside = number_format.limits(number_format.ratio(low), number_format.ratio(high))
        rows.append(Row("Mean of the studies", ("", "", number_format.ratio(mean), inside)))
        note = "Mean on the log scale, REML with Hartung and Knapp."
    what = {"median": "Median, months", "hazard_ratio": "Hazard ratio", "odds_ratio": "Odds ratio"}[numbers.statistic]
    head = ("Study", "Patients", "Subset", what, "95% CI")
    return Table(f"printed_{numbers.statistic}", f"{what}: as printed", head, tuple(rows), (note,))


def hazards(borrowing: HazardBorrowing) -> Table:
    """Return the hazards of the studies, the own one without and with them."""
    b = borrowing
    rows = [Row(s.label, (f"{s.events} / {s.exposure:g}", _hazard(s.hazard, (s.lower, s.upper))))
            for s in (*b.studies, b.own)]  # fmt: skip
    rows += [
        Row("A further study (prediction)", ("", _hazard(b.predicted.median, (b.predicted.lower, b.predicted.upper)))),
        Row("Own, no borrowing: Gamma(0.5, 0)", ("", _hazard(b.alone[0], b.alone[1:]))),
        Row("Own, robust predictive prior", ("", _hazard(b.mean, (b.lower, b.upper)))),
    ]
    notes = ("Observed hazards with exact intervals (Garwood); prediction: median; then posterior means.",)
    return Table("own_hazard", "Hazard per unit of exposure", ("", "Events / exposure", "Hazard (95% interval)"),
                 tuple(rows), notes)  # fmt: skip


def _hazard(value: float, limits: tuple[float, float]) -> str:
    low, high = (number_format.measured(x) for x in limits)
    return f"{number_format.measured(value)} ({number_format.limits(low, high)})"


def own_rates(borrowing: Borrowing) -> Table:
    """Return the own rate without borrowing first, then by each way of borrowing."""
    own = borrowing.own
    rows = [_rate_row(one, own.n) for one in (*borrowing.alone, *borrowing.borrowed)]
    level = number_format.level(borrowing.confidence).replace("CI", "interval")
    head = ("Method", "Own rate", level, "Prior worth, patients")
    notes = ["Posterior means and equal-tailed credible intervals, but in the first row."]
    if borrowing.borrowed:
        notes.append("The third row is the reported one; the pooled row takes all studies as one's own patients.")
    caption = f"Own rate, {own.events} of {own.n}: {title_of(borrowing.synthesis)}"
    return Table("own_rate", caption, head, tuple(rows), tuple(notes))


def _rate_row(one: RateEstimate, n: int) -> Row:
    inside = number_format.limits(number_format.percent(one.lower, n), number_format.percent(one.upper, n))
    size = "" if one.size is None else number_format.printed(f"{one.size:.1f}")
    return Row(_capital(one.method), (number_format.percent(one.mean, n), inside, size))


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def prior_worth(borrowing: Borrowing) -> Table | None:
    """Return what the prior is worth for each prior of heterogeneity; None without a study."""
    if not borrowing.worth:
        return None
    rows = [
        Row(f"Tau half-normal of scale {w.tau_scale:g}",
            (number_format.printed(f"{w.moment:.1f}"),
             "not finite" if w.elir is None else number_format.printed(f"{w.elir:.1f}"),
             "; ".join(f"{x:.2f} Beta({a:.2f}, {b:.2f})" for x, a, b in
                       zip(w.mixture.weights, w.mixture.a, w.mixture.b, strict=True))))
        for w in borrowing.worth
    ]  # fmt: skip
    head = ("Prior of heterogeneity", "Moments, patients", "ELIR, patients", "Mixture of Betas")
    return Table("prior_worth", "What the published studies are worth", head, tuple(rows),
                 ("Without the vague component of the robust prior.",))  # fmt: skip
