"""Recalibration to a centre's results: it goes on where it was, and what a centre's file is refused for."""

import numpy as np
import pytest

from reinfuse.exceptions import PlanRefused
from reinfuse.simulation.calibration import recalibration
from reinfuse.simulation.calibration.centre_targets import QUANTITIES, read_centre_targets
from reinfuse.simulation.calibration.crs_intercept import crs_intercept
from reinfuse.simulation.calibration.posterior import CalibrationEffort
from reinfuse.simulation.calibration.recalibration import PIECE, in_pieces, recalibrate, recalibration_key
from reinfuse.simulation.calibration.targets import TARGETS
from reinfuse.simulation.model.parameters import PARAMETERS
from reinfuse.simulation.population.parameter_space import UNKNOWNS
from reinfuse.simulation.population.virtual_patients import PRIOR
from reinfuse.simulation.trial.array_store import ArrayStore

HEADER = "target,infusions,quantity,n,events,value,low,high,day,disease,role"
EFFORT = CalibrationEffort(48, 256, 64, 1, 256, 4, 12)
pytestmark = pytest.mark.filterwarnings("ignore:The balance properties")


class Stopping(ArrayStore):
    """A store at which the run is stopped."""

    def save(self, name, arrays):
        super().save(name, arrays)
        if len(list(self.folder.rglob("*.npz"))) == 3:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("centre")
    return read_centre_targets(
        written(folder, "ours,CART2 of the reference study,pfs_median,20,,2.718,1.0205,7.239,,,")
    )


@pytest.fixture
def linear(monkeypatch):
    """Of all results the centre's alone is defined: its logarithm is the first unknown."""
    simulated = []

    def results(several, targets, **_):
        z = np.log(several.median[:, 0] / PRIOR.median[0]) / PARAMETERS[0].spread
        simulated.append(len(z))
        return np.column_stack([*(np.full(len(z), np.nan) for _ in targets[1:]), z])

    monkeypatch.setattr(recalibration, "simulate_targets", results)
    monkeypatch.setattr(recalibration, "crs_intercepts", lambda z, **_: np.full(len(z), -4.0))
    return simulated


def test_the_posterior_is_that_known_by_hand(targets, linear):
    assert UNKNOWNS[0] == PARAMETERS[0].name
    ensemble = recalibrate(targets, effort=EFFORT, size=200, seed=5, cores=1).ensemble
    # seen at 1 with an error of 0.5 and a discrepancy of about 0.25: precision 1 + 1 / 0.3125, mean 3.2 / 4.2
    assert ensemble.z[:, 0].mean() == pytest.approx(0.76, abs=0.1)
    assert ensemble.z[:, 0].std() == pytest.approx(4.2**-0.5, abs=0.08)
    assert np.abs(ensemble.z[:, 1:].mean(axis=0)).max() < 0.3
    assert sum(linear) == 320


def test_an_interrupted_calibration_goes_on_to_the_same_end(targets, linear, tmp_path):
    size = {"effort": EFFORT, "size": 10, "seed": 5, "cores": 1}
    whole = recalibrate(targets, **size)
    key = recalibration_key(targets, 5, EFFORT)
    with pytest.raises(KeyboardInterrupt):
        recalibrate(targets, **size, store=Stopping(tmp_path, key))
    linear.clear()
    again = recalibrate(targets, **size, store=ArrayStore(tmp_path, key))
    assert sum(linear) == 320 - 3 * PIECE
    assert np.array_equal(again.ensemble.z, whole.ensemble.z)
    assert whole.simulated == again.simulated == 320
    assert recalibration_key(TARGETS[:1], 5, EFFORT) != key != recalibration_key(targets, 6, EFFORT)


def test_pieces_are_simulated_once_and_in_order(tmp_path):
    asked = []

    def results(z):
        asked.append(len(z))
        return z[:, :2] * 3

    z, calls = np.random.default_rng(1).standard_normal((120, len(UNKNOWNS))), []
    of = in_pieces(results, ArrayStore(tmp_path, "k"), total=120, progress=lambda *a: calls.append(a))
    assert np.array_equal(of(z), z[:, :2] * 3)
    assert asked == [50, 50, 20]
    assert calls[-1] == ("populations simulated", 120, 120)
    assert np.array_equal(in_pieces(results, ArrayStore(tmp_path, "k"), total=120)(z), z[:, :2] * 3)
    assert len(asked) == 3


