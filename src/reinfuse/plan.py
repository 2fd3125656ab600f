"""The analysis plan: what is estimated, by which rules. Without one, the design of the reference study.

Reference study: Gauthier et al., Blood 2021;137(3):323-335 (NCT01865617).
"""

from __future__ import annotations

import copy
import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reinfuse.cohort.schema import RESPONSES, WIDE
from reinfuse.errors import PlanRefused, Problem, nearest

BUILT_IN_FACTORS = (
    "cart1_cy_flu", "cart2_cy_flu", "dose_increase", "log2_dose_ratio", "interval_days", "age_years", "prior_lines",
    "bulky", "diagnosis", "sex",
)  # fmt: skip
NEEDS_SECOND = frozenset({"cart2_cy_flu", "dose_increase", "log2_dose_ratio", "interval_days"})
"""Known only once the second infusion is given."""
BINARY_ENDPOINTS = ("response", "cr", "umrd_day28")
TIME_ENDPOINTS = ("pfs", "os", "dor")
BUILT_IN_ENDPOINTS = (*BINARY_ENDPOINTS, *TIME_ENDPOINTS)

Response = Literal["CR", "CRi", "nPR", "PR", "SD", "PD", "NE"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Factor(_Model):
    """A factor: built in by its name, or any column, taken as it is, cut, scaled or compared with a reference.

    Attributes
    ----------
    above
        Cut: yes where the value is greater.
    reference
        The category that the others are compared with; default: `no`, else the most frequent one.
    scale
        ``log2``: effects are per doubling.
    per
        Effects are per so many units.
    """

    name: Name
    column: str | None = None
    label: str | None = None
    above: float | None = None
    reference: str | None = None
    scale: Literal["log2"] | None = None
    per: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.column is None and self.name not in BUILT_IN_FACTORS:
            near = nearest(self.name, BUILT_IN_FACTORS)
            hint = f"did you mean {near}? " if near else ""
            raise ValueError(f"not a built-in factor; {hint}give it a column")
        if self.above is not None and (self.scale or self.per):
            raise ValueError("above cannot stand together with scale or per")
        return self


class Model(_Model):
    """A multivariable model of one endpoint."""

    endpoint: str
    factors: Annotated[tuple[str, ...], Field(min_length=1)]


class Endpoint(_Model):
    """An endpoint from columns of a wide sheet: `time` and `event` (and `competing`), or `value`.

    Attributes
    ----------
    event_value, competing_value
        The value of the column that means the event; default: yes, true or 1.
    unit
        Unit of the times; months are turned into days (30.4375 days a month), years too (365.25).
    """

    name: Name
    label: str | None = None
    time: str | None = None
    event: str | None = None
    event_value: str | None = None
    competing: str | None = None
    competing_value: str | None = None
    value: str | None = None
    unit: Literal["days", "months", "years"] = "days"

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.name in BUILT_IN_ENDPOINTS:
            raise ValueError("a built-in endpoint has this name; map its columns under [columns], or rename it")
        timed = self.time is not None and self.event is not None and self.value is None
        binary = self.value is not None and self.time is None and self.event is None and self.competing is None
        if not (timed or binary):
            raise ValueError("give time and event (and competing), or value alone")
        return self


class Rules(_Model):
    """How endpoints are derived from dated tables. Each is printed in the report.

    Attributes
    ----------
    umrd_window
        Days after the index infusion, both included, in which an MRD test counts as the one of day 28.
    umrd_day
        Of several tests in the window, those nearest to this day count; detectable wins.
    umrd_threshold
        A value below it is undetectable.
    responders, responders_by_diagnosis
        Best responses that count as response.
    complete
        Best responses that count as complete response.
    censor_at_new_therapy
        PFS, DOR and response end with a new anticancer therapy (FDA 2018); False: they go on (EMA).
    transplant_is_new_therapy
        An allogeneic or autologous transplant is a new anticancer therapy.
    max_gap_days
        A PFS event more than so many days after the last adequate assessment is censored there; null: never.
    toxicity_absent
        A patient without a row of a kind of toxicity, in a cohort with a table of toxicities: ``none`` = grade 0.
    """

    umrd_window: tuple[int, int] = (21, 42)
    umrd_day: int = 28
    umrd_threshold: float = Field(default=1e-4, gt=0, lt=1)
    responders: tuple[Response, ...] = RESPONSES[:4]  # type: ignore[assignment]
    responders_by_diagnosis: dict[str, tuple[Response, ...]] = {"ALL": ("CR", "CRi")}
    complete: tuple[Response, ...] = ("CR", "CRi")
    censor_at_new_therapy: bool = True
    transplant_is_new_therapy: bool = True
    max_gap_days: int | None = Field(default=None, gt=0)
    toxicity_absent: Literal["none", "missing"] = "none"

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.umrd_window[0] > self.umrd_window[1]:
            raise ValueError("umrd_window begins after it ends")
        return self


_DEFAULT_FACTORS = tuple(
    Factor(name=n, per={"age_years": 10.0, "interval_days": 30.0}.get(n)) for n in BUILT_IN_FACTORS
)
_DEFAULT_MODELS = tuple(Model(endpoint=e, factors=("cart1_cy_flu", "dose_increase")) for e in ("response", "pfs"))


class Plan(_Model):
    """A pre-specified analysis.

    Attributes
    ----------
    index_infusion
        The infusion whose outcome is studied; its day is time zero.
    subgroups
        Factors or columns each level of which is analysed on its own.
    confidence
        Level of every interval.
    columns
        For a wide sheet: standard name -> its name in the sheet.
    """

    title: str = "Outcome after a second CAR-T infusion"
    index_infusion: int = Field(default=2, ge=1, le=20)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    seed: int = 20210121
    columns: dict[str, str] = {}
    factors: tuple[Factor, ...] = _DEFAULT_FACTORS
    models: tuple[Model, ...] = _DEFAULT_MODELS
    subgroups: tuple[str, ...] = ("diagnosis",)
    endpoints: tuple[Endpoint, ...] = ()
    rules: Rules = Rules()

    @model_validator(mode="after")
    def _sense(self) -> Self:
        wrong = [*self._unknown_names(), *self._too_early()]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _unknown_names(self) -> list[str]:
        factors = [f.name for f in self.factors]
        endpoints = [*BUILT_IN_ENDPOINTS, *(e.name for e in self.endpoints)]
        wrong = [f"factor {n!r} is there twice" for n in sorted({n for n in factors if factors.count(n) > 1})]
        wrong += [f"endpoint {n!r} is there twice" for n in sorted({n for n in endpoints if endpoints.count(n) > 1})]
        for kind, name, known in [
            *(("endpoint", m.endpoint, endpoints) for m in self.models),
            *(("factor", f, [*factors, *BUILT_IN_FACTORS]) for m in self.models for f in m.factors),
            *(("column", c, WIDE.names) for c in self.columns),
        ]:
            if name not in known and not (kind == "column" and name.startswith("toxicity_")):
                near = nearest(name, known)
                wrong.append(f"{kind} {name!r} is not known" + (f", did you mean {near}?" if near else ""))
        return wrong

    def _too_early(self) -> list[str]:
        if self.index_infusion > 1:
            return []
        return [f"factor {f.name!r} is not known yet at infusion 1" for f in self.all_factors
                if f.name in NEEDS_SECOND and f.column is None]  # fmt: skip

    @property
    def all_factors(self) -> tuple[Factor, ...]:
        """The declared factors, and the built-in ones that only a model names."""
        named = dict.fromkeys(f for m in self.models for f in m.factors)
        declared = {f.name for f in self.factors}
        more = (Factor(name=n) for n in named if n not in declared and n in BUILT_IN_FACTORS)
        return (*self.factors, *more)

    @property
    def used_columns(self) -> tuple[str, ...]:
        """Columns of the input that the plan names itself."""
        ends = [c for e in self.endpoints for c in (e.time, e.event, e.competing, e.value)]
        names = [*(f.column for f in self.factors), *ends, *self.subgroups]
        return tuple(dict.fromkeys(n for n in names if n))

    @classmethod
    def built_in(cls, index_infusion: int = 2) -> Plan:
        """Return the design of the reference study, or what of it is known at a first infusion."""
        if index_infusion > 1:
            return cls(index_infusion=index_infusion)
        factors = tuple(f for f in _DEFAULT_FACTORS if f.name not in NEEDS_SECOND)
        return cls(title="Outcome after a first CAR-T infusion", index_infusion=1, factors=factors, models=())

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """Read a plan from a TOML file.

        What the file leaves out is as in `built_in`; a plan with own factors and no models has no models.

        Raises
        ------
        PlanRefused
            With everything that is wrong with it.
        """
        try:
            told: dict[str, Any] = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            where = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "cannot be read"
            raise PlanRefused([Problem("plan", None, None, None, where, "give a TOML file")]) from None
        return cls.of(told)

    @classmethod
    def of(cls, told: dict[str, Any]) -> Plan:
        """Make a plan from the contents of a TOML file.

        Raises
        ------
        PlanRefused
            With everything that is wrong with it.
        """
        told = copy.deepcopy(told)
        if "factors" in told:
            told.setdefault("models", ())
        if told.get("index_infusion") == 1:
            first = cls.built_in(1)
            told = {"title": first.title, "factors": first.factors, "models": (), **told}
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            problems = _problems(error)
            _drop_unknown(told, error)
        try:  # once more without the unknown settings, which keep the names in the plan from being compared
            cls.model_validate(told)
        except ValidationError as error:
            problems += [p for p in _problems(error) if p not in problems]
        raise PlanRefused(problems)

    @property
    def digest(self) -> str:
        """SHA-256 of the plan's contents, the defaults filled in."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def _drop_unknown(told: dict[str, Any], error: ValidationError) -> None:
    for *path, last in (one["loc"] for one in error.errors() if one["type"] == "extra_forbidden"):
        place: Any = told
        for step in path:
            place = place[step]
        del place[last]


def _problems(error: ValidationError) -> list[Problem]:
    problems = []
    fields = {n for model in (Plan, Factor, Model, Endpoint, Rules) for n in model.model_fields}
    for one in error.errors(include_url=False):
        where = ".".join(str(part) for part in one["loc"])
        rule, remedy = one["msg"].removeprefix("Value error, "), "correct the plan"
        if one["type"] == "extra_forbidden":
            near = nearest(str(one["loc"][-1]), fields)
            rule, remedy = "is not a setting of a plan", f"did you mean {near}?" if near else "take it away"
        value = None if isinstance(one["input"], dict | BaseModel) else str(one["input"])
        for part in rule.split("; ") if not where else [rule]:
            problems.append(Problem("plan", None, where or None, value if where else None, part, remedy))
    return problems
