"""What a plan says of the figures: `[report.figure_style]`, and of one of them `[report.figure_style.only.NAME]`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from reinfuse.cohort.declarations import MOST_DECLARED, Declaration, Text
from reinfuse.exceptions import nearest

RiskRow = Literal["at risk", "censored", "events"]
Format = Literal["svg", "png", "pdf", "tiff", "eps"]
Months = Annotated[float, Field(ge=0, le=1200)]
PALETTES: dict[str, tuple[str, ...]] = {
    "Okabe-Ito": ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"),
    "Tol bright": ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#BBBBBB"),
    "Tol muted": ("#332288", "#CC6677", "#117733", "#DDCC77", "#88CCEE", "#882255", "#44AA99", "#999933", "#AA4499"),
    "viridis": ("#440154", "#21918C", "#3B528B", "#5EC962"),
    "cividis": ("#00224E", "#948E77", "#666970", "#C8B866", "#35456C"),
    "grey": ("#000000", "#777777", "#444444", "#AAAAAA"),
}
"""Palettes that colour-blind readers tell apart: Okabe and Ito 2008 (Color universal design), Tol 2021 (technical note
SRON/EPS/TN/09-002, bright and muted), viridis (van der Walt and Smith 2015) and cividis (Nunez et al, PLoS One
2018;13:e0199239) without their light ends, as matplotlib has them."""
_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
_MOST_BREAKS = 40


def _palette(chosen: str | tuple[str, ...]) -> str | tuple[str, ...]:
    if isinstance(chosen, str):
        if chosen not in PALETTES:
            near = nearest(chosen, PALETTES)
            hint = f"did you mean {near}?" if near else f"use one of {', '.join(PALETTES)}, or a list of colours"
            raise ValueError(f"{chosen!r} is no palette: {hint}")
    elif wrong := [colour for colour in chosen if not _HEX.fullmatch(colour)]:
        raise ValueError(f"{', '.join(wrong)}: a colour is # and six hexadecimal digits, such as #0072B2")
    return chosen


class FigureLook(Declaration):
    """How figures look; what is None is as by itself.

    Attributes
    ----------
    title
        Whether the title stands in the figure; journals want it in the legend, where it stands in any case.
    x_max
        Month at which the time axis of survival curves ends; default: where few patients are at risk.
    x_breaks
        Months at which it has ticks and numbers at risk: a list, or one for every so many months.
    y_limits
        Of survival and incidence, percent.
    palette
        Colours of groups: a name of `PALETTES`, or a list of hexadecimal colours.
    risk_table
        Rows under the curves; none: no table.
    censor_marks, median_lines
        Ticks at censored times; lines from the curve at one half to the axis.
    height
        Of the curves' axes, millimetres.
    formats
        Files of each figure, beside its data (.csv).
    """

    title: bool = False
    x_max: Annotated[float, Field(gt=0, le=1200)] | None = None
    x_breaks: Annotated[float, Field(gt=0, le=1200)] | Annotated[
        tuple[Months, ...], Field(min_length=2, max_length=_MOST_BREAKS)] | None = None  # fmt: skip
    y_limits: tuple[Annotated[float, Field(ge=0, le=100)], Annotated[float, Field(ge=0, le=100)]] = (0.0, 100.0)
    palette: Annotated[str | Annotated[tuple[Text, ...], Field(min_length=1, max_length=MOST_DECLARED)],
                       AfterValidator(_palette)] = "Okabe-Ito"  # fmt: skip
    risk_table: Annotated[tuple[RiskRow, ...], Field(max_length=3)] = ("at risk",)
    censor_marks: bool = True
    median_lines: bool = True
    height: Annotated[float, Field(ge=20, le=230)] | None = None
    formats: Annotated[tuple[Format, ...], Field(min_length=1, max_length=5)] = ("svg", "png")

    @model_validator(mode="after")
    def _sense(self) -> Self:
        wrong = []
        if self.y_limits[0] >= self.y_limits[1]:
            wrong.append("y_limits begin above their end")
        if len(set(self.risk_table)) < len(self.risk_table):
            wrong.append("risk_table names a row twice")
        breaks = self.x_breaks if isinstance(self.x_breaks, tuple) else ()
        if list(breaks) != sorted(set(breaks)):
            wrong.append("x_breaks are not in order")
        if self.x_max is not None and any(b > self.x_max for b in breaks):
            wrong.append("x_breaks go beyond x_max")
        if isinstance(self.x_breaks, float) and self.x_max and self.x_max / self.x_breaks > _MOST_BREAKS:
            wrong.append(f"x_breaks make more than {_MOST_BREAKS} ticks")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def colours(self) -> tuple[str, ...]:
        """The palette's colours."""
        return PALETTES[self.palette] if isinstance(self.palette, str) else self.palette


class FigureOptions(FigureLook):
    """How all figures look, and single ones otherwise.

    Attributes
    ----------
    only
        Name of a figure of curves -> what is otherwise there.
    """

    only: dict[Text, FigureLook] = Field(default_factory=dict)

    @property
    def adds_records(self) -> bool:
        """Whether a figure shows numbers that not every study has."""
        return any(look.x_max is not None or look.x_breaks is not None or set(look.risk_table) - {"at risk"}
                   for look in (self, *self.only.values()))  # fmt: skip

    def look_of(self, name: str) -> FigureLook:
        """Return how one figure looks: what is set for it alone, else for all."""
        common: dict[str, Any] = {key: getattr(self, key) for key in FigureLook.model_fields}
        own = self.only.get(name)
        if own is None:
            return FigureLook.model_construct(**common)
        return FigureLook.model_construct(**common | {key: getattr(own, key) for key in own.model_fields_set})
