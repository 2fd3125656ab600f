"""`reinfuse virtual validate` and `calibrate`: what they print and write, and what they refuse."""

import json
import re

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from reinfuse.cli.main import app
from reinfuse.exceptions import PlanRefused
from reinfuse.simulation.calibration.posterior import CalibrationEffort
from reinfuse.simulation.calibration.posterior_checks import bundled_targets
from reinfuse.simulation.population.ensemble import Ensemble, read
from reinfuse.simulation.population.parameter_space import UNKNOWNS
from reinfuse.study import virtual_ensembles
from reinfuse.study.virtual_ensembles import ensemble_of, validation_of

runner = CliRunner()
ROW = "ours,CART2 of the reference study,response,20,200\n"
FEW = Ensemble(0.2 * np.random.default_rng(1).standard_normal((3, len(UNKNOWNS))), np.full(3, -4.0), np.full(3, 0.2))


def test_the_bundled_ensembles_results_are_printed_those_held_out_apart():
    printed = runner.invoke(app, ["virtual", "validate"])
    assert printed.exit_code == 0
    development, held_out = printed.output.split("Held out:")
    table = bundled_targets()
    both = table.filter(pl.col("within_error") & pl.col("in_range").fill_null(True))
    for role, text in (("calibrated", development), ("held out", held_out)):
        of = table.filter(pl.col("role") == role).height
        assert f"{both.filter(pl.col('role') == role).height} of {of} met" in " ".join(text.split())
    assert "predictive 95 % range, and the median within its error" in printed.output
    assert "not validated for individual patients" in printed.output


def test_counts_of_what_is_met_by_hand():
    """Of four: both, in range alone, within the error alone, and an association, which has no range."""
    table = pl.DataFrame({"role": ["calibrated"] * 3 + ["held out"], "within_error": [True, False, True, True],
                          "within_sampling_error": [False, False, True, None], "in_range": [True, True, False, None],
                          "met": [True, False, False, True]})  # fmt: skip
    checked = validation_of(table)
    assert vars(checked.development) == {"of": 3, "sized": 3, "within_error": 2, "within_sampling_error": 1,
                                         "in_range": 2, "met": 1}  # fmt: skip
    assert vars(checked.held_out) == {"of": 1, "sized": 0, "within_error": 1, "within_sampling_error": 0,
                                      "in_range": 0, "met": 1}  # fmt: skip


def test_an_ensemble_of_ones_own_is_simulated(tmp_path):
    FEW.frame().write_csv(tmp_path / "e.csv")
    printed = runner.invoke(app, ["virtual", "validate", "--ensemble", str(tmp_path / "e.csv"), "--patients", "100",
                                  "--json"])  # fmt: skip
    assert printed.exit_code == 0
    result = json.loads(printed.output)
    assert result["development"]["of"] + result["held_out"]["of"] == len(result["targets"]) == bundled_targets().height
    columns = {"predictive_low", "within_error", "within_sampling_error", "met", "interval_score"}
    assert columns <= result["targets"][0].keys()


def test_all_that_is_wrong_with_an_ensemble_is_told(tmp_path):
    frame = FEW.frame().with_columns(rho=pl.Series(["x", "1", "99"]), more=pl.lit(1)).drop("KI")
    frame.write_csv(tmp_path / "e.csv")
    with pytest.raises(PlanRefused) as refused:
        ensemble_of(tmp_path / "e.csv")
    assert {(p.column, p.row) for p in refused.value.problems} == {("KI", None), ("more", None), ("rho", 1), ("rho", 3)}
    (tmp_path / "no.csv").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "no.csv", tmp_path / "none.csv"):
        with pytest.raises(PlanRefused):
            ensemble_of(path)


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibrate")
    (folder / "t.csv").write_text(f"target,infusions,quantity,events,n\n{ROW}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(virtual_ensembles, "calibration_effort", lambda *_: CalibrationEffort(64, 64, 16, 1, 64, 1, 1))
        done = runner.invoke(app, ["virtual", "calibrate", str(folder / "t.csv"), "--members", "12", "--resume",
                                   "--out", str(folder / "own")])  # fmt: skip
    assert done.exit_code == 0, done.output
    return folder, done.output


def test_calibration_writes_an_ensemble_and_what_it_meets(calibrated):
    folder, output = calibrated
    assert {p.name for p in folder.iterdir()} == {"t.csv", "own"}  # what was kept to resume from is gone
    names = {"ensemble.csv", "targets.csv", "published.csv", "unknowns.csv", "calibration.json"}
    assert {p.name for p in (folder / "own").iterdir()} == {*names, "reinfuse.manifest.json"}
    ensemble = read(pl.read_csv(folder / "own" / "ensemble.csv"))
    assert len(ensemble) == 12
    own = pl.read_csv(folder / "own" / "targets.csv")
    assert own["ensemble"].to_list() == ["bundled", "calibrated"]
    assert own["target"].to_list() == ["ours", "ours"]
    about = json.loads((folder / "own" / "calibration.json").read_text())
    assert (about["calibrated"], about["held_out"], about["members"]) == (["ours"], [], 12)
    assert re.search(r"The centre's results, calibrated: \d of 1 met", output)
    assert "80 populations simulated" in output


def test_a_trial_of_ones_own_ensemble_says_so(calibrated, tmp_path):
    folder, _ = calibrated
    (tmp_path / "p.toml").write_text('[grid]\nregimens = [["Cy", "Cy-Flu"]]\ncart2_dose_cells_per_kg = [2e6]\n')
    done = runner.invoke(app, ["virtual", "trial", str(tmp_path / "p.toml"), "--patients", "200", "--ensemble",
                               str(folder / "own" / "ensemble.csv"), "--out", str(tmp_path / "o")])  # fmt: skip
    assert done.exit_code == 0, done.output
    report = (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
    assert "The ensemble is not the bundled one" in report
    assert "published results (held out:" not in report
    assert "Ablation" not in report
    assert json.loads((tmp_path / "o" / "findings.json").read_text())["provenance"]["members"] == 12


def test_a_wrong_file_is_refused_and_nothing_written(tmp_path):
    (tmp_path / "t.csv").write_text(f"target,infusions,quantity,events,n\n{ROW}{ROW.replace('20', '-1')}")
    done = runner.invoke(
        app, ["virtual", "calibrate", str(tmp_path / "t.csv"), "--resume", "--out", str(tmp_path / "o")]
    )
    assert isinstance(done.exception, PlanRefused)
    assert {p.name for p in tmp_path.iterdir()} == {"t.csv"}
