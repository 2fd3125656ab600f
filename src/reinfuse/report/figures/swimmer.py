"""Swimmer plot: one lane a patient, from the first infusion to death or last contact."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.cohort.patient_courses import KINDS, Course
from reinfuse.report.figures.theme import (
    INK,
    MEANING,
    SMALL,
    WIDTHS,
    Columns,
    Drawn,
    finish,
    head_height,
    headline,
    new,
    style,
)

MOST = 80
_LANE, _FOOT, _GAP = 0.125, 0.5, 0.9
"""Inches from lane to lane and under them; lanes left free over each diagnosis but the first."""
_HIGHEST = 240 / 25.4
"""Inches of the tallest figure; lanes are drawn closer to stay within it."""
_THICK = 4.2
_STATES = (("CR", MEANING[0]), ("PR", MEANING[5]))
_ABOVE, _BELOW = -0.24, 0.24
"""Lanes by which a mark is moved, so that it does not hide an assessment of the same day."""
_MOVED = {"MRD undetectable": _ABOVE, "MRD detectable": _ABOVE, "other therapy": _BELOW, "transplant": _BELOW}
_STEPS = (0.25, 0.5, 1, 3, 6, 12, 24, 60, 120)
_LETTERS = 40
_MARKS: dict[str, tuple[str, str, str, float]] = {
    "infusion": ("|", INK, INK, 62), "CR": ("o", MEANING[0], INK, 15), "PR": ("o", "white", MEANING[0], 15),
    "SD": ("s", "white", INK, 9), "PD": ("x", MEANING[1], MEANING[1], 17),
    "progression or death": ("x", MEANING[1], MEANING[1], 17),
    "MRD undetectable": ("*", MEANING[2], INK, 32), "MRD detectable": ("*", "white", INK, 32),
    "other therapy": ("D", MEANING[3], INK, 12), "transplant": ("P", MEANING[4], INK, 24),
    "death": ("X", INK, INK, 24), "alive": (">", INK, INK, 18),
}  # fmt: skip
"""Marker, face, edge and area of each kind. An infusion is an upright bar, taller and thinner than what is marked on
its day or a few days from it, and drawn behind that: both are seen."""
_LINES = {"|": 1.8}
"""Points of a marker's lines, where they are not 0.7."""


def swimmer(title: str, courses: Sequence[Course], synthetic: bool, *, columns: Columns = 2,
            ids: bool = True) -> Drawn | None:  # fmt: skip
    """Draw the sequences, by diagnosis, the longest first; None above `MOST` patients.

    Parameters
    ----------
    ids
        False: lanes are numbered instead.
    """
    if not courses or len(courses) > MOST:
        return None
    ordered = sorted(courses, key=lambda c: (c.diagnosis, -c.end, c.patient_id))
    labels = [c.patient_id if ids else str(i) for i, c in enumerate(ordered, 1)]
    kinds = [k for k in (*KINDS, "death", "alive") if any(k == kind for c in ordered for kind, _ in _shown(c))]
    handles = [*(_handle(k) for k in kinds), *_states(ordered)]
    rows = -(-len(handles) // (2 if columns == 1 else 6))
    head = head_height(title, columns)
    lanes = [y + _GAP * sum(ordered[i].diagnosis != ordered[i - 1].diagnosis for i in range(1, y + 1))
             for y in range(len(ordered))]  # fmt: skip
    above, high = head + 0.145 * rows + 0.12, lanes[-1] + 2.1
    body = min(_LANE * high, _HIGHEST - above - _FOOT)
    height = above + body + _FOOT
    figure = new(columns, height)
    width = WIDTHS[columns]
    left = (0.055 * max(len(_short(x)) for x in labels) + 0.3) / width
    with style():
        axes = figure.add_axes((left, _FOOT / height, 0.98 - left, body / height))
        _lanes(axes, ordered, lanes=lanes)
        for kind in kinds:
            _marks(axes, kind, ordered, lanes=lanes)
        _axes(axes, ordered, lanes, labels=labels)
        figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, 1 - head / height),
                      ncols=-(-len(handles) // rows), borderaxespad=0.2, handletextpad=0.2, columnspacing=1.0,
                      labelspacing=0.3)  # fmt: skip
        headline(figure, title, columns=columns)
    return finish(figure, "swimmer", title, _alt(title, ordered), synthetic, _table(ordered, labels), columns=columns,
                  patient_level=True)  # fmt: skip


def _shown(course: Course) -> list[tuple[str, float]]:
    """Return kind and day of all that is marked."""
    end = [] if course.died is None else [("death" if course.died else "alive", course.end)]
    return [*((e.kind, e.day) for e in course.events if e.kind in KINDS), *end]


