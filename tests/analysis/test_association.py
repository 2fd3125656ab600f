"""What is said where a model cannot be fitted, or can barely be."""

import numpy as np
import polars as pl
import pytest
from columns import category, number, timed, yes_no

from reinfuse.analyses import bootstrap_stability
from reinfuse.analyses.association import associations
from reinfuse.analyses.design_matrix import design_of
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn


def _factor(name: str, values: list[object], **more: object) -> FactorColumn:
    numeric = not any(isinstance(v, str) for v in values)
    if numeric:
        return FactorColumn(name, name, "number", pl.Series(values, dtype=pl.Float64))
    levels = more.get("levels", ("no", "yes"))
    kind = "binary" if levels == ("no", "yes") else "category"
    return FactorColumn(name, name, kind, pl.Series(values, dtype=pl.String), levels)  # type: ignore[arg-type]


def _binary(*events: float) -> EndpointColumn:
    return EndpointColumn("response", "Response", "binary", np.array(events, dtype=float))


def _one(endpoint: EndpointColumn, *factors: FactorColumn):
    return associations(endpoint, factors, "multivariable", confidence=0.95)


YES = ["yes", "no"] * 6


def test_complete_cases_are_counted():
    factor = _factor("a", ["yes", None, *YES[2:]])
    record = _one(_binary(*[1, 0, 0, 1] * 3), factor)[0]
    assert (record.n, record.events) == (11, 6)
    assert "1 patient excluded, factor missing" in str(record.note)


def test_constant_factor():
    record = _one(_binary(*[1, 0] * 6), _factor("a", ["yes"] * 12))[0]
    assert record.estimate is None
    assert str(record.note).startswith("not estimable: constant in these patients")


def test_collinear_factors_are_named_and_the_others_fitted():
    free = _factor("free", [float(v) for v in [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]])
    record = _one(_binary(*[1, 0, 0, 1] * 3), _factor("a", YES), _factor("b", YES), free)
    assert [e.term for e in record] == ["a", "b", "free"]
    assert record[0].estimate is record[1].estimate is None
    assert str(record[0].note).startswith("not estimable: collinear (a, b)")
    assert record[2].estimate is not None


@pytest.mark.parametrize(("tied", "said"), [(5, True), (4, False)])
def test_many_events_on_one_day_are_said_to_draw_the_ratio_towards_1(tied, said):
    """Five of 12 events are over a quarter; four are fewer than five."""
    time = np.concatenate([np.ones(tied), np.arange(2.0, 14.0 - tied)])
    end = EndpointColumn("efs", "EFS", "time", np.ones(12), time)
    [record] = _one(end, _factor("a", YES))
    note = f"{tied} of 12 events on one day: Breslow's ties draw the ratio towards 1"
    assert (note in str(record.note)) == said
    assert "one day" not in str(_one(_binary(*[1, 0] * 6), _factor("a", YES[::-1]))[0].note)


@pytest.mark.parametrize(("event", "why"), [(0, "no event"), (1, "every patient has the event")])
def test_outcome_of_one_value(event, why):
    record = _one(_binary(*[event] * 12), _factor("a", YES))[0]
    assert (record.estimate, record.p_value) == (None, None)
    assert str(record.note).startswith(f"not estimable: {why}")


def test_separation_and_few_events_are_said():
    record = _one(_binary(*[1, 0] * 2, *[0] * 8), _factor("a", YES))[0]
    assert record.estimate is not None
    assert record.note == (
        "separation: without the penalty the estimate is infinite; "
        "few events: 2 events for 1 factor, fewer than 5 per factor"
    )


def test_few_without_the_event_are_said():
    record = _one(_binary(*[1] * 9, 0, 0, 0), _factor("a", YES))[0]
    assert "few events: 3 patients without the event for 1 factor" in str(record.note)


def test_category_has_a_term_for_each_level_but_the_reference():
    factor = _factor("d", ["NHL", "CLL", "ALL"] * 4, levels=("NHL", "ALL", "CLL"))
    record = _one(_binary(*[1, 0, 0, 1] * 3), factor)
    assert [(e.term, e.level) for e in record] == [("d", "ALL"), ("d", "CLL")]


def test_category_without_its_reference_among_the_patients():
    factor = _factor("d", ["CLL", "ALL"] * 6, levels=("NHL", "ALL", "CLL"))
    record = _one(_binary(*[1, 0, 0, 1] * 3), factor)
    assert [e.estimate for e in record] == [None, None]
    assert str(record[0].note).startswith("not estimable: none of these patients has the reference, NHL")


def test_time_to_event_gives_hazard_ratios_and_monotone_likelihood_is_said():
    end = EndpointColumn("pfs", "PFS", "time", np.array([1.0] * 6 + [0.0] * 6), np.arange(1.0, 13))
    record = _one(end, _factor("a", ["yes"] * 6 + ["no"] * 6))[0]
    assert record.statistic == "hazard_ratio"
    assert "monotone likelihood" in str(record.note)
    assert record.lower is not None
    assert record.lower > 1


def test_nobody_known():
    record = _one(_binary(*[1, 0] * 6), _factor("a", [None] * 11 + ["yes"]))[0]
    assert record.estimate is None


def test_one_complete_patient_has_no_model():
    """Once a category without its reference kept the other columns from being looked at, and NaN went on."""
    end = timed([28, 30, 40], [1, 1, 0])
    factors = [category(["b", None, None], ("a", "b", "c")), number([2.5, 3, 4])]
    design = design_of(end, factors)
    assert (design.n, design.usable) == (1, [])
    assert bootstrap_stability.stability(end, factors, 10, rng=np.random.default_rng(1))[0].estimate is None


def test_columns_that_vary_only_among_patients_in_no_risk_set_cannot_be_used():
    end = timed([1, 2, 5, 6, 9], [0, 0, 1, 1, 0])
    design = design_of(end, [yes_no([1, 0, 0, 0, 0], "x"), number([1, 2, 3, 4, 6])])
    assert design.reasons == {0: "constant in these patients who are at risk at an event"}
    late = timed([1, 2, 5, 6, 9], [1, 0, 0, 1, 0], entry=[0, 1.5, 2, 0, 7])
    design = design_of(late, [yes_no([1, 0, 0, 1, 0], "x")])
    assert design.reasons == {0: "constant in these patients who are at risk at an event"}
