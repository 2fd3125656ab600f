"""The addresses of the app, and what happens to a request: form, project, stamp, answer, and what went wrong in words.

``BASE/``                          the page where data are chosen
``BASE/open/ACTION``               its forms
``BASE/p/PROJECT/``                on to the screen where one was
``BASE/p/PROJECT/SCREEN``          a screen; ``/ACTION`` its forms, ``/PART/REST`` more of it
``BASE/static/NAME``               style sheet, script, icon
``BASE/quit``                      ends the app
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from reinfuse.app.guard import Guard
from reinfuse.app.pages import Pages
from reinfuse.app.project import Outdated
from reinfuse.app.screen import Screen, Visit
from reinfuse.app.uploads import MOST_FILES
from reinfuse.exceptions import Refused
from reinfuse.runtime.boundary import place_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from reinfuse.app.services import Services

_FIELDS, _FIELD_BYTES = 20_000, 1_000_000
_STATIC = Path(str(files("reinfuse.app"))) / "static"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def application(services: Services, screens: Sequence[Screen], *, port: int) -> ASGIApp:
    """Return the app behind its guard.

    Parameters
    ----------
    screens
        The first one chooses the data, and is the page without a project.
    port
        On which it listens.
    """
    pages = Pages(services.access.base, screens)
    routes = _Routes(services, pages, screens)
    base = services.access.base
    inner = Starlette(routes=[
        Route(f"{base}/", routes.start),
        Route(f"{base}/open/{{action}}", routes.open, methods=["POST"]),
        Route(f"{base}/quit", routes.quit, methods=["POST"]),
        Route(f"{base}/static/{{name}}", _static),
        Route(f"{base}/p/{{project}}/", routes.resume),
        Route(f"{base}/p/{{project}}/{{screen}}", routes.show),
        Route(f"{base}/p/{{project}}/{{screen}}/{{action}}", routes.act, methods=["POST"]),
        Route(f"{base}/p/{{project}}/{{screen}}/{{part}}", routes.part),
        Route(f"{base}/p/{{project}}/{{screen}}/{{part}}/{{rest:path}}", routes.part),
    ])  # fmt: skip
    return Guard(inner, access=services.access, port=port, activity=services.activity)


class _Routes:
    """Takes each request to the screen that answers it."""

    def __init__(self, services: Services, pages: Pages, screens: Sequence[Screen]) -> None:
        self.services, self.pages, self.first = services, pages, screens[0]
        self.screens: Mapping[str, Screen] = {s.name: s for s in screens}

    async def start(self, request: Request) -> Response:
        screen = self.first
        visit = Visit(services=self.services, pages=self.pages, project=None, screen=screen.name,
                      query=dict(request.query_params))  # fmt: skip
        return await run_in_threadpool(_answered, visit, screen.show)

    async def open(self, request: Request) -> Response:
        screen = self.first
        action = screen.openings.get(request.path_params["action"])
        if action is None:
            return _missing()
        async with request.form(max_files=MOST_FILES, max_fields=_FIELDS, max_part_size=_FIELD_BYTES) as form:
            visit = Visit(services=self.services, pages=self.pages, project=None, screen=screen.name, **_sent(form))
            return await run_in_threadpool(_answered, visit, action)

    async def resume(self, request: Request) -> Response:
        project = self.services.project(request.path_params["project"])
        if project is None:
            return _missing()
        screen = self.screens.get(project.screen)
        if screen is None or not screen.reachable(project):
            screen = self.first
        return RedirectResponse(self.pages.address(project, screen.name), 303)

    async def show(self, request: Request) -> Response:
        visit, screen = self._visit(request)
        if visit is None or screen is None:
            return _missing()
        if not screen.reachable(visit.open_project):
            return RedirectResponse(visit.address(self.first.name), 303)
        visit.open_project.remember(screen.name)
        return await run_in_threadpool(_answered, visit, screen.show)

    async def part(self, request: Request) -> Response:
        visit, screen = self._visit(request)
        part = screen.parts.get(request.path_params["part"]) if screen else None
        if visit is None or part is None:
            return _missing()
        return await run_in_threadpool(_answered, visit, part)

    async def act(self, request: Request) -> Response:
        async with request.form(max_files=MOST_FILES, max_fields=_FIELDS, max_part_size=_FIELD_BYTES) as form:
            visit, screen = self._visit(request, form)
            name = request.path_params["action"]
            if visit is None or screen is None or not (action := {**screen.actions, **screen.anytime}.get(name)):
                return _missing()
            stamped = name in screen.actions
            return await run_in_threadpool(_answered, visit, action, stamped=stamped)

    async def quit(self, request: Request) -> Response:
        del request
        self.services.activity.ending.set()
        visit = Visit(services=self.services, pages=self.pages, project=None, screen="closed")
        return await run_in_threadpool(_answered, visit, lambda v: v.page("closed.html"))

    def _visit(self, request: Request, form: FormData | None = None) -> tuple[Visit | None, Screen | None]:
        project = self.services.project(request.path_params["project"])
        screen = self.screens.get(request.path_params["screen"])
        if project is None or screen is None:
            return None, None
        return Visit(services=self.services, pages=self.pages, project=project, screen=screen.name,
                     query=dict(request.query_params), rest=request.path_params.get("rest", ""),
                     **_sent(form)), screen  # fmt: skip


def _sent(form: FormData | None) -> dict[str, Any]:
    """Return texts and files of a form."""
    choices: dict[str, list[str]] = {}
    uploads = []
    for name, value in () if form is None else form.multi_items():
        if isinstance(value, UploadFile):
            if value.filename:
                uploads.append((value.filename, value.file))
        else:
            choices.setdefault(name, []).append(value)
    return {"form": {name: values[-1] for name, values in choices.items()}, "choices": choices, "files": uploads,
            "posted": form is not None}  # fmt: skip


def _answered(visit: Visit, action: Callable[[Visit], Response], *, stamped: bool = False) -> Response:
    """Return what an action answers; what is refused, and what fails, as a page without any traceback."""
    project = visit.project
    stamp = visit.form.get("stamp", "") if stamped else None
    try:
        with project.changing(stamp) if project is not None and stamped else nullcontext():
            return action(visit)
    except Outdated:
        return visit.page("outdated.html", status=409)
    except Refused as refused:
        back = (
            visit.address(visit.screen if visit.posted else visit.pages.screens[0].name)
            if project
            else f"{visit.pages.base}/"
        )
        return visit.page("refused.html", status=422, problems=refused.problems, summary=refused.summary, back=back)
    except Exception as error:
        if os.environ.get("REINFUSE_DEBUG"):
            raise
        return visit.page("failed.html", status=500, what=place_of(error))


def _static(request: Request) -> Response:
    place = _STATIC / request.path_params["name"]
    if place.parent != _STATIC or not place.is_file() or place.suffix not in _KINDS:
        return _missing()
    return FileResponse(place, media_type=_KINDS[place.suffix])


def _missing() -> Response:
    return PlainTextResponse("There is no such page.", 404)
