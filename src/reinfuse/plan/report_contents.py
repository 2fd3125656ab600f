"""What a plan chooses for the report: all else stands in the supplement."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import Field

from reinfuse.cohort.declarations import MOST_DECLARED, Declaration, Text
from reinfuse.cohort.endpoint_catalog import ENDPOINTS

Names = Annotated[tuple[Text, ...], Field(max_length=4 * MOST_DECLARED)] | None


class ReportContents(Declaration):
    """What the report holds, each in this order; None: as the analyses declare it.

    Attributes
    ----------
    sections
        Its sections.
    tables, figures
        Its tables and figures.
    endpoints
        Endpoints of its tables and figures.
    subgroups
        Of the plan's subgroups, those that its tables and figures show beside all patients.
    """

    sections: Names = None
    tables: Names = None
    figures: Names = None
    endpoints: Names = None
    subgroups: Names = None

    def unknown(self, subgroups: Collection[str], own_endpoints: Collection[str]) -> list[str]:
        """Return what is wrong with the names of endpoints and subgroups, for a plan that has these."""
        wrong = []
        for setting, names, valid in (
            ("endpoints", self.endpoints, [*own_endpoints, *ENDPOINTS]), ("subgroups", self.subgroups, subgroups),
        ):  # fmt: skip
            there = ", ".join(valid) or "none"
            wrong += [f"report.{setting}: {n!r} is none of the {setting} of the plan: {there}"
                      for n in dict.fromkeys(names or ()) if n not in valid]  # fmt: skip
        return wrong

    @property
    def chosen(self) -> bool:
        """Whether the plan chooses anything."""
        return any(getattr(self, name) is not None for name in ReportContents.model_fields)

    @property
    def narrowed(self) -> bool:
        """Whether its tables and figures show fewer endpoints or subgroups than there are."""
        return self.endpoints is not None or self.subgroups is not None
