"""Shared by all tests; its place lets them import `helpers` and `corruption`.

The demo's findings and folders that several tests read; what only CI has is skipped elsewhere, saying so.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from pathlib import Path

import pytest

from helpers import quick
from reinfuse import Plan, Study, read_cohort, save
from reinfuse.cli import main as cli
from reinfuse.data import DEMO, datasets

os.environ["REINFUSE_STRICT"] = "1"  # a failure of an analysis, figure or section is an error (`boundary`)
_RELEASES = "REINFUSE_RELEASES"
_TESTS = itertools.count()
SHARED = Path(__file__).resolve().parents[2] / "shared"
LONGEST = ("test_random_cohorts.py", "test_population.py", "test_joint.py", "test_benchmarks.py", "test_disclosure.py",
           "test_share.py", "test_only.py", "test_import_command.py", "test_output_stopped.py", "test_properties.py",
           "test_moves.py", "test_cores.py", "test_browser_report.py", "test_source_docs.py", "test_floods.py",
           "test_figure_list.py", "test_trial.py")  # fmt: skip
"""Files that take longest: begun first, so that no process works on one of them while the others have nothing left."""


def pytest_collection_modifyitems(items):
    """Put the longest files first; a process is given whole files, in this order."""
    place = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session", autouse=True)
def _no_log_of_the_user(tmp_path_factory):
    """Keep the log of releases out of the user's own folder."""
    folder = tmp_path_factory.mktemp("releases")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(_RELEASES, str(folder))
        yield folder


@pytest.fixture(autouse=True)
def _no_release_before(_no_log_of_the_user, monkeypatch):
    """Let each test begin with an empty log: a name alone, since pytest looks through all folders to make one more."""
    monkeypatch.setenv(_RELEASES, str(_no_log_of_the_user / f"log_{next(_TESTS)}"))


@pytest.fixture(autouse=True)
def _no_project_of_the_user(request, monkeypatch):
    """Keep the app's projects and its list of recent ones out of the user's own folders."""
    if request.path.parent.name == "app":
        folder = request.getfixturevalue("tmp_path")
        monkeypatch.setenv("REINFUSE_PROJECTS", str(folder / "projects"))
        monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))


@pytest.fixture
def browser():
    """Return a browser that the app let in."""
    from asgi_client import Browser

    one = Browser()
    yield one
    one.services.tasks.end()
    one.services.uploads.remove()


@pytest.fixture
def main(monkeypatch, capsys):
    """Return what runs the command line here, in a folder, and gives exit status, output and errors."""

    def run(*arguments, cwd=None):
        if cwd is not None:
            monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["reinfuse", *map(str, arguments)])
        status = 0
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        return status, *capsys.readouterr()

    return run


@pytest.fixture(scope="session")
def demo_findings():
    """Findings of the bundled synthetic cohort."""
    return Study(read_cohort(datasets()[DEMO].path), Plan.built_in()).run()


@pytest.fixture(scope="session")
def quick_findings():
    """Findings of the bundled synthetic cohort by every analysis, with few draws."""
    return Study(read_cohort(datasets()[DEMO].path), quick(Plan.built_in())).run()


@pytest.fixture(scope="session")
def demo_report(request, tmp_path_factory):
    """The folder with the synthetic cohort's results: one for all processes, written by the first that asks for it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "demo_of_all" / "out"
    try:
        folder.parent.mkdir()
    except FileExistsError:
        until = time.monotonic() + 300
        while not folder.is_dir():  # it is there at once, or not at all
            assert time.monotonic() < until, "the process that writes the demo has not ended"
            time.sleep(0.2)
        return folder
    return save(request.getfixturevalue("demo_findings"), folder)


@pytest.fixture(scope="session")
def published():
    """The folder of published patients' data, which only CI and the project's own machines have."""
    folder = SHARED / "data" / "published"
    if not folder.is_dir():
        pytest.skip("the folder of published data is not beside this checkout")
    return folder
