"""The service layer by itself, as another program than the command line calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import reinfuse
from helpers import write_folder
from reinfuse.data import DEMO, dataset
from reinfuse.exceptions import OutputRefused, PlanRefused
from reinfuse.output import Destination
from reinfuse.plan.analysis_plan import Plan
from reinfuse.study import cohorts, figures, input_tables, kinetics, results
from reinfuse.study.plans import plan_of
from test_cli import GOOD


@pytest.fixture
def taken(tmp_path):
    """Return a destination that holds a file of the user's: one of these names for a figure."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "km_pfs.svg").write_text("mine")
    return Destination(tmp_path / "taken")


def _trial(absent, place):
    from reinfuse.study.virtual_trial import run_trial

    run_trial(absent, 100, place=place)


@pytest.mark.parametrize("task", [
    lambda absent, place: results.analyze(absent, absent, place=place),
    lambda absent, place: kinetics.analyze_counts(absent, absent, place=place),
    lambda absent, place: figures.draw_figure("km_pfs", absent, absent, place=place),
    _trial,
])  # fmt: skip
def test_a_place_that_is_taken_is_refused_before_anything_is_read(task, taken, tmp_path):
    with pytest.raises(OutputRefused):
        task(tmp_path / "absent", taken)
    assert (taken.path / "km_pfs.svg").read_text() == "mine"


def test_a_check_says_whether_the_cohort_can_be_analysed_with_every_problem(tmp_path):
    good = cohorts.check(write_folder(tmp_path, **GOOD))
    assert good.accepted
    assert {p.severity for p in good.problems} <= {"warning"}
    bad = cohorts.check(write_folder(tmp_path, **{**GOOD, "infusions": GOOD["infusions"] + "\nP9,first,x"}))
    assert not bad.accepted
    assert len([p for p in bad.problems if p.severity == "error"]) >= 2


def test_a_plan_is_taken_as_it_is_or_from_its_file_or_the_built_in_one(tmp_path):
    own = Plan.of({"title": "own"})
    assert plan_of(own) is own
    (tmp_path / "plan.toml").write_text('title = "of a file"\n')
    assert plan_of(tmp_path / "plan.toml").title == "of a file"
    assert plan_of(None) == Plan.built_in()
    with pytest.raises(PlanRefused):
        plan_of(tmp_path / "absent.toml")


def test_days_above_a_count_are_asked_for_beside_the_plan(tmp_path):
    place = Destination(tmp_path / "out", "kinetics")
    written = kinetics.analyze_counts(dataset(DEMO).path, place=place, above=7.5, sampling=False)
    assert written.findings.plan.kinetics.above == 7.5
    assert written.profiles > 0
    assert written.population_model is None


def test_every_declared_column_is_described():
    described = input_tables.columns()
    assert {tuple(row) for row in described} == {input_tables.HEADS}
    assert {"patients", "infusions", "sheet"} <= {row["table"] for row in described}


def test_an_unknown_cohort_is_refused_with_the_known_ones():
    with pytest.raises(PlanRefused) as refused:
        dataset("gauthier")
    assert DEMO in refused.value.problems[0].remedy


def test_the_documented_names_are_those_of_the_service_layer():
    from reinfuse import study

    assert all(getattr(reinfuse, name) is getattr(study, name) for name in study.__all__)
    with pytest.raises(AttributeError):
        study.absent  # noqa: B018


def test_input_tables_are_described_without_loading_analyses_or_reports():
    code = "import sys, reinfuse.study.input_tables; print(*(m for m in sys.modules if m.startswith('reinfuse.')))"
    path = str(Path(reinfuse.__file__).parents[1])
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         env={"PYTHONPATH": path})  # fmt: skip
    assert not [m for m in run.stdout.split() if m.startswith(("reinfuse.analyses", "reinfuse.report"))]
