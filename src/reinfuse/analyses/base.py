"""What an analysis is: a declaration with its steps. Each module of this room that holds one names it `ANALYSIS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from reinfuse.arrays import Bools
from reinfuse.cohort.endpoint_catalog import declaration
from reinfuse.cohort.endpoints import DAYS_A_MONTH, EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.strata import Stratum
from reinfuse.kinetics.extrapolation import within_reach
from reinfuse.plan.switches import Switch
from reinfuse.results.curves import Curve, CurveKey
from reinfuse.results.estimate import Estimate

if TYPE_CHECKING:
    from reinfuse.cohort.analysis_set import AnalysisSet
    from reinfuse.cohort.cohort import Cohort
    from reinfuse.kinetics.cohort_kinetics import CohortKinetics
    from reinfuse.plan.analysis_plan import Plan

Output = tuple[list[Estimate], dict[CurveKey, Curve]]
Model = tuple[EndpointColumn, list[FactorColumn], str]
"""Endpoint, factors, and `univariable` or `multivariable`."""
Disclosure = Literal["counts", "effects", "published", "removed"]
"""What `share` does with an analysis: its numbers of patients are protected cell by cell; its effects are shown where
no number behind them is hidden; it holds nothing of the cohort and stays as it is; it is taken away."""
RATE_MONTHS = (6, 12, 24)
_OFF = (False, 0, "none")


@dataclass(frozen=True)
class Step:
    """A piece of an analysis that is taken by itself.

    Attributes
    ----------
    name
        The analysis' name, and after a comma what this step is of.
    work
        Gives estimates and curves, from the estimates of the steps before it.
    endpoint
        The endpoint that it is of, if it is of one.
    """

    name: str
    work: Callable[[list[Estimate]], Output]
    endpoint: str | None = None


@dataclass(frozen=True)
class Inputs:
    """What the steps of a study are taken from."""

    data: AnalysisSet
    plan: Plan
    cohort: Cohort
    counts: CohortKinetics | None = None

    def random(self, *names: Any) -> np.random.Generator:
        """Return the random numbers of one step: they depend on the plan's seed and these names, on no other step."""
        return random(self.plan, *names)

    @cached_property
    def modelled(self) -> list[EndpointColumn]:
        """The endpoints whose associations with factors are estimated."""
        own = {e.name for e in self.plan.endpoints}
        return [e for e in self.data.endpoints if declaration(e.name).modelled or e.name in own]

    @cached_property
    def multivariable(self) -> list[Model]:
        """The plan's models of several factors, as far as the data hold their endpoints and factors."""
        return [m for m in self._planned if m[2] == "multivariable"]

    @cached_property
    def _planned(self) -> list[Model]:
        """The plan's models; one of a single factor is adjusted for nothing, and is univariable."""
        models: list[Model] = []
        for model in self.plan.models:
            endpoint, columns = self.data.endpoint(model.endpoint), [self.data.factor(f) for f in model.factors]
            factors = [f for f in columns if f is not None]
            if endpoint is not None and len(factors) == len(columns):
                models.append((endpoint, factors, "multivariable" if len(set(model.factors)) > 1 else "univariable"))
        return models

    @cached_property
    def univariable(self) -> list[Model]:
        """Each factor alone with each endpoint without delayed entry."""
        return [(end, [f], "univariable") for end in self.modelled if end.entry is None for f in self.data.factors]

    @cached_property
    def main(self) -> list[Model]:
        """The plan's models, or where it has none each factor alone, for the main endpoints."""
        models = [m for m in self._planned if m[0].entry is None]
        if models or self.plan.models:
            return models
        ends = [e for e in self.modelled if e.entry is None]
        chosen = [e for e in ends if declaration(e.name).main] or ends[:1]
        return [(end, [factor], "univariable") for end in chosen for factor in self.data.factors]

    @cached_property
    def main_multivariable(self) -> list[Model]:
        """Those of the main models that are multivariable."""
        return [m for m in self.main if m[2] == "multivariable"]

    @cached_property
    def main_endpoints(self) -> list[EndpointColumn]:
        """The endpoints of the main models."""
        return list({end.name: end for end, _, _ in self.main}.values())

    def columns(self, names: Iterable[str]) -> list[FactorColumn]:
        """Return those of these factors that the data hold."""
        return [f for f in (self.data.factor(n) for n in names) if f is not None]


