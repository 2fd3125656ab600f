"""Published curves into patients: from a figure or points to tables, and to a folder that stays at the centre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reinfuse.evidence.curves.digitised import DigitisedArm, PrintedRisk, read_points, read_risk
from reinfuse.evidence.curves.reconstruction import CurveRequest, CurveStudy, reconstruct
from reinfuse.evidence.curves.svg_curves import read_figure
from reinfuse.exceptions import Problem
from reinfuse.output import Destination
from reinfuse.report.curves.page import LOCAL, answer, estimates_table
from reinfuse.report.document.model import Table
from reinfuse.report.export.curve_folder import write_curves

WARNING = LOCAL
"""What whoever shows a result says with it."""
SVG_ERROR, POINTS_ERROR = 0.0005, 0.005
"""Reading errors that are assumed: of vector paths, and of points that were clicked."""


@dataclass(frozen=True, kw_only=True)
class CurveOptions:
    """What is asked, as the options of `reinfuse curve`; texts are read by `curve_into_patients`."""

    at_risk: Sequence[str]
    reading_error: float | None = None
    time_error: float | None = None
    along: bool = False
    marks: bool = False
    arms: str = ""
    curves: str = ""
    x_axis: str = ""
    y_axis: str = ""
    events: Sequence[str] = ()
    at: str = ""
    horizon: float | None = None
    confidence: float = 0.95
    unit: str = "months"


@dataclass(frozen=True)
class CurveAnswer:
    """What the curves give: sentences, the table of estimates, and what `write_patients` writes."""

    sentences: tuple[str, ...]
    table: Table
    study: CurveStudy


def curve_into_patients(path: Path, options: CurveOptions) -> CurveAnswer:
    """Return what all risk tables that agree with a figure's curves give.

    Parameters
    ----------
    path
        An SVG figure, or a CSV file of points.
    options
        Numbers at risk, and how the figure is read.

    Raises
    ------
    SourceRefused
        With everything that is wrong.
    """
    problems: list[Problem] = []
    risk = read_risk(options.at_risk, problems)
    is_figure = path.suffix.lower() == ".svg"
    arms = _figure(path, options, risk, problems) if is_figure else read_points(path, problems)
    if not options.at_risk:
        remedy = "give at least the number of patients: --at-risk 0:22, or NAME=0:22 for each of several arms"
        problems.append(Problem(table="curve", column="--at-risk", rule="is missing", remedy=remedy))
    usual = SVG_ERROR if is_figure else POINTS_ERROR
    request = CurveRequest(
        arms=tuple(arms), risk=tuple(risk),
        error=usual if options.reading_error is None else options.reading_error / 100, time_error=options.time_error,
        along=options.along, events=tuple(_events(options.events, arms, problems)),
        times=tuple(_numbers(options.at, "--at", problems)), horizon=options.horizon, confidence=options.confidence,
        unit=options.unit,
    )  # fmt: skip
    study = reconstruct(request, problems)
    return CurveAnswer(tuple(answer(study)), estimates_table(study), study)


def write_patients(given: CurveAnswer, place: Destination) -> Path:
    """Write the folder, marked so that `share` refuses it.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    return write_curves(given.study, place)


def _figure(
    path: Path, options: CurveOptions, risk: Sequence[PrintedRisk], problems: list[Problem]
) -> list[DigitisedArm]:
    names = [name.strip() for name in options.arms.split(",") if name.strip()] or [one.arm for one in risk] or [""]
    chosen = [int(number) for number in _numbers(options.curves, "--curves", problems)]
    return read_figure(path, names=names, chosen=chosen, axes=(options.x_axis, options.y_axis), problems=problems,
                       with_marks=options.marks)  # fmt: skip


def _events(given: Sequence[str], arms: Sequence[DigitisedArm], problems: list[Problem]) -> list[tuple[str, int]]:
    pairs = []
    for text in given:
        name, _, number = text.rpartition("=")
        if number.strip().isdecimal():
            pairs.append((name.strip() if name or len(arms) != 1 else arms[0].name, int(number)))
        else:
            problems.append(Problem(table="curve", column="--events", value=text, rule="is no number of events",
                                    remedy="give 14, or NAME=14"))  # fmt: skip
    return pairs


def _numbers(text: str, option: str, problems: list[Problem]) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        problems.append(Problem(table="curve", column=option, value=text, rule="is no list of numbers",
                                remedy="give numbers apart by commas"))  # fmt: skip
        return []
