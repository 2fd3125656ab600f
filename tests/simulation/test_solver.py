"""The solver beside scipy's LSODA and Radau; what is read out beside a dense reference; restarts, splits and order."""

import numpy as np
import pytest

from reinfuse.simulation.calibration.reference_study import run_protocol
from reinfuse.simulation.model.equations import K_PHI, SIZE, T_DEATH, begin, change
from reinfuse.simulation.model.jit import compiled
from reinfuse.simulation.population.virtual_patients import PRIOR, RandomNumbers, draws, fitness, parameters
from reinfuse.simulation.solver.integrate import RTOL, advance, solve, trace
from reinfuse.simulation.solver.readouts import (
    AUC,
    BURDEN,
    CMAX,
    COURSE,
    DAY28,
    DEAD,
    DETECTED,
    DIED,
    END,
    LAST,
    NADIR,
    PROGRESSED,
    READ,
    TMAX_DAY,
    WINDOW,
)  # fmt: skip
from reinfuse.simulation.trial.protocol import Arm, Infusion
from simulation.reference import solved

PATIENTS, FOLLOW = 30, 215.0
ARM = Arm(
    name="two",
    infusions=(
        Infusion(lymphodepletion="Cy", dose_cells_per_kg=2e6),
        Infusion(lymphodepletion="Cy-Flu", dose_cells_per_kg=2e7, after_days=150),
    ),
)
TIMES = np.arange(0.0, 365.5, 0.5)
CLOSE = 1e-4
_change = compiled(change)


@pytest.fixture(scope="module")
def patients():
    drawn = draws(11, 0, PATIENTS)
    return drawn, parameters(PRIOR, drawn), fitness(PRIOR, drawn, 2)


@pytest.fixture(scope="module")
def ours(patients):
    drawn, p, fit = patients
    schedule = ARM.schedule
    states = np.full((PATIENTS, len(TIMES), SIZE), np.nan)
    day = np.tile(schedule.day, (PATIENTS, 1))
    trace(p, fit, drawn.least, day=day, course=schedule.course, event=schedule.event, follow=FOLLOW, rtol=RTOL,
          times=TIMES, states=states)  # fmt: skip
    return states


@pytest.fixture(scope="module")
def lsoda(patients):
    return np.array([reference(patients, i, "LSODA") for i in range(PATIENTS)])


def reference(patients, i, method, rtol=1e-9):
    drawn, p, fit = patients
    s = ARM.schedule
    return solved(p[i], fit[i], drawn.least[i], s.day, s.course, s.event, FOLLOW, TIMES, method, rtol, _change)


def far(one, other, least):
    """Return the greatest relative difference of total CAR-T cells and of tumour, where they are above a level."""
    worst = []
    for part in (slice(0, 3), slice(3, 5)):
        a, b = one[..., part].sum(axis=-1), other[..., part].sum(axis=-1)
        above = b > least
        worst.append(np.max(np.abs(a - b)[above] / b[above]))
    return worst


def days_between(states):
    """Leave out days of an impulse, on which a state has two values."""
    between_events = ~np.isin(TIMES, [0.0, 147.0, 150.0])
    return states[..., between_events, :]


def test_it_agrees_with_lsoda(ours, lsoda):
    assert max(far(days_between(ours), days_between(lsoda), 1e-6)) < CLOSE


def test_it_agrees_with_radau(patients, ours):
    for i in range(3):
        assert max(far(days_between(ours[i]), days_between(reference(patients, i, "Radau", 1e-8)), 1e-6)) < CLOSE


def read_out(patients, p, arm=ARM):
    """Return read-outs and counts as the solver gives them, which goes on after death."""
    drawn, _, fit = patients
    schedule, counted = arm.schedule, np.array([7.0, 28.0, 90.0])
    out = np.full((PATIENTS, len(schedule.day), len(READ)), np.nan)
    counts = np.full((*out.shape[:2], 3), np.nan)
    day = np.tile(schedule.day, (PATIENTS, 1))
    solve(p, fit, drawn.least, day=day, course=schedule.course, event=schedule.event, follow=FOLLOW, rtol=RTOL,
          days=counted, out=out, counts=counts)  # fmt: skip
    return out, counts


@pytest.fixture(scope="module")
def read(patients):
    return read_out(patients, patients[1])


@pytest.fixture(scope="module")
def undying(patients):
    p = patients[1].copy()
    p[:, T_DEATH] = np.inf
    return read_out(patients, p)


