"""Report: curves whose steps lead back to the rows of the data, estimates, documents, and what may leave the centre."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reinfuse.app.analysis_state import has_results, in_folder, note_seen
from reinfuse.app.curve_drawing import drawn
from reinfuse.app.screen import Screen, Visit
from reinfuse.app.state import analysed, command
from reinfuse.exceptions import Problem, Refused, RequestRefused

if TYPE_CHECKING:
    from starlette.responses import Response

    from reinfuse.app.project import Project
    from reinfuse.study.curve_steps import CurveChart
    from reinfuse.study.deciding_rows import DecidingRows

_KINDS = {".html": "text/html", ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
          ".pdf": "application/pdf", ".csv": "text/csv", ".bib": "text/plain", ".json": "application/json"}  # fmt: skip
_TABLES = ("estimates.csv", "curves.csv", "patients.csv", "findings.json", "references.bib")
VIEWS = ("curves", "estimates", "documents", "share")
SMALLEST, LEAST = 11, 3


@lru_cache(maxsize=8)
def _charts(results: Path, changed: float, until: int) -> tuple[CurveChart, ...]:
    from reinfuse.study.curve_steps import charts

    del changed
    return charts(results, until=until or None)


def _show(visit: Visit) -> Response:
    from reinfuse.study.results_folder import about_results

    project = visit.open_project
    note_seen(project.plan)
    view = visit.query.get("view", VIEWS[0])
    about = about_results(project.results, project.plan)
    shown = {"curves": _curves, "estimates": _estimates, "documents": _documents, "share": _share}
    replay = command(project, "analyze", "--plan", "plan.toml", "--out", "results")
    return shown.get(view, _curves)(visit, {"about": about, "view": view if view in VIEWS else VIEWS[0],
                                            "views": VIEWS, "command": replay})  # fmt: skip


def _curves(visit: Visit, page: dict[str, Any]) -> Response:
    project = visit.open_project
    until = visit.query.get("until", "")
    every = _charts(project.results, (project.results / "curves.csv").stat().st_mtime, _whole(until))
    chart = next((c for c in every if c.name == visit.query.get("chart")), every[0] if every else None)
    curve, step, rows = 0, None, None
    problems: Sequence[Problem] = ()
    if chart is not None and "day" in visit.query:
        curve = _whole(visit.query.get("curve", "0"))
        step = next((s for c in chart.curves[curve : curve + 1] for s in c.steps if f"{s.day:g}" == visit.query["day"]),
                    None)  # fmt: skip
    if chart is not None and step is not None:
        try:
            rows = _rows(project, chart, chart.curves[curve].level, step.day)
        except Refused as refused:
            problems = refused.problems
    return visit.page("report_curves.html", charts=every, chart=chart, drawn=drawn(chart) if chart else None,
                      curve=curve, step=step, rows=rows, problems=problems, until=until,
                      spans=visit.pages.texts["report"]["spans"], **page)  # fmt: skip


def _rows(project: Project, chart: CurveChart, level: str, day: float) -> DecidingRows:
    from reinfuse.study.deciding_rows import deciding_rows

    cohort, plan = analysed(project)
    return deciding_rows(project.results, cohort, plan, chart, level=level, day=day,
                         origins=project.cohort / "provenance.csv")  # fmt: skip


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _estimates(visit: Visit, page: dict[str, Any]) -> Response:
    from reinfuse.study.estimate_list import estimate_list

    wanted = {name: visit.query.get(name, "") for name in ("analysis", "endpoint", "words")}
    listed = estimate_list(visit.open_project.results, analysis=wanted["analysis"], endpoint=wanted["endpoint"],
                           words=wanted["words"].split())  # fmt: skip
    return visit.page("report_estimates.html", listed=listed, wanted=wanted, **page)


def _documents(visit: Visit, page: dict[str, Any]) -> Response:
    from reinfuse.study.results_folder import documents

    results = visit.open_project.results
    of = documents(results)
    wanted = visit.query.get("document", "")
    chosen = wanted if wanted in of else next(iter(of), "")
    tables = [name for name in _TABLES if (results / name).is_file()]
    return visit.page("report_documents.html", documents=of, chosen=chosen, tables=tables, folder=results, **page)


def _document(visit: Visit) -> Response:
    """Answer with a document for the frame, or any file of the results to be saved."""
    from reinfuse.study.results_folder import documents

    results = visit.open_project.results
    files = [f"{name}{kind}" for name, kinds in documents(results).items() for kind in kinds]
    if visit.rest not in (*files, *_TABLES) or not (results / visit.rest).is_file():
        remedy = "go back to the documents"
        raise RequestRefused([Problem(value=visit.rest, rule="is no document of these results", remedy=remedy)])
    path = results / visit.rest
    if path.suffix == ".html" and "save" not in visit.query:
        return visit.framed(path.read_text(encoding="utf-8"))
    return visit.file(path.read_bytes(), _KINDS[path.suffix], save_as=path.name)


def _share(visit: Visit, page: dict[str, Any]) -> Response:
    from reinfuse.study.sharing import preview

    project, smallest, of = visit.open_project, _smallest(visit.query.get("smallest", "")), None
    problems: Sequence[Problem] = ()
    try:
        of = preview(project.results, smallest=smallest)
    except Refused as refused:
        problems = refused.problems
    page["command"] = in_folder(project, "share", "results", "--small-cells", str(smallest))
    return visit.page("report_share.html", of=of, problems=problems, smallest=smallest, least=LEAST,
                      task=visit.services.tasks.get(project.task("share")), out=_shared(project), **page)  # fmt: skip


def _smallest(text: str) -> int:
    return max(LEAST, min(int(text), 1000)) if text.isdecimal() else SMALLEST


def _shared(project: Project) -> Path:
    return project.results.with_name(f"{project.results.name}-shared")


def _make_shared(visit: Visit) -> Response:
    project = visit.open_project
    smallest = _smallest(visit.form.get("smallest", ""))
    visit.services.tasks.begin(project.task("share"), "share", {
        "results": str(project.results), "out": str(_shared(project)), "smallest": smallest})  # fmt: skip
    return visit.go(view="share", smallest=str(smallest))


def _sharing(visit: Visit) -> Response:
    return visit.fragment("sharing.html", task=visit.services.tasks.get(visit.open_project.task("share")),
                          out=_shared(visit.open_project))  # fmt: skip


def _stop(visit: Visit) -> Response:
    visit.services.tasks.stop(visit.open_project.task("share"))
    return visit.go(view="share")


SCREEN = Screen(name="report", show=_show, actions={"share": _make_shared}, anytime={"stop": _stop},
                parts={"document": _document, "sharing": _sharing}, reachable=has_results)  # fmt: skip
