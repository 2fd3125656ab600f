"""The app is started: on 127.0.0.1 and a free port, opened in the browser by a link that works once, ended when idle.

There is no option for another address. The link reaches the browser through a private file, so that it stands in no
list of processes; nothing is logged.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from reinfuse.app.activity import IDLE_SECONDS, Activity
from reinfuse.app.application import application
from reinfuse.app.project import home, project_of
from reinfuse.app.screens.registry import SCREENS
from reinfuse.app.services import Services

if TYPE_CHECKING:
    from starlette.types import ASGIApp

ADDRESS = "127.0.0.1"
_TICK, _PATIENCE = 0.25, 2.0
_REDIRECT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>reinfuse</title>
<meta http-equiv="refresh" content="0;url={link}"></head><body><p><a href="{link}">Open reinfuse</a></p></body></html>
"""


def serve(cohort: Path | None = None, *, open_browser: bool = True, tell: Callable[[str], None],
          idle_seconds: float = IDLE_SECONDS) -> None:  # fmt: skip
    """Run the app until it is closed, idle, or stopped.

    Parameters
    ----------
    cohort
        Data, or the folder of a project, to open.
    open_browser
        Open the page; else, and where no browser opens, its link is told.
    tell
        Shows a sentence to the person who started it.
    idle_seconds
        Without a request, after which it ends.

    Raises
    ------
    SourceRefused
        If the data are not there.
    """
    services = Services()
    try:
        if cohort is not None:
            services.access.begin = f"p/{services.opened(project_of(cohort)).id}/"
        with socket.socket() as listener:
            listener.bind((ADDRESS, 0))
            listener.listen(128)
            port = listener.getsockname()[1]
            tempfile.tempdir = str(services.uploads.folder)  # what a form's parser writes meanwhile lies there too
            app = application(services, SCREENS, port=port)
            link = f"http://{ADDRESS}:{port}{services.access.base}/enter?key={services.access.key}"
            with (
                _redirect_file(link) as page,
                _opener(page, link, activity=services.activity, tell=tell, by_browser=open_browser),
            ):
                asyncio.run(_run(app, listener, services, idle_seconds))
    finally:
        tempfile.tempdir = None
        services.tasks.end()
        services.uploads.remove()


async def _run(app: ASGIApp, listener: socket.socket, services: Services, idle_seconds: float) -> None:
    logging.getLogger("uvicorn").disabled = True
    logging.getLogger("uvicorn.error").disabled = True
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", lifespan="off", interface="asgi3",
                            proxy_headers=False, server_header=False, date_header=False,
                            timeout_graceful_shutdown=2)  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not (server.started or serving.done()):
        await asyncio.sleep(_TICK / 50)
    services.activity.serving.set()
    while not serving.done():
        await asyncio.sleep(_TICK)
        if services.activity.ending.is_set() or services.activity.is_idle(idle_seconds):
            server.should_exit = True
    await serving


@contextmanager
def _opener(page: Path, link: str, *, activity: Activity, tell: Callable[[str], None],
            by_browser: bool) -> Iterator[None]:  # fmt: skip
    """Open a page as soon as it is served, and beside that: a browser of the terminal returns only when it is left."""

    def lead() -> None:
        activity.serving.wait()
        if by_browser and webbrowser.open(page.as_uri()):
            tell(f"reinfuse is open in your browser, on this machine alone ({ADDRESS}). Ctrl-C ends it.")
        else:
            tell(f"Open this link, which works once, in a browser of this machine: {link}")

    thread = threading.Thread(target=lead, daemon=True)
    thread.start()
    yield
    thread.join(_PATIENCE)


@contextmanager
def _redirect_file(link: str) -> Iterator[Path]:
    """Keep a page that leads to a link: for its owner alone; in no hidden folder, which some browsers cannot read."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="open-", dir=home()))
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="reinfuse-open-"))
    page = folder / "reinfuse.html"
    try:
        page.touch(mode=0o600)
        page.write_text(_REDIRECT.format(link=escape(link)), encoding="utf-8")
        yield page
    finally:
        with suppress(OSError):
            page.unlink(missing_ok=True)
            folder.rmdir()
