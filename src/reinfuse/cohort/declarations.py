"""What a plan declares of the cohort: the index infusion, factors, endpoints, subgroups and the rules of derivation."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

from reinfuse.cohort.baseline_columns import is_identifier, unfit_name
from reinfuse.cohort.declaration_problems import problems_of
from reinfuse.cohort.endpoint_catalog import names
from reinfuse.cohort.plausibility import CONFIRMABLE, Confirmable
from reinfuse.cohort.schema import DAYS, RESPONSES
from reinfuse.exceptions import PlanRefused, Problem, nearest
from reinfuse.tabular.cell_parsing import LARGEST
from reinfuse.texts import LONGEST_NAME, LONGEST_TITLE, fault

BUILT_IN_FACTORS = (
    "cart1_cy_flu", "cart2_cy_flu", "dose_increase", "log2_dose_ratio", "interval_days", "age_years", "prior_lines",
    "bulky", "diagnosis", "sex",
)  # fmt: skip
NEEDS_SECOND = frozenset({"cart2_cy_flu", "dose_increase", "log2_dose_ratio", "interval_days"})
"""Known only once the second infusion is given."""
MODELLED = names(modelled=True)
"""Built-in endpoints that the models of a plan may name."""
RESERVED = names(modelled=True, switch=None)
"""Those whose names a plan's own endpoint may not bear; another's only where the cohort holds no such endpoint."""

LANDMARK_FACTORS = ("response", "umrd_day28")
"""Outcomes that can be factors from a landmark day on."""

Response = Literal["CR", "CRi", "nPR", "PR", "SD", "PD", "NE"]
Compartment = Literal["marrow", "blood", "not recorded"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60)]


def _shown(text: str) -> str:
    wrong = ("is empty", "write it, or leave it out") if not text.strip() else fault(text)
    if wrong:
        raise ValueError(": ".join(wrong))
    return text


def _one_line(text: object) -> object:
    return " ".join(text.split()) if isinstance(text, str) else text


Text = Annotated[str, AfterValidator(_shown)]
"""A text that every format can show."""
Label = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_shown)]
Title = Annotated[str, Field(max_length=LONGEST_TITLE), AfterValidator(_shown), BeforeValidator(_one_line)]
Days = Annotated[float, Field(gt=0, le=DAYS[1])]
Day = Annotated[int, Field(ge=DAYS[0], le=DAYS[1])]
MOST_FACTORS, MOST_DECLARED = 100, 50
"""Factors, and endpoints, models, subgroups, landmarks or time-dependent factors, of one plan."""


def _takes_truth(field: FieldInfo) -> bool:
    """Tell whether a setting may be true or false: a switch, or one that its own validator reads."""
    return field.annotation in (bool, Any) or bool in get_args(field.annotation)


class Declaration(BaseModel):
    """Something that a plan declares: unknown settings are refused, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def __init__(self, **settings: Any) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise PlanRefused(self._wrong(settings, error)) from None

    # Only who calls the class is told so: within a declaration, pydantic goes on and gathers every error.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def _wrong(cls, settings: dict[str, Any], error: ValidationError) -> list[Problem]:  # noqa: ARG003
        """Return every problem of settings."""
        return problems_of(error, settings=cls.names_of_settings())

    @staticmethod
    def names_of_settings() -> set[str]:
        """Return the names of all settings of all declarations."""
        every = [Declaration]
        for one in every:
            every += one.__subclasses__()
        return {name for one in every for name in one.model_fields}

    def __setattr__(self, name: str, value: object) -> None:
        self.__delattr__(name)

    def __delattr__(self, name: str) -> None:
        what = type(self).__name__
        remedy = f"plan.replace({name}=...) gives another plan" if what == "Plan" else f"make another {what}"
        raise AttributeError(f"{what}.{name} cannot be set: a plan and its parts never change; {remedy}")

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: object, field: ValidationInfo) -> object:
        """Refuse true and false where a number is meant: pydantic reads them as 1 and 0."""
        values = value if isinstance(value, list | tuple) else (value,)
        if any(isinstance(v, bool) for v in values) and not _takes_truth(cls.model_fields[str(field.field_name)]):
            raise ValueError("is true or false, and takes a number or a text")
        return value


