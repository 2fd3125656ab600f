"""What a screen is, and one request to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from reinfuse.app.guard import FRAMED_CSP

if TYPE_CHECKING:
    from reinfuse.app.pages import Pages
    from reinfuse.app.project import Project
    from reinfuse.app.services import Services


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request to a screen.

    Attributes
    ----------
    services
        What all projects share: activity, uploads, texts.
    project
        None on the page where data are chosen.
    screen
        Name of the screen.
    form, query
        Texts of the form that was sent, or of the address; a name that stands several times has its last value.
    choices
        All values of a name of the form.
    files
        Name and content of each file that was sent.
    posted
        Whether a form was sent.
    rest
        What stands in the address behind the part of a screen: ``km_os.svg`` of ``report/figure/km_os.svg``.
    """

    services: Services
    pages: Pages
    project: Project | None
    screen: str
    form: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Sequence[tuple[str, BinaryIO]] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    posted: bool = False
    rest: str = ""

    @property
    def open_project(self) -> Project:
        """The project; only for screens that have one."""
        assert self.project is not None
        return self.project

    def page(self, template: str = "", *, status: int = 200, **context: Any) -> Response:
        """Answer with a page of a template; default: that of the screen's name."""
        text = self.pages.page(template or f"{self.screen}.html", self.project, screen=self.screen,
                               address=self.address, **context)  # fmt: skip
        return HTMLResponse(text, status)

    def fragment(self, template: str, **context: Any) -> Response:
        """Answer with a part of a page, which the page's script puts in place (``data-poll``, ``data-part``)."""
        return HTMLResponse(self.pages.fragment(template, self.project, screen=self.screen, address=self.address,
                                                **context))  # fmt: skip

    def go(self, screen: str = "", **query: str) -> Response:
        """Answer a form: the browser goes on to a screen; default: this one."""
        return RedirectResponse(self.address(screen or self.screen, **query), 303)

    def onward(self) -> Response:
        """Answer a form: the browser goes on to the next screen that can be reached; else it stays."""
        return RedirectResponse(self.pages.after(self.open_project, self.screen), 303)

    def open(self, project: Project, screen: str = "", **query: str) -> Response:
        """Answer with the way into a project: to the screen where one was, or to one that is named."""
        return RedirectResponse(self.pages.address(project, screen, **query), 303)

    def address(self, screen: str, part: str = "", **query: str) -> str:
        """Return the address of a screen, or of a part or an action of it."""
        return self.pages.address(self.project, screen, part, **query)

    @staticmethod
    def json(value: Any) -> Response:
        """Answer with JSON."""
        return JSONResponse(value)

    @staticmethod
    def file(content: bytes, kind: str, *, save_as: str = "") -> Response:
        """Answer with a file: to be shown, or to be saved under a name of the app's own."""
        headers = {"content-disposition": f'attachment; filename="{save_as}"'} if save_as else {}
        return Response(content, headers=headers, media_type=kind)

    @staticmethod
    def framed(document: str) -> Response:
        """Answer with a whole report for a sandboxed frame: no script runs in it."""
        return HTMLResponse(document, headers={"content-security-policy": FRAMED_CSP})


Action = Callable[[Visit], Response]


@dataclass(frozen=True, kw_only=True)
class Screen:
    """One screen of the app.

    Attributes
    ----------
    name
        In addresses, in ``templates/NAME.html`` and in the texts: ``[NAME]`` with its ``title``.
    show
        Answers with the page.
    actions
        Name -> answers a form, ``POST .../NAME/ACTION``: only one change of a project happens at a time, and none by a
        page that is outdated.
    anytime
        As `actions`, of what an outdated page may ask too, such as to stop.
    parts
        Name -> answers with more than the page: ``GET .../NAME/PART/REST``.
    openings
        As `actions`, of the page without a project.
    applies
        Whether the project has this screen at all: a cohort has no columns to be mapped.
    reachable
        Whether the project is so far; else its place in the navigation is no link.
    """

    name: str
    show: Action
    actions: Mapping[str, Action] = field(default_factory=dict)
    anytime: Mapping[str, Action] = field(default_factory=dict)
    parts: Mapping[str, Action] = field(default_factory=dict)
    openings: Mapping[str, Action] = field(default_factory=dict)
    applies: Callable[[Project], bool] = lambda _: True
    reachable: Callable[[Project], bool] = lambda project: project.source.exists()
