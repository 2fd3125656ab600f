"""A figure that a report may have: where it stands, its name, how it is drawn, and from what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from reinfuse.report.figures.theme import Columns, Drawn
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.results.findings import Findings

Draw = Callable[[], Drawn | None]
Planned = tuple[str, str, Draw]
"""The section in which a figure stands, its name, and how it is drawn (None: nothing to draw)."""
MOST_GROUPS = 6
"""Groups of a factor that a figure tells apart."""


@dataclass(frozen=True)
class FigureInputs:
    """What the figures of a study are drawn from.

    Attributes
    ----------
    findings
        The results; those that were read back hold no single patient.
    columns
        Columns of a journal's page that each figure spans; None: what suits the figure.
    counts_alone
        True for a report on the CAR-T counts alone, which has more figures of them.
    every_group
        True for curves of every time to event by every factor that has levels.
    """

    findings: Findings
    columns: Columns | None = None
    counts_alone: bool = False
    every_group: bool = False

    @cached_property
    def tables(self) -> StudyTables:
        """Records, labels and tables, by which a figure chooses what it draws."""
        return StudyTables(self.findings)

    @property
    def synthetic(self) -> bool:
        """Whether the data are synthetic, which every figure says."""
        return bool(self.findings.provenance["synthetic"])

    @property
    def one(self) -> Columns:
        """The width of a figure that suits one column."""
        return self.columns or 1

    @property
    def two(self) -> Columns:
        """The width of a figure that suits two columns."""
        return self.columns or 2

    @cached_property
    def modelled(self) -> dict[str, None]:
        """Names of the factors of the plan's models, in order."""
        return dict.fromkeys(f for m in self.findings.plan.models for f in m.factors)