class Factor(Declaration):
    """A factor: built in by its name, or any column, taken as it is, cut, scaled or compared with a reference.

    Attributes
    ----------
    above
        Cut: yes where the value is greater.
    reference
        The category that the others are compared with; default: `no`, else the most frequent one.
    group
        Name -> values of a category that are taken together under it; subgroups by this factor are so too.
    scale
        ``log2``: effects are per doubling.
    per
        Effects are per so many units.
    known_at
        Day after the index infusion from which it is known; such a factor is used in landmark analyses only.
    """

    name: Name
    column: Text | None = None
    label: Label | None = None
    above: Annotated[float, Field(ge=-LARGEST, le=LARGEST)] | None = None
    reference: Text | None = None
    group: dict[Label, Annotated[tuple[Text, ...], Field(min_length=1)]] = {}
    scale: Literal["log2"] | None = None
    per: Annotated[float, Field(ge=1 / LARGEST, le=LARGEST)] | None = None
    known_at: Days | None = None

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.column is None and self.name not in BUILT_IN_FACTORS:
            near = nearest(self.name, BUILT_IN_FACTORS)
            hint = f"did you mean {near}? " if near else ""
            raise ValueError(f"not a built-in factor; {hint}give it a column")
        if self.above is not None and (self.scale or self.per):
            raise ValueError("above cannot stand together with scale or per")
        if self.group and (self.above is not None or self.scale or self.per):
            raise ValueError("group is of categories and cannot stand together with above, scale or per")
        members = [v for values in self.group.values() for v in values]
        if twice := sorted({v for v in members if members.count(v) > 1}):
            raise ValueError(f"group holds {', '.join(twice)} twice")
        if self.column is not None and (wrong := unfit_name(self.column, {}, known_at=self.known_at)):
            raise ValueError(wrong)
        return self


class Endpoint(Declaration):
    """An endpoint from columns of a wide sheet: `time` and `event` (and `competing`), or `value`.

    Attributes
    ----------
    entry
        Column of the time, in the same unit, from which the patient was under observation (delayed entry).
    event_value, competing_value
        The value of the column that means the event; default: yes, true or 1.
    unit
        Unit of the times; months are turned into days (30.4375 days a month), years too (365.25).
    """

    name: Name
    label: Label | None = None
    time: Text | None = None
    entry: Text | None = None
    event: Text | None = None
    event_value: Text | None = None
    competing: Text | None = None
    competing_value: Text | None = None
    value: Text | None = None
    unit: Literal["days", "months", "years"] = "days"

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.name in RESERVED:
            raise ValueError("a built-in endpoint has this name; map its columns under [columns], or rename it")
        for column in (self.time, self.entry, self.event, self.competing, self.value):
            if column is not None and is_identifier(column):
                raise ValueError(f"{column} identifies patients and is not an endpoint")
        timed = self.time is not None and self.event is not None and self.value is None
        binary = self.value is not None and not (self.time or self.event or self.competing or self.entry)
        if not (timed or binary):
            raise ValueError("give time and event (and competing), or value alone")
        return self


