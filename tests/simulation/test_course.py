"""What happens in the course of an infusion: read-outs end with death, and a product's fitness begins."""

import numpy as np
import pytest

from reinfuse.simulation.model.equations import SIZE, T_DEATH
from reinfuse.simulation.model.parameters import BETWEEN, INDEX
from reinfuse.simulation.population.virtual_patients import PRIOR, draws, fitness, parameters
from reinfuse.simulation.solver.integrate import RTOL, trace
from reinfuse.simulation.solver.readouts import AUC, CMAX, DIED, TMAX_DAY
from simulation.test_solver import ARM, FOLLOW, PATIENTS, read_out


@pytest.fixture(scope="module")
def patients():
    drawn = draws(11, 0, PATIENTS)
    return drawn, parameters(PRIOR, drawn), fitness(PRIOR, drawn, 2)


def test_peak_and_area_end_with_death(patients):
    """Patients whose tumour only grows, and who do not survive what they have on day 4, while the cells still rise."""
    drawn, p, fit = patients
    growing, s = p.copy(), ARM.schedule
    growing[:, INDEX["kk"]], growing[:, T_DEATH] = 0.0, np.inf
    never = read_out(patients, growing)[0][:, 0]
    times, states = np.linspace(0, 4, 801)[1:], np.full((PATIENTS, 800, SIZE), np.nan)
    trace(growing, fit, drawn.least, day=np.tile(s.day, (PATIENTS, 1)), course=s.course, event=s.event, follow=FOLLOW,
          rtol=1e-8, times=times, states=states)  # fmt: skip
    growing[:, T_DEATH] = states[:, -1, 3:5].sum(axis=1)
    o, who = read_out(patients, growing)[0][:, 0], never[:, TMAX_DAY] > 4.5
    assert who.sum() > 10
    np.testing.assert_allclose(o[:, DIED], 4, atol=1e-3)
    cart = states[:, :, :3].sum(axis=2).max(axis=1)
    np.testing.assert_allclose(o[who, CMAX], np.maximum(cart[who], 0.3), rtol=2e-3)
    assert np.all(o[:, TMAX_DAY] <= o[:, DIED])
    assert np.all(o[who, CMAX] < never[who, CMAX])
    assert np.all(o[who, AUC] < never[who, AUC])


def test_a_products_fitness_begins_with_its_lymphodepletion_and_for_residual_cells_too(patients):
    """As docs/virtual.md says: a second product that cannot grow stops what is left of the first, from day -3 on."""
    _, p, fit = patients
    s, times = ARM.schedule, np.array([146.9, 149.9])
    day, never = np.tile(s.day, (PATIENTS, 1)), np.zeros((PATIENTS, 5))
    cells = {}
    for second in (0.0, 1.0):
        states = np.full((PATIENTS, 2, SIZE), np.nan)
        both = np.column_stack([fit[:, 0], np.full(PATIENTS, second)])
        trace(p, both, never, day=day, course=s.course, event=s.event, follow=FOLLOW, rtol=RTOL, times=times,
              states=states)  # fmt: skip
        cells[second] = states[..., 0]
    np.testing.assert_array_equal(cells[0.0][:, 0], cells[1.0][:, 0])
    left = cells[1.0][:, 1] > 1e-12
    assert left.sum() > 5
    assert np.all(cells[0.0][left, 1] < cells[1.0][left, 1])
    assert "from its lymphodepletion on" in " ".join(BETWEEN)
