"""Figures of a virtual trial."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import polars as pl

from reinfuse.report.figures.bands import Band, bands
from reinfuse.report.figures.intervals import PlottedInterval, intervals
from reinfuse.report.figures.matrix import HeatmapPanel, matrix
from reinfuse.report.figures.theme import Columns, Drawn
from reinfuse.report.tables.simulation import EFFECTS, LABELS, VirtualTables, valued
from reinfuse.report.text import number_format
from reinfuse.simulation.model.parameters import MECHANISMS
from reinfuse.simulation.trial.protocol import dose_text
from reinfuse.simulation.trial.trial_results import VirtualFindings

FOOTER = "Virtual patients: a model, not validated for individual patients"
_HEAT = ("response", "cr", "pfs_6_months", "crs_grade_3")
_CONTRASTS = ("response", "cr", "pfs_6_months")
Placed = tuple[str, Drawn]


def virtual_figures(findings: VirtualFindings, tables: VirtualTables, *, columns: Columns = 2) -> Iterator[Placed]:
    """Yield section and figure of a virtual trial."""
    if findings.protocols.grid is not None and not findings.protocols.arms:
        yield "outcomes", _heat(findings, tables, columns=columns)
    yield from _curves(findings, columns)
    if len(findings.protocols.all_arms) > 1:
        yield "contrasts", _contrasts(findings, tables, columns=columns)
    if any(e.analysis == "virtual_reasons" for e in findings.estimates):
        yield "reasons", _reasons(findings, columns)
    if tables.ablated:
        yield "ablation", _ablation(tables, columns)


def _panels(findings: VirtualFindings) -> dict[str, tuple[str, str]]:
    """Return panel and label of each arm: regimens and dose of a grid, else the arm's name."""
    grid = findings.protocols.grid
    names = [a.name for a in findings.protocols.all_arms]
    if grid is None or findings.protocols.arms or len(grid.interval_days) > 1:
        return {name: (f"Arms {i // 3 * 3 + 1} to {i // 3 * 3 + 3}", name) for i, name in enumerate(names)}
    places = {}
    for arm in grid.arms:
        first, second = arm.infusions
        places[arm.name] = (
            f"{first.lymphodepletion}, then {second.lymphodepletion}",
            dose_text(second.dose_cells_per_kg),
        )
    return places


