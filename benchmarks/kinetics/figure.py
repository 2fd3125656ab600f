"""Draws calibration.png from calibration_prior.csv, and prints coverage: python benchmarks/kinetics/figure.py."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy import stats

HERE = Path(__file__).parent
BINS, RANKS = 10, 100


def main() -> None:
    """Draw rank histograms of every population parameter, with the band of uniform ranks."""
    rows = pl.read_csv(HERE / "calibration_prior.csv")
    cohorts = rows.unique("cohort").height
    kept = rows.filter(~pl.col("refused"))
    n = kept.unique("cohort").height
    names = kept["parameter"].unique(maintain_order=True).to_list()
    low, high = stats.binom.ppf([0.005, 0.995], n, 1 / BINS)
    figure = Figure(figsize=(11, 8), facecolor="white")
    FigureCanvasAgg(figure)
    outside = 0
    for i, name in enumerate(names):
        mine = kept.filter(pl.col("parameter") == name)
        counts, _ = np.histogram(mine["rank"], bins=BINS, range=(0, RANKS))
        outside += int(((counts < low) | (counts > high)).sum())
        axes = figure.add_subplot(5, 6, i + 1)
        axes.axhspan(low, high, color="#cccccc", linewidth=0)
        axes.bar(np.arange(BINS) + 0.5, counts, width=0.9, color="#0072B2")
        axes.set_xticks([])
        axes.set_ylim(0, 45)
        axes.set_title(f"{name}: covered {100 * mine['covered'].mean():.0f}%", fontsize=7)
        axes.tick_params(labelsize=6)
    figure.suptitle(f"Ranks of planted values among 99 posterior draws, {n} cohorts; grey: 99% of uniform ranks",
                    fontsize=10)  # fmt: skip
    figure.tight_layout()
    place = io.BytesIO() if "--small" in sys.argv else HERE / "calibration.png"
    figure.savefig(place, dpi=110, metadata={"Software": ""})
    each = kept.group_by("parameter").agg(pl.col("covered").mean())
    print(f"{cohorts} cohorts, {cohorts - n} refused; 90% intervals cover {100 * kept['covered'].mean():.1f}% of all, "
          f"{100 * each['covered'].min():.1f} to {100 * each['covered'].max():.1f}% by parameter; "
          f"{outside} of {BINS * len(names)} bars outside 99% bands")  # fmt: skip


if __name__ == "__main__":
    main()
