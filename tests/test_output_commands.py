"""Every command that writes: over no input, over no file of the user's, and for the owner alone."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from helpers import write_folder
from outputs import MANIFEST, contents, posix, write_study
from reinfuse import Plan, Study, read_cohort, save
from reinfuse.exceptions import OutputRefused
from reinfuse.plan.options import Analyses
from reinfuse.results.findings import Findings
from test_cli import GOOD


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return findings of two patients, and the folder that they were read from."""
    folder = write_folder(tmp_path_factory.mktemp("small"), **GOOD)
    return Study(read_cohort(folder), Plan.built_in().model_copy(update={"analyses": Analyses.none()})).run(), folder


@pytest.fixture(scope="module")
def saved(small, tmp_path_factory):
    """Return a folder of results, written where nothing asks for modes."""
    before = os.umask(0)
    try:
        return save(small[0], tmp_path_factory.mktemp("saved") / "new" / "results")
    finally:
        os.umask(before)


@pytest.fixture
def results(saved, tmp_path):
    """Return a copy of the results."""
    return Path(shutil.copytree(saved, tmp_path / "results"))


def test_the_issues_command_leaves_the_cohort_alone(study, main):
    before = contents(study)
    status, _, errors = main("analyze", "eight", "--out", "eight", cwd=study)
    assert status == 2
    assert "is what the command reads" in errors
    assert contents(study) == before


@pytest.mark.parametrize("command", [
    ["analyze", "eight"], ["demo"], ["kinetics", "eight"], ["power", "eight"], ["virtual", "search"],
    ["virtual", "ablation"], ["virtual", "trial"], ["virtual", "calibrate", "plans/plan.toml"],
])  # fmt: skip
def test_every_command_refuses_a_folder_of_the_user_and_says_so_before_it_reads(study, main, command):
    """The cohort is no cohort: the output is looked at first."""
    (study / "eight" / "patients.csv").write_text("nonsense")
    (study / "mine" / "figures").mkdir(parents=True)
    (study / "mine" / "figures" / "own.svg").write_text("own")
    before = contents(study)
    status, output, errors = main(*command, "--out", "mine", cwd=study)
    assert (status, output) == (2, "")
    assert "holds files that reinfuse did not write [mine: figures]" in errors
    assert "--force" in errors
    assert contents(study) == before


@pytest.mark.parametrize("command", [["virtual", "trial", "plans/plan.toml"],
                                     ["virtual", "trial", "--cohort", "plans"]])  # fmt: skip
def test_protocols_and_cohort_of_a_virtual_trial_are_inputs(study, main, command):
    status, _, errors = main(*command, "--out", "plans", "--force", cwd=study)
    assert status == 2
    assert "what the command reads" in errors


def test_results_are_an_input_of_share_and_figure(results, tmp_path, main):
    before = contents(tmp_path)
    for out in ("results", "results/shared", "."):
        status, _, errors = main("share", "results", "--out", out, "--force", cwd=tmp_path)
        assert status == 2
        assert "what the command reads" in errors
    for out in ("results", "results/figures"):
        assert main("figure", "km_pfs", "results", "--out", out, "--force", cwd=tmp_path)[0] == 2
    assert contents(tmp_path) == before
    assert main("figure", "km_pfs", results, cwd=tmp_path)[0] == 0  # beside it is fine
    assert (tmp_path / "km_pfs.svg").is_file()


def test_python_refuses_the_cohort_and_the_results_that_were_read(small, results, monkeypatch):
    findings, cohort = small
    before = contents(cohort)
    for out in (cohort, cohort / "out", cohort.parent):
        with pytest.raises(OutputRefused):
            save(findings, out, force=True)
    assert contents(cohort) == before
    monkeypatch.chdir(results.parent)
    again = Findings.load("results")
    monkeypatch.chdir("/")
    with pytest.raises(OutputRefused):  # it would lose patients.csv, which is not read back
        save(again, results, force=True)


@posix
def test_everything_is_for_the_owner_alone(saved):
    for path in (saved.parent, saved, *saved.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert (saved / "patients.csv").is_file()


def test_the_manifest_lists_every_file(saved):
    listed = json.loads((saved / MANIFEST).read_text(encoding="utf-8"))
    assert listed["command"] == "analyze"
    assert listed["files"].keys() == contents(saved).keys() - {MANIFEST}
    assert all(f["bytes"] == (saved / name).stat().st_size for name, f in listed["files"].items())


def test_a_figure_that_is_there_is_refused_before_the_analysis(study, main):
    (study / "km_pfs.pdf").write_text("own")
    (study / "eight" / "patients.csv").write_text("nonsense")
    status, _, errors = main("figure", "km_pfs", "eight", cwd=study)
    assert status == 2
    assert "[.: km_pfs.pdf]" in errors
    assert (study / "km_pfs.pdf").read_text() == "own"


def test_a_template_leaves_filled_tables_says_so_and_goes_into_no_results(results, tmp_path, main):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "patients.csv").write_text("mine")
    status, _, errors = main("template", "new", cwd=tmp_path)
    assert status == 0
    assert "patients.csv exists and was not changed" in errors
    assert (tmp_path / "new" / "patients.csv").read_text() == "mine"
    status, _, errors = main("template", "new", "--force", cwd=tmp_path)
    assert status == 0
    assert errors.count("Moved aside, not deleted") == 10  # eight of the cohort, its plan and its map
    assert [p.read_text() for p in (tmp_path / "new").glob("patients-replaced-*.csv")] == ["mine"]
    assert (tmp_path / "new" / "patients.csv").read_text().startswith("patient_id,")
    standing = contents(tmp_path / "new")
    status, output, errors = main("template", "new", cwd=tmp_path)  # every file is there
    assert (status, output) == (0, "")
    assert errors.count("exists and was not changed") == 10
    assert errors.endswith("Nothing was written; --force moves these files aside and writes empty ones.\n")
    assert contents(tmp_path / "new") == standing
    before = contents(results)
    assert main("template", "results", "--force", cwd=tmp_path)[0] == 2
    (tmp_path / "file").write_text("x")
    assert main("template", "file", cwd=tmp_path)[0] == 2
    assert contents(results) == before
