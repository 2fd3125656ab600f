"""The own hazard without and with other studies: closed forms, the unit of time, conflict, and what is refused."""

import numpy as np
import pytest
from scipy.special import polygamma
from scipy.stats import chi2

from reinfuse.evidence.hazard_borrowing import borrow_hazard, observed_hazard
from reinfuse.exceptions import RequestRefused
from reinfuse.statistics.effective_sample_size import log_variance_events
from reinfuse.study.synthesis import borrow_published_hazard

STUDIES = ((30, 140.0), (9, 80.0), (12, 60.0))


def borrowed(events, exposure, *, unit=1.0):
    studies = [observed_hazard(events=y, exposure=t * unit, label="") for y, t in STUDIES]
    return borrow_hazard(observed_hazard(events=events, exposure=exposure * unit, label="own"), studies)


@pytest.fixture(scope="module")
def agreeing():
    return borrowed(5, 30.0)


def test_an_observed_hazard_has_the_exact_interval_of_a_poisson_count():
    one = observed_hazard(events=5, exposure=30, label="")
    limits = chi2.ppf(0.025, 10) / 60, chi2.ppf(0.975, 12) / 60
    assert (one.lower, one.upper) == (pytest.approx(limits[0]), pytest.approx(limits[1]))
    assert observed_hazard(events=0, exposure=30, label="").lower == 0


def test_without_borrowing_the_posterior_is_the_gamma_of_the_own_data(agreeing):
    assert agreeing.alone[0] == pytest.approx(5.5 / 30)
    assert agreeing.alone[1] == pytest.approx(chi2.ppf(0.025, 11) / 60)


def test_the_unit_of_exposure_does_not_matter(agreeing):
    days = borrowed(5, 30.0, unit=30.4)
    assert days.mean * 30.4 == pytest.approx(agreeing.mean, rel=1e-6)
    assert days.worth_events == pytest.approx(agreeing.worth_events, rel=1e-6)


def test_borrowing_narrows_the_interval_and_conflict_moves_weight_to_the_vague_component(agreeing):
    assert agreeing.upper - agreeing.lower < agreeing.own.upper - agreeing.own.lower
    assert 1 < agreeing.worth_events < 51
    for contrary in (borrowed(40, 20.0), borrowed(0, 120.0)):
        assert contrary.conflict < 0.05 < agreeing.conflict
        assert contrary.vague_after > 0.2 > agreeing.vague_after


def test_events_by_the_variance_of_the_logarithm_are_those_of_a_gamma():
    assert log_variance_events(float(polygamma(1, 3.0))) == pytest.approx(3)
    assert log_variance_events(np.pi**2 / 6) == pytest.approx(1)  # trigamma(1)


def test_all_that_is_wrong_with_a_request_is_told_at_once():
    with pytest.raises(RequestRefused) as refused:
        borrow_published_hazard(events=-1, exposure=3, studies=("A:30:140", "9/", "4/-2"))
    assert len(refused.value.problems) == 4
    with pytest.raises(RequestRefused, match="one study at least"):
        borrow_published_hazard(events=1, exposure=3, studies=())
    answer = borrow_published_hazard(events=5, exposure=30, studies=("Smith 2020:30/140", "9/80"))
    assert answer.sentences[0] == "Without borrowing: 5 events in 30, 0.167 (95% interval 0.0541 to 0.389)."
    assert [r.head for r in answer.table.rows[:3]] == ["Smith 2020", "9/80", "Own cohort"]
