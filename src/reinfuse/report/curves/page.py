"""Patients behind published curves as a document: what all tables agree on, and ranges of what they do not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

import numpy as np

from reinfuse.evidence.curves.reconstruction import EXACT_UP_TO, ArmTables, CurveEstimate, CurveStudy
from reinfuse.report.designs.page import Method, decimal, numbered, percent, references, table
from reinfuse.report.document.model import Block, Bullets, Document, Paragraph, Picture, Section, Table
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.text import number_format
from reinfuse.results.estimate import NOT_ESTIMABLE, NOT_REACHED
from reinfuse.statistics.reconstructed_contrast import HazardRatioRange
from reinfuse.statistics.risk_tables import REACH
from reinfuse.version import __version__

LOCAL = (
    "Keep this folder at the centre: a small published curve, joined with its numbers at risk, can disclose patients. "
    "`reinfuse share` refuses it."
)
RECONSTRUCTED = "Reconstructed from published curves: not the patients' own data."
_LIMITS = (
    "Factors and outcomes that are not in the figure are not recovered: there is no adjusted estimate.",
    "Times of censoring between steps are not in a curve; they are drawn anew for every table.",
    "A systematic fault of the figure, such as a wrong axis, is not part of the reading error.",
    "Do not try to recognise a patient.",
)
_LEVEL = 0.05
_BAND = "Points: heights that were read; lines: most likely tables; bands: range over all tables."


def curve_document(study: CurveStudy, today: date, *, drawn: Drawn) -> Document:
    """Return the document; `drawn` is the figure of the curves."""
    methods = tuple(_methods(study))
    keys = tuple(dict.fromkeys(key for method in methods for key in method.sources))
    text: list[Block] = [Paragraph(numbered(method, keys)) for method in methods]
    sections = (
        Section("answer", "What the curves give", tuple(Paragraph(text) for text in answer(study))),
        Section("estimates", "Estimates", (estimates_table(study), Picture(drawn, _BAND))),
        Section("tables", "Risk tables", tuple(_risk_table(arm, k) for k, arm in enumerate(study.arms))),
        Section("methods", "Statistical methods", tuple(text)),
        Section("limits", "Limitations", (Bullets(_LIMITS),)),
        references(keys),
    )
    return Document("Patients behind a published curve", f"{today.isoformat()} · reinfuse {__version__}", sections,
                    banners=(RECONSTRUCTED, LOCAL), contents=False,
                    facts={"generator": f"reinfuse {__version__}", "date": today.isoformat()})  # fmt: skip


def answer(study: CurveStudy) -> Iterator[str]:
    """Yield the sentences that come first."""
    for arm in study.arms:
        yield _agreement(arm)
    if study.hazard_ratio is not None:
        yield from _contrast(study, study.hazard_ratio)


def _agreement(arm: ArmTables) -> str:
    tables, name = arm.tables, f"{arm.name}: " if arm.name else ""
    events = tables.events.sum(axis=1)[tables.weight > 0]
    span = _span(int(events.min()), int(events.max()))
    patients = f"{name}{arm.reading.patients} patients, {span} events"
    if not arm.searched:
        return (f"{patients} in {len(events)} tables of Guyot's algorithm, the heights moved by the reading error: "
                f"with more than {EXACT_UP_TO} patients tables are not searched.")  # fmt: skip
    if tables.complete:
        one = len(events) == 1
        return (
            f"{patients}; {'one table agrees' if one else f'{len(events):,} tables agree'} with the curve, all listed."
        )
    about = "" if tables.exact else "about "
    return f"{patients} in {len(events):,} tables drawn by their probability; {about}{tables.count:,.3g} agree."


def _contrast(study: CurveStudy, ratio: HazardRatioRange) -> Iterator[str]:
    first, second = (arm.name for arm in study.arms)
    if math.isnan(ratio.value):
        yield f"The hazard ratio of {second} to {first} is {NOT_ESTIMABLE}: no event compares the arms."
        return
    value, low, high = (number_format.ratio(math.exp(x)) for x in (ratio.value, ratio.lower, ratio.upper))
    least, greatest = (number_format.ratio(math.exp(x)) for x in (ratio.least, ratio.greatest))
    level = f"{100 * study.request.confidence:g}%"
    yield (f"Hazard ratio of {second} to {first}: {value} ({level} CI {low} to {high}), from {least} to {greatest} "
           "over tables and times of censoring.")  # fmt: skip
    p = number_format.limits(*(number_format.p_value(x) for x in (ratio.p_least, ratio.p_greatest)))
    if ratio.p_greatest < _LEVEL:
        yield f"Every pair of tables gives p below 0.05 ({p})."
    elif ratio.p_least >= _LEVEL:
        yield f"No pair of tables gives p below 0.05 ({p})."
    else:
        yield f"The tables do not agree on whether p is below 0.05 ({p}): nothing is claimed."


def estimates_table(study: CurveStudy) -> Table:
    """Return the table of all estimates."""
    level = f"{100 * study.request.confidence:g}% CI"
    rows = [_row(study, one) for one in study.estimates]
    notes = ("A range is what the tables do not agree on.",
             "The CI of a restricted mean is that of all tables together; else it runs from the least lower to the "
             "greatest upper limit of any table.")  # fmt: skip
    return table(
        "estimates", "Estimates from all tables", ("Estimate", "Value", level, "Tables agree"), rows, notes=notes
    )


def _row(study: CurveStudy, one: CurveEstimate) -> tuple[str, str, str, str]:
    unit, own = study.request.unit, one.estimate
    names = {"median": f"median, {unit}", "survival": f"survival at {one.at or 0:.4g} {unit}",
             "restricted_mean": f"mean up to {one.at or 0:.4g} {unit}"}  # fmt: skip
    head = f"{one.arm}: {names[one.statistic]}" if one.arm else names[one.statistic]
    show = percent if one.statistic == "survival" else decimal
    low, high = (NOT_REACHED if math.isnan(x) else show(x) for x in (own.least, own.greatest))
    absent = NOT_REACHED if one.statistic == "median" else NOT_ESTIMABLE
    interval = " to ".join(absent if math.isnan(x) else show(x) for x in (own.lower, own.upper))
    if math.isnan(own.lower) and math.isnan(own.upper):
        interval = absent
    return head, low if low == high else f"{low} to {high}", interval, "yes" if low == high else "no"


def _risk_table(arm: ArmTables, place: int) -> Table:
    tables, best = arm.tables, arm.tables.best
    use = tables.weight > 0
    rows = []
    for k, time in enumerate(arm.reading.time):
        at_risk, events = tables.at_risk[use, k], tables.events[use, k]
        height = float(np.prod(1 - tables.events[best, : k + 1] / tables.at_risk[best, : k + 1]))
        rows.append((decimal(float(time), 2), percent(float(arm.reading.survival[k])), percent(height),
                     str(tables.at_risk[best, k]), _span(int(at_risk.min()), int(at_risk.max())),
                     str(tables.events[best, k]), _span(int(events.min()), int(events.max()))))  # fmt: skip
    whose = f" of {arm.name}" if arm.name else ""
    head = ("Time", "Read", "Most likely table", "At risk", "Range", "Events", "Range of events")
    return table(f"steps-{place + 1}", f"Steps of the curve{whose}", head, rows,
                 notes=("At risk and events of the most likely table, with the ranges over all tables.",))  # fmt: skip


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _methods(study: CurveStudy) -> Iterator[Method]:
    error = f"{100 * study.request.error:g}%"
    if any(arm.searched for arm in study.arms):
        yield Method("Every table of whole numbers at risk and events was searched whose Kaplan-Meier heights miss "
                     f"none that was read by more than {REACH:g} standard deviations of the reading error ({error}), "
                     "and that meets the printed numbers at risk.", ("kaplan",))  # fmt: skip
        yield Method("Tables are weighted by the normal likelihood of their heights and a constant rate of censoring; "
                     "further events at one step have a weight of 0.01 each.", ("guyot",))  # fmt: skip
    if not all(arm.searched for arm in study.arms):
        yield Method(f"Curves of more than {EXACT_UP_TO} patients were made into tables by Guyot's algorithm, 200 "
                     f"times with heights moved by a normal error of {error}.", ("guyot",))  # fmt: skip
    yield Method("Medians have Brookmeyer-Crowley limits (log-log), means up to a time normal limits of Greenwood's "
                 "variance.", ("brookmeyer",))  # fmt: skip
    if study.hazard_ratio is not None:
        yield Method("The hazard ratio is that of Firth's Cox model, p-values are those of the penalised likelihood "
                     "ratio, in 400 pairs of tables drawn by their weights.", ("firth_cox",))  # fmt: skip
    yield Method("Limits from several tables are those of the mixture of their confidence distributions.",
                 ("confidence_distribution",))  # fmt: skip
