"""Virtual trials: two protocols compared in virtual patients, by sliders; groups, not one patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reinfuse.app.screen import Screen, Visit
from reinfuse.exceptions import ExtraMissing

if TYPE_CHECKING:
    from starlette.responses import Response

    from reinfuse.app.tasks import Task

REGIMENS = ("Cy-Flu", "Cy", "Flu", "None")
PATIENTS = 5000
_START = {"cart1": "Cy-Flu", "cart2": "Cy-Flu", "dose1": "6.3", "dose2": "6.3", "interval": "120"}
_SLIDERS = {"dose1": (5.0, 8.0, 0.1), "dose2": (5.0, 8.0, 0.1), "interval": (31.0, 365.0, 1.0)}
"""Least, greatest and step: log10 of cells/kg, and days."""
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_KEY = "virtual"
_AT_ONCE = 0.8
"""Seconds that an answer waits for a simulation, before it says that one goes on."""


def _arms(query: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the settings of both protocols as the page shows them, each within its bounds."""
    defaults = {"A": _START, "B": _START | {"dose2": "7.3"}}
    arms: dict[str, dict[str, str]] = {}
    for name, of in defaults.items():
        arms[name] = {}
        for setting, default in of.items():
            value = query.get(f"{setting}-{name}", default)
            arms[name][setting] = _within(value, default, setting) if setting in _SLIDERS else (
                value if value in REGIMENS else default)  # fmt: skip
    return arms


def _within(value: str, default: str, setting: str) -> str:
    low, high, _ = _SLIDERS[setting]
    try:
        number = float(value)
    except ValueError:
        return default
    return f"{min(max(number, low), high):g}" if number == number else default


def _as_asked(arm: Mapping[str, str]) -> dict[str, object]:
    """Return a protocol as the service layer takes it: doses in cells/kg, with two digits."""
    doses = {name: float(f"{10 ** float(arm[name]):.1e}") for name in ("dose1", "dose2")}
    return {**arm, **doses, "interval": float(arm["interval"])}


def _asked(visit: Visit, arms: dict[str, dict[str, str]]) -> Task:
    """Return the task of these protocols: a new one, unless it is the last one, or one still runs."""
    asked = [_as_asked(a) for a in arms.values()]
    tasks = visit.services.tasks
    task = tasks.get(_KEY)
    if task is None or task.arguments["arms"] != asked or task.state in ("failed", "stopped"):
        task = tasks.begin(_KEY, "virtual", {"arms": asked, "patients": PATIENTS}, keep=True)
    task.ended.wait(_AT_ONCE)
    if task.arguments["arms"] != asked and task.ended.is_set():  # an earlier one has ended meanwhile
        task = tasks.begin(_KEY, "virtual", {"arms": asked, "patients": PATIENTS}, keep=True)
        task.ended.wait(_AT_ONCE)
    return task


def _context(visit: Visit) -> dict[str, Any]:
    arms = _arms(visit.query)
    task = _asked(visit, arms)
    is_it = task.arguments["arms"] == [_as_asked(a) for a in arms.values()]
    query = {f"{setting}-{name}": value for name, a in arms.items() for setting, value in a.items()}
    return {"arms": arms, "task": task if is_it else None, "again": visit.address("virtual", "outcomes", **query)}


def _show(visit: Visit) -> Response:
    from reinfuse.runtime.extras import require

    try:
        require("virtual")
    except ExtraMissing as missing:
        return visit.page("virtual_missing.html", problems=missing.problems)
    from reinfuse.study.virtual_comparison import missed_results

    banner, agreement, missed = missed_results()
    return visit.page(regimens=REGIMENS, sliders=_SLIDERS, banner=banner, agreement=agreement, missed=missed,
                      doses=_doses, **_context(visit))  # fmt: skip


def _doses(exponent: str) -> str:
    """Return a dose as a person reads it: `2 × 10⁶`."""
    mantissa, _, power = f"{10 ** float(exponent):.1e}".partition("e")
    return f"{float(mantissa):g} × 10{str(int(power)).translate(_RAISED)}"


def _outcomes(visit: Visit) -> Response:
    return visit.fragment("virtual_outcomes.html", doses=_doses, **_context(visit))


def _protocols(visit: Visit) -> Response:
    """Answer with the file that the command line reads."""
    from reinfuse.study.virtual_comparison import protocols_text

    text = protocols_text([_as_asked(a) for a in _arms(visit.query).values()])
    return visit.file(text.encode(), "application/toml", save_as="protocols.toml")


SCREEN = Screen(name="virtual", show=_show, parts={"outcomes": _outcomes, "protocols": _protocols})
