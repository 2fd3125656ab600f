"""Files that a browser sends: kept for their owner alone, under names of the app's own, within limits, gone at the end.

What a browser calls a file may hold a path, a device or a script: only the last part is kept, of letters, digits and a
few marks, and it names a file only within the folder of a project.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from reinfuse.exceptions import Problem, SourceRefused

MOST_BYTES = 200_000_000
"""Of all files that are sent at once."""
MOST_FILES = 200
ENDINGS = frozenset(
    ".csv .tsv .txt .xlsx .xlsm .parquet .json .ndjson .xml .xpt .sas7bdat .toml .dat .tab .dsjc".split()
)  # fmt: skip
"""Of files that may hold tables; others are not taken."""
_LONGEST = 80
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


class Uploads:
    """The folder of what is being sent: 0700, made when something is, and removed when the app ends."""

    def __init__(self) -> None:
        self._number = 0

    @cached_property
    def folder(self) -> Path:
        """The folder."""
        return Path(tempfile.mkdtemp(prefix="reinfuse-"))

    def receive(self, name: str, content: BinaryIO) -> tuple[str, Path]:
        """Write what a browser sends to a file of the app's own name.

        Returns
        -------
        tuple
            The plain name that the file may have in a project, and where it lies until then.

        Raises
        ------
        SourceRefused
            If the file's ending is none of a table.
        """
        plain = plain_file_name(name)
        if not is_table(name):
            remedy = f"drop a file that ends in one of: {', '.join(sorted(ENDINGS))}"
            raise SourceRefused([Problem(value=plain, rule="is no file of a table by its ending", remedy=remedy)])
        self._number += 1
        place = self.folder / f"upload-{self._number}"
        with place.open("xb") as file:
            place.chmod(0o600)
            shutil.copyfileobj(content, file)
        return plain, place

    def remove(self) -> None:
        """Remove the folder with all that was not taken into a project."""
        if "folder" in vars(self):
            shutil.rmtree(self.folder, ignore_errors=True)


def is_table(name: str) -> bool:
    """Tell whether a file may hold a table by its ending; hidden ones are a system's own."""
    last = re.split(r"[/\\]", name)[-1]
    return Path(plain_file_name(name)).suffix.casefold() in ENDINGS and not last.startswith((".", "~$"))


def plain_file_name(name: str) -> str:
    """Return the last part of a name, with nothing in it that a path, a shell or a system could mean."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join(c if c.isalnum() or c in " ._-()" else "_" for c in last).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    plain = f"{stem[:_LONGEST]}{dot}{ending[:10]}" if dot else plain[:_LONGEST]
    return f"file_{plain}" if not plain or plain.startswith("-") or _RESERVED.fullmatch(plain) else plain


def refuse_same_names(names: Sequence[str]) -> None:
    """Refuse files of which two would lie at one place.

    Raises
    ------
    SourceRefused
        With the names that stand twice.
    """
    plain = [name.casefold() for name in names]
    twice = sorted({n for n in names if plain.count(n.casefold()) > 1})
    if twice:
        remedy = "drop the files of one folder, each of its own name"
        rule = "is the name of several of these files"
        raise SourceRefused([Problem(value=name, rule=rule, remedy=remedy) for name in twice])
