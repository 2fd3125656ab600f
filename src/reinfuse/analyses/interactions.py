"""Do two factors act together? Interactions that the plan names, and the effect of each at the levels of the other.

The products of the two factors' columns are added to the plan's model. That they are all without effect is tested by
the penalised likelihood ratio, against chi-square and against its distribution in outcomes simulated without them for
the same patients (`simulated_inference`). A factor's effect at a level of the other is that of the same model with this
level as the reference, at a quartile where the other is a number. These effects have an interval and no p-value: that
one is significant and another is not is no sign that they differ (Altman and Bland, BMJ 2003;326:219).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import product

import numpy as np

from reinfuse.analyses.association import ratio
from reinfuse.analyses.base import Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.analyses.simulated_inference import METHODS as SIMULATED
from reinfuse.analyses.simulated_inference import MOST_PATIENTS, Observed, Test
from reinfuse.analyses.small_groups import FEWEST_EVENTS_A_PARAMETER
from reinfuse.arrays import Bools, Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.strata import Combination, Stratum
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics import firth
from reinfuse.statistics.firth_joint import effect, joint_test

RATIO = "interaction_ratio"
QUARTILES = {"25th percentile": 0.25, "75th percentile": 0.75}
"""Values of a number at which the other factor's effect is given."""
_HALVES = ("up to the median", "above the median")


@dataclass(frozen=True)
class Pair:
    """Two factors in a model.

    Attributes
    ----------
    design
        The model without their products.
    one, two
        The factors.
    """

    design: DesignMatrix = field(repr=False)
    one: FactorColumn
    two: FactorColumn

    def columns(self, two: Floats | None = None, *, one: Floats | None = None) -> Floats:
        """Return the columns of the first factor, of the second, of the others, and the products, shape (n, k).

        Parameters
        ----------
        two, one
            The columns of a factor, coded otherwise.
        """
        a, b = (self.of(self.one) if one is None else one), (self.of(self.two) if two is None else two)
        others = [self.of(f) for f in self.design.factors if f.name not in (self.one.name, self.two.name)]
        products = [a[:, i] * b[:, j] for i, j in product(range(a.shape[1]), range(b.shape[1]))]
        return np.column_stack([a, b, *others, *products])

    @property
    def products(self) -> int:
        """Columns that are products."""
        return len(self.one.terms) * len(self.two.terms)

    @property
    def notes(self) -> list[str]:
        """What is to be said of every number: that of the model, and where a combination has one outcome alone."""
        d = self.design
        events = [(d.event[here].sum(), here.sum()) for _, here in self.cells()]
        one_sided = any(n and (x == 0 or (x == n and d.kind == "logistic")) for x, n in events)
        return [*(["a combination has one outcome alone: without the penalty an estimate is infinite"] * one_sided),
                *d.notes]  # fmt: skip

    def of(self, factor: FactorColumn) -> Floats:
        """Return a factor's columns."""
        return factor.columns[self.design.rows]

    def cells(self) -> Iterator[tuple[Combination, Bools]]:
        """Yield each combination of levels, of a number its halves, and who had it."""
        for (a, first), (b, second) in product(self._levels(self.one), self._levels(self.two)):
            yield Combination((Stratum(self.one.name, a), Stratum(self.two.name, b))), first & second

    def _levels(self, factor: FactorColumn) -> list[tuple[str, Bools]]:
        columns = self.of(factor)
        if factor.kind == "number":
            low = columns[:, 0] <= np.median(columns[:, 0])
            return list(zip(_HALVES, (low, ~low), strict=True))
        masks = [~columns.any(axis=1), *(columns == 1).T]
        return list(zip(factor.levels, masks, strict=True))

    @cached_property
    def impossible(self) -> str | None:
        """Why nothing can be estimated; None where it can."""
        d = self.design
        if d.impossible or d.reasons:
            return d.impossible or d.why(min(d.reasons))
        empty = [str(name) for name, here in self.cells() if not here.any()]
        if empty:
            return f"no patient has {empty[0]}"
        k = self.columns().shape[1]
        fewer = d.telling
        if fewer < FEWEST_EVENTS_A_PARAMETER * k:
            what = "events" if d.kind == "cox" or fewer == d.events else "patients without the event"
            return f"{fewer} {what} for {k} parameters, fewer than {FEWEST_EVENTS_A_PARAMETER} for each"
        if np.linalg.matrix_rank(np.column_stack([np.ones(d.n), self.columns()])) <= k:
            return "the product of the factors is collinear with them"
        return None

    def levels_of(self, factor: FactorColumn) -> Iterator[tuple[str, Floats, Floats, Bools]]:
        """Yield each level of a factor, its columns with this level as the reference, its own ones, and who has it."""
        columns, everyone = self.of(factor), np.ones(self.design.n, dtype=np.bool_)
        if factor.kind == "number":
            for name, share in QUARTILES.items():
                value = float(np.quantile(columns[:, 0], share))
                yield f"{name} ({value * factor.per:.3g})", columns - value, np.array([value]), everyone
            return
        masks = self._levels(factor)
        for (level, here), values in zip(masks, np.eye(len(masks))[:, 1:], strict=True):
            yield level, np.column_stack([m.astype(np.float64) for o, m in masks if o != level]), values, here


