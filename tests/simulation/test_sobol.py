"""Sensitivity: functions whose Sobol indices are known, and the model in a few patients."""

from __future__ import annotations

import numpy as np
import pytest

from reinfuse.report.figures.virtual_search import tornado
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.parameter_space import UNKNOWNS
from reinfuse.simulation.search.sobol import OUTCOMES, sensitivity, sobol


def test_indices_of_known_functions():
    """a + b + c weighted 3, 2, 1 is additive; a x b is all interaction; a constant has no index."""
    weights = np.array([3.0, 2.0, 1.0, 0.0])

    def of(z: np.ndarray) -> np.ndarray:
        return np.column_stack([z @ weights, z[:, 0] * z[:, 1], np.ones(len(z))])

    indices, runs, missing = sobol(
        of, ("a", "b", "c", "d"), ("sum", "product", "constant"), samples=512, resamples=100, seed=0
    )
    assert runs == 512 * 6
    assert missing == 0
    by = {(i.outcome, i.unknown): i for i in indices}
    for unknown, share in zip("abcd", weights**2 / 14, strict=True):
        one = by["sum", unknown]
        assert one.first[0] == pytest.approx(share, abs=0.04)
        assert one.total[0] == pytest.approx(share, abs=0.04)
        assert one.first[1] <= share + 0.02
        assert one.first[2] >= share - 0.02
    assert by["product", "a"].first[0] == pytest.approx(0, abs=0.1)
    assert by["product", "a"].total[0] == pytest.approx(1, abs=0.1)
    assert by["product", "c"].total == (0, 0, 0)
    assert np.isnan(by["constant", "a"].total[0])


def test_populations_without_a_value_are_counted():
    def of(z: np.ndarray) -> np.ndarray:
        return np.where(z[:, :1] > 2, np.nan, z[:, :1])

    indices, _, missing = sobol(of, ("a", "b"), ("one",), samples=128, resamples=20, seed=1)
    assert missing > 0
    assert indices[0].total[0] > 0.9


def test_sensitivity_of_the_model():
    calls = []
    result = sensitivity(1, samples=4, patients=32, resamples=20, progress=lambda *a: calls.append(a))
    again = sensitivity(1, samples=4, patients=32, resamples=20, cores=1)
    assert result == again
    assert result.runs == 4 * (len(UNKNOWNS) + 2) == calls[-1][1] == calls[-1][2]
    frame = result.frame()
    assert frame.height == len(OUTCOMES) * len(UNKNOWNS)
    records = list(result.records())
    assert len(records) == 2 * frame.height
    assert {r.statistic for r in records} == {"sobol_first", "sobol_total"}
    drawn = tornado("sobol", "Sensitivity", frame, outcomes={o: o for o in OUTCOMES}, labels={}, synthetic=False)
    assert drawn.svg.startswith(b"<?xml")
    assert drawn.data.height <= 8 * len(OUTCOMES)


def test_unknowns_that_the_ensemble_holds_fixed_explain_nothing():
    z = np.zeros((6, len(UNKNOWNS)))
    z[:, UNKNOWNS.index("g")] = np.linspace(-1, 1, 6)
    result = sensitivity(1, Ensemble(z, np.zeros(6)), samples=4, patients=64, resamples=10)
    assert result.scaled
    totals = {i.unknown: i.total[0] for i in result.indices if i.outcome == "pfs_6_months"}
    assert totals["g"] > 0
    assert all(t == 0 for u, t in totals.items() if u != "g")
