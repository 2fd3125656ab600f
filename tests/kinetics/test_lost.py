"""Loss of the cells with competing events: by hand, beside R and Turnbull's estimate, at its optimum; the records."""

import json
from pathlib import Path

import numpy as np
import pytest

from reinfuse.kinetics.loss_incidence import METHOD, Persistence, estimates, incidence, limits, persistence_of
from reinfuse.kinetics.persistence import DAYS
from reinfuse.kinetics.profiles import Profile
from reinfuse.statistics.turnbull import turnbull

GOLDEN = json.loads((Path(__file__).resolve().parents[1] / "golden" / "kinetics.json").read_text(encoding="utf-8"))


def _mass(found):
    """Return (loss, left, right) -> mass of the places that share it with no other."""
    alone = np.bincount(found.group) == 1
    places = zip(found.loss.tolist(), found.left.tolist(), found.right.tolist(), found.group, strict=True)
    return {(a, b, c): found.mass[g] for a, b, c, g in places if alone[g] and found.mass[g] > 1e-9}


def test_three_patients_by_hand():
    """Loss in (0, 10], p; death on day 20, q; died on day 20 without a count since day 0: p q (p + q), so p = q."""
    estimate = incidence([Persistence(0, 10), Persistence(20, None, 20), Persistence(0, None, 20)])
    assert _mass(estimate) == pytest.approx({(True, 0, 10): 0.5, (False, 20, 20): 0.5})
    assert estimate.by(10) == pytest.approx((0.5, 0.5))
    assert estimate.by(5) == pytest.approx((0, 0.5))


def test_four_patients_by_hand():
    """One more, with a count on day 10 and in view until day 30: p, q and r = (10, 20] for p q r (p + q + r)."""
    estimate = incidence(
        [Persistence(0, 10), Persistence(20, None, 20), Persistence(0, None, 20), Persistence(10, None, None, 30)]
    )
    third = pytest.approx(1 / 3)
    assert _mass(estimate) == {(True, 0, 10): third, (True, 10, 20): third, (False, 20, 20): third}
    assert estimate.by(15) == pytest.approx((1 / 3, 2 / 3))
    assert estimate.by(400) == pytest.approx((2 / 3, 2 / 3))
    assert estimate.never == pytest.approx(0)


def test_what_no_patient_tells_apart_stays_open():
    estimate = incidence([Persistence(5, None, 10), Persistence(0, 3)])
    assert estimate.by(10) == pytest.approx((0.5, 1))
    assert estimate.by(5) == pytest.approx((0.5, 0.5))


def test_deaths_later_than_the_last_count_of_others_do_not_weigh_more():
    """Of two with a count on day 10, one dies on day 50, one is in view until day 60: half are dead by day 50."""
    seen = [
        Persistence(10, None, 50).persistent,
        Persistence(10, None, None, 60),
        Persistence(0, 10),
        Persistence(0, 10),
    ]
    assert incidence(seen).by(10) == pytest.approx((0.5, 0.5))
    assert _mass(incidence(seen))[False, 50, 50] == pytest.approx(0.25)


@pytest.mark.parametrize("first", [1, 2])
def test_exact_times_are_aalen_and_johansen(first):
    """cmprsk's cuminc; an event on day t as (t - 1, t]. Events of the other kind compete."""
    case = GOLDEN["competing"][0]
    seen = []
    for t, status in zip(case["time"], case["status"], strict=True):
        lost, competes = (t - 1, t) if status == first else (t, None), t if status == 3 - first else None
        seen.append(Persistence(*lost, competes, t if status == 0 else None))
    estimate = incidence(seen)
    wanted = case["first" if first == 1 else "second"]
    assert [estimate.by(day) for day in case["days"]] == [pytest.approx((w, w), abs=1e-7) for w in wanted]


