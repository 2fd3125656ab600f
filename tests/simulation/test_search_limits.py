"""Where a search ends: at what has been published, or where extrapolation is asked for, with what is said of it."""

import dataclasses
import math

import numpy as np
import pytest

from reinfuse.exceptions import PlanRefused
from reinfuse.report.text.search_limits import limit_sentences
from reinfuse.simulation.population.ensemble import bundled
from reinfuse.simulation.population.virtual_patients import diseases
from reinfuse.simulation.search.design_space import BEFORE_CART1, COORDINATES, Question
from reinfuse.simulation.search.evaluation import EvaluatedProtocol, all_patients
from reinfuse.simulation.search.near_optimal import compared
from reinfuse.simulation.search.published_range import FLU_OF_CY, PUBLISHED
from reinfuse.simulation.search.search import search_key
from reinfuse.simulation.search.search_records import range_records
from reinfuse.simulation.trial.protocol import DISEASES, Infusion

DOSE = math.log10(2e7)


def test_the_search_keeps_to_what_has_been_published():
    for one in COORDINATES + BEFORE_CART1:
        published = PUBLISHED[one.name]
        assert published.low <= one.low <= one.usual <= one.high <= published.high
    for question in (Question(), Question(search_cart1=True)):
        cube = np.random.default_rng(1).random((400, question.unit(question.usual).size))
        points = question.at(cube)
        assert not any(question.beyond(p) for p in points)
        assert np.allclose(question.at(question.unit(points)), points)


def test_fludarabine_goes_with_cyclophosphamide():
    question = Question()
    at = question.at(np.array([[0.0, 1.0, 0.5, 0.5], [0.5 / 1.3, 1.0, 0.5, 0.5], [1.0, 1.0, 0.5, 0.5]]))
    assert at[:, :2].tolist() == [[0.0, 0.0], [0.5, 0.6], [1.3, 1.5]]
    assert np.all(at[:, 1] <= FLU_OF_CY * at[:, 0])
    wide = Question(extrapolate=True).at(np.array([0.0, 1.0, 0.5, 0.5]))
    assert wide[:2].tolist() == [0.0, 1.5]
    assert Question(limits={"cy": (0.0, 0.5)}).usual[:2].tolist() == [0.5, 0.6]


def test_more_than_has_been_given_is_refused_unless_it_is_asked_for():
    beyond = {"cy": (0.0, 2.0), "log10_dose": (6.0, 7.7), "interval_days": (33.0, 60.0), "flu": (0.0, 1.7)}
    with pytest.raises(PlanRefused) as refused:
        Question(limits=beyond)
    assert {p.column for p in refused.value.problems} == set(beyond)
    assert all("--extrapolate" in p.remedy for p in refused.value.problems)
    with pytest.raises(PlanRefused):
        Question(limits={"cy": (0.0, 0.0), "flu": (0.5, 1.0)})
    assert Question(limits=beyond, extrapolate=True).coordinates[0].high == 2.0
    with pytest.raises(PlanRefused):
        Question(limits={"cy": (0.0, 4.0)}, extrapolate=True)


@pytest.mark.parametrize(
    ("cart1", "what"),
    [
        ({"lymphodepletion": "Flu", "dose_cells_per_kg": 2e6}, "fludarabine before CART1 with less cyclophosphamide"),
        ({"lymphodepletion": "Cy-Flu", "cy": 2.0, "dose_cells_per_kg": 2e6}, "cyclophosphamide before CART1 above any"),
        ({"lymphodepletion": "Cy-Flu", "dose_cells_per_kg": 1e9}, "dose at CART1 above any published"),
    ],
)
def test_a_first_infusion_that_was_never_published_is_refused_unless_it_is_asked_for(cart1, what):
    first = Infusion(**cart1)
    with pytest.raises(PlanRefused) as refused:
        Question(cart1=first)
    [problem] = refused.value.problems
    assert what in problem.rule
    assert problem.column == "cart1"
    assert "--extrapolate" in problem.remedy
    asked = Question(cart1=first, extrapolate=True)
    [said] = asked.beyond(asked.usual)
    assert what in said[0].lower() + said[1:]
    assert not Question().beyond(Question().usual)


def test_the_courses_of_a_first_infusion_that_is_searched_are_not_those_given():
    first = Infusion(lymphodepletion="Flu", dose_cells_per_kg=2e6)
    searched = Question(cart1=first, search_cart1=True)
    assert not searched.beyond(searched.usual)


