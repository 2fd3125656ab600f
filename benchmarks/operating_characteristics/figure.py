"""Draw cells.csv: type I error and coverage of each method in every cell, with the goal shaded.

Run: python benchmarks/operating_characteristics/figure.py. Writes operating_characteristics.png beside it, and prints
the cells of the recommended method that miss the goal though at least 4 patients are on each side of the factor.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import polars as pl

HERE = Path(__file__).parent
METHODS = {"calibrated": ("Firth, simulated reference (recommended)", "#0072B2", "o"),
           "permutation": ("permutation", "#009E73", "s"), "chi-square": ("Firth, chi-square", "#D55E00", "^"),
           "unpenalised": ("unpenalised, Wald (where it exists)", "#767676", "x")}  # fmt: skip
GOALS = {"error": (4.0, 6.0), "coverage": (94.0, 97.0)}
FEWEST = 4
PREVALENCES = (0.1, 0.2, 0.3, 0.5)


def read():
    """Return the cells with shares in percent, of the replicates that have an answer."""
    cells = pl.read_csv(HERE / "cells.csv").with_columns(known=pl.col("replicates") - pl.col("no_answer"))
    return cells.with_columns(error=100 * pl.col("rejected_null") / pl.col("known"),
                              coverage=100 - 100 * pl.col("rejected_truth") / pl.col("known"))  # fmt: skip


def draw(cells):
    figure, axes = plt.subplots(2, 4, figsize=(13, 6.6), sharey="col", layout="constrained")
    places = [(n, p) for n in (20, 44, 100) for p in PREVALENCES]
    panels = [("error", 1, "Type I error, %"), *(("coverage", e, f"Coverage at a ratio of {e}, %") for e in (1, 3, 6))]
    for row, model in enumerate(("logistic", "cox")):
        for axis, (value, effect, title) in zip(axes[row], panels, strict=True):
            axis.axhspan(*GOALS[value], color="#0072B2", alpha=0.1)
            axis.axvspan(-0.5, 0.5, color="#767676", alpha=0.15)
            for i, (method, (_, colour, marker)) in enumerate(METHODS.items()):
                if value == "coverage" and method == "permutation":
                    continue
                mine = cells.filter(pl.col("model") == model, pl.col("effect") == effect, pl.col("method") == method)
                found = {(r["n"], r["prevalence"]): r[value] for r in mine.iter_rows(named=True) if r["known"] > 0}
                points = [(k + (i - 1.5) * 0.14, found[place]) for k, place in enumerate(places) if place in found]
                axis.plot(*zip(*points, strict=True), linestyle="", marker=marker, color=colour, markersize=4.5)
            axis.set_title(f"{'Logistic' if model == 'logistic' else 'Cox'}: {title}", fontsize=9.5)
            axis.set_ylim((0, 8) if value == "error" else (91, 100.5))
            labels = [f"{100 * p:.0f}" + (f"\nn = {n}" if p == PREVALENCES[1] else "") for n, p in places]
            axis.set_xticks(range(len(places)), labels, fontsize=7.5)
            axis.set_xlabel("% with the factor" if row else "", fontsize=8.5)
    for text, colour, marker in METHODS.values():
        axes[0][0].plot([], [], linestyle="", marker=marker, color=colour, label=text)
    named = axes[0][0].get_legend_handles_labels()
    figure.legend(*named, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    place = io.BytesIO() if "--small" in sys.argv else HERE / "operating_characteristics.png"
    figure.savefig(
        place,
        dpi=150,
        metadata={"Software": None},
    )


def main():
    cells = read()
    draw(cells)
    mine = cells.filter((pl.col("method") == "calibrated") & (pl.col("exposed") >= FEWEST))
    null = pl.col("effect") == 1
    print("cells with at least 4 exposed:", mine.height)
    for told, missed in (("type I error", mine.filter(null & ~pl.col("error").is_between(*GOALS["error"]))),
                         ("coverage", mine.filter(~pl.col("coverage").is_between(*GOALS["coverage"])))):  # fmt: skip
        print(told, "outside the goal in", missed.height)
        print(missed.select("model", "n", "prevalence", "effect", "error", "coverage", "known"))
    print(cells.filter(pl.col("exposed") >= FEWEST).group_by("method", "model").agg(
        least=pl.col("error").filter(null).min(), most=pl.col("error").filter(null).max(),
        least_coverage=pl.col("coverage").min(), most_coverage=pl.col("coverage").max(),
        most_no_answer=(pl.col("no_answer") / pl.col("replicates")).max()).sort("method", "model"))  # fmt: skip


if __name__ == "__main__":
    main()
