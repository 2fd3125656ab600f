"""The dead are not treated: no infusion, no count and no response after death."""

import numpy as np
import pytest

from reinfuse.simulation.calibration.reference_study import run_protocol, simulate
from reinfuse.simulation.population.ensemble import Ensemble, bundled
from reinfuse.simulation.population.virtual_patients import draws, fitness, parameters
from reinfuse.simulation.solver.integrate import RTOL, solve
from reinfuse.simulation.solver.readouts import (
    BURDEN,
    DAY28,
    DEAD,
    DIED,
    END,
    ESCAPED,
    PARTIAL,
    POSITIVE,
    PROGRESSED,
    READ,
    WINDOW,
)
from reinfuse.simulation.trial.outcomes import exclude_the_dead, needs_another, outcomes
from reinfuse.simulation.trial.protocol import Arm, FactorialDesign, Infusion, Protocols
from reinfuse.simulation.trial.trial import Trial, block_of

PROTOCOLS = Protocols(
    grid=FactorialDesign(regimens=(("Cy", "Cy"), ("Cy-Flu", "Cy-Flu")), cart2_dose_cells_per_kg=(2e6,)), selected=False
)


def course(died=None, day28=0.05, before=90.0, window=100.0):
    """Return the read-outs of an infusion: by default a deep response in a patient who lives."""
    out = np.zeros(len(READ))
    out[WINDOW], out[END] = window, window
    out[DIED], out[DEAD] = (window, 0.0) if died is None else (died, 1.0)
    out[DAY28], out[BURDEN], out[POSITIVE], out[PARTIAL] = day28, before, before, 0.5
    return out


def test_a_response_needs_a_living_patient():
    outcome = outcomes(np.array([course(), course(died=20.0), course(died=28.0), course(died=40.0)]))
    for name in ("response", "cr", "umrd"):
        assert getattr(outcome, name).tolist() == [True, False, False, True]
    assert outcome.progressed.tolist() == [False, True, True, True]


def test_progression_after_death_lost_no_antigen():
    late, early = course(died=50.0), course(died=80.0)
    for out in (late, early):
        out[END], out[PROGRESSED], out[ESCAPED] = 60.0, 1.0, 0.9
    assert outcomes(np.array([late, early])).antigen_negative.tolist() == [False, True]


def test_death_before_an_infusion_means_not_given():
    out = np.array([
        [course(), course(), course()],
        [course(), course(died=9.0), course()],  # between the second and the third
        [course(), course(died=0.0), course()],  # between lymphodepletion and the second
        [course(died=0.0), course(), course()],
        [course(), course(), course(died=9.0)],
    ])  # fmt: skip
    counts = np.ones((5, 3, 2))
    exclude_the_dead(out, counts, counted=np.array([7.0, 28.0]))
    assert np.isfinite(out[:, :, WINDOW]).tolist() == [
        [True, True, True], [True, True, False], [True, False, False], [False, False, False], [True, True, True],
    ]  # fmt: skip
    assert np.isfinite(counts[:, 1]).tolist() == [[True] * 2, [True, False], [False] * 2, [False] * 2, [True] * 2]
    assert np.isfinite(counts[4, 2]).tolist() == [True, False]


def test_who_died_before_an_infusion_needs_no_other():
    first = np.array([course(day28=80.0), course(day28=80.0, died=60.0)])
    out = np.stack([first, np.array([course(), course()])], axis=1)
    exclude_the_dead(out, np.empty((2, 2, 0)), counted=np.empty(0))
    assert needs_another(out[:, 0], out[:, 1]).tolist() == [True, False]


def test_a_response_that_was_not_read_is_no_reason_for_another():
    first = np.array([course(day28=np.nan, window=20.0)])
    with pytest.raises(ValueError, match="was not read"):
        needs_another(first, np.array([course()]))


def test_a_trial_without_selection_gives_the_last_infusion_to_the_living_alone():
    trial = Trial(PROTOCOLS, bundled(), 7)
    tally, count = block_of(trial, (0, 500)), 500
    member, _ = trial.ensemble.of_patients(0, count)
    drawn = draws(7, 0, count)
    p, fit = parameters(member, drawn), fitness(member, drawn, 2)
    for a, arm in enumerate(PROTOCOLS.all_arms):
        s, out = arm.schedule, np.full((count, 2, len(READ)), np.nan)
        day = np.tile(s.day, (count, 1))
        solve(p, fit, drawn.least, day=day, course=s.course, event=s.event, follow=365.0, rtol=RTOL, days=np.empty(0),
              out=out, counts=np.empty((count, 2, 0)))  # fmt: skip
        alive = (out[:, 0, DEAD] == 0) & ~((out[:, 1, DEAD] == 1) & (out[:, 1, DIED] <= 0))
        assert 0.1 < np.mean(~alive) < 0.5
        assert tally.given[:, a].sum() == alive.sum()
        shrunk = (out[:, 1, DAY28] < 1) | (out[:, 1, DAY28] <= out[:, 1, PARTIAL] * out[:, 1, BURDEN])
        lived = (out[:, 1, DEAD] == 0) | (out[:, 1, DIED] > 28)
        assert tally.total[:, a, 0].sum() == np.sum(alive & lived & shrunk)


def test_the_simulated_study_treats_no_dead():
    study = simulate(bundled().one(0), 3, 400)
    for first in study.first.values():
        assert not np.any(first.outcomes.response & first.outcomes.died & (first.outcomes.os <= 28))
        late = first.outcomes.died & (first.outcomes.os < 90)
        assert late.any()
        assert np.isnan(first.counts[late, 3]).all()
    for second in study.second.values():
        assert np.all(second.outcomes.given[second.selected])
        assert not np.any(second.outcomes.died[second.selected] & (second.outcomes.os[second.selected] <= 0))


def test_a_run_has_no_infusion_and_no_count_of_the_dead():
    """`run_protocol` is what trials, searches, twins and calibration go through."""
    ensemble = Ensemble(bundled().z[:1], bundled().intercept[:1])
    drawn = draws(1, 0, 200)
    member, _ = ensemble.of_patients(0, 200)
    arm = Arm(name="late", infusions=(
        Infusion(lymphodepletion="Cy", dose_cells_per_kg=2e6),
        Infusion(lymphodepletion="Cy", dose_cells_per_kg=2e6, after_days=300)))  # fmt: skip
    day = np.tile(arm.schedule.day, (200, 1))
    out, counts = run_protocol(
        member,
        parameters(member, drawn),
        drawn,
        schedule=arm.schedule,
        day=day,
        follow=60.0,
        rtol=RTOL,
        counted=np.array([7.0]),
    )
    dead = out[:, 0, DEAD] == 1
    assert dead.any()
    assert np.isnan(out[dead, 1]).all()
    assert np.isnan(counts[dead, 1]).all()
    assert not np.any(out[:, 1, DIED] <= 0)
