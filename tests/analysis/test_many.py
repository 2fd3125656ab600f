"""Many fits at once against the library's single fits, R, and each other."""

import tracemalloc

import numpy as np
import pytest
from columns import drawn
from scipy.special import chdtrc

from reinfuse.statistics import firth, firth_batch, score_tests


def _design(n=40, seed=1):
    x, z, y, time, event = drawn(n, seed)
    return np.column_stack([x, z]), y, time, event


def _with_one(X):
    return np.column_stack([X, np.ones(len(X))])


@pytest.mark.parametrize("seed", range(5))
def test_a_row_is_the_single_fit(seed):
    X, y, time, event = _design(30, seed)
    for kind, outcome, fits in (
        (
            "logistic",
            (y, None),
            [firth_batch.logistic(_with_one(X), y[None], held=h) for h in (None, (0, np.zeros(1)))],
        ),
        ("cox", (event, time), [firth_batch.cox(X, time[None], event[None], held=h) for h in (None, (0, np.zeros(1)))]),
    ):
        single = firth.fit(kind, X, *outcome, 0.95)
        assert fits[0].converged.all()
        assert fits[0].coef[0, :2] == pytest.approx(single.coef, abs=1e-6)
        assert chdtrc(1, 2 * (fits[0].value - fits[1].value)[0]) == pytest.approx(single.p_value[0], rel=1e-6)


def test_the_two_by_two_table_has_its_closed_form():
    """Firth's odds ratio of a 2 x 2 table adds one half to each cell: (3.5 * 2.5) / (1.5 * 1.5)."""
    x = np.array([1, 1, 1, 1, 0, 0, 0])
    y = np.array([1, 1, 1, 0, 1, 0, 0])
    fit = firth_batch.logistic(_with_one(x[:, None].astype(float)), y[None].astype(float))
    assert np.exp(fit.coef[0, 0]) == pytest.approx(3.5 * 2.5 / (1.5 * 1.5), abs=1e-6)


def test_a_weight_is_a_repeated_patient():
    X, y, time, event = _design()
    weights = np.random.default_rng(3).integers(0, 4, size=(3, len(y))).astype(float)
    for row, w in enumerate(weights):
        again = np.repeat(np.arange(len(y)), w.astype(int))
        one = firth_batch.logistic(_with_one(X), np.tile(y, (3, 1)), weights=weights)
        assert one.coef[row] == pytest.approx(
            firth_batch.logistic(_with_one(X[again]), y[again][None]).coef[0], abs=1e-6
        )
        other = firth_batch.cox(X, np.tile(time, (3, 1)), np.tile(event, (3, 1)), weights=weights)
        fits = firth_batch.cox(X[again], time[again][None], event[again][None])
        assert other.coef[row] == pytest.approx(fits.coef[0], abs=1e-6)
        assert other.value[row] == pytest.approx(fits.value[0], abs=1e-8)


def test_patients_alike_are_taken_together_in_a_large_batch(monkeypatch):
    rng = np.random.default_rng(5)
    X = np.column_stack([rng.integers(0, 2, (40, 2)), np.ones(40)]).astype(float)
    outcome = (rng.random((80, 40)) < 0.4).astype(float)
    resampled = rng.multinomial(40, np.full(40, 1 / 40), size=80).astype(float)  # no patient of some kinds in some rows
    for weights in (None, resampled):
        together = firth_batch.logistic(X, outcome, weights=weights)
        with monkeypatch.context() as patch:
            patch.setattr(firth_batch, "_WORTH_GROUPING", np.inf)
            apart = firth_batch.logistic(X, outcome, weights=weights)
        assert together.converged.tolist() == apart.converged.tolist()
        for name in ("coef", "value", "information"):
            assert getattr(together, name) == pytest.approx(getattr(apart, name), abs=1e-9)


def test_many_kinds_of_patients_are_taken_together_in_little_memory():
    rng = np.random.default_rng(6)
    X = np.column_stack([rng.integers(20, 90, 20_000), rng.integers(0, 150, 20_000), np.ones(20_000)]).astype(float)
    outcome = (rng.random((1, 20_000)) < 0.4).astype(float)
    tracemalloc.start()
    fits = firth_batch.logistic(X, outcome)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fits.converged.all()
    assert 5_000 < len(np.unique(X, axis=0)) < 10_000
    assert peak < 50e6  # a table of patients by kinds would have over a gigabyte


