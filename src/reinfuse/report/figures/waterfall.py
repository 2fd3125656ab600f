"""Best change of the measured disease, one bar a patient."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from reinfuse.report.figures.response import CATEGORIES, HATCHES, SHADES
from reinfuse.report.figures.theme import FAINT, INK, Columns, Drawn, finish, head_height, headline, new, style

CAP = 100.0
LINES = (-50.0, 50.0)
"""Changes by which Lugano 2014 tells partial response and progression."""


def waterfall(title: str, found: Sequence[tuple[float, str]], without: int, synthetic: bool,
              columns: Columns = 2) -> Drawn:  # fmt: skip
    """Draw the bars from growth to disappearance.

    Parameters
    ----------
    found
        Change in percent and best response of each patient.
    without
        Patients without a size before or after the infusion.
    """
    ordered = sorted(found, reverse=True)
    head = head_height(title, columns)
    height = head + 0.24 + 2.2 + 0.3
    figure = new(columns, height)
    left = 0.5 / figure.get_size_inches()[0]
    with style():
        axes = figure.add_axes((left, 0.3 / height, 0.97 - left, 2.2 / height))
        for category in (c for c in CATEGORIES if any(r == c for _, r in ordered)):
            i = CATEGORIES.index(category)
            bars = [(x, min(change, CAP)) for x, (change, r) in enumerate(ordered) if r == category]
            axes.bar([x for x, _ in bars], [h for _, h in bars], width=0.84, color=SHADES[i], hatch=HATCHES[i],
                     edgecolor=INK, linewidth=0.5, label=category)  # fmt: skip
        for x, (change, _) in enumerate(ordered):
            if change > CAP:
                axes.annotate(f"+{change:.0f}", (x, CAP), xytext=(0, 2), textcoords="offset points", ha="center",
                              va="bottom", fontsize=6, annotation_clip=False)  # fmt: skip
        axes.axhline(0, color=INK, linewidth=0.7)
        for level in LINES:
            axes.axhline(level, color=FAINT, linewidth=0.6, linestyle=(0, (3, 2)))
        axes.set_ylim(-104, CAP + 4)
        axes.set_xlim(-0.7, len(ordered) - 0.3)
        axes.set_yticks([-100, -50, 0, 50, 100], ["-100%", "-50%", "0%", "+50%", "+100%"])
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.set_ylabel("Best change of size", labelpad=2)
        figure.legend(*axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(0, 1 - head / height),
                      ncols=8, borderaxespad=0.2, handlelength=1.4, columnspacing=1.0)  # fmt: skip
        headline(figure, title, columns)
    halved = sum(change <= LINES[0] for change, _ in ordered)
    alt = f"{title}. {len(ordered)} patients, smaller by half or more in {halved}; {without} without sizes not drawn."
    data = pl.DataFrame({"best_size_change": [c for c, _ in ordered], "best_response": [r for _, r in ordered]})
    return finish(figure, "waterfall", title, alt, synthetic, data, columns, patient_level=True)
