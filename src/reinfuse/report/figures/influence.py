"""Leave-one-patient-out: each effect without the most influential patients, beside that of all patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reinfuse.analysis.estimate import Estimate
from reinfuse.report import numbers
from reinfuse.report.figures.theme import COLOURS, FAINT, Drawn, finish, new, style
from reinfuse.report.labels import Labels

_COLUMNS = (0.012, 0.72, 0.86)


def influence(name: str, title: str, full: Mapping[str, Estimate], left_out: Sequence[Estimate], labels: Labels,
              synthetic: bool) -> Drawn:  # fmt: skip
    """Draw the effects on one endpoint, term by term.

    Parameters
    ----------
    full
        Term -> the effect in all patients.
    left_out
        Effects without one patient.
    """
    lines: list[tuple[str, Estimate | None]] = []
    for term in full:
        mine = [e for e in left_out if e.term == term and e.estimate is not None]
        lines += [(labels.term(term), None), ("All patients", full[term])] if mine else []
        lines += [(f"without {(e.group or '').partition('=')[2]}", e) for e in mine]
    height = 1.25 + 0.22 * len(lines)
    figure = new(8.6, height)
    with style():
        axes = figure.add_axes((0.3, 0.48 / height, 0.4, (height - 1.15) / height))
        text = figure.add_axes((0.01, 0.48 / height, 0.98, (height - 1.15) / height), frameon=False)
        for a in (axes, text):
            a.set_ylim(len(lines) - 0.5, -0.5)
        text.set_xlim(0, 1)
        text.axis("off")
        values = [e.estimate for _, e in lines if e is not None and e.estimate]
        axes.set_xscale("log")
        axes.set_xlim(min([*values, 1]) / 1.4, max([*values, 1]) * 1.4)
        axes.axvline(1, color=FAINT, linewidth=0.8, linestyle=(0, (3, 2)))
        ticks = [
            t
            for t in (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 20, 50)
            if axes.get_xlim()[0] <= t <= axes.get_xlim()[1]
        ]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        what = "Odds ratio" if left_out[0].statistic == "odds_ratio" else "Hazard ratio"
        axes.set_xlabel(what, fontsize=8.5)
        for y, (label, e) in enumerate(lines):
            if e is None or e.estimate is None:
                text.text(_COLUMNS[0], y, label, weight="bold", va="center", fontsize=8.5)
                continue
            changes = bool(e.analysis == "influence" and e.note)
            whole = e.analysis != "influence"
            axes.plot(
                [e.estimate],
                [y],
                marker="D" if whole else "X" if changes else "o",
                markersize=6 if changes else 5,
                color=COLOURS[0] if whole else COLOURS[1] if changes else "white",
                markeredgecolor=COLOURS[1] if changes else COLOURS[0],
            )
            text.text(
                _COLUMNS[0] + 0.012,
                y,
                label + (" (changes the conclusion)" if changes else ""),
                fontsize=8,
                va="center",
            )
            text.text(_COLUMNS[1], y, numbers.ratio(e.estimate), fontsize=8, va="center")
            text.text(_COLUMNS[2], y, numbers.p_value(e.p_value), fontsize=8, va="center")
        for x, head in zip(_COLUMNS, ("Patients", what, "p"), strict=True):
            text.text(x, -0.95, head, fontsize=8.5, weight="bold", va="center")
        figure.text(0.01, 1 - 0.1 / height, title, weight="bold", va="top")
    return finish(figure, name, title, _told(title, lines), synthetic)


def _told(title: str, lines: Sequence[tuple[str, Estimate | None]]) -> str:
    parts = [label if e is None else f"{label} {numbers.ratio(e.estimate)}, p {numbers.p_value(e.p_value)}"
             for label, e in lines]  # fmt: skip
    return f"{title}. " + "; ".join(parts) + "."
