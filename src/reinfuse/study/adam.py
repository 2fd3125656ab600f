"""A cohort written as data sets of ADaM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reinfuse.cohort.raw_tables import CohortInput
from reinfuse.exceptions import ExtraMissing
from reinfuse.output import Destination
from reinfuse.runtime import extras
from reinfuse.sources.cdisc.adam_tables import adam_tables, is_dated
from reinfuse.sources.cdisc.writing import dataset_json, write_xpt
from reinfuse.study.plans import PlanOrPath, plan_of
from reinfuse.study.study import Study
from reinfuse.version import __version__


@dataclass(frozen=True)
class WrittenAdam:
    """The data sets that were written.

    Attributes
    ----------
    records
        Name of a data set -> its records.
    notes
        What is not in them, in sentences without their full stop.
    """

    path: Path
    records: dict[str, int]
    notes: tuple[str, ...]


def export_adam(cohort: CohortInput, plan: PlanOrPath = None, *, place: Destination) -> WrittenAdam:
    """Write ADSL, ADTTE and ADRS of the analysed patients as Dataset-JSON and, with the extra `sas`, as XPT.

    Raises
    ------
    CohortRefused, PlanRefused
        With every problem.
    OutputRefused
        If the folder cannot be written.
    """
    place.check()
    study = Study.read(cohort, plan_of(plan))
    sets = adam_tables(study.cohort, study.data, index=study.plan.index_infusion)
    notes = [] if is_dated(study.cohort) else ["the cohort has no dates: STARTDT and ADT are empty"]
    try:
        extras.require("sas")
        xpt = True
    except ExtraMissing:
        xpt = False
        notes.append(f"XPT is not written without the extra sas: {extras.command('sas')}")
    created = datetime.now(UTC)

    def fill(folder: Path) -> None:
        for one in sets:
            text = dataset_json(one, system="reinfuse", version=__version__, created=created)
            (folder / f"{one.name.lower()}.json").write_text(text, encoding="utf-8")
            if xpt:
                write_xpt(one, folder / f"{one.name.lower()}.xpt")

    return WrittenAdam(place.write(fill), {s.name: s.records for s in sets}, tuple(notes))
