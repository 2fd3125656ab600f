"""What was believed before and what is believed after: prior beside posterior intervals of a sampled model."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from reinfuse.report.figures.rows import heads, logarithmic, panels
from reinfuse.report.figures.theme import COLOURS, FAINT, Columns, Drawn, finish, style
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate

_PLACES: dict[Columns, tuple[float, ...]] = {1: (0.012, 0.62), 2: (0.006, 0.77)}
_PLOT: dict[Columns, tuple[float, float]] = {1: (0.36, 0.25), 2: (0.52, 0.23)}
Pair = tuple[str, Estimate, Estimate]
"""Label, posterior, prior."""


def priors(name: str, title: str, pairs: Sequence[Pair], *, synthetic: bool, columns: Columns = 2) -> Drawn:
    """Draw intervals as multiples of the prior's median, so that all parameters stand on one axis."""
    with style():
        figure, axes, text = panels(
            title, len(pairs), columns, plot=_PLOT[columns], xlabel="Multiple of the prior median"
        )
        logarithmic(axes, 0.05, 20.0)
        for y, (label, after, before) in enumerate(pairs):
            base = before.estimate or 1.0
            for e, colour, shift, wide in ((before, FAINT, -0.16, 2.6), (after, COLOURS[0], 0.16, 1.3)):
                if e.estimate is not None and e.lower is not None and e.upper is not None:
                    low, high = max(e.lower / base, 0.05), min(e.upper / base, 20.0)
                    axes.plot([low, high], [y + shift, y + shift], color=colour, linewidth=wide,
                              alpha=0.5 if e is before else 1.0)  # fmt: skip
                    axes.plot([min(max(e.estimate / base, 0.05), 20.0)], [y + shift], marker="o" if e is after else "|",
                              color=colour, markersize=3.2)  # fmt: skip
            text.text(_PLACES[columns][0], y, label, va="center")
            shown = number_format.measured(after.estimate)
            if after.lower is not None and after.upper is not None:
                limits = [number_format.measured(value) for value in (after.lower, after.upper)]
                shown += f" ({number_format.limits(*limits)})"
            text.text(_PLACES[columns][1], y, shown, va="center")
        level = number_format.level(pairs[0][1].confidence)
        heads(
            text,
            _PLACES[columns],
            ("Thick grey: prior; blue: posterior", f"Posterior ({level})"),
            sides=("left", "left"),
        )
    rows = [{"parameter": label, **{f"{n}_{s}": getattr(e, s) for n, e in (("posterior", a), ("prior", b))
                                    for s in ("estimate", "lower", "upper")}} for label, a, b in pairs]  # fmt: skip
    alt = f"{title}. Prior and posterior interval of {len(pairs)} parameters, as multiples of the prior's median."
    return finish(figure, name, title, alt, synthetic, pl.DataFrame(rows, infer_schema_length=None), columns=columns)
