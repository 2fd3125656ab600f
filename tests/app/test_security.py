"""What another page, program or file may try: the eleven points of a server on this machine, each attacked."""

from __future__ import annotations

import inspect
import os
import re
import signal
import socket
import stat
from pathlib import Path

import pytest
from asgi_client import HOST, PORT, Browser
from started import started_app

from reinfuse.app import server
from reinfuse.app.activity import Activity
from reinfuse.app.guard import FRAMED_CSP
from reinfuse.app.screen import Screen
from reinfuse.app.uploads import MOST_BYTES, plain_file_name

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"


# 1. One address.
def test_the_app_listens_on_loopback_alone_and_has_no_option_for_another_address(main):
    assert server.ADDRESS == "127.0.0.1"
    assert not {"host", "address", "port"} & set(inspect.signature(server.serve).parameters)
    status, out, _ = main("app", "--help")
    assert status == 0
    assert set(re.findall(r"--[a-z-]+", out)) == {"--browser", "--no-browser", "--install-shortcut", "--help"}


# 2. Rebinding.
@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", f"[::1]:{PORT}",
                                  f"127.0.0.1.evil.example:{PORT}", f"{HOST}, {HOST}", None])  # fmt: skip
def test_a_name_that_was_pointed_at_this_machine_reads_nothing(browser, host):
    for path in (f"{browser.base}/", f"{browser.base}/static/app.css", f"{browser.base}/enter?key=x", "/"):
        answer = browser.get(path, headers={"host": host})
        assert (answer.status, answer.text) == (403, "This address is not that of the app.")


def test_both_names_of_loopback_are_answered(browser):
    assert browser.get().status == 200
    assert browser.get(headers={"host": f"localhost:{PORT}"}).status == 200


# 3. Pages of other sites.
@pytest.mark.parametrize("headers", [
    {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1:1"},
    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "same-origin, cross-site"},
])  # fmt: skip
def test_a_page_of_another_site_reads_and_sends_nothing(browser, headers):
    assert browser.get(headers=headers).status == 403
    assert browser.post("open/bundled", {"name": "sheih_2020"}, headers=headers).status == 403
    assert not (Path(os.environ["REINFUSE_PROJECTS"]) / "sheih_2020").exists()


def test_a_form_without_an_origin_is_not_taken(browser):
    assert browser.post("open/bundled", {"name": "sheih_2020"}, headers={"origin": None}).status == 403


# 4. The link.
def test_the_link_opens_once_and_brings_a_cookie_that_no_script_reads():
    browser = Browser(entered=False)
    assert browser.get().status == 403
    link = f"enter?key={browser.services.access.key}"
    assert browser.get("enter?key=wrong").status == 403
    assert browser.get(link, method="HEAD").status == 403
    from_a_file = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    answer = browser.get(link, headers=from_a_file)
    assert answer.status == 200
    assert {"HttpOnly", "SameSite=Strict"} < set(answer.headers["set-cookie"].split("; "))
    again = browser.get(link)
    assert (again.status, "used already" in again.text, "set-cookie" in again.headers) == (403, True, False)


def test_the_link_reaches_the_browser_through_a_private_file(monkeypatch, tmp_path):
    seen = {}

    def open_page(address):
        page = Path(address.removeprefix("file://"))
        seen.update(address=address, text=page.read_text(), mode=stat.S_IMODE(page.stat().st_mode),
                    folder=stat.S_IMODE(page.parent.stat().st_mode), page=page)  # fmt: skip
        return True

    monkeypatch.setattr("webbrowser.open", open_page)
    said = []
    server.serve(tell=said.append, idle_seconds=0)
    key = re.search(r"enter\?key=([\w-]{40,})", seen["text"])[1]
    assert key not in seen["address"]
    assert not any(key in sentence for sentence in said)
    assert (seen["mode"], seen["folder"]) == (0o600, 0o700)
    assert not seen["page"].exists()
    assert not any(part.startswith(".") for part in seen["page"].relative_to(tmp_path).parts)


