"""What could this cohort have seen? Its own factors, follow-up and censoring, with effects of known size.

Outcomes are simulated (`worlds`) for the patients as they are: the effect of one factor is set, the other coefficients
are what the data say with it held there. In each draw the penalised likelihood ratio of no effect, and of the true
effect, is compared with chi-square (Firth's test as printed everywhere) and with the distribution that it has in these
patients: its upper point in one half of the draws without, or with, the effect is tried on the other half, and back.
Effects of a number are per standard deviation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.special import chdtri, ndtri

from reinfuse.analyses import simulated_inference
from reinfuse.analyses.base import NO_MODEL, Analysis, Inputs, Model, Step, of_endpoint, seed_words
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.strata import Stratum
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.statistics import firth

RATIOS = (1 / 10, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0)
FEW_RATIOS = (1 / 10, 1 / 6, 1 / 3, 1.0, 3.0, 6.0, 10.0)
"""Those of a report."""
WANTED = 0.8


def power(endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str, draws: int, confidence: float,
          rng: np.random.Generator, *, ratios: Sequence[float] = RATIOS) -> list[Estimate]:  # fmt: skip
    """Return of each term type I error, coverage, power at each ratio, and the ratios seen with 80 % power."""
    design = design_of(endpoint, factors)
    first = Estimate("power", endpoint.name, "power", model=model, confidence=confidence, unit="fraction", n=design.n,
                     events=design.events)  # fmt: skip
    why = design.impossible or (
        f"over {simulated_inference.MOST_PATIENTS} patients: not run"
        if design.n > simulated_inference.MOST_PATIENTS
        else None
    )
    if why or not design.usable:
        return [replace(first, note=f"{NOT_ESTIMABLE}: {why or 'no factor can be used'}")]
    records = []
    for place, j in enumerate(design.usable):
        own = replace(first, term=design.terms[j])
        records += _of_term(design, place, j, own=own, draws=draws, confidence=confidence, rng=rng, ratios=ratios)
    return records


def _of_term(design: DesignMatrix, place: int, j: int, *, own: Estimate, draws: int, confidence: float,
             rng: np.random.Generator, ratios: Sequence[float]) -> list[Estimate]:  # fmt: skip
    data = simulated_inference.observed(design, place)
    x = design.X[:, j]
    unit = x.std() if len(np.unique(x)) == 2 else 1.0  # of the standardised column, of what the ratio is per
    note = None if len(np.unique(x)) == 2 else "ratio per standard deviation"
    test = simulated_inference.Test(data, place, draws, rng)
    if not test.full.converged[0]:
        return [replace(own, note=f"{NOT_ESTIMABLE}: the fit did not converge")]
    drawn = {r: _ratios(test, math.log(r) * unit) for r in ratios}
    if any(d is None for d in drawn.values()):
        return [replace(own, note=f"{NOT_ESTIMABLE}: a simulated fit did not converge")]
    table = {r: d for r, d in drawn.items() if d is not None}
    methods = {firth.METHODS[design.kind]: _chi_square(table, confidence),
               simulated_inference.METHODS[design.kind]: _simulated(table, confidence)}  # fmt: skip
    error = math.sqrt(confidence * (1 - confidence) / draws)
    precision = f"{draws} simulated outcomes for each ratio; standard error of a type I error {error:.1%}"
    records = []
    for method, (reject, cover) in methods.items():
        by_method = replace(own, method=method, note=note)
        records.append(
            replace(
                by_method,
                statistic="type_1_error",
                estimate=reject[1.0],
                note=f"{precision}; {note}" if note else precision,
            )
        )
        of = {r: Stratum("ratio", f"{r:g}") for r in ratios}
        records += [replace(by_method, statistic="coverage", group=of[r], estimate=cover[r]) for r in ratios]
        records += [replace(by_method, statistic="power", group=of[r], estimate=reject[r]) for r in ratios if r != 1]
        records += [_detectable(by_method, reject, ratios, side=side) for side in (-1, 1)]
    return records


def _ratios(test: simulated_inference.Test, b: float) -> tuple[Floats, Floats] | None:
    """Return in each draw the likelihood ratios of no effect and of the true one."""
    _, fits = test.ratio(np.array([b]))
    if not fits.converged[0]:
        return None
    true, none = test.simulated(fits.coef[0], [b]) * 2 if b == 0 else test.simulated(fits.coef[0], [b, 0.0])
    good = np.isfinite(true) & np.isfinite(none)
    return (none[good], true[good]) if good.mean() > 0.9 else None


_Rates = tuple[dict[float, float], dict[float, float]]


def _chi_square(table: dict[float, tuple[Floats, Floats]], confidence: float) -> _Rates:
    point = float(chdtri(1, 1 - confidence))
    return ({r: float((none > point).mean()) for r, (none, _) in table.items()},
            {r: float((true <= point).mean()) for r, (_, true) in table.items()})  # fmt: skip


def _simulated(table: dict[float, tuple[Floats, Floats]], confidence: float) -> _Rates:
    """Take the critical point from one half of the draws and try it on the other, both ways."""

    def beyond(calibration: Floats, tried: Floats) -> float:
        (a, b), (c, d) = np.array_split(calibration, 2), np.array_split(tried, 2)
        points = np.quantile(a, confidence), np.quantile(b, confidence)
        return float(((d > points[0]).mean() + (c > points[1]).mean()) / 2)

    return ({r: beyond(table[1.0][0], none) for r, (none, _) in table.items()},
            {r: 1 - beyond(true, true) for r, (_, true) in table.items()})  # fmt: skip


def _detectable(own: Estimate, reject: dict[float, float], ratios: Sequence[float], *, side: int) -> Estimate:
    """Return the ratio nearest to 1, above or below it, that is seen with 80 % power, between those tried."""
    places = sorted((r for r in ratios if side * math.log(r) >= 0), key=lambda r: abs(math.log(r)))
    name = "above 1" if side > 0 else "below 1"
    own = replace(own, statistic="detectable_ratio", group=name, unit="ratio")
    for near, far in itertools.pairwise(places):
        if reject[far] >= WANTED > reject[near]:
            low, high = (ndtri(min(max(reject[r], 0.001), 0.999)) for r in (near, far))
            share = (ndtri(WANTED) - low) / (high - low)
            return replace(own, estimate=math.exp(math.log(near) + share * (math.log(far) - math.log(near))))
    return replace(own, note=f"power below {WANTED:.0%} up to a ratio of {places[-1]:.2g}")


def _of(inputs: Inputs, models: Sequence[Model], ratios: Sequence[float]) -> Iterator[Step]:
    for model in models:
        draws, rng = inputs.plan.analyses.power, inputs.random("power", *seed_words(model))
        yield of_endpoint(
            "power", model[0], work=partial(power, *model, draws, inputs.plan.confidence, rng, ratios=ratios)
        )


def in_full(inputs: Inputs) -> Iterator[Step]:
    """Yield the power of the main models and of each factor alone for their endpoints, over many ratios."""
    ends = {end.name for end, _, _ in inputs.main}
    alone = [m for m in inputs.univariable if m[0].name in ends and m not in inputs.main]
    yield from _of(inputs, [*inputs.main, *alone], RATIOS)


ANALYSIS = Analysis(
    "power",
    records="power",
    section="power",
    steps=lambda inputs: _of(inputs, inputs.main, FEW_RATIOS),
    what="power and smallest detectable effect",
    method=(
        "simulated outcomes with the cohort's own factors, follow-up and censoring: type I error, coverage, "
        "power, ratio detectable with 80 % power"
    ),
    lacking=NO_MODEL,
    switches=("power",),
)
