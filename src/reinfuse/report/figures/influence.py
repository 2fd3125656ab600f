"""Leave-one-patient-out: each effect without the most influential patients, beside that of all patients."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from reinfuse.cohort.strata import level_of
from reinfuse.report.figures.rows import heads, logarithmic, panels
from reinfuse.report.figures.theme import COLOURS, Columns, Drawn, finish, style
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import Labels
from reinfuse.results.estimate import Estimate

_PLACES: dict[Columns, tuple[float, ...]] = {1: (0.012, 0.76, 0.89), 2: (0.006, 0.80, 0.90)}
_PLOT: dict[Columns, tuple[float, float]] = {1: (0.46, 0.27), 2: (0.36, 0.40)}
_Line = tuple[str, Estimate | None]


def influence(name: str, title: str, full: Sequence[Estimate], *, left_out: Sequence[Estimate], labels: Labels,
              synthetic: bool, columns: Columns = 2) -> Drawn:  # fmt: skip
    """Draw the effects on one endpoint, term by term.

    Parameters
    ----------
    full
        The effects in all patients.
    left_out
        Effects without one patient.
    """
    lines: list[_Line] = []
    for whole in full:
        own = [e for e in left_out if (e.term, e.level) == (whole.term, whole.level) and e.estimate is not None]
        lines += [(labels.term(whole.stratum or ""), None), ("All patients", whole)] if own else []
        lines += [(_line_label(e), e) for e in own]
    what = "Odds ratio" if left_out[0].statistic == "odds_ratio" else "Hazard ratio"
    with style():
        figure, axes, text = panels(title, len(lines), columns, plot=_PLOT[columns], xlabel=what)
        values = [e.estimate for _, e in lines if e is not None and e.estimate]
        logarithmic(axes, min([*values, 1]) / 1.4, max([*values, 1]) * 1.4)
        places = _PLACES[columns]
        for y, (label, e) in enumerate(lines):
            if e is None or e.estimate is None:
                text.text(places[0], y, label, weight="bold", va="center")
                continue
            _point(axes, y, e=e)
            text.text(places[0] + 0.012, y, label, va="center")
            text.text(places[1], y, number_format.ratio(e.estimate), va="center")
            text.text(places[2], y, number_format.p_value(e.p_value), va="center")
        heads(text, places, ("Patients", "Ratio" if columns == 1 else what, number_format.p_letter()))
    return finish(
        figure, name, title, _alt(title, lines), synthetic, _table(lines), columns=columns, patient_level=True
    )


def _line_label(e: Estimate) -> str:
    return f"without {level_of(e.group)}" + (" (conclusion changes)" if e.note else "")


def _point(axes: object, y: int, *, e: Estimate) -> None:
    changes = bool(e.analysis == "influence" and e.note)
    whole = e.analysis != "influence"
    axes.plot([e.estimate], [y], marker="D" if whole else "X" if changes else "o",  # type: ignore[attr-defined]
              markersize=4.5 if changes else 3.8, color=COLOURS[0] if whole else COLOURS[1] if changes else "white",
              markeredgecolor=COLOURS[1] if changes else COLOURS[0], markeredgewidth=0.8)  # fmt: skip


def _table(lines: Sequence[_Line]) -> pl.DataFrame:
    rows = [{"term": e.stratum, "patients": label, "estimate": e.estimate, "p_value": e.p_value, "note": e.note}
            for label, e in lines if e is not None]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def _alt(title: str, lines: Sequence[_Line]) -> str:
    parts = [label if e is None else f"{label} {number_format.ratio(e.estimate)}, {number_format.p_equals(e)}"
             for label, e in lines]  # fmt: skip
    return f"{title}. " + "; ".join(parts) + "."