def _lanes(axes: Axes, ordered: Sequence[Course], *, lanes: Sequence[float]) -> None:
    whole = [[(c.start / DAYS_A_MONTH, y), (c.end / DAYS_A_MONTH, y)] for c, y in zip(ordered, lanes, strict=True)]
    axes.add_collection(LineCollection(whole, colors="#d9d9d9", linewidths=_THICK, capstyle="butt", zorder=1))
    for kind, colour in _STATES:
        spans = [[(a / DAYS_A_MONTH, y), (b / DAYS_A_MONTH, y)] for c, y in zip(ordered, lanes, strict=True)
                 for a, b, what in c.responses if what == kind]  # fmt: skip
        axes.add_collection(
            LineCollection(spans, colors=colour, linewidths=_THICK, capstyle="butt", zorder=2, alpha=0.75)
        )


def _marks(axes: Axes, kind: str, ordered: Sequence[Course], *, lanes: Sequence[float]) -> None:
    marker, face, edge, area = _MARKS[kind]
    places = [(day / DAYS_A_MONTH, y) for c, y in zip(ordered, lanes, strict=True) for k, day in _shown(c) if k == kind]
    push = _push(ordered) if kind == "alive" else 0.0
    x, y = [p[0] + push for p in places], [p[1] + _MOVED.get(kind, 0.0) for p in places]
    if push:
        stems = [[(a, b), (a + push, b)] for a, b in places]
        axes.add_collection(LineCollection(stems, colors=INK, linewidths=0.8, zorder=3))
    colours = {"color": edge} if marker in ("x", "|") else {"facecolor": face, "edgecolor": edge}
    axes.scatter(x, y, s=area, marker=marker, linewidths=_LINES.get(marker, 0.7), zorder=3 if kind == "infusion" else 4,
                 label=kind,
                 clip_on=False, **colours)  # type: ignore[arg-type]  # fmt: skip


def _push(ordered: Sequence[Course]) -> float:
    """Return the months by which the head of an arrow stands after the end of its lane."""
    low, high = _limits(ordered)
    return min(0.6, 0.05 * (high - low))


def _limits(ordered: Sequence[Course]) -> tuple[float, float]:
    """Return the months of the first and the last day of all lanes, a month apart at least."""
    low, high = min(c.start for c in ordered) / DAYS_A_MONTH, max(c.end for c in ordered) / DAYS_A_MONTH
    return low, max(high, low + 1)


def _states(ordered: Sequence[Course]) -> list[Line2D]:
    """Return the legend of the lanes' colours that occur."""
    present = {what for c in ordered for *_, what in c.responses}
    return [Line2D([], [], color=colour, linewidth=_THICK, alpha=0.75, solid_capstyle="butt", label=f"time in {what}")
            for what, colour in _STATES if what in present]  # fmt: skip


def _short(text: str, most: int = 24) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _handle(kind: str) -> Line2D:
    marker, face, edge, area = _MARKS[kind]
    names = {"infusion": "CAR-T infusion", "alive": "alive at last contact"}
    return Line2D([], [], linestyle="none", marker=marker, markerfacecolor=face, markeredgecolor=edge,
                  markersize=area**0.5, markeredgewidth=_LINES.get(marker, 0.7),
                  label=names.get(kind, kind))  # fmt: skip


def _axes(axes: Axes, ordered: Sequence[Course], lanes: Sequence[float], *, labels: Sequence[str]) -> None:
    low, high = _limits(ordered)
    span = high - low
    left, right = low - 0.02 * span, high + _push(ordered) + 0.02 * span
    axes.set_xlim(left, right)
    axes.set_ylim(lanes[-1] + 0.8, -1.3)
    axes.axvline(0, color=INK, linewidth=0.5, zorder=0)
    step = next((s for s in _STEPS if span / s < 9), _STEPS[-1])
    axes.set_xticks([k * step for k in range(ceil(left / step), floor(right / step) + 1)])
    axes.set_xlabel("Months from the index infusion", labelpad=2)
    axes.set_yticks(lanes, [_short(x) for x in labels], fontsize=SMALL)
    axes.tick_params(axis="y", length=0, pad=2)
    axes.spines["left"].set_visible(False)
    for i, (course, y) in enumerate(zip(ordered, lanes, strict=True)):
        if i == 0 or course.diagnosis != ordered[i - 1].diagnosis:
            axes.annotate(_short(course.diagnosis, _LETTERS), (0, y - 0.95), xycoords=("figure fraction", "data"),
                          xytext=(2, 0), textcoords="offset points", weight="bold", va="center",
                          fontsize=SMALL)  # fmt: skip


def _table(ordered: Sequence[Course], labels: Sequence[str]) -> pl.DataFrame:
    rows = [{"patient": label, "diagnosis": c.diagnosis, "what": kind, "day": day,
             "detail": next((e.detail for e in c.events if (e.kind, e.day) == (kind, day)), "")}
            for c, label in zip(ordered, labels, strict=True)
            for kind, day in [("start", c.start), *_shown(c), ("end", c.end)]]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def _alt(title: str, ordered: Sequence[Course]) -> str:
    kinds = [kind for c in ordered for kind, _ in _shown(c)]
    counts = "; ".join(f"{kind}: {kinds.count(kind)}" for kind in dict.fromkeys(kinds))
    return f"{title}. {len(ordered)} lanes, one a patient. Marks: {counts}."
