"""The report of a search, made from a small one; questions that cannot be asked are refused with all problems."""

import json
import re

import numpy as np
import pytest

from reinfuse.exceptions import PlanRefused
from reinfuse.report.export import search_folder
from reinfuse.report.export.search_folder import COST, write_search
from reinfuse.simulation.population.ensemble import bundled
from reinfuse.simulation.search import design_space, sobol
from reinfuse.simulation.search.design_space import Question
from reinfuse.simulation.search.search import SearchSize, search
from reinfuse.simulation.search.sobol import sensitivity
from reinfuse.simulation.trial.protocol import mix_text
from reinfuse.study.virtual_search import Cart1Choice, question_of


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    ensemble = bundled()
    result = search(
        Question(max_crs_rate=0.6, fludarabine_auc=19.0, diseases={"ALL": 1, "NHL": 3}),
        ensemble,
        3,
        patients=1024,
        size=SearchSize(design=8, steps=1, around=2, finalists=3, permutations=20),
    )
    sensitive = sensitivity(3, ensemble, samples=2, patients=64, resamples=10)
    folder = tmp_path_factory.mktemp("search") / "out"
    write_search(result, sensitive, ensemble, place=folder, seed=3)
    return folder


def test_a_search_is_reported_with_its_limits(out):
    text = (out / "report.html").read_text()
    assert COST.split(":")[0] in text
    assert "not validated for individual patients" in text
    assert "Protocols on the frontier" in text
    assert "Severe neurotoxicity" in text
    assert "ALL 25 %, NHL 75 %" in text
    assert "keeps to what published second infusions were given" in text
    assert "Published: courses of cyclophosphamide, 0 to 1.33" in text
    assert "Scordo 2023" in text  # where the exposure of a course is given
    assert not re.search(r"(src|href)=[\"']https?:", text)


def test_numbers_of_a_search_can_be_read(out):
    findings = json.loads((out / "findings.json").read_text())
    assert findings["estimates"]
    assert all(e["estimate"] is None or np.isfinite(e["estimate"]) for e in findings["estimates"])
    assert {p.name for p in out.iterdir()} >= {"protocols.csv", "sensitivity.csv", "estimates.csv", "figures"}


def test_doses_on_an_axis_are_readable_and_the_best_is_the_reference(out):
    figure = (out / "figures" / "search_region.svg").read_text()
    assert "mathdefault" not in figure
    assert "1e7" in figure
    assert (out / "report.html").read_text().count(">reference<") == 1


def test_every_objective_and_outcome_has_a_label():
    assert set(search_folder.OBJECTIVES) == set(design_space.OBJECTIVES)
    assert set(search_folder.OUTCOMES) == set(sobol.OUTCOMES)


def test_all_problems_of_a_question_are_told_at_once():
    with pytest.raises(PlanRefused) as refused:
        question_of(
            "cr", 0.15, 0.5, margin=0.1, cart1=Cart1Choice("Cyclo", -1.0), limits=["flu:a:1", "flu"],
            diseases=["CML", "NHL:-1", "NHL"]
        )  # fmt: skip
    assert [p.column for p in refused.value.problems].count("disease") == 3
    assert len(refused.value.problems) == 7
    for wrong in ({"limits": ["flux:0:1"]}, {"diseases": ["NHL:many"]}, {"diseases": ["ALL:0"]}):
        with pytest.raises(PlanRefused):
            question_of("cr", 0.15, 0.5, margin=0.1, **wrong)
    with pytest.raises(PlanRefused) as refused:
        question_of("cr", 1.5, 0.5, margin=0.1, limits=["flu", "flux:0:1"], diseases=["CML"])
    assert [p.column for p in refused.value.problems] == ["disease", "limit", "max_crs_rate", "flux"]


def test_diseases_are_those_of_a_trial():
    assert question_of("cr", 0.15, 0.5, margin=0.1).diseases is None
    assert question_of("cr", 0.15, 0.5, margin=0.1, diseases=["NHL"]).diseases == {"NHL": 1.0}
    mixed = question_of("cr", 0.15, 0.5, margin=0.1, diseases=["CLL:9", "NHL:21"]).diseases
    assert mixed == {"CLL": 9.0, "NHL": 21.0}
    assert mix_text(mixed) == "CLL 30 %, NHL 70 %"
    assert mix_text(None).startswith("ALL 14, CLL 9, NHL 21")


def test_a_limit_is_understood():
    question = question_of(
        "cr",
        0.15,
        0.5,
        margin=0.1,
        cart1=Cart1Choice("Cy"),
        limits=["flu:0:0.5", "interval_days:120:120"],
    )
    assert question.limits == {"flu": (0.0, 0.5), "interval_days": (120.0, 120.0)}
