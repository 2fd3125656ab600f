"""What the centres agree on before anything is computed: centres, endpoints, factors with their levels, models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from reinfuse.cohort.declarations import Declaration, Factor, Name, Text, Title
from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.cohort.factors import LABELS
from reinfuse.cohort.strata import Combination, Stratum
from reinfuse.exceptions import PlanRefused, Problem, nearest
from reinfuse.plan.analysis_plan import Plan
from reinfuse.pooling.measurement import Measurement, built_in
from reinfuse.pooling.pooled_model import PooledModel
from reinfuse.pooling.sealing import canonical
from reinfuse.statistics.firth import Kind
from reinfuse.tabular.toml import NotToml, read_toml

FEWEST_CENTRES = 3
MOST_EXCHANGES = 40
FEWEST_IN_ALL = 20
"""Patients of all centres together."""
_YES_NO = ("no", "yes")
_BUILT_IN_LEVELS = {name: _YES_NO for name in ("cart1_cy_flu", "cart2_cy_flu", "dose_increase", "bulky")}
SMALL_CELLS, FEWEST_HIDDEN = 5, 3
Mode = Literal["tables", "rounds", "masked"]


def _usual_mode(settings: dict[str, Any]) -> Mode:
    """Return the mode of a study that names none."""
    levels, plan = settings.get("levels", {}), settings.get("plan")
    numbers = plan is not None and any(not _levels_of(f, levels) for f in _factors_of(plan))
    return "rounds" if numbers else "tables"


def _factors_of(plan: Plan) -> tuple[Factor, ...]:
    """Return the declared factors, and the built-in ones that a model or the hierarchy alone names."""
    named = {*(f for m in plan.models for f in m.factors), *plan.hierarchy.names("factors")}
    declared = {f.name for f in plan.factors}
    return tuple(f for f in plan.all_factors if f.name in declared or f.name in named)


def _levels_of(factor: Factor, levels: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    if factor.name in levels:
        return levels[factor.name]
    return _YES_NO if factor.above is not None else _BUILT_IN_LEVELS.get(factor.name, ())


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({v for v in values if values.count(v) > 1}):
        raise ValueError(f"holds {', '.join(twice)} twice")
    return values


Centre = Annotated[str, Field(pattern=r"^[^\W_](?:(?:[^\W_]|[ .'-]){0,58}[^\W_])?$")]
Levels = Annotated[tuple[Text, ...], Field(min_length=2, max_length=20), AfterValidator(_once)]


class PooledStudy(Declaration):
    """A study of several centres.

    Attributes
    ----------
    centres
        Names; sums are added in this order.
    endpoints
        What is estimated: built in, or the plan's own.
    levels
        Factor -> its categories, the reference first, the same in every centre.
    numbers
        Factor -> unit and possible values.
    leave_out_missing
        Factors without which a patient is none of the study: left out of all that a centre tells, as if excluded.
    most_exchanges
        Requests that a centre answers.
    small_cells
        In tables mode, numbers of patients from 1 to below this do not leave a centre; 0: all do. The plan's own, where
        it is larger.
    event_order
        In tables mode with small numbers hidden, whether the order of events leaves, without which no hazard ratio is
        had: who knows whose event was the first here learns that patient's factors.
    plan
        As of one cohort: index infusion, rules, factors, models.
    mode
        ``tables``: integers in one exchange, the default where no factor is a number; ``rounds``: sums, exchange by
        exchange; ``masked``: the same under masks, so that totals of all centres alone are read.
    """

    title: Title = "Pooled analysis"
    centres: Annotated[tuple[Centre, ...], Field(max_length=500), AfterValidator(_once)]
    endpoints: Annotated[tuple[Name, ...], Field(min_length=1, max_length=20), AfterValidator(_once)]
    levels: dict[Name, Levels] = Field(default_factory=dict)
    numbers: dict[Name, Measurement] = Field(default_factory=dict)
    leave_out_missing: Annotated[tuple[Name, ...], Field(max_length=20), AfterValidator(_once)] = ()
    most_exchanges: int = Field(default=MOST_EXCHANGES, ge=1, le=MOST_EXCHANGES)
    small_cells: int = Field(default=SMALL_CELLS, ge=0, le=1000)
    event_order: bool = False
    plan: Plan
    mode: Mode = Field(default_factory=_usual_mode)

    @classmethod
    def _wrong(cls, settings: dict[str, Any], error: ValidationError) -> list[Problem]:
        """Return every problem but that the mode cannot be chosen while there are others."""
        return [p for p in super()._wrong(settings, error) if p.column != "mode" or "default factory" not in p.rule]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a study from a TOML file.

        Raises
        ------
        PlanRefused
            With everything that is wrong with it.
        """
        try:
            settings = read_toml(path)
        except NotToml as why:
            raise PlanRefused([Problem(table=path.name, rule=str(why), remedy="give a TOML file")]) from None
        plan = settings.get("plan", {})
        if isinstance(plan, Mapping):
            settings = {**settings, "plan": Plan.of(plan)}
        return cls(**settings)

    @classmethod
    def of_record(cls, record: Any) -> Self | None:
        """Return the study that `record` wrote; None where it is none."""
        try:
            return cls.model_validate(record)
        except (ValidationError, PlanRefused, TypeError):
            return None

    @cached_property
    def record(self) -> dict[str, Any]:
        """The study as JSON values, all defaults filled in."""
        return self.model_dump(mode="json")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the record."""
        return hashlib.sha256(canonical(self.record)).hexdigest()

    @cached_property
    def factors(self) -> dict[str, Factor]:
        """The declared factors, and the built-in ones that a model or the hierarchy alone names."""
        return {f.name: f for f in _factors_of(self.plan)}

    def levels_of(self, factor: str) -> tuple[str, ...]:
        """Return the categories of a factor, the reference first; nothing of a number."""
        return _levels_of(self.factors[factor], self.levels)

    @property
    def threshold(self) -> int:
        """The smallest number of patients that leaves a centre in tables mode; 0 where all do."""
        return max(self.small_cells, self.plan.small_cells)

    def measurement_of(self, factor: str) -> Measurement | None:
        """Return the unit and possible values of a number; of one on a scale of logarithms, of these."""
        own = self.numbers.get(factor) or built_in(factor)
        return own.doublings if own and self.factors[factor].scale == "log2" else own

    def terms_of(self, factor: str) -> tuple[str, ...]:
        """Return the names of a factor's effects."""
        levels = self.levels_of(factor)
        if not levels or levels == _YES_NO:
            return (factor,)
        return tuple(Stratum(factor, level) for level in levels[1:])

    def factor_label(self, name: str) -> str:
        """Return a factor as readers are shown it."""
        declared = self.factors[name]
        label = declared.label or LABELS.get(name, name.replace("_", " "))
        above = f" above {declared.above:g}" if declared.above is not None and not declared.label else ""
        number = None if self.levels_of(name) else self.measurement_of(name)
        per = "" if number is None or ", per" in label else f", per {declared.per or 1:g} {number.unit}"
        return f"{label}{above}{per}"

    def endpoint_label(self, name: str) -> str:
        """Return an endpoint as readers are shown it."""
        own = {e.name: e for e in self.plan.endpoints}
        if name in own:
            return own[name].label or name.replace("_", " ")
        return ENDPOINTS[name].label

    def kind_of(self, endpoint: str) -> Literal["binary", "time"]:
        """Return which kind of endpoint it is."""
        own = {e.name: e for e in self.plan.endpoints}
        if endpoint in own:
            return "binary" if own[endpoint].value is not None else "time"
        return ENDPOINTS[endpoint].kind

    def has_curve(self, endpoint: str) -> bool:
        """Tell whether an endpoint is a time that no other event ends: as survival that event would be counted."""
        own = {e.name: e for e in self.plan.endpoints}
        competing = own[endpoint].competing if endpoint in own else ENDPOINTS[endpoint].competes_with
        return self.kind_of(endpoint) == "time" and not competing

    def mode_in_words(self) -> str:
        """Return what the mode means for whoever plans the study."""
        k = self.threshold
        if self.mode == "masked":
            return ("Mode: masked, sums under masks, exchange by exchange; totals of all centres alone are read. The "
                    "first exchange is of keys; a centre that is lost stops the study.")  # fmt: skip
        if self.mode == "rounds":
            return "Mode: rounds, sums exchange by exchange; from a centre's sums its small numbers can be worked out."
        if not k:
            return "Mode: tables, one exchange; nothing is hidden (small_cells = 0)."
        order = "the order of events is told" if self.event_order else \
            "no hazard ratios, which need event_order = true"  # fmt: skip
        return (f"Mode: tables, one exchange; numbers of patients from 1 to {k - 1} stay in the centres, {order}. A "
                f"model needs {k} patients with and {k} without the event at each level in every centre that tells of "
                "it, and one missing value hides a level unless leave_out_missing names the factor; where that is too "
                "much, plan mode = \"masked\" or \"rounds\", or small_cells = 0.")  # fmt: skip

    @cached_property
    def models(self) -> tuple[PooledModel, ...]:
        """Each factor alone, and the plan's models of several, with each pair that may act together, by endpoint."""
        models = [PooledModel(end, (name,)) for end in self.endpoints for name in self.factors]
        several = [m for m in self.plan.models if m.endpoint in self.endpoints and len(m.factors) > 1]
        models += [PooledModel(m.endpoint, m.factors) for m in several]
        models += [PooledModel(m.endpoint, m.factors, pair) for m in several for pair in m.interactions]
        return tuple(dict.fromkeys(models))

    def firth_kind(self, model: PooledModel) -> Kind:
        """Return which Firth model it is."""
        return "logistic" if self.kind_of(model.endpoint) == "binary" else "cox"

    def units(self, model: PooledModel) -> tuple[float, ...]:
        """Return what an effect of each column of a model is multiplied by to be per unit of its factor."""
        sizes = {factor: self._unit_of(factor) for factor in model.factors}
        alone = tuple(size for of_factor in sizes.values() for size in of_factor)
        return (*alone, *(a * b for a, b in product(*(sizes[f] for f in model.pair)))) if model.pair else alone

    def _unit_of(self, factor: str) -> list[float]:
        number = None if self.levels_of(factor) else self.measurement_of(factor)
        return [1.0] * len(self.terms_of(factor)) if number is None else [
            (self.factors[factor].per or 1.0) / number.quarter]  # fmt: skip

    def terms(self, model: PooledModel) -> tuple[str, ...]:
        """Return the names of a model's effects, in the order of its columns; products are the last."""
        alone = (term for factor in model.factors for term in self.terms_of(factor))
        return (*alone, *self.products(model))

    def products(self, model: PooledModel) -> tuple[Combination, ...]:
        """Return the names of a model's products."""
        if not model.pair:
            return ()
        return tuple(Combination(pair, " x ") for pair in product(*map(self.terms_of, model.pair)))

    def size(self, model: PooledModel) -> int:
        """Return how many coefficients a model has, the intercept of a logistic one among them."""
        return len(self.terms(model)) + (self.firth_kind(model) == "logistic")

    @model_validator(mode="after")
    def _sense(self) -> Self:
        wrong = list(self._wrong_in_words())
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _wrong_in_words(self) -> Iterator[str]:
        if len(self.centres) < FEWEST_CENTRES:
            yield (f"{len(self.centres)} centres, and a study needs {FEWEST_CENTRES}: of two, each knows the other's "
                   "numbers by subtraction")  # fmt: skip
        folded = [c.casefold() for c in self.centres]
        if len(set(folded)) < len(folded):
            yield "two centres differ by capitals alone"
        if 0 < self.small_cells < FEWEST_HIDDEN:
            yield f"small_cells is {self.small_cells}: give 0, or {FEWEST_HIDDEN} or more"
        factors = self.factors
        for name in (*self.levels, *self.numbers, *self.leave_out_missing):
            if name not in factors:
                near = nearest(name, factors)
                yield f"{name} is no factor of the plan{f': did you mean {near}?' if near else ''}"
        for factor in factors.values():
            yield from self._wrong_with(factor)
        own = {e.name: e for e in self.plan.endpoints}
        for end in self.endpoints:
            if end not in own and end not in ENDPOINTS:
                yield f"{end} is no endpoint (there are {', '.join((*ENDPOINTS, *own))})"
            elif end in own and own[end].entry is not None:
                yield f"{end} has delayed entry, which is not pooled"

    def _wrong_with(self, factor: Factor) -> Iterator[str]:
        if factor.reference is not None:
            yield f"factor {factor.name} has a reference: name it first in levels.{factor.name} instead"
        if factor.known_at is not None:
            yield f"factor {factor.name} is known after the infusion, and landmark analyses are not pooled"
        if factor.name in self.levels and factor.name in self.numbers:
            yield f"factor {factor.name} has levels and is a number: leave one out"
        elif not (self.levels_of(factor.name) or factor.name in self.numbers or built_in(factor.name)):
            yield (f"factor {factor.name} needs one coding in all centres: give levels.{factor.name} = "
                   f"[reference, ...], or [numbers.{factor.name}] with unit, lowest and highest")  # fmt: skip
        elif factor.scale == "log2" and factor.name in self.numbers and self.numbers[factor.name].lowest <= 0:
            yield f"factor {factor.name} is taken as logarithms: its lowest value must be above 0"
