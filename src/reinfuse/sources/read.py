"""The one way from a path to a `Source`, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reinfuse.exceptions import Problem
from reinfuse.sources.recognition import recognise
from reinfuse.sources.source_table import KINDS, Layout, Source, SourceKind
from reinfuse.sources.spreadsheet import read_text, read_workbook

_NO_LAYOUTS: Mapping[str, Layout] = {}
_READERS: Mapping[SourceKind, Callable[[Path, Mapping[str, Layout]], Source]] = {
    "excel": read_workbook, "csv": read_text,
}  # fmt: skip


def read_source(path: Path, *, kind: SourceKind | None = None, layouts: Mapping[str, Layout] = _NO_LAYOUTS) -> Source:
    """Read a file or folder in a foreign format; nothing of it is understood yet.

    Parameters
    ----------
    path
        The file or folder.
    kind
        What it is; found out where it is None.
    layouts
        Where header and data stand, by sheet: those of a confirmed map. Other sheets get a proposal.

    Returns
    -------
    Source
        Its `problems` say what could not be read, or is no source at all.
    """
    if kind is None:
        recognised = recognise(path)
        if recognised.kind is None or recognised.kind == "cohort":
            return _nothing(path, recognised.why)
        kind = recognised.kind
    reader = _READERS.get(kind)
    return reader(path, layouts) if reader else _nothing(path, f"sources of the kind {kind} are not read")


def _nothing(path: Path, why: str) -> Source:
    remedy = f"name a file or folder that is one of: {', '.join(KINDS)}"
    return Source("excel", path.name, (), (Problem(table=path.name, rule=why, remedy=remedy),))
