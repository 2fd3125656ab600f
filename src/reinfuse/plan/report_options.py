"""What a plan says of the report: `[report]`. It changes what is shown of the results, and never a result."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from reinfuse.cohort.declarations import MOST_FACTORS, Declaration, Label, Text
from reinfuse.plan.figure_options import FigureOptions
from reinfuse.plan.report_contents import ReportContents

Journal = Literal["Blood", "NEJM", "Lancet"]
Summary = Literal["median (quartiles)", "median (range)", "mean (SD)"]
Decimals = Annotated[int, Field(ge=0, le=4, strict=True)]


def _english(language: str) -> str:
    if language != "en":
        raise ValueError("reports are written in English (en); the patients' brief alone has languages")
    return language


class Digits(Declaration):
    """Decimals, instead of those of the journal; None: as there.

    Attributes
    ----------
    percent
        Of percentages.
    ratio
        Of odds, hazard and other ratios.
    months
        Of times in months.
    number
        Of values of the table of patients.
    p
        Of p-values; a smaller one is printed as below the smallest of them.
    """

    percent: Decimals | None = None
    ratio: Decimals | None = None
    months: Decimals | None = None
    number: Decimals | None = None
    p: Annotated[int, Field(ge=2, le=4, strict=True)] | None = None


class Table1(Declaration):
    """The table of patients.

    Attributes
    ----------
    variables
        What it describes, in this order: factors, baseline variables, or other baseline columns of the data; None:
        the declared baseline columns, then the plan's other factors.
    numbers, statistics
        How numbers are summed up, and some of them otherwise.
    by
        A factor of the plan whose levels are the columns; None: the plan's subgroups are.
    overall
        A column of all patients before them.
    missing
        Rows of missing values.
    smd, p
        Columns of standardised differences between the groups, and of tests.
    """

    variables: Annotated[tuple[Text, ...], Field(min_length=1, max_length=MOST_FACTORS)] | None = None
    numbers: Summary = "median (quartiles)"
    statistics: dict[Text, Summary] = Field(default_factory=dict)
    by: Text | None = None
    overall: bool = True
    missing: Literal["always", "if any", "never"] = "if any"
    smd: bool = False
    p: bool = False

    @model_validator(mode="after")
    def _sense(self) -> Self:
        lacking = [name for name in ("smd", "p") if getattr(self, name) and self.by is None]
        wrong = [f"{name} compares groups: name the factor that makes them (by)" for name in lacking]
        if not self.overall and self.by is None:
            wrong.append("overall = false leaves no column: name the factor that makes groups (by)")
        named = list(self.variables or ())
        wrong += [f"variables: {name!r} occurs twice" for name in sorted({n for n in named if named.count(n) > 1})]
        wrong += [f"statistics: {name!r} is not among the variables" for name in self.statistics
                  if named and name not in named]  # fmt: skip
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def summary(self, name: str) -> Summary:
        """Return how a number is summed up."""
        return self.statistics.get(name, self.numbers)

    @property
    def adds_records(self) -> bool:
        """Whether it needs numbers beyond those of the analysis of every study."""
        return self.by is not None or self.variables is not None or "mean (SD)" in (
            self.numbers, *self.statistics.values())  # fmt: skip


class ReportOptions(ReportContents):
    """How the report looks.

    Attributes
    ----------
    journal
        Whose rules numbers, p-values, intervals and captions follow; None: the house's own.
    language
        Of report and supplement.
    digits
        Decimals.
    labels
        Name of a factor, an endpoint or a variable of the table of patients -> what the report calls it.
    table1
        The table of patients.
    figure_style
        How the figures look.
    levels
        Name of a factor or variable -> level as it stands in the data -> what the report calls it.
    """

    journal: Journal | None = None
    language: Annotated[str, AfterValidator(_english)] = "en"
    digits: Digits = Digits()
    table1: Table1 = Table1()
    figure_style: FigureOptions = FigureOptions()
    labels: dict[Text, Label] = Field(default_factory=dict)
    levels: dict[Text, dict[Text, Label]] = Field(default_factory=dict)

    @field_validator("figures", mode="before")
    @classmethod
    def _names_alone(cls, figures: object) -> object:
        if isinstance(figures, dict):
            raise ValueError("names the figures that the report holds; how they look is set in [report.figure_style]")
        return figures

    @model_validator(mode="after")
    def _sense(self) -> Self:
        wrong = [f"labels: {label!r} stands for {_named(self.labels, label)}" for label in _twice(self.labels)]
        wrong += [f"levels.{name}: {label!r} stands for {_named(levels, label)}"
                  for name, levels in self.levels.items() for label in _twice(levels)]  # fmt: skip
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def names(self) -> dict[str, str]:
        """Setting -> each name of a factor, endpoint or variable that it uses."""
        statistics = {f"table1.statistics.{name}": name for name in self.table1.statistics}
        labels = {f"labels.{name}": name for name in self.labels} | {f"levels.{name}": name for name in self.levels}
        return labels if self.table1.variables else labels | statistics


def _twice(labels: dict[str, str]) -> list[str]:
    """Return labels that would make two things look like one."""
    every = list(labels.values())
    return sorted({label for label in every if every.count(label) > 1})


def _named(labels: dict[str, str], label: str) -> str:
    return " and ".join(name for name, other in labels.items() if other == label)
