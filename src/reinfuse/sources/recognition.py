"""What a file or folder is, told from its ending, its names and its first rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reinfuse.sources.source_table import SourceKind
from reinfuse.sources.spreadsheet import TEXTS, WORKBOOKS


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a path was recognised as (None: nothing that is read), and why, in words."""

    kind: SourceKind | Literal["cohort"] | None
    why: str


def recognise(path: Path) -> Recognition:
    """Tell what stands at a path, without reading more of it than is needed."""
    ending = path.suffix.casefold()
    if ending in WORKBOOKS:
        return Recognition("excel", f"a workbook ({ending})")
    if ending in TEXTS:
        return Recognition("csv", f"a text file ({ending})")
    return Recognition(None, f"files ending in {ending or 'nothing'} are not read")
