"""What the centres agree on before anything is computed: centres, endpoints, factors with their levels, models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from reinfuse.cohort.declarations import Declaration, Factor, Name, Text, Title
from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.cohort.factors import LABELS
from reinfuse.cohort.strata import Stratum
from reinfuse.exceptions import PlanRefused, Problem, nearest
from reinfuse.plan.analysis_plan import Plan
from reinfuse.pooling.sealing import canonical
from reinfuse.statistics.firth import Kind
from reinfuse.tabular.toml import NotToml, read_toml

FEWEST_CENTRES = 3
MOST_EXCHANGES = 40
FEWEST_IN_ALL = 20
"""Patients of all centres together."""
_YES_NO = ("no", "yes")
_BUILT_IN_LEVELS = {name: _YES_NO for name in ("cart1_cy_flu", "cart2_cy_flu", "dose_increase", "bulky")}
_BUILT_IN_UNITS = {
    "age_years": ("years", 0.0, 120.0), "prior_lines": ("lines", 0.0, 50.0), "interval_days": ("days", 0.0, 20000.0),
    "log2_dose_ratio": ("doublings", -30.0, 30.0),
}  # fmt: skip
SMALL_CELLS, FEWEST_HIDDEN = 5, 3
MULTI, UNI = "multivariable", "univariable"


Mode = Literal["tables", "rounds", "masked"]


def _usual_mode(settings: dict[str, Any]) -> Mode:
    """Return the mode of a study that names none."""
    levels, plan = settings.get("levels", {}), settings.get("plan")
    numbers = plan is not None and any(not _levels_of(f, levels) for f in plan.factors)
    return "rounds" if numbers else "tables"


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


class Measurement(Declaration):
    """A number that is a factor: its unit, and the values that are possible in it."""

    unit: Text
    lowest: float
    highest: float

    @property
    def middle(self) -> float:
        """What is taken off before a model, so that columns are of like size in every centre."""
        return (self.lowest + self.highest) / 2

    @property
    def quarter(self) -> float:
        """What they are divided by."""
        return (self.highest - self.lowest) / 4

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.lowest >= self.highest:
            raise ValueError("lowest is not below highest")
        return self


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
    centres: Annotated[tuple[Centre, ...], Field(min_length=FEWEST_CENTRES, max_length=500), AfterValidator(_once)]
    endpoints: Annotated[tuple[Name, ...], Field(min_length=1, max_length=20), AfterValidator(_once)]
    levels: dict[Name, Levels] = Field(default_factory=dict)
    numbers: dict[Name, Measurement] = Field(default_factory=dict)
    most_exchanges: int = Field(default=MOST_EXCHANGES, ge=1, le=MOST_EXCHANGES)
    small_cells: int = Field(default=SMALL_CELLS, ge=0, le=1000)
    event_order: bool = False
    plan: Plan
    mode: Mode = Field(default_factory=_usual_mode)

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

    @property
    def record(self) -> dict[str, Any]:
        """The study as JSON values, all defaults filled in."""
        return self.model_dump(mode="json")

    @property
    def digest(self) -> str:
        """SHA-256 of the record."""
        return hashlib.sha256(canonical(self.record)).hexdigest()

    def levels_of(self, factor: str) -> tuple[str, ...]:
        """Return the categories of a factor, the reference first; nothing of a number."""
        return _levels_of(next(f for f in self.plan.factors if f.name == factor), self.levels)

    @property
    def threshold(self) -> int:
        """The smallest number of patients that leaves a centre in tables mode; 0 where all do."""
        return max(self.small_cells, self.plan.small_cells)

    def measurement_of(self, factor: str) -> Measurement | None:
        """Return the unit and possible values of a number."""
        if factor in self.numbers:
            return self.numbers[factor]
        built_in = _BUILT_IN_UNITS.get(factor)
        return built_in and Measurement(unit=built_in[0], lowest=built_in[1], highest=built_in[2])

    def terms_of(self, factor: str) -> tuple[str, ...]:
        """Return the names of a factor's effects."""
        levels = self.levels_of(factor)
        if not levels or levels == _YES_NO:
            return (factor,)
        return tuple(Stratum(factor, level) for level in levels[1:])

    def factor_label(self, name: str) -> str:
        """Return a factor as readers are shown it."""
        declared = next(f for f in self.plan.factors if f.name == name)
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
                "it; where that is too much, plan mode = \"rounds\", or small_cells = 0.")  # fmt: skip

    @property
    def models(self) -> tuple[PooledModel, ...]:
        """Each factor alone, and the plan's models of several, of every endpoint."""
        models = [PooledModel(end, (f.name,)) for end in self.endpoints for f in self.plan.factors]
        models += [PooledModel(m.endpoint, m.factors) for m in self.plan.models
                   if m.endpoint in self.endpoints and len(m.factors) > 1]  # fmt: skip
        return tuple(dict.fromkeys(models))

    def firth_kind(self, model: PooledModel) -> Kind:
        """Return which Firth model it is."""
        return "logistic" if self.kind_of(model.endpoint) == "binary" else "cox"

    def units(self, model: PooledModel) -> tuple[float, ...]:
        """Return what an effect of each column of a model is multiplied by to be per unit of its factor."""
        per = {f.name: f.per or 1.0 for f in self.plan.factors}
        sizes = []
        for factor in model.factors:
            number = None if self.levels_of(factor) else self.measurement_of(factor)
            sizes += [1.0] * len(self.terms_of(factor)) if number is None else [per[factor] / number.quarter]
        return tuple(sizes)

    def terms(self, model: PooledModel) -> tuple[str, ...]:
        """Return the names of a model's effects, in the order of its columns."""
        return tuple(term for factor in model.factors for term in self.terms_of(factor))

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
        folded = [c.casefold() for c in self.centres]
        if len(set(folded)) < len(folded):
            yield "two centres differ by capitals alone"
        if 0 < self.small_cells < FEWEST_HIDDEN:
            yield f"small_cells is {self.small_cells}: give 0, or {FEWEST_HIDDEN} or more"
        factors = {f.name: f for f in self.plan.factors}
        for name in (*self.levels, *self.numbers):
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
        elif not self.levels_of(factor.name) and self.measurement_of(factor.name) is None:
            yield (f"factor {factor.name} needs one coding in all centres: give levels.{factor.name} = "
                   f"[reference, ...], or [numbers.{factor.name}] with unit, lowest and highest")  # fmt: skip


@dataclass(frozen=True)
class PooledModel:
    """A model of one endpoint."""

    endpoint: str
    factors: tuple[str, ...]

    @property
    def key(self) -> str:
        """Its name in files."""
        return f"{self.endpoint}: {' + '.join(self.factors)}"

    @property
    def adjustment(self) -> str:
        """Whether it has one factor or several, as records say it."""
        return UNI if len(self.factors) == 1 else MULTI
