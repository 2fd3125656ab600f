"""What a plan says of the report: `[report]`. It changes what is shown of the results, and never a result."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from reinfuse.cohort.declarations import Declaration, Label, Text

Journal = Literal["Blood", "NEJM", "Lancet"]
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


class ReportOptions(Declaration):
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
    levels
        Name of a factor or variable -> level as it stands in the data -> what the report calls it.
    """

    journal: Journal | None = None
    language: Annotated[str, AfterValidator(_english)] = "en"
    digits: Digits = Digits()
    labels: dict[Text, Label] = Field(default_factory=dict)
    levels: dict[Text, dict[Text, Label]] = Field(default_factory=dict)

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
        return {f"labels.{name}": name for name in self.labels} | {f"levels.{name}": name for name in self.levels}


def _twice(labels: dict[str, str]) -> list[str]:
    """Return labels that would make two things look like one."""
    every = list(labels.values())
    return sorted({label for label in every if every.count(label) > 1})


def _named(labels: dict[str, str], label: str) -> str:
    return " and ".join(name for name, other in labels.items() if other == label)
