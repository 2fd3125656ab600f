"""All tables of one study in one object, for the analyses that show them."""

from __future__ import annotations

from reinfuse.report.tables.kinetics import KineticTables
from reinfuse.report.tables.main import MainTables
from reinfuse.report.tables.protocols import ProtocolTables


class StudyTables(ProtocolTables, KineticTables, MainTables):
    """Makes every table of one study."""