def interaction(endpoint: EndpointColumn, factors: Sequence[FactorColumn], pair: tuple[FactorColumn, FactorColumn],
                *, confidence: float, draws: int, rng: np.random.Generator | None) -> list[Estimate]:  # fmt: skip
    """Return the test of an interaction, the patients of each combination, and the effects at each level.

    Parameters
    ----------
    factors
        Of the model, the pair among them.
    draws, rng
        Simulated outcomes, and where their random numbers come from; None: no simulated reference.
    """
    own = Pair(design_of(endpoint, factors), *pair)
    d, term = own.design, Combination((pair[0].name, pair[1].name), " x ")
    base = Estimate("interaction", endpoint.name, "p_value", model="multivariable", term=term, confidence=confidence,
                    method=firth.METHODS[d.kind], n=d.n, events=d.events)  # fmt: skip
    records = [replace(base, statistic="count", group=name, estimate=float(here.sum()), unit="patients", method="count",
                       confidence=None, n=int(here.sum()), events=int(d.event[here].sum()))
               for name, here in own.cells()]  # fmt: skip
    if own.impossible:
        return [replace(base, note=joined([f"{NOT_ESTIMABLE}: {own.impossible}", *d.notes])), *records]
    X = own.columns()
    tested = tuple(range(X.shape[1] - own.products, X.shape[1]))
    main, coef = _tested(own, base, X, tested=tested)
    simulated = [] if rng is None or d.n > MOST_PATIENTS else [_simulated(own, base, X, tested=tested, draws=draws,
                                                                          rng=rng)]  # fmt: skip
    return [main, *simulated, *records, *_effects(own, base, coef)]


def _tested(own: Pair, base: Estimate, X: Floats, *, tested: tuple[int, ...]) -> tuple[Estimate, Floats]:
    """Return the record of the test, of a single product with ratio and interval of the same method; coefficients."""
    d, note = own.design, joined(own.notes)
    failed = replace(base, note=f"{NOT_ESTIMABLE}: the fit did not converge")
    if len(tested) > 1:
        joint = joint_test(d.kind, X, d.event, d.time, columns=tested)
        method = (base.method or "").replace(", profile CI", f", {len(tested)} degrees of freedom")
        p = finite(joint.p_value)
        return (failed if p is None else replace(base, p_value=p, estimate=p, method=method, note=note)), joint.every
    one = effect(d.kind, X, d.event, d.time, column=tested[0], confidence=base.confidence or 0)
    if finite(one.coef) is None or finite(one.p_value) is None:
        return failed, one.every
    return replace(base, statistic=RATIO, unit="ratio", estimate=ratio(one.coef), lower=ratio(one.lower),
                   upper=ratio(one.upper), p_value=one.p_value, note=note), one.every  # fmt: skip


