"""What a centre keeps to itself in tables mode, and what is not estimated for it."""

from __future__ import annotations

import numpy as np
import pytest

from pooling.splitting import answer_of, centre_of, pooled, study_of
from reinfuse.pooling.descriptive_tables import curve_table, factor_table, kaplan_meier_at, toxicity_table
from reinfuse.pooling.table_choice import NOT_SHARED, for_order, for_outcome, for_size

YES_NO, STAGES = ("no", "yes"), ("I", "II", "III")


def cells(*counts):
    """Return levels and events of patients: (level, patients, events) each."""
    places = np.repeat([c[0] for c in counts], [c[1] for c in counts])
    event = np.concatenate([np.arange(n) < x for _, n, x in counts]).astype(float)
    return places, event


def answered(counts, *, levels=YES_NO, kind="binary", **settings):
    study = study_of(("A", "B", "C"), {"f": levels}, {"x": kind}, **{"small_cells": 3, **settings})
    places, event = cells(*counts)
    time = np.arange(len(event)) + 1.0 if kind == "time" else None
    return answer_of(study, "A", centre_of(study, {"f": places}, {"x": (event, time)}))


def told(answer):
    return [(*row["levels"], row["patients"], row["events"]) for row in answer.tables["patterns"].get("x: f", [])]


def test_a_table_of_large_cells_is_told():
    assert told(answered([(0, 8, 3), (1, 6, 3)])) == [("no", 8, 3), ("yes", 6, 3)]


@pytest.mark.parametrize("counts", [[(0, 8, 3), (1, 6, 2)], [(0, 8, 3), (1, 6, 4)], [(0, 8, 3), (1, 6, 0)],
                                    [(0, 8, 4), (1, 6, 6)]])  # fmt: skip
def test_few_none_or_all_with_the_event_at_a_level_are_not_told(counts):
    answer = answered(counts)
    assert told(answer) == []
    assert answer.withheld["x: f"] == for_outcome(3)


def test_levels_that_are_too_small_are_left_out_by_size_with_the_next_until_they_are_not():
    """Stage III has 2 patients: with II it is 8, enough; I alone is told."""
    answer = answered([(0, 9, 4), (1, 6, 3), (2, 2, 1)], levels=STAGES)
    assert told(answer) == [("I", 9, 4)]
    counts = answer.tables["factors"]["f"]
    assert counts == {"levels": {"I": 9, "II": None, "III": None}, "missing": 0}
    alone = answered([(0, 9, 4), (1, 6, 3), (2, 3, 1), (-1, 3, 2)], levels=STAGES)  # III and the missing: 3 of 6
    assert told(alone) == [("I", 9, 4), ("II", 6, 3)]


def test_one_missing_value_hides_a_level():
    assert told(answered([(0, 9, 4), (1, 6, 3), (-1, 1, 1)])) == [("no", 9, 4)]
    assert answered([(0, 5, 3), (1, 5, 3)]).withheld["x: f"] == for_size(3)


def test_a_factor_that_is_needed_leaves_patients_without_it_out_of_everything():
    """One missing value would hide a level; left out, nobody can subtract that patient, as no number holds him."""
    answer = answered([(0, 9, 4), (1, 6, 3), (-1, 1, 1)], leave_out_missing=("f",))
    assert told(answer) == [("no", 9, 4), ("yes", 6, 3)]
    assert answer.tables["flow"] == {"patients": None, "analysed": 15, "excluded": {}}
    assert answer.tables["endpoints"]["x"] == {"n": 15, "events": 7}
    assert answer.tables["factors"]["f"] == {"levels": {"no": 9, "yes": 6}, "missing": 0}
    more = answered([(0, 9, 4), (1, 6, 3), (-1, 4, 1)], leave_out_missing=("f",))
    assert more.tables["flow"] == {"patients": 19, "analysed": 15, "excluded": {"no value of f": 4}}


def test_few_events_or_patients_not_evaluated_hide_an_endpoint():
    assert answered([(0, 8, 1), (1, 8, 1)]).withheld["x"] == "fewer than 3 events"
    study = study_of(("A", "B", "C"), {"f": YES_NO}, {"x": "binary"}, small_cells=3)
    places, event = cells((0, 8, 3), (1, 8, 3))
    event[0] = np.nan
    answer = answer_of(study, "A", centre_of(study, {"f": places}, {"x": (event, None)}))
    assert answer.withheld["x"] == "fewer than 3 patients were not evaluated"


def test_two_endpoints_that_differ_by_few_are_not_both_told():
    study = study_of(("A", "B", "C"), {"f": YES_NO}, {"response": "binary", "cr": "binary"}, small_cells=3)
    places, response = cells((0, 12, 6), (1, 12, 6))
    complete = response.copy()
    complete[0] = 0.0
    ends = {"response": (response, None), "cr": (complete, None)}
    answer = answer_of(study, "A", centre_of(study, {"f": places}, ends))
    assert list(answer.tables["endpoints"]) == ["response"]
    assert "differ by fewer than 3 patients" in answer.withheld["cr"]


@pytest.mark.parametrize(("k", "untold"), [(3, {"confirmed_response", "confirmed_response: f"}), (0, set())])
def test_of_an_endpoint_that_is_not_shared_no_small_number_may_be_hidden(k, untold):
    ends = {"response": "binary", "confirmed_response": "binary"}
    study = study_of(("A", "B", "C"), {"f": YES_NO}, ends, small_cells=k)
    places, event = cells((0, 12, 6), (1, 12, 6))
    answer = answer_of(study, "A", centre_of(study, {"f": places}, dict.fromkeys(ends, (event, None))))
    assert set(answer.withheld) == untold
    assert set(answer.withheld.values()) <= {NOT_SHARED}


