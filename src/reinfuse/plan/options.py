"""What a plan declares beyond endpoints, factors and models: later-known factors, protocols, which analyses are run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, create_model, model_serializer, model_validator

from reinfuse.cohort.declarations import MOST_DECLARED, Days, Declaration
from reinfuse.plan.kinetics_rules import AREA_DAYS, After, Before, BelowRules, Between, NcaRules
from reinfuse.plan.switches import declared
from reinfuse.tabular.cell_parsing import LARGEST

MOST_DRAWS, MOST_SAMPLES, MOST_IMPUTATIONS = 100_000, 10_000, 200
"""Limits of what is simulated: beyond these, time and memory grow and the answers do not change."""
Many = Field(max_length=MOST_DECLARED)


def none_or_many(number: int) -> int:
    """Refuse a single simulated data set: it has no spread."""
    if number == 1:
        raise ValueError("is 1: use 0 to leave the analysis out, or more")
    return number


def _switched(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of switches of analyses, each as its analysis reads it."""
    if strange := [name for name in values if name not in declared()]:
        raise ValueError(f"{strange[0]!r} is not a setting of a plan")
    fields: dict[str, Any] = {name: (declared()[name].kind, ...) for name in values}
    switches = create_model("Switches", __base__=Declaration, **fields).model_validate(values)
    return {name: getattr(switches, name) for name in values}


class Landmark(Declaration):
    """What was known on a day after the index infusion, and what followed in patients still at risk then.

    Attributes
    ----------
    factor
        ``response``, ``umrd_day28``, or a factor of the plan, such as one with `known_at`.
    day
        None: day 42, or later where the factor is not known by then. Response: the end of the first week by which 90 %
        of the patients who were assessed at all had had their first adequate assessment; uMRD: the end of its window;
        another factor: its `known_at`. The rule looks at days of assessments alone, never at what came out.
    """

    factor: str
    endpoints: Annotated[tuple[str, ...], Many] = ("pfs", "os")
    day: Days | None = None
    adjust: tuple[str, ...] = ()


class TimeDependent(Declaration):
    """A factor that is no at time zero and turns yes on the day on which it happens."""

    factor: Literal["response", "transplant"]
    endpoint: str = "os"
    adjust: tuple[str, ...] = ()


