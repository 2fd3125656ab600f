"""A browser that is let in, with folders of its own for projects and state."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette", reason="the extra app is not installed")

from asgi_client import Browser


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Keep projects and the list of recent ones out of the user's own folders."""
    monkeypatch.setenv("REINFUSE_PROJECTS", str(tmp_path / "projects"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def browser():
    one = Browser()
    yield one
    one.services.tasks.end()
    one.services.uploads.remove()