def test_read_outs_are_those_of_the_courses(undying, lsoda):
    out, counts = undying
    after = TIMES > 150
    cart, tumour, day = lsoda[:, after, :3].sum(axis=2), lsoda[:, after, 3:5].sum(axis=2), TIMES[after] - 150
    second = out[:, 1]
    assert np.all(second[:, WINDOW] == FOLLOW)
    assert np.all(second[:, CMAX] >= cart.max(axis=1) * (1 - CLOSE))
    np.testing.assert_allclose(second[:, CMAX], np.maximum(cart.max(axis=1), 3.0), rtol=0.02)  # the grid is half a day
    peak = day[np.argmax(cart, axis=1)]
    late = second[:, TMAX_DAY] > 0
    assert np.all(np.abs(second[late, TMAX_DAY] - peak[late]) <= 0.51)
    for k, d in enumerate((7.0, 28.0, 90.0)):
        detectable = cart[:, np.searchsorted(day, d)]
        np.testing.assert_allclose(counts[:, 1, k][detectable > 1e-6], detectable[detectable > 1e-6], rtol=CLOSE)
    at28 = tumour[:, np.searchsorted(day, COURSE)]
    np.testing.assert_allclose(second[:, DAY28][at28 > 1e-6], at28[at28 > 1e-6], rtol=CLOSE)
    before = lsoda[:, np.searchsorted(TIMES, 146.5), 3:5].sum(axis=1)
    above = before > 1e-3
    np.testing.assert_allclose(second[above, BURDEN], before[above], rtol=0.2)


def test_area_last_sight_and_progression_follow_the_reference(read, undying, patients, lsoda):
    out, never = read[0], undying[0]
    first = TIMES <= COURSE
    cart, tumour = lsoda[:, :, :3].sum(axis=2), lsoda[:, :, 3:5].sum(axis=2)
    area = np.trapezoid(cart[:, first], TIMES[first], axis=1)
    np.testing.assert_allclose(never[:, 0, AUC], area, rtol=0.02)
    window = (TIMES > 0) & (TIMES < 147)
    for i in range(PATIENTS):
        o, c, t, d = out[i, 0], cart[i, window], tumour[i, window], TIMES[window]
        if o[DETECTED]:
            assert c[-1] > 0.009
        elif (c > 0.01).any():
            assert abs(o[LAST] - d[c > 0.01].max()) <= 0.5
        nadir = np.minimum.accumulate(t)
        grown = (d >= COURSE) & (t >= 1.5 * np.maximum(nadir, 1.0) * (1 + 2 * CLOSE))  # slow tumours too
        if grown.any():
            assert o[PROGRESSED] == 1
            assert o[END] <= d[grown].min()
            assert o[END] >= d[grown].min() - 0.6
        dead = t >= patients[1][i, 33]
        assert (o[DEAD] == 1) == bool(dead.any()) or abs(o[DIED] - 147) < 0.6
        assert never[i, 0, NADIR] <= t[: max(1, np.argmax(grown))].min() * (1 + CLOSE) + 1e-12


def test_a_run_in_two_halves_is_the_whole(patients):
    drawn, p, fit = patients
    empty, none = np.empty(0), np.empty((0, SIZE))

    def go(y, start, end):
        outputs = (np.zeros(len(READ)), empty, empty, empty, none)
        advance(y, (p[0], fit[0, 0], drawn.least[0]), (start, end, 0.0, False), RTOL, outputs)
        return y

    y = np.empty(SIZE)
    begin(p[0], y)
    y[0] = 1.0
    whole, half = go(y.copy(), 0.0, 60.0), go(y.copy(), 0.0, 25.0)
    np.testing.assert_allclose(go(half, 25.0, 60.0), whole, rtol=1e-5, atol=1e-12)


def test_patients_are_the_same_in_any_company():
    alone, many = draws(3, 300, 5), draws(3, 0, 700)
    assert np.array_equal(alone.normal, many.normal[300:305])
    assert np.array_equal(alone.least, many.least[300:305])
    schedule = ARM.schedule
    p = parameters(PRIOR, many)

    def out(first, last):
        some = draws(3, first, last - first)
        day = np.tile(schedule.day, (last - first, 1))
        return run_protocol(
            PRIOR, p[first:last], some, schedule=schedule, day=day, follow=FOLLOW, rtol=RTOL, counted=np.empty(0)
        )[0]

    assert np.array_equal(out(298, 303)[2:], out(300, 303), equal_nan=True)


