"""The model's limits: nothing comes from nothing, and parts of it have solutions by hand."""

import numpy as np
import pytest
from scipy.linalg import expm

from reinfuse.simulation.model.equations import PHI, SIZE, A, E, M, N, P, U, X, begin, change, deplete
from reinfuse.simulation.model.jit import compiled, exp
from reinfuse.simulation.model.parameters import INDEX, MECHANISMS, MIXTURE_INDEX, NAMES, PARAMETERS, REGIMENS, STATES
from reinfuse.simulation.population.virtual_patients import PRIOR
from reinfuse.simulation.solver.integrate import advance
from reinfuse.simulation.solver.readouts import READ

EMPTY, NONE = np.empty(0), np.empty((0, SIZE))
LEAST = np.zeros(5)


def typical(**changed):
    p = PRIOR.median.copy()
    for name, value in changed.items():
        p[INDEX[name]] = value
    return p


def state(**values):
    y = np.zeros(SIZE)
    for name, value in values.items():
        y[{"E": E, "M": M, "X": X, "P": P, "N": N, "A": A, "u": U, "Phi": PHI}[name]] = value
    return y


def after(days, y, p, least=LEAST, rtol=1e-9):
    y = y.copy()
    advance(y, (p, 1.0, least), (0.0, float(days), 0.0, False), rtol, (np.zeros(len(READ)), EMPTY, EMPTY, EMPTY, NONE))
    return y


def test_no_cells_in_none_out():
    y = after(200, state(P=95, A=0.3, u=-3), typical())
    assert np.all(y[[E, M, X]] == 0)


def test_tumour_alone_grows_logistically():
    p = typical(mu=0.0)
    y = after(100, state(P=90, N=5), p)
    g, top = p[INDEX["g"]], p[INDEX["Tmax"]]
    total = top / (1 + (top / 95 - 1) * np.exp(-g * 100))
    assert y[P] + y[N] == pytest.approx(total, rel=1e-7)
    assert y[N] / y[P] == pytest.approx(5 / 90, rel=1e-7)


def test_antigen_is_lost_at_its_rate():
    p = typical(g=0.0, mu=0.01)
    y = after(50, state(P=80), p)
    assert y[P] == pytest.approx(80 * np.exp(-0.5), rel=1e-8)
    assert y[P] + y[N] == pytest.approx(80, rel=1e-8)


def test_no_antigen_no_expansion():
    p = typical(b0=0.0)
    y = after(30, state(E=5, u=-3), p)
    assert y[E] == pytest.approx(5 * np.exp(-30 * (p[INDEX["dE"]] + p[INDEX["m"]])), rel=1e-7)
    assert y[X] == 0


def test_effector_and_memory_without_antigen_are_a_linear_system():
    p = typical(b0=0.0)
    rates = np.array([[-(p[INDEX["dE"]] + p[INDEX["m"]]), 0], [p[INDEX["m"]], -p[INDEX["dM"]]]])
    y = after(60, state(E=5, M=0.2), p)
    np.testing.assert_allclose(y[[E, M]], expm(60 * rates) @ [5, 0.2], rtol=1e-7)


def test_no_immunity_no_rejection():
    with_none, without = after(40, state(E=1, P=95), typical()), after(40, state(E=1, P=95), typical(rmax=0.0))
    np.testing.assert_allclose(with_none, without, rtol=1e-10)


def test_rejection_of_few_cells_is_exponential():
    p = typical(b0=0.0, KR=1e9, dA=0.0, rA=0.0, dE=0.0, m=0.0, rmax=2.0)
    assert after(5, state(E=1, A=0.5), p)[E] == pytest.approx(np.exp(-5), rel=1e-7)


def test_many_cells_saturate_rejection():
    p = typical(b0=0.0, dA=0.0, rA=0.0, dE=0.0, m=0.0)
    few, many = after(1, state(E=0.01, A=1), p)[E] / 0.01, after(1, state(E=1000, A=1), p)[E] / 1000
    assert few < 0.2
    assert many > 0.99


def test_immunity_falls_at_its_rate_without_car_t_cells():
    p = typical()
    assert after(300, state(A=0.4), p)[A] == pytest.approx(0.4 * np.exp(-300 * p[INDEX["dA"]]), rel=1e-7)


def test_fludarabine_holds_priming_and_not_memory():
    p = typical(dE=0.0, m=0.0, b0=0.0, kphi=0.0, rmax=0.0, dA=0.0)

    def growth(start, hang_over):
        return np.log(after(3, state(E=50, A=start, Phi=hang_over), p)[A] / start)

    assert growth(1e-6, 0.9) == pytest.approx(0.1 * growth(1e-6, 0.0), rel=0.01)
    assert growth(0.9, 0.9) > 0.5 * growth(0.9, 0.0)