class Rules(Declaration):
    """How endpoints are derived from dated tables. Each is printed in the report.

    Attributes
    ----------
    umrd_window
        Days after the index infusion, both included, in which an MRD test counts as the one of day 28.
    umrd_day
        Of several tests in the window, those nearest to this day count; detectable wins.
    umrd_threshold
        A value below it is undetectable.
    umrd_compartments
        Of the compartments tested in the window, the first of these decides; one that is not among them does not count.
    responders, responders_by_diagnosis
        Best responses that count as response.
    complete
        Best responses that count as complete response.
    censor_at_new_therapy
        PFS is censored at a new anticancer therapy (FDA 2018); False: it goes on through it (EMA). Best response and
        uMRD end there in any case.
    censor_dor_at_new_therapy
        So is DOR; False: it goes on through it.
    transplant_is_new_therapy
        An allogeneic or autologous transplant is a new anticancer therapy.
    max_gap_days
        A PFS event more than so many days after the last adequate assessment is censored there; null: never.
    death_of_disease
        What a death of disease without a recorded progression counts as, on that day.
    efs
        Event-free survival: ``none``: not derived; ``index day``: who had no response by `efs_day` has the event on the
        day of the index infusion (FDA 2022, ELN 2022); ``day of failure``: on the first day on which that was certain.
    efs_day
        Day after the index infusion by which the first response must have been recorded.
    depth
        ``derived``: also confirmed response, time to response, duration of CR, undetectable MRD at any time and how
        long it lasts; ``none``: not.
    confirmation_days
        A response is confirmed by a second one so many days or more after the first.
    sd_min_days
        Stable disease before this day after the index infusion is no best response (not evaluable); 0: it is.
    split_dose_days
        A planned infusion within so many days of the one before is a part of it; 0: never.
    toxicity_absent
        A patient without a row of a kind of toxicity, in a cohort with a table of toxicities: ``none`` = grade 0.
    """

    umrd_window: tuple[Day, Day] = (21, 42)
    umrd_day: Day = 28
    umrd_threshold: float = Field(default=1e-4, gt=0, lt=1)
    umrd_compartments: tuple[Compartment, ...] = ("marrow", "blood", "not recorded")
    responders: tuple[Response, ...] = RESPONSES[:4]  # type: ignore[assignment]
    responders_by_diagnosis: dict[Text, tuple[Response, ...]] = {"ALL": ("CR", "CRi")}
    complete: tuple[Response, ...] = ("CR", "CRi")
    censor_at_new_therapy: bool = True
    censor_dor_at_new_therapy: bool = True
    transplant_is_new_therapy: bool = True
    max_gap_days: int | None = Field(default=None, gt=0, le=DAYS[1])
    death_of_disease: Literal["relapse", "non-relapse mortality"] = "relapse"
    efs: Literal["none", "index day", "day of failure"] = "none"
    efs_day: int = Field(default=90, gt=0, le=DAYS[1])
    depth: Literal["none", "derived"] = "none"
    confirmation_days: int = Field(default=28, gt=0, le=DAYS[1])
    sd_min_days: int = Field(default=0, ge=0, le=DAYS[1])
    split_dose_days: int = Field(default=30, ge=0, le=365)
    toxicity_absent: Literal["none", "missing"] = "none"

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.umrd_window[0] > self.umrd_window[1]:
            raise ValueError("umrd_window begins after it ends")
        if not self.umrd_compartments or len(set(self.umrd_compartments)) < len(self.umrd_compartments):
            raise ValueError("umrd_compartments names no compartment, or one of them twice")
        return self


class Design(Declaration):
    """The part of a plan that decides who is analysed and what is known of them.

    Attributes
    ----------
    index_infusion
        The infusion whose outcome is studied; its day is time zero.
    columns
        For a wide sheet: standard name -> its name in the sheet.
    subgroups
        Factors or columns each level of which is analysed on its own.
    confirmed
        Implausible values that somebody has looked at and that are right.
    """

    index_infusion: int = Field(default=2, ge=1, le=20)
    columns: dict[Text, Text] = {}
    factors: Annotated[tuple[Factor, ...], Field(max_length=MOST_FACTORS)] = ()
    subgroups: Annotated[tuple[Text, ...], Field(max_length=MOST_DECLARED)] = ("diagnosis",)
    endpoints: Annotated[tuple[Endpoint, ...], Field(max_length=MOST_DECLARED)] = ()
    rules: Rules = Rules()
    confirmed: Annotated[tuple[Confirmable, ...], Field(max_length=len(CONFIRMABLE))] = ()

    @property
    def all_factors(self) -> tuple[Factor, ...]:
        """Every factor of the analysis."""
        return self.factors

    @property
    def used_columns(self) -> tuple[str, ...]:
        """Columns of the input that the plan names itself."""
        ends = [c for e in self.endpoints for c in (e.time, e.entry, e.event, e.competing, e.value)]
        names = [*(f.column for f in self.factors), *ends, *self.subgroups]
        return tuple(dict.fromkeys(n for n in names if n))
