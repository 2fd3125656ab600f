"""What was given, on its way to an analysis: a cohort, or a source with its map; with what a person corrected in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reinfuse.sources.recognition import recognise
from reinfuse.study.corrections import corrected_cohort

if TYPE_CHECKING:
    from reinfuse.cohort.raw_tables import CohortInput
    from reinfuse.plan.analysis_plan import Plan


def cohort_and_plan(path: Path, *, map_path: Path | None = None, plan: Path | None = None,
                    corrections: Path | None = None) -> tuple[CohortInput, Plan | Path | None]:  # fmt: skip
    """Return a cohort as an analysis takes it, and its plan: a trial's own one where none is named.

    Parameters
    ----------
    path
        A cohort; with `map_path`, a source.
    corrections
        Ledger of what was corrected in it.

    Raises
    ------
    MapRefused, SourceRefused
        As `sources.import_source`.
    """
    if map_path is None:
        return corrected_cohort(path, corrections), plan
    from reinfuse.study.sources import import_source, plan_of_trial

    checked = import_source(path, map_path, corrections=corrections)
    assert checked.cohort is not None
    return checked.cohort.raw, plan or plan_of_trial(checked)


def is_cohort(path: Path) -> bool:
    """Tell whether data are a cohort of the contract, to be read without a map."""
    return recognise(path).kind == "cohort"
