"""A browser in a few lines: it drives the app in this process, keeps its cookie, and reads forms off its pages."""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

from reinfuse.app.application import application
from reinfuse.app.screens.registry import SCREENS
from reinfuse.app.services import Services

PORT = 8765
HOST = f"127.0.0.1:{PORT}"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def words(self):
        """The page's text as a person reads it."""
        return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<head>.*?</head>", "", self.text, flags=re.DOTALL)).split())

    @property
    def forms(self):
        reader = _Forms()
        reader.feed(self.text)
        return reader.forms


class _Forms(HTMLParser):
    """Reads the forms of a page: each with its action and what a browser would send of it."""

    def __init__(self):
        super().__init__()
        self.forms, self._form, self._select, self._area = [], None, None, None

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag == "form":
            self._form = {"action": a.get("action"), "fields": {}}
            self.forms.append(self._form)
        elif self._form is not None and tag == "input" and a.get("name") and a.get("type") != "file":
            if a.get("type") not in ("checkbox", "radio") or "checked" in a:
                before, value = self._form["fields"].get(a["name"]), a.get("value") or ""
                several = a.get("type") == "checkbox" and before is not None
                self._form["fields"][a["name"]] = [*([before] if isinstance(before, str) else before), value] if (
                    several) else value  # fmt: skip
        elif self._form is not None and tag == "select":
            self._select = a["name"]
        elif tag == "option" and self._select:
            if "selected" in a or self._select not in self._form["fields"]:
                self._form["fields"][self._select] = a.get("value") or ""
        elif self._form is not None and tag == "textarea":
            self._form["fields"][a["name"]] = ""

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None


@dataclass
class Browser:
    """Entered, unless `entered` is False."""

    services: Services = field(default_factory=Services)
    entered: bool = True

    def __post_init__(self):
        self.app = application(self.services, SCREENS, port=PORT)
        self.base = self.services.access.base
        self.cookie = ""
        if self.entered:
            answer = self.get(f"{self.base}/enter?key={self.services.access.key}")
            assert answer.status == 200
            self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def get(self, path="", *, headers=None, method="GET"):
        return self.ask(method, path, headers=headers or {})

    def post(self, path, fields=None, *, files=(), headers=None, follow=True):
        """Send a form from the app's own page; go where its answer leads."""
        body, kind = encoded(fields or {}, files)
        own = {"origin": f"http://{HOST}", "content-type": kind, "content-length": str(len(body))}
        answer = self.ask("POST", path, headers={**own, **(headers or {})}, body=body)
        return self.followed(answer) if follow else answer

    def send(self, page, action, follow=True, **fields):
        """Send the form of a page whose action ends so, with some fields filled in."""
        form = next(f for f in page.forms if (f["action"] or "").endswith(action))
        return self.post(form["action"], {**form["fields"], **fields}, follow=follow)

    def followed(self, answer):
        while answer.status == 303:
            answer = self.get(answer.headers["location"])
        return answer

    def ask(self, method, path, *, headers, body=b"", kind="http"):
        if not path.startswith("/"):
            path = f"{self.base}/{path}"
        parts = urlsplit(path)
        lines = {"host": HOST, **({"cookie": self.cookie} if self.cookie else {}), **headers}
        scope = {"type": kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
                 "path": parts.path, "raw_path": parts.path.encode(), "query_string": parts.query.encode(),
                 "headers": [(k.encode(), v.encode()) for k, v in lines.items() if v is not None],
                 "client": ("127.0.0.1", 5), "server": ("127.0.0.1", PORT), "root_path": ""}  # fmt: skip
        return asyncio.run(self._exchange(scope, body))

    async def _exchange(self, scope, body):
        sent = []
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        if scope["type"] == "websocket":
            messages = [{"type": "websocket.connect"}]

        async def receive():
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            return sent
        headers = {k.decode().lower(): v.decode() for k, v in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:]), scope["path"])


def encoded(fields, files):
    """Return a form as a browser writes it: several files as (name, bytes)."""
    if not files:
        return urlencode(fields, doseq=True).encode(), "application/x-www-form-urlencoded"
    mark = secrets.token_hex(8)
    parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode()
             for n, v in fields.items()]  # fmt: skip
    for name, data in files:
        head = f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + data + b"\r\n")
    return b"".join([*parts, f"--{mark}--\r\n".encode()]), f"multipart/form-data; boundary={mark}"
