"""Tables mode by files: one exchange, what is shown before it leaves, and every fault named."""

from __future__ import annotations

import json
import shutil

import pytest

from pooling import test_exchange as rounds
from pooling.test_exchange import CENTRES, SHEETS, answer, changed, planned, stopped
from reinfuse.exceptions import PoolRefused
from reinfuse.output import Destination
from reinfuse.study import pooling

STUDY = """
title = "Tables"
centres = ["Aarhus", "Bonn", "Cádiz", "Delft"]
endpoints = ["response", "os"]
small_cells = 0
[plan]
subgroups = []
factors = [{name = "bulky"}]
models = []
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables") / "exchange"
    planned(folder, STUDY)
    for centre in CENTRES:
        answer(folder, 1, centre, SHEETS[centre], folder.parent / "c")
    return folder


def combined(folder, report):
    return pooling.combine_answers(folder, Destination(report, "pool", ()))


def test_one_exchange_gives_the_report_also_after_a_killed_one(whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("reinfuse.report.export.pooled_folder.write_csv", stopped)
        with pytest.raises(KeyboardInterrupt):
            combined(whole, tmp_path / "report")
    assert not (tmp_path / "report").exists()
    assert combined(whole, tmp_path / "report").exchanges == 1
    contents = json.loads((tmp_path / "report" / "findings.json").read_text(encoding="utf-8"))
    effects = [e for e in contents["estimates"] if (e["method"] or "").startswith("Firth") and e["p_value"]]
    assert {e["endpoint"] for e in effects} == {"response", "os"}
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    for part in (
        "tables of integers",
        "centre-averaged",
        "permuted within centres",
        "H(n)",
        "No small number was hidden",
    ):
        assert part in page


def negative(folder):
    _alter_pattern(folder, patients=3, events=4)


def fraction(folder):
    _alter_pattern(folder, events=1.5)


def level(folder):
    _alter_pattern(folder, levels=["perhaps"])


def _alter_pattern(folder, **values):
    path = folder / "answer-Bonn-1.json"
    tables = json.loads(path.read_text(encoding="utf-8"))["tables"]
    tables["patterns"]["response: bulky"][0] |= values
    changed(path, sealed_again=True, tables=tables)


def at_risk(folder):
    path = folder / "answer-Bonn-1.json"
    tables = json.loads(path.read_text(encoding="utf-8"))["tables"]
    tables["orders"]["os: bulky"]["events"].reverse()
    changed(path, sealed_again=True, tables=tables)


def test_every_fault_is_named_and_nothing_is_written(whole, tmp_path):
    unreadable = "is an answer with parts that cannot be read"
    faults = {
        rounds.lose: "the answer of Bonn to request 1 is lacking", rounds.double: "a second time",
        rounds.alter: "was altered after it was written", rounds.cut_off: "it is cut off",
        rounds.answer_twice: "is another answer of Bonn", rounds.use_another_plan: "of another study",
        rounds.use_another_version: "was written by reinfuse 0.0.9", rounds.use_another_unit: "another unit?",
        rounds.answer_another_request: "answers another request 1", rounds.name_another_centre: "is no centre",
        rounds.lose_the_request: "there is no request", negative: unreadable, fraction: unreadable, level: unreadable,
        at_risk: unreadable,
    }  # fmt: skip
    for fault, rule in faults.items():
        folder = shutil.copytree(whole, tmp_path / fault.__name__)
        fault(folder)
        with pytest.raises(PoolRefused) as refused:
            combined(folder, tmp_path / "report")
        assert any(rule in p.rule for p in refused.value.problems), fault
    assert not (tmp_path / "report").exists()


def test_all_that_leaves_is_shown_in_words(whole, tmp_path, monkeypatch):
    monkeypatch.setenv("REINFUSE_RELEASES", str(tmp_path / "log"))
    SHEETS["Bonn"].write_csv(tmp_path / "bonn.csv")
    prepared = pooling.prepare_answer(whole / "request-1.json", tmp_path / "bonn.csv", centre="Bonn")
    words = "\n".join(prepared.draft.words)
    rows = prepared.draft.answer.tables["patterns"]["response: bulky"]
    for row in rows:
        assert f"{row['levels'][0]}: {row['events']} of {row['patients']} with the event" in words
    assert "Nothing is hidden (small_cells = 0)" in words
    assert words.count("(at risk: ") == len(prepared.draft.answer.tables["orders"]["os: bulky"]["events"])
    assert "was the first or the last here can read that patient's factors" in words


def test_with_a_threshold_the_words_say_what_is_kept(tmp_path, monkeypatch):
    folder = tmp_path / "exchange"
    planned(folder, STUDY.replace("small_cells = 0\n", ""))
    monkeypatch.setenv("REINFUSE_RELEASES", str(tmp_path / "log"))
    SHEETS["Bonn"].write_csv(tmp_path / "bonn.csv")
    prepared = pooling.prepare_answer(folder / "request-1.json", tmp_path / "bonn.csv", centre="Bonn")
    words = "\n".join(prepared.draft.words)
    assert "Numbers of patients from 1 to 4 are hidden" in words
    assert "Not told: os: fewer than 5 patients without the event; response: bulky: too few patients" in words