# 5. Other ports.
def test_the_cookie_goes_to_no_other_server_on_this_machine(browser):
    other = Browser(entered=False)
    answer = other.get(f"enter?key={other.services.access.key}")
    path = re.search(r"Path=(/[\w-]{16}/)(?:;|$)", answer.headers["set-cookie"])[1]
    assert path == f"{other.base}/"
    assert "Domain" not in answer.headers["set-cookie"]
    stranger = answer.headers["set-cookie"].partition(";")[0]
    assert browser.get(headers={"cookie": stranger}).status == 403
    assert browser.get(headers={"cookie": f"{stranger}; {browser.cookie}"}).status == 200
    odd = '{"a": [1]}; x[y]="1; =; reinfuse; token={}, reinfuse='
    assert browser.get(headers={"cookie": odd}).status == 403
    assert browser.get(headers={"cookie": f"{odd}; {browser.cookie}; {odd}"}).status == 200
    assert browser.get("/").status == 403


# 6. WebSockets.
def test_every_websocket_is_closed(browser):
    for path in (f"{browser.base}/", "/"):
        sent = browser.ask("GET", path, headers={"origin": f"http://{HOST}"}, kind="websocket")
        assert sent == [{"type": "websocket.close", "code": 1008}]
    assert browser.get(headers={"upgrade": "websocket", "connection": "Upgrade"}).status == 403


# 7, 8, 11. Headers, and what they would refuse.
def test_every_answer_has_the_headers_that_keep_a_page_to_itself(browser):
    answers = [browser.get(), browser.get("static/app.css"), browser.get("nowhere"), browser.get("/"),
               browser.get("static/..%2f__init__.py"), browser.get(headers={"origin": "null"}),
               browser.post("open/files", {}), browser.post("quit", {})]  # fmt: skip
    for answer in answers:
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert {p for name, p in policy.items() if p != "'none'"} == {"'self'"}
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers
    assert {"sandbox", "frame-ancestors 'self'", "default-src 'none'"} < set(FRAMED_CSP.split("; "))


def test_no_page_holds_a_style_or_a_script_of_its_own():
    for place in (ROOT / "src/reinfuse/app/templates").iterdir():
        text = place.read_text(encoding="utf-8")
        own = r"<style|<svg(?! viewBox=)|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe|https?://"
        assert not re.search(own, text), place.name
        assert re.findall(r"<script[^>]*>", text) in ([], ["<script src=\"{{ static('app.js') }}\" defer>"])
    script = (ROOT / "src/reinfuse/app/static/app.js").read_text(encoding="utf-8")
    assert not re.search(r"https?://|eval\(|innerHTML|insertAdjacentHTML|document\.write", script)
    assert len(script.splitlines()) < 300


# 9. Files.
@pytest.mark.parametrize(("name", "plain"), [
    ("../../etc/passwd.csv", "passwd.csv"), ("..\\..\\boot.csv", "boot.csv"), ("/etc/cron.d/x.csv", "x.csv"),
    ("CON.csv", "file_CON.csv"), ("-rf.csv", "file_-rf.csv"), ("a\0b.csv", "a_b.csv"),
    ("x" * 300 + ".csv", "x" * 80 + ".csv"), ("$(rm).csv", "_(rm).csv"), ("Größe 1.csv", "Größe 1.csv"),
])  # fmt: skip
def test_a_file_is_named_by_the_app(name, plain):
    assert plain_file_name(name) == plain


def test_what_is_sent_lies_in_private_folders_and_goes_with_the_app(browser, tmp_path):
    temporary = browser.services.uploads.folder
    assert stat.S_IMODE(temporary.stat().st_mode) == 0o700
    page = browser.post("open/files", {}, files=[("../../../sheet.csv", b"a,b\n1,2\n")])
    assert page.status == 200
    [place] = (tmp_path / "projects").rglob("sheet.csv")
    assert place.relative_to(tmp_path / "projects").parts == ("sheet", "source", "sheet.csv")
    assert [stat.S_IMODE(p.stat().st_mode) for p in (place, place.parent, place.parents[1])] == [0o600, 0o700, 0o700]
    browser.post("open/files", {}, files=[("page.html", b"<script>")])
    browser.services.uploads.remove()
    assert not temporary.exists()
    assert not list(tmp_path.rglob("page.html"))