def test_what_lies_at_a_limit_and_what_beyond():
    question = Question()
    assert question.at_limits(np.array([0.5, 0.6, DOSE, 36.0])) == {"flu": "upper", "log10_dose": "upper"}
    assert question.at_limits(np.array([0.5, 0.3, 6.5, 35.0])) == {"interval_days": "lower"}
    assert question.at_limits(question.usual) == {"log10_dose": "upper"}
    rounded = question.rounded(question.usual)  # 7.3, of a limit of 7.301
    assert rounded[2] < DOSE
    assert question.at_limits(rounded) == {"log10_dose": "upper"}
    assert question.at_limits(np.array([0.05, 0.0, 6.5, 36.0])) == {"flu": "lower"}
    fixed = Question(limits={"interval_days": (35.0, 35.0)})
    assert "interval_days" not in fixed.at_limits(fixed.usual)  # not searched
    assert question.beyond(np.array([1.0, 1.2, DOSE, 35.0])) == ()
    outside = question.beyond(np.array([0.0, 0.55, math.log10(5e7), 34.0]))
    assert [text.split()[0] for text in outside] == ["Dose", "Days", "Fludarabine"]


def region_of(question, points):
    """The first of the points has the greatest objective, each next one less."""
    n = 200
    count = np.ones(n)
    evaluated = [EvaluatedProtocol((np.arange(n) < n - 20 * k).astype(float), 0.01 * count, 0.1 * count, count > 0,
                                   count > 0) for k in range(len(points))]  # fmt: skip
    region = compared(question, np.array(points), evaluated, which=np.arange(n) % 10, members=10, designed=len(points))
    assert region.best == 0
    return region


def test_a_best_protocol_at_a_limit_is_no_recommendation():
    region = region_of(Question(), [[0.5, 0.3, DOSE, 35.0], [1.0, 1.0, 6.5, 120.0]])
    said = " ".join(limit_sentences(region))
    assert "limit of the search: dose at CART2, 2e7/kg (upper); days from CART1 to CART2, 35 (lower)." in said
    assert "no recommendation" in said
    assert "21 of 70" in said
    assert "EXTRAPOLATED" not in said
    notes = {e.term: e.note for e in range_records(region, "it") if e.statistic == "region_range"}
    assert notes["log10_dose"] == "the best lies at the upper limit of the search"
    assert notes["flu"] is None
    table = region.frame()
    assert table["at_limits"].to_list() == ["log10_dose upper; interval_days lower", ""]
    assert table["extrapolated"].to_list() == ["", ""]
    assert not list(limit_sentences(region_of(Question(), [[1.0, 1.0, 6.5, 120.0]])))


def test_an_extrapolated_best_is_called_so_and_the_published_one_named():
    question = Question(extrapolate=True)
    region = region_of(question, [[0.0, 0.55, 6.5, 60.0], [1.0, 1.0, 6.5, 120.0], [1.0, 0.5, 6.5, 120.0]])
    said = " ".join(limit_sentences(region))
    assert "EXTRAPOLATED, not a suggestion: Fludarabine before CART2 with less cyclophosphamide" in said
    assert region.best_published == 1
    assert "within what has been published: Cy 1, Flu 1;" in said
    assert all("extrapolated" in e.note for e in range_records(region, "it") if e.statistic == "region_range")
    assert region.frame()["extrapolated"].to_list()[1:] == ["", ""]
    alone = " ".join(limit_sentences(region_of(question, [[0.0, 0.55, 6.5, 60.0]])))
    assert "none that was evaluated is admissible" in alone


def test_a_search_has_the_patients_of_the_diseases():
    from reinfuse.simulation.search import evaluation

    ensemble = bundled()
    on = all_patients(Question(diseases={"CLL": 1}), ensemble, 3, first=0, count=256)
    sample = evaluation._sample(on, (0, 256))
    assert set(diseases(sample.member, sample.drawn).tolist()) == {DISEASES.index("CLL")}
    mixed = evaluation._sample(dataclasses.replace(on, question=Question()), (0, 256))
    assert len(set(diseases(mixed.member, mixed.drawn).tolist())) == 3
    assert search_key(Question(), ensemble, 1, 256) != search_key(on.question, ensemble, 1, 256)
