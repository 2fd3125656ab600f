"""Competing risks whole: penalised subdistribution hazards beside R's, groups, and one clock on which all adds up."""

import json
from pathlib import Path

import numpy as np
import pytest
from columns import timed, yes_no

from reinfuse.analyses import competing_effects, one_clock
from reinfuse.analyses.one_clock import FREE, adding_up, of_last_contact, of_progression_free
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.results.estimate import NOT_ESTIMABLE
from reinfuse.statistics import firth, firth_fine_gray

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "competing.json").read_text(encoding="utf-8"))
ENDS = ("relapse", "nrm")


def arrays(case, *names):
    return [np.array(case[name], dtype=float) for name in names]


@pytest.mark.parametrize("case", GOLDEN["firth_fine_gray"], ids=lambda c: c["name"])
def test_penalised_subdistribution_hazards_are_those_of_r(case):
    X, time, event, competing = arrays(case, "X", "time", "event", "competing")
    fit = firth_fine_gray.fit(X.T, time, event, competing=competing, confidence=0.95)
    for j, term in enumerate(case["terms"]):
        numbers = [fit.coef[j], fit.lower[j], fit.upper[j], fit.p_value[j]]
        assert numbers == pytest.approx([term[k] for k in ("coef", "lower", "upper", "p")], abs=3e-5)
    assert fit.infinite[0] == (case["name"] == "no event in a group")


def test_without_a_competing_event_it_is_the_firth_cox_model():
    case = GOLDEN["firth_fine_gray"][0]
    X, time, event, competing = arrays(case, "X", "time", "event", "competing")
    one = firth_fine_gray.fit(X.T, time, event, competing=0 * competing, confidence=0.95)
    other = firth.fit("cox", X.T, event, time, 0.95)
    assert one.coef == pytest.approx(other.coef, abs=1e-6)
    assert one.lower == pytest.approx(other.lower, abs=1e-5)
    assert one.p_value == pytest.approx(other.p_value, abs=1e-7)


def test_two_events_by_hand():
    """Nobody is censored: the patient who died on day 2 stays in the risk set of day 3 with weight 1.

    x = 1, 0, 0; relapse of the first on day 1 among all, of the last on day 3 among the two of x = 0. With r = exp(b):
    the likelihood is r / (r + 2) * 1 / 2, the information 2r / (r + 2)^2, so that the penalised one is
    r^1.5 / (r + 2)^2 but for a factor: 1.5 (r + 2) = 2 r, r = 6.
    """
    X = np.array([[1.0], [0.0], [0.0]])
    time, event, competing = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    fit = firth_fine_gray.fit(X, time, event, competing=competing, confidence=0.95)
    assert np.exp(fit.coef[0]) == pytest.approx(6, rel=1e-5)


def rival(events=12):
    """Return 24 patients: relapse and death in turn, the last ones censored."""
    kind = [(1, 2)[i % 2] if i < events else 0 for i in range(24)]
    return timed(range(1, 25), [k == 1 for k in kind], [k == 2 for k in kind])


def test_both_hazards_are_told_of_each_term():
    records = competing_effects.effects(
        rival(), [yes_no([i % 3 == 0 for i in range(24)])], "univariable", confidence=0.9
    )
    assert [e.statistic for e in records] == ["cause_specific_hazard_ratio", "subdistribution_hazard_ratio"]
    assert all(
        (e.analysis, e.term, e.n, e.events, e.confidence) == ("competing_effects", "x", 24, 6, 0.9) for e in records
    )
    assert all(e.lower < e.estimate < e.upper for e in records)
    assert records[0].estimate != records[1].estimate


def test_fewer_than_five_events_a_parameter_are_not_estimable():
    factors = [yes_no([i % 3 == 0 for i in range(24)]), yes_no([i % 4 == 0 for i in range(24)], name="y")]
    records = competing_effects.effects(rival(), factors, "multivariable", confidence=0.95)
    assert [e.term for e in records] == ["x", "y", "x", "y"]
    assert {e.note for e in records} == {f"{NOT_ESTIMABLE}: 6 events for 2 parameters, fewer than 5 for each"}
    assert not any(e.estimate or e.p_value for e in records)