def test_lymphocytes_recover_as_gompertz_and_the_hang_over_fades():
    p = typical()
    y = after(12, state(u=-4, Phi=0.9), p)
    assert y[U] == pytest.approx(-4 * np.exp(-12 * p[INDEX["rL"]]), rel=1e-7)
    assert y[PHI] == pytest.approx(0.9 * np.exp(-12 * p[INDEX["kphi"]]), rel=1e-7)


def test_killing_of_tumour_by_constant_effectors():
    p = typical(g=0.0, mu=0.0, rho=0.0, dE=0.0, m=0.0, x=0.0, aM=0.0)
    rate = p[INDEX["kk"]] * 10 / (10 + p[INDEX["kB"]])
    assert after(4, state(E=10, P=50), p)[P] == pytest.approx(50 * np.exp(-4 * rate), rel=1e-7)


def test_cells_only_move_where_nothing_is_born_or_dies():
    p = typical(rho=0.0, dE=0.0, dM=0.0, dX=0.0, rmax=0.0)
    y = after(50, state(E=5, M=1, X=2, P=95), p)
    assert y[[E, M, X]].sum() == pytest.approx(8, rel=1e-8)
    assert y[X] > 2


def test_a_smaller_dose_leaves_fewer_cells_down_to_none():
    # one log dose apart, before the effects of tumour and limits set in
    p = typical()
    doses = np.array([1e-2, 1e-3, 1e-4])
    cells = [after(2, state(E=d, P=95, u=-3), p)[E] for d in doses]
    np.testing.assert_allclose(cells / doses, cells[0] / doses[0], rtol=1e-2)


def test_a_population_dies_out_on_the_way_down_and_not_before_it_grew():
    p, least = typical(b0=0.0), np.array([1e-3, 0, 0, 0, 0.0])
    gone = after(60, state(E=5), p, least)
    assert gone[E] == 0
    below = after(10, state(E=1e-4, P=95, u=-3), typical(), least)
    assert below[E] > 1e-4  # it began below, and grows


def test_lymphodepletion_by_hand():
    p = typical()
    y = state(E=1, M=1, X=1, P=10, N=1, A=0.5, Phi=0.2)
    deplete(y, p, 1.0, 0.5)
    kill = p[INDEX["cCy"]] + 0.5 * p[INDEX["cFlu"]]
    np.testing.assert_allclose(y[[E, M, X]], np.exp(-kill))
    assert y[A] == pytest.approx(0.5 * np.exp(-p[INDEX["sA"]] * kill))
    assert y[P] == pytest.approx(10 * np.exp(-p[INDEX["sT"]] * kill))
    assert y[U] == pytest.approx(-kill)
    assert y[PHI] == pytest.approx(1 - 0.8 * 0.1**0.5)


def test_no_drug_changes_nothing():
    y = state(E=1, P=10, A=0.5, Phi=0.2, u=-1)
    before = y.copy()
    deplete(y, typical(), *REGIMENS["None"])
    np.testing.assert_allclose(y, before)


def test_python_and_machine_code_agree():
    p, y = typical(), state(E=3, M=0.1, X=2, P=40, N=1e-4, A=0.01, u=-1, Phi=0.5)
    one, other = np.empty(SIZE), np.empty(SIZE)
    change(y, p, 1.1, one)
    compiled(change)(y, p, 1.1, other)
    np.testing.assert_allclose(one, other, rtol=1e-13)


def test_the_compiled_exponential_is_the_exponential():
    x = np.concatenate([-np.logspace(-12, np.log10(39), 400), [0.0]])
    alone = compiled(lambda u: exp(u))
    np.testing.assert_allclose([alone(u) for u in x], np.exp(x), rtol=1e-8, atol=1e-13)
    assert alone(-1e4) < 1e-16


def test_a_patient_begins_with_the_declared_tumour():
    y = np.empty(SIZE)
    begin(typical(fN=0.01), y)
    assert y[P] + y[N] == pytest.approx(95)
    assert y[N] == pytest.approx(0.95)


def test_every_parameter_is_declared_with_its_source_and_used_in_an_equation():
    from reinfuse.simulation.model.parameters import BETWEEN

    text = " ".join([*(s.equation for s in STATES), *BETWEEN])
    not_in_equations = {"T0", "fN", "A0", "Tdeath"}  # where a patient begins and ends
    for p in PARAMETERS:
        assert p.source
        assert p.unit
        assert p.median > 0
        assert p.name in text or p.name in not_in_equations, p.name
    assert len(STATES) == SIZE
    assert all(name in (*NAMES, *MIXTURE_INDEX) for changed in MECHANISMS.values() for name in changed)
