"""The figure of a search's frontier: objective against toxicities of all evaluated protocols."""

from __future__ import annotations

import polars as pl

from reinfuse.report.figures.theme import FAINT, INK, MEANING, Columns, Drawn, finish, head_height, headline, new, style


def frontier_figure(name: str, title: str, protocols: pl.DataFrame, *, objective: str, synthetic: bool,
                    columns: Columns = 2) -> Drawn:  # fmt: skip
    """Draw each evaluated protocol by toxicities expected of a patient and objective, the frontier as a line.

    Parameters
    ----------
    protocols
        `Region.frame()`.
    objective
        Label of the objective.
    """
    head, tall, foot = head_height(title, columns), 2.4, 0.62
    height = head + tall + foot
    figure = new(columns, height)
    width = figure.get_size_inches()[0]
    on = protocols.filter("on_frontier").sort("toxicities")
    with style():
        axes = figure.add_axes((0.6 / width, foot / height, (width - 0.8) / width, tall / height))
        for of, face in ((protocols.filter(~pl.col("on_frontier") & pl.col("admissible")), "white"),
                         (protocols.filter(~pl.col("admissible")), FAINT)):  # fmt: skip
            axes.plot(of["toxicities"], 100 * of["value"], linestyle="none", marker="o", markersize=3.2,
                      markerfacecolor=face, markeredgecolor=FAINT, markeredgewidth=0.7)  # fmt: skip
        axes.plot(on["toxicities"], 100 * on["value"], color=MEANING[0], marker="o", markersize=4.2, linewidth=1.0)
        best = protocols.filter("best")
        axes.plot(best["toxicities"], 100 * best["value"], linestyle="none", marker="*", markersize=9.0,
                  markerfacecolor=MEANING[6], markeredgecolor=INK, markeredgewidth=0.7)  # fmt: skip
        axes.set_xlabel("Toxicities expected of a patient")
        axes.set_ylabel("Objective, %")
        axes.margins(0.04)
        headline(figure, title, columns=columns)
    name_of_best = best["protocol"][0]
    alt = (f"{title}. {objective} against toxicities expected of a patient, {protocols.height} protocols, {on.height} "
           f"of them on the frontier (line). Star: the best at the question's weight, {name_of_best}.")  # fmt: skip
    return finish(figure, name, title, alt, synthetic, protocols, columns=columns)
