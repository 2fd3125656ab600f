"""Problems: what is wrong or odd in the data; corrected here, or left with a reason. The source never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reinfuse.app.screen import Screen, Visit
from reinfuse.app.state import command, corrections_of, has_meaning, imported, map_of, needs_map
from reinfuse.exceptions import Problem, SourceRefused

if TYPE_CHECKING:
    from starlette.responses import Response

_ROWS = 50
"""Rows of one kind of problem that have a field of their own; the others come when these are mended."""


def _show(visit: Visit) -> Response:
    from reinfuse.study.data_review import review_data

    project = visit.open_project
    shown = review_data(project.source, map_path=map_of(project), corrections=corrections_of(project))
    name, *more = ("import", "--out", "cohort") if needs_map(project) else ("check",)
    return visit.page("problems.html", shown=shown, most=_ROWS, by_map=needs_map(project),
                      command=command(project, name, *more))  # fmt: skip


def _decide(visit: Visit) -> Response:
    """Note what was corrected, or left."""
    from reinfuse.study.corrections import note_correction

    form, project = visit.form, visit.open_project
    leave = form.get("decision") == "leave"
    old = form.get("old", "")
    new = old if leave else form.get("new", "")
    if not leave and new == old:
        problem = Problem(table=form.get("table"), column=form.get("column"), value=old, rule="was not changed",
                          remedy="write what should stand there; a warning can be left as it is")  # fmt: skip
        raise SourceRefused([problem])
    note_correction(project.corrections, table=form.get("table", ""), row=form.get("row", ""),
                    column=form.get("column", ""), old=old, new=new, reason=form.get("reason", ""))  # fmt: skip
    return visit.go()


def _take_back(visit: Visit) -> Response:
    """Undo a decision; the ledger keeps both lines."""
    from reinfuse.study.corrections import take_back

    number = visit.form.get("number", "")
    take_back(visit.open_project.corrections, int(number) if number.isdecimal() else -1)
    return visit.go()


def _anew(visit: Visit) -> Response:
    """Set the ledger aside: nothing is decided any more."""
    from reinfuse.study.columns import begin_anew

    begin_anew(visit.open_project.corrections)
    return visit.go()


def _accept(visit: Visit) -> Response:
    """Write the cohort, and go on."""
    return visit.onward() if imported(visit.open_project) else visit.go()


SCREEN = Screen(
    name="problems",
    show=_show,
    actions={"decide": _decide, "back": _take_back, "anew": _anew, "accept": _accept},
    reachable=has_meaning,
)
