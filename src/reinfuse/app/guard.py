"""What stands before every page: only the browser on this machine that was let in is answered.

Plain ASGI, so that nothing passes it: not WebSockets, which middleware for requests does not see, and no path that has
no page. A page of another site cannot read the app under a name of its own that it points at this machine (``Host``),
cannot send a form (``Origin``, ``Sec-Fetch-Site``, the cookie's ``SameSite``), and cannot frame it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException

from reinfuse.app.activity import Activity
from reinfuse.app.uploads import MOST_BYTES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reinfuse.app.access import Access

CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
       "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")  # fmt: skip
FRAMED_CSP = ("sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
              "form-action 'none'; frame-ancestors 'self'")  # fmt: skip
"""Of a report that stands in a frame: no script runs in it, and it is of no origin."""
_HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",  # with no-referrer, Chromium sends `Origin: null` with the app's own forms
    "cache-control": "no-store",
}
_OWN_SITES = ("none", "same-origin")
_POLICY_VIOLATION = 1008
_TOO_LARGE = f"More than {MOST_BYTES // 1_000_000} MB at once are not taken."
_ENTER = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>reinfuse</title>
<link rel="icon" href="{icon}"><meta http-equiv="refresh" content="0;url={begin}"></head>
<body><p><a href="{begin}">Open reinfuse</a></p></body></html>
"""
"""A page, not a redirect: after one, a browser that came from elsewhere would not send the cookie."""


class Guard:
    """Answers for an application what it must not see, and sets the headers of what it answers.

    Parameters
    ----------
    port
        On which the app listens.
    """

    def __init__(self, app: ASGIApp, *, access: Access, port: int, activity: Activity) -> None:
        self.app, self.access, self.activity = app, access, activity
        self.hosts = (f"127.0.0.1:{port}", f"localhost:{port}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        if scope["type"] != "http":
            return
        headers = _texts(scope["headers"])
        if refusal := self._refusal(scope, headers):
            await _reply(send, 403, refusal)
            return
        if scope["path"] == f"{self.access.base}/enter":
            await self._enter(scope, send)
            return
        if not self.access.admits(headers.get("cookie", "")):
            await _reply(send, 403, "This browser was not let in. Start reinfuse app again.")
            return
        self.activity.touch()
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            await _reply(send, 413, _TOO_LARGE)
            return
        await self._answered(scope, receive, send)

    def _refusal(self, scope: Scope, headers: MutableMapping[str, str]) -> str | None:
        """Return why a request is not answered; None if it is."""
        if headers.get("host") not in self.hosts:
            return "This address is not that of the app."
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and origin not in [f"http://{host}" for host in self.hosts]:
            return "A page of another site asked."
        if "upgrade" in headers:
            return "There are no other protocols here."
        if not scope["path"].startswith(f"{self.access.base}/"):
            return "There is no such page."
        entering = scope["path"] == f"{self.access.base}/enter" and scope["method"] == "GET"
        if entering:  # from a file, a link of a terminal or a typed address: the key is what counts
            return None
        if site is not None and site not in _OWN_SITES:
            return "A page of another site asked."
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return "There are only pages and forms here."
        if scope["method"] == "POST" and origin is None:
            return "A form without an origin."
        return None

    async def _enter(self, scope: Scope, send: Send) -> None:
        key = parse_qs(scope["query_string"].decode("ascii", "replace")).get("key", [""])[0]
        if scope["method"] != "GET" or not self.access.enter(key):
            await _reply(send, 403, "This link was used already, or is not the app's. Start reinfuse app again.")
            return
        self.activity.touch()
        base = self.access.base
        body = _ENTER.format(begin=f"{base}/{self.access.begin}", icon=f"{base}/static/icon.svg")
        await _reply(send, 200, body, kind="text/html", cookie=self.access.cookie)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer: with the headers, and with no more of a body than is taken."""
        size, begun = 0, False

        async def measured() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MOST_BYTES:  # it came in pieces, without its length
                raise HTTPException(413, _TOO_LARGE)
            return message

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                own = {name.lower() for name, _ in message.get("headers", ())}
                more = [(n.encode(), v.encode()) for n, v in _HEADERS.items() if n.encode() not in own]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        try:
            await self.app(scope, measured, with_headers)
        except Exception as error:  # its text may hold a value: neither page nor terminal shows it
            if os.environ.get("REINFUSE_DEBUG"):
                raise
            if not begun:
                await _reply(send, 500, f"reinfuse failed: {type(error).__name__}.")


def _texts(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by name; one that is sent twice is joined, and so is no known value."""
    texts: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joint = "; " if name == "cookie" else ", "
        texts[name] = f"{texts[name]}{joint}{value}" if name in texts else value
    return texts


async def _reply(send: Send, status: int, text: str, *, kind: str = "text/plain", cookie: str = "") -> None:
    """Answer without the application."""
    headers: dict[str, Any] = {**_HEADERS, "content-type": f"{kind}; charset=utf-8"}
    if cookie:
        headers["set-cookie"] = cookie
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    body = text.encode()
    await send({"type": "http.response.start", "status": status,
                "headers": [*lines, (b"content-length", str(len(body)).encode())]})  # fmt: skip
    await send({"type": "http.response.body", "body": body})