class Standardise(Declaration):
    """Combinations of protocols to compare, and what to adjust for.

    Attributes
    ----------
    day
        At which the probability of no event is given, for times to event.
    fewest
        Patients that must have had a combination.
    interactions
        Pairs of exposures that may act together in the outcome model; without them effects add up on its scale.
    """

    exposures: tuple[str, ...] = ("cart1_cy_flu", "cart2_cy_flu", "dose_increase")
    interactions: Annotated[tuple[tuple[str, str], ...], Many] = ()
    confounders: tuple[str, ...] = ("diagnosis",)
    endpoints: tuple[str, ...] = ("response", "pfs")
    day: Days = 365.25
    fewest: int = Field(default=4, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _pairs_of_exposures(self) -> Self:
        for pair in self.interactions:
            if len(set(pair)) < 2 or not set(pair) <= set(self.exposures):
                raise ValueError(f"interaction {list(pair)} is not of two exposures")
        return self


class Kinetics(Declaration):
    """How CAR-T counts are summed up.

    Attributes
    ----------
    unit
        The unit that is compared between patients; by default that of most counts. Units are never mixed.
    before, between, after
        What a count below the limit stands for: before the first count above it, between two, after the last.
    area_days
        Days up to which areas are taken, besides 28.
    above
        Level for the days above it, in the unit of the counts.
    """

    unit: Literal["cells/uL", "copies/ug"] | None = None
    before: Before = BelowRules.before
    between: Between = BelowRules.between
    after: After = BelowRules.after
    area_days: Annotated[tuple[Days, ...], Many] = ()
    above: float | None = Field(default=None, gt=0, le=LARGEST)

    @property
    def rules(self) -> NcaRules:
        """The rules of the non-compartmental analysis; the area to day 28 is always among them."""
        below = BelowRules(self.before, self.between, self.after)
        return NcaRules(below, (*AREA_DAYS, *(d for d in self.area_days if d not in AREA_DAYS)), self.above)


class Analyses(Declaration):
    """Which analyses beyond the models are run.

    Attributes
    ----------
    calibrated
        Small-sample intervals and p-values with a simulated reference distribution: of the "multivariable" models, of
        "all" (univariable too), or "none".
    permutation
        Permutation p-values.
    draws
        Simulated or permuted data sets behind each p-value.
    averaging
        Bayesian model averaging over all subsets of the factors.
    bootstraps
        Bootstrap samples for stability, optimism, standardisation and mediation; 0: none of them.
    influence
        Leave-one-out analysis.
    proportional_hazards
        Scaled Schoenfeld residuals; interaction with log time where they fail.
    sensitivity
        E-values, and Benjamini-Hochberg adjustment of the univariable tests.
    imputations
        Multiply imputed data sets where a factor of a model is missing; 0: complete cases only.
    competing
        Competing events: Gray's test, Fine-Gray and cause-specific models, incidence by group, one clock; the course as
        states.
    standardise
        Standardised outcomes by protocol (g-computation).
    paired
        Within-patient comparison of the previous and the index infusion.
    power
        Simulated data sets per effect size; 0: no power.
    kinetics
        Exposure and persistence of the CAR-T cells, their factors, and outcome, where there are counts.
    endpoint_rules
        Response, PFS, DOR and EFS by other rules than the plan's, side by side.
    evidence
        Published studies of second infusions beside the cohort's own proportions.
    further
        Switches that analyses bring along (`plan.switches`), by name; in a plan they stand beside the others.
    """

    calibrated: Literal["multivariable", "all", "none"] = "multivariable"
    permutation: bool = True
    draws: int = Field(default=1000, ge=99, le=MOST_DRAWS, strict=True)
    averaging: bool = True
    bootstraps: Annotated[int, AfterValidator(none_or_many)] = Field(default=200, ge=0, le=MOST_SAMPLES, strict=True)
    influence: bool = True
    proportional_hazards: bool = True
    sensitivity: bool = True
    imputations: Annotated[int, AfterValidator(none_or_many)] = Field(
        default=20, ge=0, le=MOST_IMPUTATIONS, strict=True
    )
    competing: bool = True
    standardise: bool = True
    paired: bool = True
    power: Annotated[int, AfterValidator(none_or_many)] = Field(default=200, ge=0, le=MOST_SAMPLES, strict=True)
    kinetics: bool = True
    endpoint_rules: bool = True
    evidence: bool = True
    further: Annotated[dict[str, Any], AfterValidator(_switched)] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _of_analyses(cls, given: Any) -> Any:
        """Put aside the settings that are switches of analyses."""
        if not isinstance(given, dict) or given.keys() <= cls.model_fields.keys():
            return given
        own = {name: value for name, value in given.items() if name not in cls.model_fields and name in declared()}
        return {**{name: value for name, value in given.items() if name not in own}, "further": own}

    @model_serializer(mode="wrap")
    def _side_by_side(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        fields = handler(self)
        return {**{name: value for name, value in fields.items() if name != "further"}, **fields["further"]}

    def value(self, name: str) -> Any:
        """Return a setting by its name; a switch of an analysis that the plan does not set is off."""
        return getattr(self, name) if name in type(self).model_fields else self.further.get(name, False)

    @classmethod
    def none(cls) -> Analyses:
        """Return the description and the models alone."""
        return cls(calibrated="none", permutation=False, averaging=False, bootstraps=0, influence=False,
                   proportional_hazards=False, sensitivity=False, imputations=0, competing=False, standardise=False,
                   paired=False, power=0, kinetics=False, endpoint_rules=False,
                   evidence=False)  # fmt: skip