def test_a_column_that_is_not_used_is_not_there():
    X, y, time, event = _design()
    used = np.array([[True, False], [False, True], [False, False]])
    fits = firth_batch.cox(X, np.tile(time, (3, 1)), np.tile(event, (3, 1)), used=used)
    for row, j in ((0, 0), (1, 1)):
        alone = firth_batch.cox(X[:, [j]], time[None], event[None])
        assert fits.coef[row, j] == pytest.approx(alone.coef[0, 0], abs=1e-6)
        assert fits.value[row] == pytest.approx(alone.value[0], abs=1e-9)
    assert (fits.coef[~used] == 0).all()
    assert fits.converged.all()
    with_one = np.column_stack([used, np.ones(3, dtype=bool)])
    logistic = firth_batch.logistic(_with_one(X), np.tile(y, (3, 1)), used=with_one)
    alone = firth_batch.logistic(_with_one(X[:, [1]]), y[None])
    assert logistic.coef[1, [1, 2]] == pytest.approx(alone.coef[0], abs=1e-6)
    # of no factor the intercept is that of (events + 1/2) / (n + 1), and the likelihood is the binomial's
    p = (y.sum() + 0.5) / (len(y) + 1)
    assert firth_batch.plain_value(logistic, with_one)[2] == pytest.approx(
        y.sum() * np.log(p) + (1 - y).sum() * np.log(1 - p), abs=1e-9
    )


def test_each_row_may_have_its_own_columns():
    X, y, time, event = _design()
    other = X[:, ::-1]
    fits = firth_batch.cox(np.stack([X, other]), np.tile(time, (2, 1)), np.tile(event, (2, 1)))
    assert fits.coef[0] == pytest.approx(fits.coef[1][::-1], abs=1e-8)
    fits = firth_batch.logistic(np.stack([_with_one(X), _with_one(other)]), np.tile(y, (2, 1)))
    assert fits.coef[0][:2] == pytest.approx(fits.coef[1][1::-1], abs=1e-8)


def test_separated_data_have_an_estimate_only_with_the_penalty():
    x = np.array([1.0, 1, 1, 0, 0, 0])[:, None]
    y = np.array([[1.0, 1, 1, 0, 0, 1]])
    assert firth_batch.logistic(_with_one(x), y).converged.all()
    assert not firth_batch.logistic(_with_one(x), y, penalised=False).converged.any()


def test_rows_without_an_event_or_without_a_difference_do_not_converge():
    X, _, time, event = _design()
    assert not firth_batch.cox(X, time[None], np.zeros((1, len(event)))).converged.any()
    assert not firth_batch.cox(np.ones((len(event), 1)), time[None], event[None]).converged.any()


def test_the_number_of_threads_does_not_matter(monkeypatch):
    X, _, time, event = _design()
    rng = np.random.default_rng(1)
    times = rng.permuted(np.tile(time, (300, 1)), axis=1)
    one = firth_batch.cox(X, times, np.tile(event, (300, 1)))
    monkeypatch.setattr(firth_batch, "_NUMBERS_AT_ONCE", 500)
    assert np.array_equal(one.coef, firth_batch.cox(X, times, np.tile(event, (300, 1))).coef)


def test_the_score_statistic_of_two_groups_is_the_log_rank_test():
    """Times 1 to 4, all events, first and third exposed.

    O - E = (1 - 2/4) + (0 - 1/3) + (1 - 1/2) + 0 = 2/3; V = 1/4 + 2/9 + 1/4 = 13/18; statistic 4/9 / (13/18) = 8/13.
    """
    x = np.array([1.0, 0, 1, 0])[None, :, None]
    got = score_tests.score_statistics(x, np.ones(4), np.array([1.0, 2, 3, 4]), coef=np.empty(0), tested=1)
    assert got == pytest.approx([8 / 13])