def test_a_missing_competing_event_leaves_the_patient_out_of_both():
    end = rival()
    gap = EndpointColumn(
        end.name, end.label, "time", end.event, end.time, np.where(end.time == 20, np.nan, end.competing)
    )
    records = competing_effects.effects(gap, [yes_no([i % 3 == 0 for i in range(24)])], "univariable", confidence=0.95)
    assert {e.n for e in records} == {23}


def by_day(records):
    rates = {(e.endpoint, e.at): e.estimate for e in records if e.statistic == "rate_at"}
    return [[rates[name, day] for name in (FREE, *ENDS)] for day in sorted({at for _, at in rates})]


def test_the_three_add_up_by_hand():
    """Five patients: relapse on day 10, death on day 20, censored on day 30, relapse on day 400, followed to day 800.

    To a year 3/5 are free, 1/5 relapsed, 1/5 died; on day 400 one of the two at risk relapses: 3/10 are free.
    """
    end = timed([10, 20, 30, 400, 800], [1, 0, 0, 1, 0], [0, 1, 0, 0, 0])
    records = adding_up(of_last_contact(end), "last contact", confidence=0.95)
    assert by_day(records) == [pytest.approx(x) for x in ([0.6, 0.2, 0.2], [0.6, 0.2, 0.2], [0.3, 0.5, 0.2])]
    assert [e.estimate for e in records if e.statistic == "at_risk"] == [2, 2, 1]


def test_each_event_of_progression_free_survival_is_a_relapse_or_a_death():
    """The second is censored before his relapse on day 90; the third's death was no relapse; the last contradicts."""
    pfs = timed([10, 50, 60, 70, 80], [1, 0, 1, 0, 1])
    relapse = timed([10, 90, 60, 300, 300], [1, 1, 0, 0, 0], [0, 0, 1, 0, 0])
    clock = of_progression_free(pfs, relapse)
    assert clock.time.tolist() == [10, 50, 60, 70]
    assert clock.relapse.tolist() == [1, 0, 0, 0]
    assert clock.death.tolist() == [0, 0, 1, 0]
    note = {e.note for e in adding_up(clock, "x", confidence=0.95) if e.statistic == "at_risk"}
    assert note == {"1 patient excluded: an endpoint missing, or neither event recorded by it"}


def test_on_the_bundled_cohort_all_adds_up_and_is_its_progression_free_survival(quick_findings):
    records = [e for e in quick_findings.estimates if e.analysis == one_clock.RECORDS]
    for clock in one_clock.CLOCKS:
        sums = by_day([e for e in records if e.group == clock])
        assert len(sums) == 3
        assert [sum(row) for row in sums] == pytest.approx([1, 1, 1], abs=1e-12)
    pfs = [e for e in quick_findings.estimates if (e.analysis, e.endpoint) == ("survival", "pfs")]
    km = {e.at: (e.estimate, e.lower) for e in pfs
          if (e.statistic, e.population, e.group) == ("rate_at", "all", None)}  # fmt: skip
    own = {e.at: (e.estimate, e.lower) for e in records if (e.endpoint, e.statistic) == (FREE, "rate_at")
           and e.group == "progression-free survival"}  # fmt: skip
    assert own == km


def test_groups_of_the_bundled_cohort_make_up_all_patients(quick_findings):
    records = [e for e in quick_findings.estimates if e.analysis == "incidence_groups" and e.endpoint == "relapse"]
    whole = {e.at: e.estimate for e in quick_findings.estimates if (e.analysis, e.endpoint) == ("competing", "relapse")
             and (e.statistic, e.population, e.group) == ("at_risk", "all", None)}  # fmt: skip
    of_sex = [e for e in records if e.group in ("sex=F", "sex=M") and e.statistic == "at_risk"]
    for day, number in whole.items():
        assert sum(e.estimate for e in of_sex if e.at == day) == number
    rates = [e for e in records if e.group == "sex=F" and e.statistic == "rate_at"]
    assert len(rates) == 3
    assert all(0 < e.lower < e.estimate < e.upper < 1 for e in rates)