@dataclass(frozen=True)
class Analysis:
    """One kind of analysis.

    Attributes
    ----------
    name
        How the names of its steps begin, before a comma.
    records
        The field `analysis` of its estimates.
    section
        The report's section where its results stand.
    steps
        What is to be done for these inputs; nothing where it does not apply.
    what, method
        Its row in docs/methods.md: what is estimated, and how, with the source.
    lacking
        What is lacking where nothing of it was run though the plan asks for it.
    switches
        Settings under `[analyses]` of a plan that switch it off.
    own_switch
        A setting under `[analyses]` that this analysis brings along; without it, it is off.
    applies
        Whether it is of a plan at all, where another part of the plan than `[analyses]` asks for it.
    first
        Its results are told before the other analyses are there.
    last
        Needs the estimates of the steps before it.
    disclosure
        What `share` does with its records.
    sampled
        Takes minutes and an extra, and so is no step of a study: `reinfuse kinetics` alone runs it.
    """

    name: str
    _: KW_ONLY
    records: str
    section: str
    steps: Callable[[Inputs], Iterable[Step]]
    what: str
    method: str
    lacking: str = "nothing to estimate in these data"
    switches: tuple[str, ...] = ()
    own_switch: Switch | None = None
    applies: Callable[[Plan], bool] | None = None
    first: bool = False
    last: bool = False
    disclosure: Disclosure = "removed"
    sampled: bool = False

    def off(self, plan: Plan) -> list[str]:
        """Return the switches by which a plan leaves it out."""
        return [s for s in self.switches if plan.analyses.value(s) in _OFF]

    def wanted_by(self, plan: Plan) -> bool:
        """Tell whether a plan asks for it, where it has a switch of its own or is not of every plan."""
        if self.applies is not None and not self.applies(plan):
            return False
        return self.own_switch is None or plan.analyses.value(self.own_switch.name) not in _OFF


NO_FACTOR = "no endpoint and factor that can be modelled"
NO_MODEL = f"{NO_FACTOR}, without delayed entry"
NO_MULTIVARIABLE = "no multivariable model in the plan"
NO_COUNTS = "no CAR-T counts after the infusions"


def not_in_a_study(_: Inputs) -> Iterable[Step]:
    """Return no step: for a sampled model, whose command runs it."""
    return ()


def independent(name: str, work: Callable[[], Output], *, endpoint: str | None = None) -> Step:
    """Return a step that needs no estimates of the steps before it."""
    return Step(name, lambda _: work(), endpoint)


def without_curves(name: str, work: Callable[[], list[Estimate]], *, endpoint: str | None = None) -> Step:
    """Return an independent step that draws no curve."""
    return independent(name, lambda: (work(), {}), endpoint=endpoint)


def of_endpoint(analysis: str, end: EndpointColumn, *, work: Callable[[], list[Estimate]]) -> Step:
    """Return an independent step that is of one endpoint and draws no curve."""
    return without_curves(f"{analysis}, {end.label}", work, endpoint=end.name)


def ratios_of_counts(
    name: str, inputs: Inputs, *, work: Callable[[CohortKinetics, AnalysisSet, Plan], list[Estimate]]
) -> Iterator[Step]:
    """Yield the step of ratios that rest on CAR-T counts, each held to `within_reach`; none without counts."""
    counts = inputs.counts
    if counts is not None:
        yield without_curves(name, lambda: [within_reach(e) for e in work(counts, inputs.data, inputs.plan)])


def seed_words(model: Model) -> list[str]:
    """Return the words from which, with the plan's seed, the random numbers of a model follow."""
    return [model[0].name, model[2], *(f.name for f in model[1])]


def random(plan: Plan, *names: Any) -> np.random.Generator:
    """Return the random numbers of one step: they depend on the plan's seed and the step's name, not on its place."""
    words = "/".join(str(n) for n in names).encode()
    return np.random.default_rng([plan.seed, *words])


def level_masks(data: AnalysisSet) -> Iterator[tuple[Stratum, Bools]]:
    """Yield the name and mask of each level of each factor that has levels."""
    for factor in data.factors:
        if factor.kind != "number":
            for level in sorted(factor.levels):
                yield Stratum(factor.name, level), (factor.values == level).fill_null(False).to_numpy()


def rate_days() -> list[float]:
    """Return the days at which probabilities are estimated."""
    return [m * DAYS_A_MONTH for m in RATE_MONTHS]
