"""Columns: what each column of a centre's own file means, confirmed or changed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reinfuse.app.screen import Screen, Visit
from reinfuse.app.state import imported, needs_map

if TYPE_CHECKING:
    from starlette.responses import Response

    from reinfuse.study.columns import MapReview

_MOST_LEFT = 300
"""Columns that are not read and are listed one by one."""


def _review(visit: Visit) -> MapReview:
    from reinfuse.study.columns import review

    project = visit.open_project
    return review(project.source, project.map, corrections=project.corrections)


def _show(visit: Visit) -> Response:
    from reinfuse.study.columns import OtherSource

    try:
        return _page(visit, _review(visit), {}, {})
    except OtherSource:
        return visit.page("columns_anew.html", status=409)


def _page(visit: Visit, shown: MapReview, faults: dict[str, str], answers: dict[str, str]) -> Response:
    from reinfuse.study.columns import choices_of, question_key, text_and_hint

    read = [c for c in shown.columns if c.meanings or c.questions]
    left = [c for c in shown.columns if not c.meanings and not c.questions]
    return visit.page("columns.html", status=422 if faults else 200, shown=shown, read=read, left=left[:_MOST_LEFT],
                      more=max(0, len(left) - _MOST_LEFT), faults=faults, answers=answers, key_of=question_key,
                      text_of=text_and_hint, choices_of=lambda question: choices_of(shown, question),
                      several=len(shown.source.tables) > 1)  # fmt: skip


def _column(visit: Visit) -> Response:
    """Show all texts of one column, and what else it could mean."""
    from reinfuse.study.columns import columns_named

    shown = _review(visit)
    columns = columns_named(shown, visit.query.get("sheet", ""), header=visit.query.get("header", ""))
    if not columns:
        return visit.go()
    return visit.page("column.html", column=columns[0], choices=shown.meanings_for(columns[0]))


def _answer(visit: Visit) -> Response:
    """Take the answers that were given; those left empty stay open."""
    from reinfuse.study.columns import answer_questions

    shown = _review(visit)
    given = {k.removeprefix("q:"): v.strip() for k, v in visit.form.items() if k.startswith("q:") and v.strip()}
    answers = {
        key: "" if answer in ('""', visit.pages.texts["columns"]["empty"]) else answer for key, answer in given.items()
    }
    faults = answer_questions(shown, visit.open_project.map, answers=answers)
    return _page(visit, shown, faults, given) if faults else visit.go()


def _change(visit: Visit) -> Response:
    from reinfuse.study.columns import change_meaning

    change_meaning(_review(visit), visit.open_project.map, sheet=visit.form.get("sheet", ""),
                   header=visit.form.get("header", ""), meaning=visit.form.get("meaning", ""))  # fmt: skip
    return visit.go()


def _again(visit: Visit) -> Response:
    from reinfuse.study.columns import ask_again

    ask_again(_review(visit), visit.open_project.map, key=visit.form.get("key", ""))
    return visit.go()


def _anew(visit: Visit) -> Response:
    from reinfuse.study.columns import begin_anew

    begin_anew(visit.open_project.map)
    return visit.go()


def _import(visit: Visit) -> Response:
    """Import the cohort; what keeps it from being one stands on the next screen."""
    imported(visit.open_project)
    return visit.go("problems")


SCREEN = Screen(name="columns", show=_show, parts={"column": _column}, applies=needs_map, reachable=needs_map,
                actions={"answer": _answer, "change": _change, "again": _again, "anew": _anew,
                         "import": _import})  # fmt: skip
