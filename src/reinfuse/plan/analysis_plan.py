"""The analysis plan: what is estimated, by which rules. Without one, the design of the reference study.

Reference study: Gauthier et al., Blood 2021;137(3):323-335 (NCT01865617).
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from reinfuse.cohort.baseline_columns import HOW_LATER, NOT_BASELINE, is_identifier, is_post_baseline, unfit_name
from reinfuse.cohort.declaration_problems import problems_of
from reinfuse.cohort.declarations import (
    BUILT_IN_FACTORS,
    LANDMARK_FACTORS,
    MODELLED,
    MOST_DECLARED,
    MOST_FACTORS,
    NEEDS_SECOND,
    Declaration,
    Design,
    Endpoint,
    Factor,
    Rules,
    Title,
)
from reinfuse.cohort.near_columns import plain_name
from reinfuse.cohort.schema import WIDE
from reinfuse.exceptions import PlanRefused, Problem, nearest
from reinfuse.plan.brief_options import BriefOptions
from reinfuse.plan.estimand_options import EstimandOptions
from reinfuse.plan.evidence_options import EvidenceOptions, seen_from
from reinfuse.plan.hierarchy import Hierarchy
from reinfuse.plan.options import Analyses, Kinetics, Landmark, Standardise, TimeDependent
from reinfuse.plan.report_names import unknown_in_report
from reinfuse.plan.report_options import ReportOptions
from reinfuse.plan.switches import declared
from reinfuse.tabular.toml import NotToml, read_toml

__all__ = [
    "Analyses",
    "Endpoint",
    "Factor",
    "Kinetics",
    "Landmark",
    "Model",
    "Plan",
    "Rules",
    "Standardise",
    "TimeDependent",
]


Many = Field(max_length=MOST_DECLARED)


class Model(Declaration):
    """A multivariable model of one endpoint.

    Attributes
    ----------
    interactions
        Pairs of its factors of which it is asked whether they act together.
    """

    endpoint: str
    factors: Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_DECLARED)]
    interactions: Annotated[tuple[tuple[str, str], ...], Many] = ()

    @model_validator(mode="after")
    def _pairs_of_it(self) -> Self:
        for pair in self.interactions:
            if len(set(pair)) < 2 or not set(pair) <= set(self.factors):
                raise ValueError(f"interaction {list(pair)} is not of two factors of this model")
        return self


_FIRST = "Outcome after a first CAR-T infusion"
MOST_SEED = 2**32 - 1
_DEFAULT_FACTORS = tuple(
    Factor(name=n, per={"age_years": 10.0, "interval_days": 30.0}.get(n)) for n in BUILT_IN_FACTORS
)
_DEFAULT_LANDMARKS = (Landmark(factor="response"), Landmark(factor="umrd_day28"))
_PAIR = ("cart1_cy_flu", "dose_increase")
_DEFAULT_MODELS = tuple(Model(endpoint=e, factors=_PAIR, interactions=(_PAIR,)) for e in ("response", "pfs"))


class Plan(Design):
    """A pre-specified analysis.

    Attributes
    ----------
    confidence
        Level of every interval.
    models
        Multivariable models; each factor is also taken alone.
    landmarks, time_dependent
        Post-baseline factors.
    hierarchy, estimands
        Which endpoints and factors are primary; which rules are set beside the plan's own.
    standardise, analyses
        Comparison of protocols; which further analyses are run.
    kinetics
        How CAR-T counts are summed up.
    report
        How the report looks.
    brief
        The centre behind the patients' brief.
    evidence
        The published studies beside which the cohort is shown.
    languages
        Of the patients' brief; the first one names its file `brief`.
    small_cells
        In the brief, numbers of people from 1 to below this are not shown; 0: all are.
    """

    title: Title = "Outcome after a second CAR-T infusion"
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    seed: int = Field(default=20210121, ge=0, le=MOST_SEED, strict=True)
    factors: Annotated[tuple[Factor, ...], Field(max_length=MOST_FACTORS)] = _DEFAULT_FACTORS
    models: Annotated[tuple[Model, ...], Many] = _DEFAULT_MODELS
    landmarks: Annotated[tuple[Landmark, ...], Many] = _DEFAULT_LANDMARKS
    time_dependent: Annotated[tuple[TimeDependent, ...], Many] = (TimeDependent(factor="response"),)
    hierarchy: Hierarchy = Hierarchy()
    estimands: EstimandOptions = EstimandOptions()
    standardise: Standardise = Standardise()
    analyses: Analyses = Analyses()
    kinetics: Kinetics = Kinetics()
    report: ReportOptions = ReportOptions()
    brief: BriefOptions = BriefOptions()
    evidence: EvidenceOptions = EvidenceOptions()
    languages: Annotated[tuple[Literal["en", "es"], ...], Field(min_length=1, max_length=2)] = ("en",)
    small_cells: Literal[0, 5, 11] = 0

    def __init__(self, **settings: Any) -> None:
        super().__init__(**_completed(settings))

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def _wrong(cls, settings: dict[str, Any], error: ValidationError) -> list[Problem]:
        problems = problems_of(error, settings={*cls.names_of_settings(), *declared()})
        settings = copy.deepcopy(settings)
        _drop_unknown(settings, error)
        try:  # once more without the unknown settings, which keep the names in the plan from being compared
            cls.model_validate(settings)
        except ValidationError as further:
            problems += [p for p in problems_of(further, settings=()) if p not in problems]
        return problems

    @model_validator(mode="after")
    def _sense(self) -> Self:
        chosen = self.report.unknown(self.subgroups, [e.name for e in self.endpoints])
        unknown = [*self._unknown_names(), *self._unknown_in_report(), *chosen]
        wrong = [*unknown, *self._too_early(), *self._too_late()]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _unknown_names(self) -> list[str]:
        factors = [f.name for f in self.factors]
        own = [e.name for e in self.endpoints]
        endpoints = [*(n for n in MODELLED if n not in own), *own]
        wrong = [f"factor {n!r} occurs twice" for n in sorted({n for n in factors if factors.count(n) > 1})]
        wrong += [f"endpoint {n!r} occurs twice" for n in sorted({n for n in endpoints if endpoints.count(n) > 1})]
        known_factors = [*factors, *BUILT_IN_FACTORS]
        ends = [*(m.endpoint for m in self.models), *(m.endpoint for m in self.time_dependent),
                *(e for m in self.landmarks for e in m.endpoints), *self.standardise.endpoints,
                *self.hierarchy.names("endpoints")]  # fmt: skip
        for kind, name, valid in [
            *(("endpoint", e, endpoints) for e in dict.fromkeys(ends)),
            *(("factor", f, known_factors) for m in self.models for f in m.factors),
            *(("factor", m.factor, [*known_factors, *LANDMARK_FACTORS]) for m in self.landmarks),
            *(("factor", f, known_factors) for f in (*self._adjusted_for, *self.hierarchy.names("factors"))),
            *(("factor", f, known_factors) for f in (*self.standardise.exposures, *self.standardise.confounders)),
            *(("column", c, WIDE.names) for c in self.columns),
        ]:
            if kind == "factor" and is_post_baseline(name) and name not in valid:
                wrong.append(f"{name} {NOT_BASELINE}: {HOW_LATER}")
            elif name not in valid and not (kind == "column" and name.startswith("toxicity_")):
                near = nearest(name, valid)
                wrong.append(f"{kind} {name!r} is not known" + (f", did you mean {near}?" if near else ""))
        return wrong

    def _unknown_in_report(self) -> list[str]:
        return unknown_in_report(
            self.report, self.all_factors, endpoints=[e.name for e in self.endpoints], subgroups=self.subgroups,
            outcomes=self._outcomes,
        )  # fmt: skip

    @property
    def is_built_in(self) -> bool:
        """Whether it asks for what the reference study asked; how documents look, and other studies, play no part."""
        built_in = Plan.built_in(self.index_infusion)
        beside = {"report": built_in.report, "brief": built_in.brief, "evidence": built_in.evidence}
        return self.model_copy(update=beside) == built_in

    def _too_early(self) -> list[str]:
        if self.index_infusion > 1:
            return []
        return [f"factor {f.name!r} is not available at infusion 1" for f in self.all_factors
                if f.name in NEEDS_SECOND and f.column is None]  # fmt: skip

    def _too_late(self) -> list[str]:
        """Refuse what is not known on day 0, and identifiers, wherever a plan divides patients."""
        outcomes = self._outcomes
        unfit = [(f"factor {f.name!r}", unfit_name(f.column, outcomes, known_at=f.known_at))
                 for f in self.factors if f.column is not None]  # fmt: skip
        names = {f.name for f in self.all_factors}
        unfit += [(f"subgroup {s!r}", unfit_name(s, outcomes)) for s in self.subgroups if s not in names]
        mapped = [(s, own) for s, own in self.columns.items() if s != "patient_id" and is_identifier(own)]
        unfit += [(f"column of {standard}", unfit_name(own, {})) for standard, own in mapped]
        return [*(f"{what}: {why}" for what, why in unfit if why), *self._known_later()]

    def _known_later(self) -> list[str]:
        """Refuse factors with `known_at` from before that day on."""
        late = {f.name: f.known_at for f in self.factors if f.known_at is not None}
        uses = {"a model": [f for m in self.models for f in m.factors], "the subgroups": self.subgroups,
                "the hierarchy": [*self.hierarchy.names("factors")],
                "a time-dependent analysis": [f for m in self.time_dependent for f in m.adjust],
                "[standardise]": [*self.standardise.exposures, *self.standardise.confounders]}  # fmt: skip
        wrong = [f"factor {n!r} is known on day {late[n]:g} only and cannot be used in {where} from day 0: {HOW_LATER}"
                 for where, names in uses.items() for n in dict.fromkeys(names) if n in late]  # fmt: skip
        return wrong + [f"landmark on day {m.day:g}: factor {n!r} is known on day {late[n]:g} only"
                        for m in self.landmarks for n in (m.factor, *m.adjust)
                        if m.day is not None and (late.get(n) or 0) > m.day]  # fmt: skip

    @property
    def _outcomes(self) -> dict[str, str]:
        """The columns, as `plain_name`, that outcomes are read from: of standard names, and of declared endpoints."""
        outcomes = {plain_name(own): name for name, own in self.columns.items() if is_post_baseline(name)}
        return outcomes | {plain_name(c): e.name for e in self.endpoints
                           for c in (e.name, e.time, e.event, e.competing, e.value) if c}  # fmt: skip

    @property
    def _adjusted_for(self) -> tuple[str, ...]:
        """Factors that landmark and time-dependent analyses adjust for."""
        return (*(f for m in self.landmarks for f in m.adjust), *(f for m in self.time_dependent for f in m.adjust))

    @property
    def all_factors(self) -> tuple[Factor, ...]:
        """The declared factors, and the built-in ones that only a model or the hierarchy names."""
        named = dict.fromkeys(
            [*(f for m in self.models for f in m.factors),
             *self._adjusted_for, *self.hierarchy.names("factors")])  # fmt: skip
        declared = {f.name for f in self.factors}
        more = (Factor(name=n) for n in named if n not in declared and n in BUILT_IN_FACTORS)
        return (*self.factors, *more)

    def __repr__(self) -> str:
        factors, models = len(self.factors), len(self.models)
        return f"<Plan {self.title!r}: infusion {self.index_infusion}, {factors} factors, {models} models>"

    def __str__(self) -> str:
        return repr(self)

    @classmethod
    def built_in(cls, index_infusion: int = 2) -> Plan:
        """Return the design of the reference study, or what of it is known at a first infusion."""
        return cls(index_infusion=index_infusion)

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
            return cls.of(seen_from(Path(path).parent, read_toml(Path(path))))
        except NotToml as why:
            raise PlanRefused([Problem(table="plan", rule=str(why), remedy="give a TOML file")]) from None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Plan:
        """Make a plan from the contents of a TOML file.

        Raises
        ------
        PlanRefused
            With everything that is wrong with it.
        """
        if not isinstance(settings, Mapping):
            rule, remedy = "is no table of settings", "give settings by name; Plan.load reads a file"
            raise PlanRefused([Problem(table="plan", rule=rule, remedy=remedy)])
        return cls(**settings)

    def replace(self, **settings: Any) -> Plan:
        """Return a plan with other settings, checked as a new one is; this one stays as it is.

        Raises
        ------
        PlanRefused
            With everything that is wrong with it.
        """
        return type(self)(**{**dict(self), **settings})

    @property
    def digest(self) -> str:
        """SHA-256 of the plan's contents, the defaults filled in."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def _completed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with what they decide of the others: own factors leave the built-in models out."""
    completed = dict(settings)
    if "factors" in completed:
        completed.setdefault("models", ())
    if completed.get("index_infusion") == 1:
        factors = tuple(f for f in _DEFAULT_FACTORS if f.name not in NEEDS_SECOND)
        completed = {"title": _FIRST, "factors": factors, "models": (), **completed}
    return completed


def _drop_unknown(settings: dict[str, Any], error: ValidationError) -> None:
    for *path, last in (one["loc"] for one in error.errors() if one["type"] == "extra_forbidden"):
        place: Any = settings
        for step in path:
            place = place[step]
        del place[last]