def test_more_than_the_limit_is_not_taken(browser, monkeypatch):
    answer = browser.post("open/files", {}, files=[("a.csv", b"x")], headers={"content-length": str(MOST_BYTES + 1)})
    assert answer.status == 413
    monkeypatch.setattr("reinfuse.app.guard.MOST_BYTES", 1000)
    answer = browser.post("open/files", {}, files=[("a.csv", b"x" * 2000)], headers={"content-length": None})
    assert answer.status == 413
    assert not list(browser.services.uploads.folder.iterdir())


def test_a_page_escapes_what_a_file_or_folder_is_called(browser):
    page = browser.post("open/files", {"folder": HOSTILE}, files=[("a.csv", b"x"), ("b.csv", b"y")])
    assert page.status == 200
    assert "<img" not in page.text
    assert "alert(2)</script>" not in page.text


# 10. Logs, errors, the end.
def test_an_error_shows_no_value(monkeypatch, capfd):
    def fail(visit):
        raise ValueError("Mrs Miller, 1951-03-02")

    monkeypatch.setattr("asgi_client.SCREENS", (Screen(name="data", show=fail),))
    browser = Browser()
    answer = browser.get()
    assert (answer.status, "ValueError at test_security.py" in answer.text, "Miller" in answer.text) == (
        500,
        True,
        False,
    )
    assert "Miller" not in "".join(capfd.readouterr())


def test_an_idle_app_ends_and_a_busy_one_does_not():
    activity = Activity()
    assert activity.is_idle(-1)
    assert not activity.is_idle(60)
    with activity.busy():
        assert not activity.is_idle(-1)


def test_a_started_app_answers_its_link_writes_no_log_and_ends_when_it_is_closed():
    with started_app() as (app, link):
        port, base, key = re.search(r":(\d+)(/[\w-]+)/enter\?key=([\w-]+)", link).groups()
        processes = "\0".join(p.read_text(errors="replace") for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists())
        assert key not in processes

        def ask(text):
            with socket.create_connection(("127.0.0.1", int(port)), timeout=20) as line:
                line.sendall(text.replace("\n", "\r\n").encode())
                return b"".join(iter(lambda: line.recv(65536), b"")).decode()

        host = f"Host: 127.0.0.1:{port}\nConnection: close\n"
        entered = ask(f"GET {base}/enter?key={key} HTTP/1.1\n{host}\n")
        cookie = f"Cookie: {re.search('set-cookie: ([^;]+)', entered)[1]}\n"
        page = ask(f"GET {base}/ HTTP/1.1\n{host}{cookie}\n")
        assert page.startswith("HTTP/1.1 200")
        assert "server:" not in page.partition("\r\n\r\n")[0].lower()
        upgrade = "Upgrade: websocket\nConnection: Upgrade, close\nSec-WebSocket-Version: 13\n"
        upgraded = ask(f"GET {base}/ HTTP/1.1\nHost: 127.0.0.1:{port}\n{upgrade}"
                       f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\n{cookie}\n")  # fmt: skip
        assert upgraded.startswith("HTTP/1.1 403")
        origin = f"Origin: http://127.0.0.1:{port}\nContent-Length: 0\n"
        closed = ask(f"POST {base}/quit HTTP/1.1\n{host}{cookie}{origin}\n")
        assert closed.startswith("HTTP/1.1 200")
        out, errors = app.communicate(timeout=20)
    assert (app.returncode, out, errors) == (0, "reinfuse is closed. Projects are on the disk as they were left.\n", "")


def test_ctrl_c_ends_it_and_nothing_that_was_sent_is_left():
    with started_app() as (app, _):
        app.send_signal(signal.SIGINT)
        out, errors = app.communicate(timeout=20)
    assert (app.returncode, out, errors) == (0, "reinfuse is closed. Projects are on the disk as they were left.\n", "")