def from_dense(times, states, start, end, deadly):
    """Return the read-outs of the infusion at `start` from states on a fine grid, its window ending at `end`."""
    inside = (times > start - 1e-6) & (times < end)
    day, cart = times[inside] - start, states[inside, :3].sum(axis=1)
    tumour = states[inside, 3:5].sum(axis=1)
    dead = tumour >= deadly
    died = day[np.argmax(dead)] if dead.any() else end - start
    course, living = day <= COURSE, day <= died
    level = 1.5 * np.maximum(np.minimum.accumulate(tumour), 1.0)
    grown, detectable = (day >= COURSE) & (tumour >= level), cart >= 0.01
    return {
        CMAX: cart[living].max(), TMAX_DAY: day[np.argmax(cart[living])],
        AUC: np.trapezoid(cart[course], day[course]) if died > COURSE else None,
        LAST: day[detectable].max() if detectable.any() else 0.0, DETECTED: detectable[-1],
        DAY28: tumour[np.argmin(np.abs(day - COURSE))],
        NADIR: tumour[: np.argmax(grown) + 1 if grown.any() else None].min(),
        PROGRESSED: grown.any(), END: day[np.argmax(grown)] if grown.any() else end - start,
        DEAD: dead.any(), DIED: died,
    }  # fmt: skip


def test_read_outs_are_those_of_a_fine_grid(read, patients):
    (out, _), (drawn, p, fit), grid, s = read, patients, 0.02, ARM.schedule
    fine = np.arange(0.0, 365.0, grid)
    states = np.empty((PATIENTS, len(fine), SIZE))
    trace(p, fit, drawn.least, day=np.tile(s.day, (PATIENTS, 1)), course=s.course, event=s.event, follow=FOLLOW,
          rtol=1e-8, times=fine, states=states)  # fmt: skip
    for i in range(PATIENTS):
        for k, (start, end) in enumerate(((0.0, 147.0), (150.0, 365.0))):
            expected = from_dense(fine, states[i], start, end, p[i, T_DEATH])
            for what in (DETECTED, PROGRESSED, DEAD):
                assert out[i, k, what] == expected[what], READ[what]
            for what in (TMAX_DAY, LAST, END, DIED):
                assert out[i, k, what] == pytest.approx(expected[what], abs=1.5 * grid), READ[what]
            for what in (CMAX, DAY28, NADIR):
                assert out[i, k, what] == pytest.approx(expected[what], rel=5e-3, abs=1e-6), READ[what]
            if expected[AUC] is not None:
                assert out[i, k, AUC] == pytest.approx(expected[AUC], rel=1e-3, abs=1e-6)


def test_populations_that_never_die_out_go_on(patients):
    _, p, fit = patients
    s, states = ARM.schedule, np.full((PATIENTS, len(TIMES), SIZE), np.nan)
    day = np.tile(s.day, (PATIENTS, 1))
    steps = trace(p, fit, np.zeros((PATIENTS, 5)), day=day, course=s.course, event=s.event, follow=FOLLOW, rtol=RTOL,
                  times=TIMES, states=states)  # fmt: skip
    assert np.isfinite(states).all()
    assert steps < 1500 * PATIENTS
    for i in range(3):
        above = solved(p[i], fit[i], np.zeros(5), s.day, s.course, s.event, FOLLOW, TIMES, "LSODA", 1e-9, _change)
        assert max(far(days_between(states[i]), days_between(above), 1e-6)) < CLOSE


def given(event, patients):
    """Return the read-outs of an infusion of the given events."""
    drawn, p, fit = patients
    out, day, course = np.full((len(p), 1, len(READ)), np.nan), np.zeros((len(p), 1)), np.zeros(len(event), np.int64)
    none, counts = np.empty(0), np.empty((len(p), 1, 0))
    solve(p, fit[:, :1], drawn.least, day=day, course=course, event=np.array(event), follow=60.0, rtol=RTOL,
          days=none, out=out, counts=counts)  # fmt: skip
    return out[:, 0]


def test_parts_of_a_dose_given_at_once_are_the_dose(patients):
    whole = given([[-3.0, 1, 1, 0], [0, 0, 0, 0.5]], patients)
    parts = given([[-3.0, 1, 0, 0], [-3, 0, 1, 0], [0, 0, 0, 0.25], [0, 0, 0, 0.125], [0, 0, 0, 0.125]], patients)
    np.testing.assert_allclose(parts[:, CMAX:NADIR], whole[:, CMAX:NADIR], rtol=1e-5)


