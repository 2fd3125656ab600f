"""Trials: sums in blocks, the same in any order; means and intervals by hand and by simulation; protocols."""

import numpy as np
import pytest

from reinfuse.errors import PlanRefused
from reinfuse.virtual.ensemble import Ensemble
from reinfuse.virtual.moments import difference, moments
from reinfuse.virtual.protocol import Arm, Grid, Infusion, Protocols, dose_text
from reinfuse.virtual.records import records
from reinfuse.virtual.space import UNKNOWNS
from reinfuse.virtual.tally import BINS, added, binned, quantile
from reinfuse.virtual.trial import Trial, block_of, in_threads, run

GRID = Grid(regimens=(("Cy", "Cy"), ("Cy-Flu", "Cy-Flu")), cart2_dose_cells_per_kg=(2e6, 2e7))
PROTOCOLS = Protocols(grid=GRID)


@pytest.fixture(scope="module")
def ensemble():
    z = 0.3 * np.random.default_rng(1).standard_normal((10, len(UNKNOWNS)))
    return Ensemble(z, np.full(10, -4.0))


@pytest.fixture(scope="module")
def trial(ensemble):
    return Trial(PROTOCOLS, ensemble, 7)


@pytest.fixture(scope="module")
def tally(trial):
    return run(trial, 1100, in_threads(2))


def test_blocks_give_the_same_sums_in_any_number_of_threads(trial, tally):
    alone = added(block_of(trial, b) for b in trial.blocks(1100))
    for name in ("given", "total", "gain_square", "courses"):
        assert np.array_equal(getattr(alone, name), getattr(tally, name))


def test_every_patient_meets_every_arm(tally):
    assert np.array_equal(tally.met.sum(axis=0), np.full(4, 1100))
    assert np.all(tally.given <= tally.met)


def test_arms_that_differ_at_the_second_infusion_alone_select_the_same_patients(tally):
    assert np.array_equal(tally.given[:, 0], tally.given[:, 1])
    assert np.array_equal(tally.both[:, 1], tally.given[:, 0])


def test_the_reference_differs_from_itself_by_nothing(tally):
    assert np.all(tally.gain[:, 0] == 0)


def test_records_tell_n_and_events(tally):
    told = list(records(PROTOCOLS, tally))
    response = next(e for e in told if e.endpoint == "response" and e.group == PROTOCOLS.all_arms[0].name)
    assert response.n == tally.given[:, 0].sum()
    assert response.events == tally.total[:, 0, 0].sum()
    assert response.lower < response.estimate < response.upper
    same = [e for e in told if e.model == "same patients" and e.statistic == "risk_difference"]
    assert same
    assert all(e.n == tally.both[:, 1].sum() for e in same if e.group == PROTOCOLS.all_arms[1].name)


def test_moments_by_hand():
    n, total = np.array([2.0, 2.0]), np.array([1.0, 1.0])
    found = moments(n, total, total)  # two members with one yes and one no each
    assert found.mean == 0.5
    assert found.sampling == pytest.approx(0.5 / 4)  # s2 = (4 x 0.25)/(4 - 2)
    assert found.between == 0


def test_moments_find_the_variance_between_members():
    random = np.random.default_rng(5)
    mean = random.normal(0, 2.0, 4000)
    values = mean[:, None] + random.normal(0, 3.0, (4000, 5))
    found = moments(np.full(4000, 5.0), values.sum(axis=1), (values**2).sum(axis=1))
    assert found.between == pytest.approx(4.0, rel=0.1)
    assert found.sampling == pytest.approx(9 / 20000, rel=0.05)


def test_limits_of_a_share_cover_populations_of_the_ensemble():
    random = np.random.default_rng(6)
    inside = []
    for _ in range(300):
        n = random.integers(10, 40, 100).astype(float)
        yes = random.binomial(n.astype(int), random.beta(4, 6, 100)).astype(float)
        low, high = moments(n, yes, yes).limits(share=True)
        inside.append(low < random.beta(4, 6) < high)
    assert 0.90 <= np.mean(inside) <= 0.985


def test_the_difference_of_two_groups_by_hand():
    one, other = (
        (np.array([4.0]), np.array([3.0]), np.array([3.0])),
        (np.array([4.0]), np.array([1.0]), np.array([1.0])),
    )
    found = difference(one, other)
    assert found.mean == 0.5
    assert found.sampling == pytest.approx(2 * 0.25 / 4)  # s2 of 3 in 4: 0.75/3


def test_nobody_given_is_not_an_error():
    zero = np.zeros(3)
    assert moments(zero, zero, zero).limits() is None


def test_bins_and_their_quantiles():
    counts = np.array([0.0, 1.0, 1.0, 10.0, np.nan, -1e-12])[:, None]
    bins = binned(counts)[0]
    assert bins.sum() == 5
    assert bins.shape == (BINS,)
    assert quantile(bins, 0.5) == pytest.approx(1.0, rel=0.025)
    assert quantile(bins, 0.2) == 0
    assert np.isnan(quantile(np.zeros(BINS, dtype=int), 0.5))


def test_doses_are_told_in_words():
    assert [dose_text(d) for d in (2e6, 6e6, 2.5e7)] == ["2e6/kg", "6e6/kg", "2.5e7/kg"]


def test_a_split_dose_is_given_on_consecutive_days():
    arm = Arm(name="split", infusions=(Infusion(lymphodepletion="Cy", dose_cells_per_kg=1e6, shares=(0.1, 0.3, 0.6)),))
    event = arm.schedule.event
    assert event[:, 0].tolist() == [-3, 0, 1, 2]
    assert event[:, 3] == pytest.approx(np.array([0, 0.1, 0.3, 0.6]) * 1e6 * 75 / 5e8)
    assert event[0, 1:3].tolist() == [1, 0]


@pytest.mark.parametrize(("text", "said"), [
    ("", "declare"),
    ("[grid]\nregimens=[['Cy','Cyclo']]\ncart2_dose_cells_per_kg=[2e6]", "Input should be"),
    ("reference='x'\n[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=[2e6]", "reference must be"),
    ("[[arms]]\nname='a'\n[[arms.infusions]]\nlymphodepletion='Cy'\ndose_cells_per_kg=-1", "greater than 0"),
    ("[[arms]]\nname='a'\n[[arms.infusions]]\nlymphodepletion='Cy'\ndose_cells_per_kg=1e6\nshares=[0.5]", "sum to 1"),
    ("title = ", "Invalid value"),
])  # fmt: skip
def test_bad_protocols_are_refused_with_a_remedy(tmp_path, text, said):
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(PlanRefused) as refused:
        Protocols.load(path)
    assert any(said in p.remedy for p in refused.value.problems)


def test_all_problems_of_a_protocols_file_are_told_at_once(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text("follow_days=1\nwhat=2\n[grid]\nregimens=[]\ncart2_dose_cells_per_kg=[-1]")
    with pytest.raises(PlanRefused) as refused:
        Protocols.load(path)
    assert len(refused.value.problems) == 4


def test_the_bundled_protocols_are_nine_arms():
    from importlib.resources import files

    path = files("reinfuse.virtual").joinpath("protocols.toml")
    bundled = Protocols.load(str(path))
    assert len(bundled.all_arms) == 9
    assert bundled.all_arms[0].name == bundled.reference
