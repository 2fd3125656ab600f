"""What is never pooled: few patients in all, patients behind curves; and what other commands say of a pooled folder."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from pooling.splitting import centre_of, pooled, study_of
from pooling.test_exchange import SHEETS, answer, planned
from reinfuse.exceptions import CohortRefused, PlanRefused, PoolRefused
from reinfuse.output import Destination
from reinfuse.pooling.exchange import Request
from reinfuse.pooling.guards import rules_against
from reinfuse.report.export.shared_folder import share
from reinfuse.results.findings import Findings
from reinfuse.study import pooling

SMALL = """
title = "Three small centres"
centres = ["Aarhus", "Bonn", "Delft"]
endpoints = ["response"]
mode = "rounds"
[plan]
factors = [{name = "bulky"}]
models = []
"""


def six(centre, n=6):
    return SHEETS[centre].head(n).with_columns(response=pl.Series((["CR"] * 3 + ["PD"] * 4)[:n]))


def test_a_study_of_fewer_than_20_patients_is_refused(tmp_path):
    folder = tmp_path / "exchange"
    planned(folder, SMALL)
    for centre in ("Aarhus", "Bonn", "Delft"):
        answer(folder, 1, centre, six(centre), tmp_path / "c")
    with pytest.raises(PoolRefused, match="the centres have 18 patients together, and a study needs 20"):
        pooling.combine_answers(folder, Destination(tmp_path / "report", "pool", ()))
    assert len(list(folder.glob("request*"))) == 1
    (folder / "answer-Delft-1.json").unlink()
    answer(folder, 1, "Delft", SHEETS["Delft"], tmp_path / "d")
    assert pooling.combine_answers(folder, Destination(tmp_path / "report", "pool", ())).request is not None


def test_patients_behind_a_published_curve_are_not_pooled(tmp_path):
    folder = tmp_path / "exchange"
    planned(folder)
    curve = SHEETS["Bonn"].with_columns(patient_id=pl.format("reconstructed-{}", pl.int_range(13)))
    with pytest.raises(PoolRefused, match="patients behind a published curve"):
        answer(folder, 1, "Bonn", curve, tmp_path / "c", again=True)
    assert [p.name for p in folder.iterdir()] == ["request-1.json"]


def test_a_pooled_folder_is_named_for_what_it_is(tmp_path):
    contents = {"provenance": {"pooled": {}, "plan": ""}, "flow": [], "estimates": [], "warnings": []}
    (tmp_path / "findings.json").write_text(json.dumps(contents), encoding="utf-8")
    for command in (Findings.load, lambda folder: share(folder, tmp_path / "out")):
        with pytest.raises(CohortRefused, match="holds the results of several centres"):
            command(tmp_path)


def test_a_study_of_two_centres_is_refused(tmp_path):
    folder = tmp_path / "exchange"
    with pytest.raises(PlanRefused, match="2 centres, and a study needs 3: of two, each knows the other's"):
        planned(folder, SMALL.replace(', "Delft"', ""))
    assert not folder.exists()


def test_a_model_that_two_centres_tell_of_is_not_fitted():
    """Each of two centres would know the other's numbers by subtraction."""
    study = study_of(("A", "B", "C"), {"f": ("no", "yes")}, {"x": "binary"})
    large, few = np.tile([1.0, 1.0, 0.0, 0.0], 3), np.array([1.0] * 2 + [0.0] * 10)
    centres = {name: centre_of(study, {"f": np.tile([0, 1], 6)}, {"x": (event, None)})
               for name, event in (("A", large), ("B", large), ("C", few))}  # fmt: skip
    results, records = pooled(study, centres)
    assert results.models[0].fit is None
    (effect,) = [e for e in records if e.analysis == "association"]
    assert effect.note.startswith("not estimable: told by 2 centres, fewer than 3")


def test_a_request_beyond_the_last_is_not_answered():
    study = study_of(("A", "B", "C"), {"f": ("no", "yes")}, {"x": "binary"}, most_exchanges=7, mode="rounds")
    centre = centre_of(study, {"f": np.tile([0, 1], 6)}, {"x": (np.tile([1.0, 0.0], 6), None)})
    rules = [rule for rule, _ in rules_against(Request(study, 8, {}), centre)]
    assert rules == ["asks for more than 7 exchanges"]
    assert list(rules_against(Request(study, 7, {}), centre)) == []
    with pytest.raises(PlanRefused):
        study_of(("A", "B", "C"), {"f": ("no", "yes")}, {"x": "binary"}, most_exchanges=41)
