"""Who may use the app: whoever started it, by a link that works once and the cookie that it brings."""

from __future__ import annotations

import secrets
import threading
from hmac import compare_digest

COOKIE = "reinfuse"
_BYTES = 32


class Access:
    """The secrets of one start of the app.

    Attributes
    ----------
    base
        Path below which all pages lie, such as ``/x1Yz``: browsers send a cookie to every port of a host, but only
        below its path.
    key
        Of the link with which a browser enters.
    begin
        Address of the page to which it leads then, below the base.
    """

    def __init__(self) -> None:
        self.begin = ""
        self.base = f"/{secrets.token_urlsafe(12)}"
        self.key = secrets.token_urlsafe(_BYTES)
        self._secret = secrets.token_urlsafe(_BYTES)
        self._unused = True
        self._lock = threading.Lock()

    def enter(self, key: str) -> bool:
        """Tell whether a key opens the app; it does so once."""
        with self._lock:
            opens = self._unused and compare_digest(key.encode(), self.key.encode())
            self._unused = self._unused and not opens
            return opens

    @property
    def cookie(self) -> str:
        """The header that sets the cookie: no script reads it, and no other site's page sends it."""
        return f"{COOKIE}={self._secret}; Path={self.base}/; HttpOnly; SameSite=Strict"

    def admits(self, header: str) -> bool:
        """Tell whether a request's cookies hold that of the app, whatever other servers of this machine have set."""
        cookies = (part.partition("=") for part in header.split(";"))
        own = [value.strip() for name, _, value in cookies if name.strip() == COOKIE]
        return any(compare_digest(value.encode(), self._secret.encode()) for value in own)
