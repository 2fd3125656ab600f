"""Is the association of a number with the outcome a straight line? Restricted cubic splines of three knots.

Each numeric factor alone with each main endpoint, where at least 5 events (of a binary endpoint: of the rarer outcome)
stand behind each of the spline's two columns. The test of non-linearity is the penalised likelihood ratio of the
column that is not linear. `statistics.cubic_spline` says how the curve and its intervals are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from reinfuse.analyses.association import ratio
from reinfuse.analyses.base import Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.analyses.small_groups import FEWEST_EVENTS_A_PARAMETER
from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.strata import Stratum
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics import cubic_spline, firth
from reinfuse.statistics.firth_joint import joint_test

REFERENCE = "spline_reference"
METHODS = {kind: f"{method.replace(', profile CI', '')}, restricted cubic spline of 3 knots, profile CI"
           for kind, method in firth.METHODS.items()}  # fmt: skip
MOST_PATIENTS = 1000
_COLUMNS = 2
_POINTS = 11
_EDGES = (0.05, 0.95)
_FEWEST_VALUES = 5


def splines(endpoint: EndpointColumn, factor: FactorColumn, *, confidence: float) -> list[Estimate]:
    """Return the test of non-linearity, the reference value and the ratio at values from the 5th to 95th percentile."""
    design = design_of(endpoint, [factor])
    base = Estimate("spline", endpoint.name, "p_value", model="univariable", term=factor.name, confidence=confidence,
                    method=METHODS[design.kind], n=design.n, events=design.events)  # fmt: skip
    why = _why_not(design)
    if why is not None:
        return [replace(base, note=f"{NOT_ESTIMABLE}: {why}")]
    x = design.X[:, 0]
    at = cubic_spline.knots(x)
    test = joint_test(design.kind, cubic_spline.basis(x, at), design.event, design.time, columns=[1])
    p = finite(test.p_value)
    note = f"knots at {', '.join(f'{v:.4g}' for v in at * factor.per)}"
    if p is None:
        return [replace(base, note=f"{NOT_ESTIMABLE}: the fit did not converge")]
    left_out = [n for n in design.notes if "excluded" in n]
    middle = replace(base, statistic=REFERENCE, estimate=float(at[1] * factor.per), unit=factor.unit or None,
                     method="median", confidence=None)  # fmt: skip
    return [replace(base, estimate=p, p_value=p, note=joined([note, *left_out])), middle,
            *_points(design, factor, at, base=base)]  # fmt: skip


def _points(design: DesignMatrix, factor: FactorColumn, at: Floats, *, base: Estimate) -> Iterator[Estimate]:
    x = design.X[:, 0]
    low, high = np.quantile(x, _EDGES)
    values = np.linspace(float(low), float(high), _POINTS)
    values = values[np.abs(values - at[1]) > 1e-6 * np.ptp(x)]
    curve = cubic_spline.curve(design.kind, x, design.event, design.time, at=at, values=values, reference=float(at[1]),
                               confidence=base.confidence or 0)  # fmt: skip
    for value, *logs in zip(values, curve.log_ratio, curve.lower, curve.upper, strict=True):
        numbers = [ratio(float(v)) for v in logs]
        note = f"{NOT_ESTIMABLE}: the fit did not converge" if numbers[0] is None else None
        note = "a limit is not estimable" if note is None and None in numbers else note
        at_value = Stratum(factor.name, f"{value * factor.per:.6g}")
        yield replace(base, statistic=design.statistic, unit="ratio", group=at_value,
                      estimate=numbers[0], lower=numbers[1], upper=numbers[2], note=note)  # fmt: skip


def _why_not(design: DesignMatrix) -> str | None:
    """Return why there is no spline; None where there is one."""
    if not design.usable:
        return design.why(0)
    if design.n > MOST_PATIENTS:
        return f"over {MOST_PATIENTS} patients: not run"
    fewer = design.telling
    if fewer < FEWEST_EVENTS_A_PARAMETER * _COLUMNS:
        what = "events" if design.kind == "cox" or fewer == design.events else "patients without the event"
        return f"{fewer} {what}, fewer than {FEWEST_EVENTS_A_PARAMETER * _COLUMNS} for a spline of 3 knots"
    x = design.X[:, 0]
    if len(np.unique(x)) < _FEWEST_VALUES or len(np.unique(cubic_spline.knots(x))) < len(cubic_spline.SHARES):
        return "too few different values for 3 knots"
    return None


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end in inputs.main_endpoints:
        for factor in (f for f in inputs.data.factors if f.kind == "number"):
            yield of_endpoint("splines", end, work=partial(splines, end, factor, confidence=inputs.plan.confidence))


ANALYSIS = Analysis(
    "splines",
    records="spline",
    section="associations",
    steps=_steps,
    what="shape of the association of each numeric factor with the main endpoints, and test of non-linearity",
    method=(
        "Firth models of a restricted cubic spline, knots at the 10th, 50th and 90th percentiles (Harrell, Regression "
        "Modeling Strategies, 2015); penalised likelihood ratio of the non-linear column, profile intervals; at least "
        "5 events (of a binary endpoint, of the rarer outcome) for each of the 2 columns"
    ),
    lacking="no numeric factor with a main endpoint without delayed entry",
)