def test_the_intercept_gives_the_rate_of_severe_crs():
    from scipy.special import expit

    from reinfuse.simulation.calibration.reference_study import simulate
    from reinfuse.simulation.calibration.summary_statistics import MIX

    x = crs_intercept(PRIOR, 0.2, seed=3, patients=200)
    study = simulate(PRIOR, 3, 200)
    share = sum(
        w * float(np.mean(expit(x + (s := study.second[key]).outcomes.crs[s.selected]))) for key, w in MIX.items()
    )
    assert share == pytest.approx(0.2, abs=1e-6)


def written(tmp_path, *rows, header=HEADER):
    path = tmp_path / "targets.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_centres_results_are_read(tmp_path):
    rows = ("ours,CART2 of the reference study,response,20,9,,,,,NHL,",
            'peak,"CART1, Cy-Flu",count,18,,30,20,45,7,,held out')  # fmt: skip
    one, two = read_centre_targets(written(tmp_path, *rows))
    assert (one.value, one.n, one.disease, one.role, one.kind) == (0.45, 20, "NHL", "calibrated", "proportion")
    assert (two.day, two.role, two.kind) == (7.0, "held out", "log")
    assert two.error == pytest.approx(np.log(45 / 20) / 3.919928)


def test_published_results_can_be_read_as_a_centres(tmp_path):
    """The form is that of the published results, but for associations, which come without a size."""
    from importlib.resources import files

    lines = files("reinfuse.simulation").joinpath("published.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if ",association," not in line]
    read = read_centre_targets(written(tmp_path, *kept[1:], header=kept[0]))
    assert read == tuple(t for t in TARGETS if t.kind != "association")
    assert {t.quantity for t in read} <= set(QUANTITIES)


WRONG = {
    'a,"CART1, Cy",response,9,10,,,,,,': ("events", "are more than n"),
    'a,"CART1, Cy",response,9.5,3,,,,,,': ("n", "is no whole number"),
    'a,"CART1, Cy",respons,9,3,,,,,,': ("quantity", "cannot be simulated"),
    'a,"CART1, Cy",pfs_median,9,,60,30,120,,,': ("quantity", "is not read after CART1, Cy"),
    "a,CART9,response,9,3,,,,,,": ("infusions", "cannot be simulated"),
    'a,"CART1, Cy",free,9,3,,,,,,': ("day", "is missing"),
    'a,"CART1, Cy",count,9,,3,1,9,8,,': ("day", "is no day on which cells are counted"),
    'a,"CART1, Cy",count,9,,3,4,9,7,,': ("value", "does not lie between low and high"),
    'a,"CART1, Cy",response,9,,1.2,,,,,': ("value", "is no number from 0 to 1"),
    'a,"CART1, Cy",response,9,3,,,,,MM,': ("disease", "cannot be simulated"),
    'a,"CART1, Cy",response,9,3,,,,,,later': ("role", "cannot be simulated"),
    'a,"CART1, Cy",response,9,3,0.4,,,,,': ("value", "is not read here"),
    ',"CART1, Cy",response,9,3,,,,,,': ("target", "is missing"),
}


@pytest.mark.parametrize("row", WRONG)
def test_what_is_wrong_with_a_result_is_told(tmp_path, row):
    with pytest.raises(PlanRefused) as refused:
        read_centre_targets(written(tmp_path, row))
    assert [(p.column, p.rule) for p in refused.value.problems] == [WRONG[row]]
    assert refused.value.problems[0].row == 1


def test_all_problems_are_told_at_once(tmp_path):
    with pytest.raises(PlanRefused) as refused:
        read_centre_targets(written(tmp_path, *WRONG))
    assert len(refused.value.problems) == len(WRONG)


def test_a_file_without_its_columns_or_with_others_is_refused(tmp_path):
    with pytest.raises(PlanRefused) as refused:
        read_centre_targets(written(tmp_path, header="target,infusion,n,patients"))
    rules = {(p.column, p.rule) for p in refused.value.problems}
    assert {("infusion", "'infusion' is not known here"), ("quantity", "is missing")} <= rules
    with pytest.raises(PlanRefused):
        read_centre_targets(tmp_path / "none.csv")


def test_a_name_twice_or_nothing_to_calibrate_to_is_refused(tmp_path):
    row = 'a,"CART1, Cy",response,9,3,,,,,,held out'
    with pytest.raises(PlanRefused) as refused:
        read_centre_targets(written(tmp_path, row, row))
    assert {p.column for p in refused.value.problems} == {"target", "role"}
