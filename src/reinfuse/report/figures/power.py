"""Power curves: what effects this cohort could have seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reinfuse.report.figures.theme import COLOURS, FAINT, STYLES, Drawn, finish, new, style


def power(name: str, title: str, what: str, curves: Mapping[str, Sequence[tuple[float, float]]],
          synthetic: bool) -> Drawn:  # fmt: skip
    """Draw power against the true ratio, one line a factor.

    Parameters
    ----------
    curves
        Factor -> (ratio, power) in order of the ratio.
    """
    head = 0.42 + 0.17 * len(curves)
    height = 3.1 + head
    figure = new(6.4, height)
    with style():
        axes = figure.add_axes((0.1, 0.55 / height, 0.84, 2.5 / height))
        for i, (label, points) in enumerate(curves.items()):
            axes.plot([r for r, _ in points], [100 * p for _, p in points], color=COLOURS[i % len(COLOURS)], marker="o",
                      markersize=3.5, linestyle=STYLES[i % len(STYLES)], label=label, linewidth=1.4)  # fmt: skip
        for level, said in ((80, "80%"), (5, "5%")):
            axes.axhline(level, color=FAINT, linewidth=0.8, linestyle=(0, (3, 2)))
            axes.text(1.01, level / 102, said, transform=axes.transAxes, fontsize=7.5, color=FAINT, va="center")
        axes.set_xscale("log")
        ticks = (0.1, 0.2, 0.5, 1, 2, 5, 10)
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.set_ylim(0, 102)
        axes.set_xlabel(f"True {what}")
        axes.set_ylabel("Power, %")
        axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.01), fontsize=8, borderaxespad=0.1, labelspacing=0.3)
        figure.text(0.01, 1 - 0.08 / height, title, weight="bold", va="top")
    told = "; ".join(f"{label}: " + ", ".join(f"{100 * p:.0f}% at {r:.2g}" for r, p in points)
                     for label, points in curves.items())  # fmt: skip
    return finish(figure, name, title, f"{title}. {told}.", synthetic)
