"""What `reinfuse curve` writes: the page, all tables, the patients of the most likely. It stays at the centre."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from reinfuse.disclosure.identifying import RECONSTRUCTED_ID
from reinfuse.evidence.curves.reconstruction import CurveStudy, most_likely_patients
from reinfuse.output import Destination, at
from reinfuse.report.curves.figure import curves_figure
from reinfuse.report.curves.page import LOCAL, RECONSTRUCTED, curve_document
from reinfuse.report.document.docx import word
from reinfuse.report.document.html import html
from reinfuse.report.document.pdf import pdf
from reinfuse.report.document.typst import png
from reinfuse.report.export.results_folder import write_figures
from reinfuse.report.export.shared_folder import KEEP_LOCAL
from reinfuse.tabular.csv_files import write_rows


def write_curves(study: CurveStudy, place: Destination | Path) -> Path:
    """Write report.html, .docx and .pdf, tables.csv, patients.csv, estimates.csv and a note that they stay here.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    drawn = curves_figure(study)
    document = curve_document(study, date.today(), drawn=drawn)

    def write(draft: Path) -> None:
        (draft / "report.html").write_text(html(document), encoding="utf-8")
        (draft / "report.docx").write_bytes(word(document, {drawn.name: png(drawn.svg)}))
        (draft / "report.pdf").write_bytes(pdf(document))
        write_figures([drawn], draft / "figures")
        write_rows(_tables(study), draft / "tables.csv")
        write_rows(_patients(study), draft / "patients.csv")
        write_rows(_estimates(study), draft / "estimates.csv")
        (draft / KEEP_LOCAL).write_text(f"{RECONSTRUCTED}\n{LOCAL}\n", encoding="utf-8")

    return at(place, "curve").write(write)


def _tables(study: CurveStudy) -> Iterator[tuple[object, ...]]:
    yield "arm", "table", "weight", "most_likely", "time", "at_risk", "events"
    for arm in study.arms:
        for i, weight in enumerate(arm.tables.weight):
            best = "yes" if i == arm.tables.best else "no"
            for k, time in enumerate(arm.reading.time):
                yield (arm.name, i + 1, f"{weight:.6g}", best, f"{time:.6g}", int(arm.tables.at_risk[i, k]),
                       int(arm.tables.events[i, k]))  # fmt: skip


def _patients(study: CurveStudy) -> Iterator[tuple[object, ...]]:
    yield "patient_id", "arm", "time", "event"
    number = 0
    for arm in study.arms:
        for time, event in zip(*most_likely_patients(arm), strict=True):
            number += 1
            yield f"{RECONSTRUCTED_ID}{number}", arm.name, f"{time:.6g}", int(event)


def _estimates(study: CurveStudy) -> Iterator[tuple[object, ...]]:
    yield "arm", "statistic", "at", "most_likely", "least", "greatest", "lower", "upper", "weight_without"
    for one in study.estimates:
        own = one.estimate
        values = (own.value, own.least, own.greatest, own.lower, own.upper)
        at_time = "" if one.at is None else f"{one.at:g}"
        yield one.arm, one.statistic, at_time, *map(_number, values), f"{own.lacking:.4g}"
    ratio = study.hazard_ratio
    if ratio is not None:
        values = (ratio.value, ratio.least, ratio.greatest, ratio.lower, ratio.upper)
        yield study.arms[1].name, "hazard_ratio", "", *(_number(math.exp(v)) for v in values), ""


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"
