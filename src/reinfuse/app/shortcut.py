"""An entry of the app in the desktop's menu."""

from __future__ import annotations

import os
import re
import sys
from importlib.resources import files
from pathlib import Path

from reinfuse.exceptions import OutputRefused, Problem

_ENTRY = """[Desktop Entry]
Type=Application
Name=reinfuse
Comment=From a centre's spreadsheet of repeat CAR-T infusions to a report. Data stay on this machine.
Exec={command}
Icon={icon}
Terminal=false
Categories=Science;MedicalSoftware;
"""


def install_shortcut() -> Path:
    """Write the entry, and return where it is.

    Raises
    ------
    OutputRefused
        If this system has another kind of menu, or it cannot be written.
    """
    if not sys.platform.startswith("linux"):
        rule = "has no desktop entries"
        remedy = f"make a shortcut to this command by hand: {_command()}"
        raise OutputRefused([Problem(value=sys.platform, rule=rule, remedy=remedy)])
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    place = Path(data) / "applications" / "reinfuse.desktop"
    icon = Path(str(files("reinfuse.app"))) / "static" / "icon.svg"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_ENTRY.format(command=_command(), icon=icon), encoding="utf-8")
    except OSError as error:
        rule, remedy = f"could not be written ({error.strerror})", "ask for the right to write there"
        raise OutputRefused([Problem(value=str(place), rule=rule, remedy=remedy)]) from None
    return place


def _command() -> str:
    """Return the command as an entry's ``Exec`` writes it: in double quotes, `%` (which begins a code) twice."""
    program = re.sub(r'(["`$\\])', r"\\\1", sys.executable).replace("%", "%%")
    return f'"{program}" -m reinfuse.cli app'