def _heat(findings: VirtualFindings, tables: VirtualTables, *, columns: Columns) -> Drawn:
    grid = findings.protocols.grid
    assert grid is not None
    days = grid.interval_days
    rows = [f"{a}, then {b}" + (f"; day {d:g}" if len(days) > 1 else "") for a, b in grid.regimens for d in days]
    doses = grid.cart2_dose_cells_per_kg
    at = {(i // (len(doses) * len(days)), i // len(days) % len(doses), i % len(days)): arm.name
          for i, arm in enumerate(grid.arms)}  # fmt: skip
    panels = []
    for quantity in (q for q in _HEAT if q not in tables.short):
        values, texts = [], []
        for r in range(len(grid.regimens)):
            for d in range(len(days)):
                records = [tables.level(quantity, at[r, c, d]) for c in range(len(doses))]
                values.append([None if e is None else e.estimate for e in records])
                texts.append([valued(e).replace(" (", "\n(") for e in records])
        top = max((v for row in values for v in row if v is not None), default=1.0)
        panels.append(HeatmapPanel(LABELS[quantity], values, texts, max(top, 1e-6)))
    last_doses = "; ".join(
        f"{p.title}: " + ", ".join(f"{row} {ts[-1].split(chr(10))[0]}" for row, ts in zip(rows, p.texts, strict=True))
        for p in panels
    )
    return matrix(
        "virtual_heat",
        "Outcomes of the last infusion, by regimens and dose of CART2",
        rows,
        columns_of=[dose_text(d) for d in doses],
        panels=panels,
        alt=f"Grid of regimens by dose. At the last dose: {last_doses}.",
        columns=columns,
        footer=FOOTER,
    )


def _curves(findings: VirtualFindings, columns: Columns) -> Iterator[Placed]:
    place = _panels(findings)
    for what, title, ylabel in (("pfs", "Progression-free survival after the last infusion", "Without progression"),
                                ("persistence", "Persistence of CAR-T cells after the last infusion",
                                 "CAR-T cells detectable")):  # fmt: skip
        curves = []
        for name, (panel, label) in place.items():
            points = findings.curves.filter((pl.col("arm") == name) & (pl.col("what") == what))
            curves.append(Band(panel, label, points.select("day", "value", "low", "high")))
        yield (
            "curves",
            bands(
                f"virtual_{what}",
                title,
                curves,
                ylabel=ylabel,
                alt=_alt_text(curves, title, scale="share"),
                scale="share",
                xlabel="Days since the infusion",
                columns=columns,
                footer=FOOTER,
            ),
        )
    curves = []
    for name, (panel, label) in place.items():
        points = findings.courses.filter(pl.col("arm") == name).select(
            "day", value=pl.col("median"), low=pl.col("q1"), high=pl.col("q3"))  # fmt: skip
        curves.append(Band(panel, label, points))
    title = "CAR-T cells after the last infusion: median and quartiles"
    yield (
        "curves",
        bands(
            "virtual_courses",
            title,
            curves,
            ylabel="CAR-T cells/µL",
            alt=_alt_text(curves, title, scale="log"),
            scale="log",
            xlabel="Days since the infusion",
            columns=columns,
            footer=FOOTER,
        ),
    )


def _alt_text(curves: list[Band], title: str, *, scale: str) -> str:
    late_values = []
    for c in curves:
        late = c.points.filter(pl.col("day") >= 90).head(1)
        if late.height and late["value"][0] is not None:
            value = f"{number_format.hundredths(late['value'][0])}%" if scale == "share" else f"{late['value'][0]:.2g}"
            late_values.append(f"{c.panel}, {c.label}: {value} on day {late['day'][0]:g}")
    return f"{title}. " + "; ".join(late_values)


def _contrasts(findings: VirtualFindings, tables: VirtualTables, *, columns: Columns) -> Drawn:
    marks = []
    for quantity in (q for q in _CONTRASTS if q not in tables.short):
        for arm in findings.protocols.all_arms[1:]:
            for model, series in (("same patients", "same patients"), ("as selected", "as observed in a study")):
                e = tables.contrast(quantity, arm.name, model=model)
                if e is not None and e.estimate is not None:
                    values = (None if v is None else 100 * v for v in (e.estimate, e.lower, e.upper))
                    marks.append(PlottedInterval(LABELS[quantity], arm.name, series, *values))
    reference = findings.protocols.all_arms[0].name
    return intervals(
        "virtual_contrasts",
        f"Differences from {reference}",
        marks,
        alt="Differences with 95% intervals, as in the table of differences.",
        log=False,
        none=0.0,
        columns=columns,
        footer=FOOTER,
        axis="percentage points",
    )


def _reasons(findings: VirtualFindings, columns: Columns) -> Drawn:
    estimates = [e for e in findings.estimates if e.analysis == "virtual_reasons" and e.endpoint == "response"]
    arms, terms = (list(dict.fromkeys(str(getattr(e, what)) for e in estimates)) for what in ("group", "term"))
    cells = {(e.group, e.term): e for e in estimates}
    values = [[cells[a, t].estimate for t in terms] for a in arms]
    texts = [[_of(cells[a, t].events, cells[a, t].n) for t in terms] for a in arms]
    heads = ["\n".join(textwrap.wrap(t, 15)) for t in terms]
    return matrix(
        "virtual_reasons",
        "Mechanisms of failure: non-responders who respond when one mechanism is changed",
        arms,
        columns_of=heads,
        panels=[HeatmapPanel("Share of non-responders", values, texts, 1.0)],
        alt="Shares of non-responders, as in the data of this figure.",
        columns=columns,
        footer=FOOTER,
        across=1,
    )


def _of(events: int | None, n: int | None) -> str:
    return f"{number_format.hundredths(events / n)}%\n({events} of {n})" if events is not None and n else "–"


def _ablation(tables: VirtualTables, columns: Columns) -> Drawn:
    cases = ["all mechanisms", *(f"without {name}" for name in MECHANISMS)]
    marks = []
    for endpoint, term, model, statistic, name in (EFFECTS[0], EFFECTS[1], EFFECTS[4]):
        for case in cases:
            e = tables.effect(case, endpoint, term, model, statistic)
            if e is not None:
                marks.append(PlottedInterval(name.replace(", ", ",\n"), case, "", e.estimate, e.lower, e.upper))
    return intervals(
        "virtual_ablation",
        "Mechanisms behind the published findings: effects without each mechanism",
        marks,
        alt="Odds ratios of response and ratios of persistence, as in the table.",
        log=True,
        none=1.0,
        columns=columns,
        footer=FOOTER,
        axis="ratio",
    )
