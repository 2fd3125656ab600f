"""Small-sample inference: the penalised likelihood ratio with its own simulated reference distribution.

With few patients twice the log of the penalised likelihood ratio is not chi-square. Here its distribution under each
value b of the effect is simulated: the other coefficients are estimated with b held, outcomes are drawn for the same
patients (`worlds`), and the ratio is computed in each draw. The p-value is the share of draws with a greater
ratio than observed, ties and the observation itself by half; the interval holds every b whose p-value is above 1 -
confidence. Bootstrap at the constrained estimate, the interval by inverting the test: DiCiccio, Martin and Stern, Can J
Stat 2001;29:67-76; Lee and Young, Stat Probab Lett 2005;71:143-153; Carpenter, J R Stat Soc B 1999;61:159-172.
The same random numbers serve every b, so that p changes smoothly with b and p < 1 - confidence exactly where
the interval leaves out no effect.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from scipy.special import chdtri, ndtri

from reinfuse.analyses.association import ratio
from reinfuse.analyses.base import NO_MODEL, Analysis, Inputs, Step, of_endpoint, seed_words
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.arrays import Floats, Integers
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined
from reinfuse.statistics import firth_batch, parametric_bootstrap
from reinfuse.statistics.firth import Kind

METHODS = {kind: f"Firth {name}, penalised likelihood ratio with simulated reference distribution"
           for kind, name in (("logistic", "logistic"), ("cox", "Cox"))}  # fmt: skip
MOST_PATIENTS = 500
"""With more of them chi-square is as good."""
_FARTHEST = 12.0
"""Standard deviations of the column from the estimate beyond which a limit counts as not there."""
_EVALUATIONS = 6
_SAME = 1e-6
_NEAR = 0.04
_GREATEST_FAILED = 0.05


@dataclass(frozen=True)
class Calibrated:
    """An effect on the log scale, per unit of its column.

    Attributes
    ----------
    lower, upper
        Infinite where no value, however far, is left out; NaN where it could not be simulated.
    p_value
        Of no effect.
    """

    coef: float
    lower: float
    upper: float
    p_value: float


@dataclass(frozen=True)
class Observed:
    """One model's data.

    Attributes
    ----------
    X
        Shape (n, k), each column standardised; of a logistic model an intercept last.
    strata
        Patients among whom censoring times are exchanged, shape (n,).
    """

    kind: Kind
    X: Floats
    event: Floats
    time: Floats | None
    strata: Integers

    def fit(self, held: firth_batch.Held | None = None) -> firth_batch.Fits:
        """Fit the observed outcome, once for each held value."""
        rows = 1 if held is None else len(held[1])
        event = np.tile(self.event, (rows, 1))
        if self.time is None:
            return firth_batch.logistic(self.X, event, held=held)
        return firth_batch.cox(self.X, np.tile(self.time, (rows, 1)), event, held=held)


def observed(design: DesignMatrix, place: int) -> Observed:
    """Return a design's usable columns, standardised, and the strata of one of them within which censoring is drawn."""
    X = design.X[:, design.usable]
    x = X[:, place]
    levels = np.unique(x)
    strata = (x > (levels[0] if len(levels) == 2 else np.median(x))).astype(np.int64)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    Z = np.column_stack([Z, np.ones(len(Z))]) if design.time is None else Z
    return Observed(design.kind, Z, design.event, design.time, strata)