def _simulated(own: Pair, base: Estimate, X: Floats, *, tested: tuple[int, ...], draws: int,
               rng: np.random.Generator) -> Estimate:  # fmt: skip
    """Return the p-value by outcomes simulated without interaction; censoring is drawn within the combinations."""
    d = own.design
    strata = np.zeros(d.n, dtype=np.int64)
    for place, (_, here) in enumerate(own.cells()):
        strata[here] = place
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    Z = np.column_stack([Z, np.ones(d.n)]) if d.time is None else Z
    columns = tested[0] if len(tested) == 1 else tested
    p = finite(Test(Observed(d.kind, Z, d.event, d.time, strata), columns, draws, rng).p_value(0.0))
    note = joined([f"{draws} draws", *d.notes]) if p is not None else f"{NOT_ESTIMABLE}: the simulated fits failed"
    return replace(base, estimate=p, p_value=p, method=SIMULATED[d.kind], note=note)


def _effects(own: Pair, base: Estimate, coef: Floats) -> Iterator[Estimate]:
    """Yield each factor's effects at each level of the other, with interval and without p-value."""
    d, width, depth = own.design, len(own.one.terms), len(own.two.terms)
    products = coef[-own.products :].reshape(width, depth)
    for factor, other, main, by in ((own.one, own.two, coef[:width], products),
                                    (own.two, own.one, coef[width : width + depth], products.T)):  # fmt: skip
        for level, coded, values, here in own.levels_of(other):
            X = own.columns(coded) if factor is own.one else own.columns(one=coded)
            start = 0 if factor is own.one else width
            for j, term in enumerate(factor.terms):
                one = effect(d.kind, X, d.event, d.time, column=start + j, confidence=base.confidence or 0,
                             expected=float(main[j] + by[j] @ values))  # fmt: skip
                numbers = [ratio(v) for v in (one.coef, one.lower, one.upper)]
                note = f"{NOT_ESTIMABLE}: the fit did not converge" if numbers[0] is None else None
                if numbers[0] is not None and None in numbers:
                    note = "a limit is not estimable"
                yield replace(base, statistic=d.statistic, unit="ratio", term=term, group=Stratum(other.name, level),
                              estimate=numbers[0], lower=numbers[1], upper=numbers[2], n=int(here.sum()),
                              events=int(d.event[here].sum()), note=note)  # fmt: skip


def _steps(inputs: Inputs) -> Iterator[Step]:
    plan = inputs.plan
    for end, factors, _ in inputs.main_multivariable:
        named = {f.name: f for f in factors}
        for one, two in dict.fromkeys(p for m in plan.models if m.endpoint == end.name for p in m.interactions):
            if {one, two} <= named.keys():
                simulated = plan.analyses.calibrated != "none"
                rng = inputs.random("interaction", end.name, one, two) if simulated else None
                work = partial(interaction, end, factors, (named[one], named[two]), confidence=plan.confidence,
                               draws=plan.analyses.draws, rng=rng)  # fmt: skip
                yield of_endpoint("interactions", end, work=work)


ANALYSIS = Analysis(
    "interactions",
    records="interaction",
    section="associations",
    steps=_steps,
    what="interactions of pairs of factors that the plan names, and effects at each level of the other factor",
    method=(
        "Firth models with the products of the two factors; penalised likelihood ratio against chi-square and against "
        "its parametric bootstrap distribution without interaction; effects at a level are those of the model with "
        "this level as reference, with profile intervals and without p (BMJ 2003;326:219); not estimable with fewer "
        "than 5 events a parameter or where a combination has no patient"
    ),
    lacking="no model of the plan names an interaction, or its factors are lacking",
)
