"""The last infusion alone gives what the whole protocol gives; removing a mechanism rescues by it alone."""

import numpy as np
import pytest

from reinfuse.simulation.calibration.reference_study import run_protocol
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.parameter_space import UNKNOWNS
from reinfuse.simulation.population.virtual_patients import PRIOR, draws, fitness, parameters
from reinfuse.simulation.solver.integrate import RTOL
from reinfuse.simulation.solver.readouts import WINDOW
from reinfuse.simulation.trial.failure_mechanisms import SWITCHED, TENFOLD, reasons
from reinfuse.simulation.trial.protocol import FactorialDesign, Protocols
from reinfuse.simulation.trial.restart import before_last, last_infusion
from reinfuse.simulation.trial.trial import Trial

PROTOCOLS = Protocols(grid=FactorialDesign(regimens=(("Cy", "Cy"),), cart2_dose_cells_per_kg=(2e6,)))


def test_the_last_infusion_alone_is_that_of_the_whole_protocol():
    schedule, drawn = PROTOCOLS.all_arms[0].schedule, draws(1, 0, 60)
    p, fit = parameters(PRIOR, drawn), fitness(PRIOR, drawn, 2)
    whole, _ = run_protocol(
        PRIOR,
        p,
        drawn,
        schedule=schedule,
        day=np.tile(schedule.day, (60, 1)),
        follow=365.0,
        rtol=RTOL,
        counted=np.empty(0),
    )
    y = before_last(p, fit, drawn.least, schedule=schedule)
    alone = last_infusion(y, p, fit, least=drawn.least, schedule=schedule, follow=365.0)
    given = np.isfinite(whole[:, 1, WINDOW])  # the others had died
    assert 30 < given.sum() < 60
    np.testing.assert_allclose(alone[given], whole[given, 1], rtol=1e-6)  # steps of another clock


@pytest.fixture(scope="module")
def estimates():
    trial = Trial(PROTOCOLS, Ensemble(np.zeros((2, len(UNKNOWNS))), np.full(2, -4.0)), 3)
    return reasons(trial, 256)


def test_every_change_is_asked_of_the_same_failures(estimates):
    of_failures = [e for e in estimates if e.endpoint == "response"]
    assert {e.term for e in of_failures} >= {*SWITCHED, TENFOLD}
    assert len({e.n for e in of_failures}) == 1
    assert of_failures[0].n > 0


def test_rejection_explains_failures_where_there_is_immunity(estimates):
    by_term = {e.term: e for e in estimates}
    assert by_term["rejection"].events > 0
    assert by_term["none of these alone"].events < by_term["rejection"].n
