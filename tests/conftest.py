"""Shared by all tests; its place lets them import `helpers` and `corruption`.

The demo's findings and folders that several tests read; what only CI has is skipped elsewhere, saying so.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reinfuse import Plan, Study, read_cohort, save
from reinfuse.data import DEMO, datasets

os.environ["REINFUSE_STRICT"] = "1"  # a failure of an analysis, figure or section is an error (`boundary`)
_RELEASES = "REINFUSE_RELEASES"
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session", autouse=True)
def _no_log_of_the_user(tmp_path_factory):
    """Keep the log of releases out of the user's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(_RELEASES, str(tmp_path_factory.mktemp("releases")))
        yield


@pytest.fixture(autouse=True)
def _no_release_before(tmp_path_factory, monkeypatch):
    """Let each test begin with an empty log."""
    monkeypatch.setenv(_RELEASES, str(tmp_path_factory.mktemp("releases") / "log"))


@pytest.fixture(scope="session")
def demo_findings():
    """Findings of the bundled synthetic cohort."""
    return Study(read_cohort(datasets()[DEMO].path), Plan.built_in()).run()


@pytest.fixture(scope="session")
def demo_report(demo_findings, tmp_path_factory):
    """The folder with the synthetic cohort's results."""
    return save(demo_findings, tmp_path_factory.mktemp("demo") / "out")


@pytest.fixture(scope="session")
def published():
    """The folder of published patients' data, which only CI and the project's own machines have."""
    folder = SHARED / "data" / "published"
    if not folder.is_dir():
        pytest.skip("the folder of published data is not beside this checkout")
    return folder