def test_the_order_of_events_needs_the_word_of_the_study():
    counts = [(0, 8, 4), (1, 8, 4)]
    assert answered(counts, kind="time").withheld["x: f"] == for_order(3)
    with_order = answered(counts, kind="time", event_order=True)
    assert len(with_order.tables["orders"]["x: f"]["events"]) == 8
    assert with_order.tables["curves"] == {}


def test_orders_of_two_factors_are_told_only_if_their_common_table_could_be():
    """Laid beside each other the two orders give the factors of every event: one of them is kept."""
    study = study_of(("A", "B", "C"), {"f": YES_NO, "g": YES_NO}, {"x": "time"}, small_cells=3, event_order=True)
    f, event = cells((0, 12, 6), (1, 12, 6))
    both, crossed = np.tile([0, 1], 12), np.where(np.arange(24) == 0, 1 - f, f)
    ends = {"x": (event, np.arange(24) + 1.0)}
    alike = answer_of(study, "A", centre_of(study, {"f": f, "g": both}, ends))
    assert set(alike.tables["orders"]) == {"x: f", "x: g"}
    thin = answer_of(study, "A", centre_of(study, {"f": f, "g": crossed}, ends))
    assert set(thin.tables["orders"]) == {"x: f"}
    assert thin.withheld["x: g"] == for_size(3)


def three(*counts, **settings):
    study = study_of(("A", "B", "C"), {"f": YES_NO}, {"x": "binary"}, **settings)
    centres = {}
    for name, own in zip("ABC", counts, strict=True):
        places, event = cells(*own)
        centres[name] = centre_of(study, {"f": places}, {"x": (event, None)})
    return pooled(study, centres)[1]


def firth_of(records):
    return next(e for e in records if (e.method or "").startswith("Firth"))


def test_centres_left_out_for_their_outcomes_leave_no_estimate():
    """In C the factor and the event go together: an estimate from A and B, or from A, B and others, would lack that."""
    large = [(0, 8, 4), (1, 8, 4)]
    records = three(large, large, [(0, 8, 0), (1, 8, 8)], small_cells=3)
    assert firth_of(records).estimate is None
    assert "C would tell of fewer than 3 patients" in firth_of(records).note
    assert "rounds or masked" in firth_of(records).note
    assert firth_of(three(large, large, [(0, 8, 0), (1, 8, 8)], small_cells=0)).estimate > 1
    assert firth_of(three(large, large, large, small_cells=3)).estimate == pytest.approx(1)


def test_a_proportion_without_a_centre_that_hides_its_events_is_not_estimated():
    large = [(0, 8, 4), (1, 8, 4)]
    records = three(large, large, [(0, 8, 1), (1, 8, 1)], small_cells=3)
    share = next(e for e in records if e.statistic == "proportion" and e.endpoint == "x" and e.population == "all")
    assert share.estimate is None
    assert "chosen by their outcome" in share.note
    assert "not told by C" in share.note


def graded(grades, k):
    study = study_of(("A", "B", "C"), {"f": YES_NO}, {"x": "binary"}, small_cells=k)
    n = len(grades)
    ends = {"x": (np.arange(n) % 2 * 1.0, None)}
    centre = centre_of(study, {"f": np.zeros(n, dtype=int)}, ends, {"crs_grade": grades})
    return toxicity_table(centre, k).get("CRS")


def test_grades_are_put_together_until_none_is_few():
    grades = [0] * 6 + [1] * 3 + [2] * 4 + [3] * 3
    assert graded(grades, 3)["grades"] == {"0": 6, "1": 3, "2": 4, "3": 3, "4": 0, "5": 0}
    assert graded([*grades, 4], 3)["grades"] == {"0": 6, "1-2": 7, "3-5": 4}
    assert graded([0, 1, 1, 1, 3, 3, 4], 3)["grades"] == {"0-2": 4, "3-5": 3}
    assert graded([0, 0, 0, 0, 0, 4], 3)["grades"] is None
    assert graded([0] * 4 + [None], 3) == {"n": None, "grades": None}


def test_a_curve_by_hand_and_its_guards():
    """Of 8 patients one dies in each month: after the third 5 are left; S = 7/8, 6/8, 5/8."""
    time, event = np.arange(8) * 30.4375 + 15.0, np.ones(8)
    event[5:] = 0
    survival, error = kaplan_meier_at(time, event, days=np.array([30.4375, 61.0, 100.0]))
    assert survival == pytest.approx([7 / 8, 6 / 8, 5 / 8])
    assert error**2 == pytest.approx([s * (1 - s) / 8 for s in survival])  # nobody censored: binomial
    study = study_of(("A", "B", "C"), {"f": YES_NO}, {"x": "time"})
    centre = centre_of(study, {"f": np.zeros(8, dtype=int)}, {"x": (event, time)})
    curve = curve_table(centre, "x", 0, beside={})
    assert (curve["months"], curve["events"]) == ([0, 1, 2, 3], [0, 1, 1, 1])
    assert curve_table(centre, "x", 3, beside={}) is None  # no half-year with 3 left


def test_levels_are_hidden_with_the_next_smallest():
    study = study_of(("A", "B", "C"), {"f": STAGES}, {"x": "binary"})
    ends = {"x": (np.arange(17) % 2 * 1.0, None)}
    centre = centre_of(study, {"f": np.repeat([0, 1, 2], [10, 5, 2])}, ends)
    assert factor_table(centre, "f", 3)["levels"] == {"I": 10, "II": None, "III": None}
    assert factor_table(centre, "f", 0)["levels"] == {"I": 10, "II": 5, "III": 2}