def _drawn(n, seed, competing=True):
    """Return patients with counts on days of their own, death and end of follow-up."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        lost, died, last = rng.exponential(60), rng.exponential(120) if competing else np.inf, rng.uniform(20, 400)
        visits = np.array([0, 7, 14, 28, 60, 90, 180, 365]) + np.append(0, rng.integers(-2, 3, 7))
        visits = visits[visits <= min(died, last)]
        left, later = float(visits[visits < lost].max()), visits[visits >= lost]
        if len(later):
            made.append(Persistence(left, float(later[0])))
        elif died < last:
            made.append(Persistence(left, None, float(np.ceil(died))))
        else:
            made.append(Persistence(left, None, None, float(np.floor(last))))
    return made


@pytest.mark.parametrize("seed", range(5))
def test_without_competing_events_it_is_turnbulls(seed):
    patients = _drawn(40, seed, competing=False)
    estimate, theirs = incidence(patients), turnbull([s.left for s in patients], [s.right for s in patients])
    for day in (7, 14, 28, 60, 90, 180):
        least, most = theirs.persisting(day)
        assert estimate.by(day) == pytest.approx((1 - most, 1 - least), abs=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_maximum_of_the_likelihood(seed):
    """No place could gain: the sum of 1 / P(patient) over those it agrees with is at most n, and n where mass is."""
    patients = _drawn([3, 10, 40, 200][seed % 4], 100 + seed)
    patients = [s.persistent if seed % 3 == 0 else s for s in patients]
    estimate = incidence(patients)
    assert estimate.converged
    assert estimate.mass.sum() == pytest.approx(1)
    assert estimate.mass.min() >= 0
    spans = np.array([s.lost or (np.inf, np.inf) for s in patients])
    agrees = np.zeros((len(patients), len(estimate.left)), dtype=bool)
    for k, (loss, a, b) in enumerate(zip(estimate.loss, estimate.left, estimate.right, strict=True)):
        for i, s in enumerate(patients):
            days = s.right is None and (s.competing == b if s.competing is not None else b > s.alive)
            agrees[i, k] = spans[i, 0] <= a and b <= spans[i, 1] if loss else days
    _, chosen = np.unique(estimate.group, return_index=True)
    told = agrees[:, chosen] @ estimate.mass
    gains = (agrees / told[:, None]).sum(axis=0)
    assert gains.max() < len(patients) * (1 + 1e-6)
    some = estimate.mass > 1e-6
    assert gains[chosen][some] == pytest.approx(len(patients), rel=1e-4)
    again = (agrees[:, chosen] * estimate.mass / told[:, None]).mean(axis=0)
    assert again == pytest.approx(estimate.mass, abs=1e-7)


@pytest.mark.parametrize("bad", [(5, 5), (5, 3), (5, None, 4), (5, None, None, 4)])
def test_impossible_days_are_refused(bad):
    with pytest.raises(ValueError, match="count"):
        Persistence(*bad)


def test_nobody():
    with pytest.raises(ValueError, match="there must be a patient"):
        incidence([])


def test_limits_hold_the_estimate():
    seen = [s.persistent for s in _drawn(40, 1)]
    bounds = limits(seen, [28.0, 90.0], 0.9, draws=200, random=np.random.default_rng(1))
    for (low, high), day in zip(bounds, (28, 90), strict=True):
        assert 0 < low < sum(incidence(seen).by(day)) / 2 < high < 1


def profile(left, right, patient="P", infusion=1, until=None):
    days = [left, right, right + 7] if right else [left]
    return Profile(patient, infusion, "total", "cells/uL", np.array(days, dtype=float), np.ones(len(days)),
                   np.array([False, True, True][: len(days)]), until=until)  # fmt: skip


def test_what_was_seen_of_a_profile():
    assert persistence_of(profile(14, 28), 90, alive=None) == Persistence(14, 28, 90)
    assert persistence_of(profile(14, 28), 90, alive=None).persistent == Persistence(14, 28, 90)
    assert persistence_of(profile(60, None, until=80), 200, alive=199) == Persistence(60, None, 80, 199)
    assert persistence_of(profile(60, None), None, alive=365) == Persistence(60, None, None, 365)
    assert persistence_of(profile(60, None), None, alive=30) == Persistence(60, None, None, 60)
    unsure = persistence_of(profile(60, None), 200, alive=199)
    assert (unsure.unsure, unsure.persistent, unsure.gone) == (True, Persistence(200, None, 200), Persistence(60, 200))


def test_records():
    """Losses by days 10 and 40, a death on day 200 with the last count on day 90, one in view until day 400."""
    given = [profile(5, 10, "A"), profile(20, 40, "B"), profile(90, None, "C"), profile(390, None, "D")]
    records = estimates(
        [*given, profile(3, 5, "E", 2)],
        1,
        "bulky=yes",
        deaths={"C": 200.0},
        alive={"D": 400.0},
        confidence=0.9,
        random=np.random.default_rng(3),
    )
    assert [e.at for e in records] == list(DAYS)
    for e in records:
        assert (e.analysis, e.endpoint, e.statistic, e.unit) == ("kinetics", "loss", "cumulative_incidence", "fraction")
        assert (e.n, e.events, e.infusion, e.group, e.method) == (4, 2, 1, "bulky=yes", METHOD)
        assert e.lower <= e.estimate <= e.upper
    assert [e.estimate for e in records] == pytest.approx([0.375, 0.5, 0.5, 0.5])
    note = "1 died, or had the next infusion, with no count on that day, counted as persisting: "
    assert records[0].note == f"between 25 and 50%: counts are sparse; {note}38% if all of them had lost persistence"
    assert records[3].note == f"{note}75% if all of them had lost persistence"


def test_records_where_something_cannot_be_given():
    rng = np.random.default_rng(1)
    none = estimates([], 1, None, deaths={}, alive={}, confidence=0.95, random=rng)
    assert [e.note for e in none] == ["not estimable: no patient"] * 4
    records = estimates([profile(60, None)], 1, None, deaths={"P": 90.0}, alive={}, confidence=0.95, random=rng)
    assert [e.note for e in records] == ["not reached: no loss observed"] * 4
    few = estimates(
        [profile(40, 60, "A"), profile(100, None, "B")], 1, None, deaths={}, alive={}, confidence=0.95, random=rng
    )
    assert (few[0].estimate, few[0].lower, few[0].note) == (0, None, "no loss by then: interval not estimable")
    assert few[2].note == "not estimable: beyond the last follow-up, day 100"
    every = estimates(
        [profile(5, 10, "A"), profile(7, 12, "B")], 1, None, deaths={}, alive={}, confidence=0.95, random=rng
    )
    assert {(e.estimate, e.note) for e in every} == {(1.0, "every loss by then: interval not estimable")}
