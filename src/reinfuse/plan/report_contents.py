"""What a plan chooses for the report: all else stands in the supplement."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reinfuse.cohort.declarations import MOST_DECLARED, Declaration, Text

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
        Endpoints of its tables.
    subgroups
        Of the plan's subgroups, those that its tables show beside all patients.
    """

    sections: Names = None
    tables: Names = None
    figures: Names = None
    endpoints: Names = None
    subgroups: Names = None

    @property
    def narrowed(self) -> bool:
        """Whether its tables show fewer endpoints or subgroups than there are."""
        return self.endpoints is not None or self.subgroups is not None
