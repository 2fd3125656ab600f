"""What a plan says of published studies: `[evidence]`. Further folders of them, and across what they are pooled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from reinfuse.cohort.declarations import MOST_DECLARED, Declaration, Text

Difference = Literal["antigen", "construct", "purpose", "treatment", "infusion"]
MOST_FOLDERS = 20


class EvidenceOptions(Declaration):
    """The published studies beside which the cohort is shown.

    Attributes
    ----------
    registers
        Folders of further studies, of the form of the register, or written by `reinfuse evidence update`; in the file
        of a plan, as seen from the folder in which it lies.
    across
        In what studies may differ from a second infusion of the same CD19 CAR T-cell product for active disease, and
        be pooled all the same.
    leave_out
        Names of studies that hold patients of this cohort, so that nobody is counted twice.
    """

    registers: Annotated[tuple[Text, ...], Field(max_length=MOST_FOLDERS)] = ()
    across: tuple[Difference, ...] = ()
    leave_out: Annotated[tuple[Text, ...], Field(max_length=MOST_DECLARED)] = ()


def seen_from(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a plan's file with the folders of `[evidence]` as seen from here."""
    own = settings.get("evidence")
    if not isinstance(own, dict) or not isinstance(own.get("registers"), list):
        return settings
    places = [str(folder / place) if isinstance(place, str) else place for place in own["registers"]]
    return {**settings, "evidence": {**own, "registers": places}}