@dataclass
class Test:
    """The test of one coefficient at any value, or of several at one value together.

    Parameters
    ----------
    data, j
        The model, and which of its columns; several have no estimate.
    draws
        Simulated outcomes for each value.
    rng
        Where their random numbers come from.
    """

    data: Observed
    j: int | tuple[int, ...]
    draws: int
    rng: np.random.Generator
    _uniform: Floats = field(init=False, repr=False)
    _censoring: parametric_bootstrap.Censoring | None = field(init=False, repr=False)

    __test__ = False  # no test of ours: tells pytest

    def __post_init__(self) -> None:
        shape = (self.draws, len(self.data.event))
        self._uniform = self.rng.random(shape)
        self._censoring = None
        if self.data.time is not None:
            self._censoring = parametric_bootstrap.Censoring.drawn(self.data.time, self.data.event, self.data.strata,
                                                     self.rng.random(shape))  # fmt: skip
            self._uniform = -np.log1p(-self._uniform)
        self.full = self.data.fit()
        self.estimate = float(self.full.coef[0, self.j]) if isinstance(self.j, int) else float("nan")

    def _at(self, value: float, rows: int) -> Floats:
        """Return a value of the coefficients, for each of so many rows."""
        return np.full((rows,) if isinstance(self.j, int) else (rows, len(self.j)), value)

    def ratio(self, values: Floats) -> tuple[Floats, firth_batch.Fits]:
        """Return the observed ratio at each value, and the fits with it held."""
        fits = self.data.fit((self.j, values))
        return np.maximum(2 * (self.full.value[0] - fits.value), 0.0), fits

    def p_value(self, value: float, draws: int | None = None) -> float:
        """Return the p-value of a value of the coefficient, NaN if it could not be simulated.

        Parameters
        ----------
        draws
            How many of the simulated outcomes are used; default: all.
        """
        observed, fits = self.ratio(self._at(value, 1))
        if not (fits.converged.all() and self.full.converged.all()):
            return float("nan")
        [drawn] = self.simulated(fits.coef[0], [value], draws=draws)
        good = drawn[np.isfinite(drawn)]
        if len(good) < (1 - _GREATEST_FAILED) * len(drawn):
            return float("nan")
        more = float((good > observed[0] + _SAME).sum())
        ties = float((np.abs(good - observed[0]) <= _SAME).sum())
        return (more + (ties + 1) / 2) / (len(good) + 1)

    def simulated(self, coef: Floats, tested: Sequence[float], *, draws: int | None = None) -> list[Floats]:
        """Return the ratio of each tested value in each draw.

        0 where the draw says nothing of the coefficient, NaN where a fit failed.

        Parameters
        ----------
        coef
            The true coefficients.
        """
        d, n = self.data, draws or self.draws
        start = np.tile(coef, (n, 1))
        if d.time is None or self._censoring is None:
            event = parametric_bootstrap.binary(d.X, coef, self._uniform[:n])
            fit = partial(firth_batch.logistic, d.X, event, start=start, close=firth_batch.ROUGH)
        else:
            baseline = parametric_bootstrap.Baseline.breslow(d.X, coef, d.time, event=d.event)
            censoring = parametric_bootstrap.Censoring(self._censoring.times[:n])
            time, event = parametric_bootstrap.survival(
                d.X, coef, baseline, censoring=censoring, exponential=self._uniform[:n]
            )
            fit = partial(firth_batch.cox, d.X, time, event, start=start, close=firth_batch.ROUGH)
        full, silent = fit(), event.sum(axis=1) == 0
        ratios = []
        for value in tested:
            held = fit(held=(self.j, self._at(value, n)))
            good = full.converged & held.converged
            of_value = np.where(good, np.maximum(2 * (full.value - np.where(good, held.value, 0.0)), 0.0), np.nan)
            ratios.append(np.where(silent | np.isneginf(held.value), 0.0, of_value))
        return ratios


def calibrated(endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str, confidence: float, draws: int,
               rng: np.random.Generator) -> list[Estimate]:  # fmt: skip
    """Return each term of a model with interval and p-value by simulation.

    Parameters
    ----------
    draws
        Simulated data sets for each value of each effect.
    """
    design = design_of(endpoint, factors)
    own = Estimate("calibrated", endpoint.name, design.statistic, model=model, confidence=confidence, unit="ratio",
                   method=METHODS[design.kind], n=design.n, events=design.events)  # fmt: skip
    if design.n > MOST_PATIENTS:
        return [replace(own, note=f"{NOT_ESTIMABLE}: over {MOST_PATIENTS} patients, where it is not needed")]
    records = []
    for j, term in enumerate(design.terms):
        if j not in design.usable:
            records.append(replace(own, term=term, note=joined([f"{NOT_ESTIMABLE}: {design.why(j)}", *design.notes])))
            continue
        place = design.usable.index(j)
        inference = interval(Test(observed(design, place), place, draws, rng), confidence)
        records.append(
            _record(replace(own, term=term), inference, float(design.X[:, j].std()), draws=draws, notes=design.notes)
        )
    return records


def _record(own: Estimate, inference: Calibrated, scale: float, *, draws: int, notes: list[str]) -> Estimate:
    if not np.isfinite(inference.p_value):
        return replace(own, note=joined([f"{NOT_ESTIMABLE}: the simulated fits did not converge", *notes]))
    lower, upper = ratio(inference.lower / scale), ratio(inference.upper / scale)
    ends = (("lower", inference.lower), ("upper", inference.upper))
    remarks = [f"{draws} draws",
               *(f"no {name} limit: no effect size is excluded" for name, b in ends if np.isinf(b)),
               *(f"the {name} limit could not be simulated" for name, b in ends if np.isnan(b)), *notes]  # fmt: skip
    return replace(own, estimate=ratio(inference.coef / scale), lower=lower, upper=upper, p_value=inference.p_value,
                   note=joined(remarks))  # fmt: skip