def test_a_peak_at_a_later_part_of_the_dose_is_read(patients):
    drawn, p, fit = patients
    undying = p.copy()
    undying[:, T_DEATH] = np.inf
    out = given([[-3.0, 0, 0, 0], [0, 0, 0, 0.1], [2, 0, 0, 500.0]], (drawn, undying, fit))
    assert np.all(out[:, CMAX] >= 500)
    assert np.all(out[:, TMAX_DAY] >= 2)
    assert (out[:, TMAX_DAY] == 2).any()


def test_who_is_dead_before_an_infusion_is_dead_at_it(patients):
    drawn, p, fit = patients
    p = p.copy()
    p[:, T_DEATH] = 1e-3
    out = given([[-3.0, 0, 0, 0], [0, 0, 0, 100.0]], (drawn, p, fit))
    assert np.all(out[:, DEAD] == 1)
    assert np.all(out[:, DIED] == 0)


def test_a_patient_too_stiff_is_given_up_and_no_other(patients):
    drawn, p, fit = patients
    event, stiff = [[-3.0, 1, 1, 0], [0, 0, 0, 0.5]], p.copy()
    stiff[4, K_PHI] = 1e9
    out = given(event, (drawn, stiff, fit))
    assert np.isnan(out[4]).all()
    others = np.delete(np.arange(PATIENTS), 4)
    assert np.array_equal(out[others], given(event, patients)[others], equal_nan=True)


def test_no_order_of_patients_changes_a_bit(patients):
    drawn, p, fit = patients
    order = np.random.default_rng(2).permutation(PATIENTS)
    mixed = RandomNumbers(drawn.normal[order], drawn.least[order], drawn.uniform[order])
    event = [[-3.0, 1, 1, 0], [0, 0, 0, 0.5]]
    assert np.array_equal(given(event, patients)[order], given(event, (mixed, p[order], fit[order])), equal_nan=True)


@pytest.mark.parametrize("first", [0, 1, 7, 13])
def test_a_part_of_the_patients_is_that_part_of_all_to_the_bit(patients, first):
    drawn, p, fit = patients
    some = slice(first, first + 9)
    part = RandomNumbers(drawn.normal[some], drawn.least[some], drawn.uniform[some])
    event = [[-3.0, 1, 1, 0], [0, 0, 0, 0.5]]
    assert np.array_equal(given(event, patients)[some], given(event, (part, p[some], fit[some])), equal_nan=True)


def test_six_infusions_and_a_split_dose_run_through():
    infusions = [Infusion(lymphodepletion="Cy-Flu", dose_cells_per_kg=1e6, shares=(0.5, 0.5))]
    infusions += [Infusion(lymphodepletion="None", dose_cells_per_kg=1e6, after_days=30)] * 5
    schedule, drawn = Arm(name="six", infusions=tuple(infusions)).schedule, draws(1, 0, 20)
    day = np.tile(schedule.day, (20, 1))
    p = parameters(PRIOR, drawn)
    p[:, T_DEATH] = np.inf
    out, _ = run_protocol(PRIOR, p, drawn, schedule=schedule, day=day, follow=60.0, rtol=RTOL, counted=np.empty(0))
    assert out.shape == (20, 6, len(READ))
    assert np.isfinite(out[:, :, WINDOW]).all()
    assert out[0, :, WINDOW].tolist() == [27, 27, 27, 27, 27, 60]
    assert np.isnan(out[:, 0, DAY28]).all()  # the window ends before day 28


def test_a_patient_who_is_not_given_the_second_has_no_read_outs_of_it(patients):
    drawn, p, _ = patients
    schedule = ARM.schedule
    day = np.tile(schedule.day, (PATIENTS, 1))
    day[:5, 1] = np.nan
    out, _ = run_protocol(PRIOR, p, drawn, schedule=schedule, day=day, follow=FOLLOW, rtol=RTOL, counted=np.empty(0))
    assert np.isnan(out[:5, 1]).all()
    assert np.all(out[:5, 0, WINDOW] == FOLLOW)
    given = np.isfinite(out[5:, 0, WINDOW])  # the others had died
    assert given.sum() >= 20
    assert np.all(out[5:, 0, WINDOW][given] == 147)
