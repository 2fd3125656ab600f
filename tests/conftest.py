"""Shared by all tests; its place lets them import `helpers` and `corruption`.

The demo's findings and folders that several tests read; what only CI has is skipped elsewhere, saying so.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: the other core has the other process

import gc
import itertools
import pickle
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from helpers import plain, quick
from reinfuse import Plan, Study, read_cohort, save
from reinfuse.cli import main as cli
from reinfuse.data import DEMO, datasets
from reinfuse.report.document import typst
from reinfuse.study import analysis, results

os.environ["REINFUSE_STRICT"] = "1"  # a failure of an analysis, figure or section is an error (`boundary`)
_RELEASES = "REINFUSE_RELEASES"
_TESTS = itertools.count()
SHARP = typst.DPI
SHARED = Path(__file__).resolve().parents[2] / "shared"
LONGEST = ("test_share.py", "test_joint.py", "test_population.py", "test_benchmarks.py", "test_inference.py",
           "test_random_cohorts.py", "test_disclosure.py", "test_report.py", "test_browser_report.py",
           "test_figure_list.py", "test_moves.py", "test_only.py", "test_boundary.py", "test_documents.py",
           "test_roundtrip.py", "test_report_screen.py", "test_command_line.py", "test_failure_mechanisms.py",
           "test_real_data.py", "test_properties.py", "test_synthesis.py", "test_counts_by_day_28.py",
           "test_browser.py", "test_output_stopped.py", "test_console.py", "test_cli.py", "test_cores.py",
           "test_floods.py", "test_trial.py")  # fmt: skip
"""Files that take longest: begun first, so that no process works on one of them while the others have nothing left."""


def pytest_collection_modifyitems(items):
    """Put the longest files first; a process is given whole files, in this order."""
    place = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


def pytest_collection_finish():
    """Leave the tests themselves out of each search for garbage in circles, and search seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _no_second_process():
    """Leave the other core to the other process of the tests, for which a second one would import all once more.

    What it does, tests/test_second_process.py shows; commands that are started in a process of their own have one.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (analysis, results):
            patch.setattr(module, "second_process", lambda modules=(): nullcontext())
        yield


@pytest.fixture(scope="session", autouse=True)
def _coarse_pixels():
    """Draw few pixels of each figure but where pixels are what is tested (`sharp_pixels`): they take half of saving."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typst, "DPI", 50)
        yield


@pytest.fixture
def sharp_pixels(monkeypatch):
    """Draw as many pixels of each figure as users get."""
    monkeypatch.setattr(typst, "DPI", SHARP)


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
def once_for_all(tmp_path_factory):
    """Return what lets the first of the tests' processes that asks write a file or folder, for which others wait."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def written(name, write):
        place = base / f"{name}_of_all" / "out"
        try:
            place.parent.mkdir()
        except FileExistsError:
            until = time.monotonic() + 300
            while not place.exists():  # it is there at once, or not at all
                assert time.monotonic() < until, f"the process that writes {name} has not ended"
                time.sleep(0.2)
        else:
            write(place)
        return place

    return written


@pytest.fixture(scope="session")
def demo_by(once_for_all):
    """Return what gives the findings of the bundled synthetic cohort by a plan, estimated once for all processes."""

    def findings(name, plan):
        def write(place):
            draft = place.with_name("draft")
            draft.write_bytes(pickle.dumps(Study(read_cohort(datasets()[DEMO].path), plan).run()))
            draft.rename(place)

        return pickle.loads(once_for_all(name, write).read_bytes())

    return findings


@pytest.fixture(scope="session")
def demo_findings(demo_by):
    """Findings of the bundled synthetic cohort."""
    return demo_by("findings", Plan.built_in())


@pytest.fixture(scope="session")
def quick_findings(demo_by):
    """Findings of the bundled synthetic cohort by every analysis, with few draws."""
    return demo_by("quick_findings", quick(Plan.built_in()))


@pytest.fixture(scope="session")
def plain_findings(demo_by):
    """Findings of the bundled synthetic cohort without what draws random numbers or takes long."""
    return demo_by("plain_findings", plain(Plan.built_in()))


@pytest.fixture(scope="session")
def demo_report(request, once_for_all):
    """The folder with the synthetic cohort's results: one for all processes, written by the first that asks for it."""
    return once_for_all("demo", lambda place: save(request.getfixturevalue("demo_findings"), place))


@pytest.fixture(scope="session")
def published():
    """The folder of published patients' data, which only CI and the project's own machines have."""
    folder = SHARED / "data" / "published"
    if not folder.is_dir():
        pytest.skip("the folder of published data is not beside this checkout")
    return folder