def interval(test: Test, confidence: float) -> Calibrated:
    """Return the effect with its interval and p-value; NaN where they could not be simulated."""
    p = test.p_value(0.0)
    limits = [_limit(test, side, confidence, p_at_none=p) for side in (-1, 1)]
    return Calibrated(test.estimate, limits[0], limits[1], p)


def _limit(test: Test, side: int, confidence: float, *, p_at_none: float) -> float:
    """Find where the two-sided normal score of the p-value, nearly a line in b, reaches that of the confidence."""
    wanted = float(ndtri(0.5 + confidence / 2))
    scores = {test.estimate: 0.0}
    if side * (0.0 - test.estimate) > 0 and np.isfinite(p_at_none):
        scores[0.0] = _score(p_at_none)
    place = _chi_square_limit(test, side, confidence=confidence)
    for _ in range(_EVALUATIONS):
        score = _score(test.p_value(place, test.draws // 2))  # half of them: a limit may be a little less sure
        if not np.isfinite(score):
            return float("nan")
        scores[place] = score
        if abs(score - wanted) < _NEAR or (abs(place - test.estimate) >= _FARTHEST and score < wanted):
            break
        place = _next(scores, test.estimate, side, wanted=wanted)
    crossing, reached = _crossing(scores, test.estimate, wanted=wanted)
    return crossing if reached else side * float("inf")


def _score(p: float) -> float:
    return float(ndtri(1 - p / 2)) if np.isfinite(p) else float("nan")


def _crossing(scores: dict[float, float], middle: float, *, wanted: float) -> tuple[float, bool]:
    """Return where the known scores, in order of distance, first reach the wanted one, by interpolation."""
    places = sorted(scores, key=lambda b: abs(b - middle))
    for near, far in itertools.pairwise(places):
        if scores[far] >= wanted > scores[near]:
            share = (wanted - scores[near]) / (scores[far] - scores[near])
            return near + share * (far - near), True
    last = places[-1]
    if scores[last] > wanted - _NEAR:
        return last, True
    return last, False


def _next(scores: dict[float, float], middle: float, side: int, *, wanted: float) -> float:
    """Return the next value to try: inside the bracket, or further out along the line of the last two."""
    crossing, reached = _crossing(scores, middle, wanted=wanted)
    if reached:
        return crossing
    places = sorted(scores, key=lambda b: abs(b - middle))
    near, far = places[-2], places[-1]
    slope = (scores[far] - scores[near]) / abs(far - near)
    ahead = (wanted - scores[far]) / slope if slope > 0 else np.inf
    width = abs(far - middle)
    return middle + side * min(width + min(max(1.05 * ahead, 0.1 * width), 2 * width), _FARTHEST)


def _chi_square_limit(test: Test, side: int, *, confidence: float) -> float:
    """Return the profile limit by chi-square, found by dividing a widening range in 16."""
    wanted = float(chdtri(1, 1 - confidence))
    near, far = 0.0, 1.0
    while far < _FARTHEST and test.ratio(np.array([test.estimate + side * far]))[0][0] < wanted:
        near, far = far, far * 2
    for _ in range(2):
        steps = np.linspace(near, min(far, _FARTHEST), 17)
        above = test.ratio(test.estimate + side * steps)[0] >= wanted
        first = int(np.argmax(above)) if above.any() else 16
        near, far = steps[max(first - 1, 0)], steps[first]
    return float(test.estimate + side * (near + far) / 2)


def _steps(inputs: Inputs) -> Iterator[Step]:
    settings, every = inputs.plan.analyses, [*inputs.univariable, *inputs.main_multivariable]
    for model in every if settings.calibrated == "all" else inputs.main:
        rng = inputs.random("calibrated", *seed_words(model))
        work = partial(calibrated, *model, inputs.plan.confidence, settings.draws, rng)
        yield of_endpoint("simulated intervals", model[0], work=work)


ANALYSIS = Analysis(
    "simulated intervals",
    records="calibrated",
    section="sure",
    steps=_steps,
    what="small-sample interval and p of each multivariable effect (**recommended**)",
    method=(
        "Firth's penalised likelihood ratio against its parametric bootstrap distribution in the same "
        "patients, nuisance coefficients estimated with this one fixed; interval by test inversion (Can J "
        "Stat 2001;29:67; Stat Probab Lett 2005;71:143; J R Stat Soc B 1999;61:159). Times: Breslow's "
        "baseline; censoring drawn from the Kaplan-Meier curve of censoring within the levels of the factor, "
        "so that it may depend on it"
    ),
    lacking=NO_MODEL,
    switches=("calibrated",),
    disclosure="effects",
)
