"""A plan is locked with its SHA-256 and time; a later change needs a reason and stands in the report."""

from __future__ import annotations

import hashlib
import json
from types import SimpleNamespace

import pytest

from reinfuse import Plan, Study, read_cohort
from reinfuse.data import dataset
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.plan_record import ONLY_LAYOUT, differences, history, read_record, record_file
from reinfuse.report.export.shared_folder import _neutral
from reinfuse.report.sections.supplement import provenance
from reinfuse.report.text.narrative import Prose
from reinfuse.study import analysis, plan_lock, results
from reinfuse.study.plan_lock import lock_plan, locked_plan, note_results, plan_text, settings_of
from reinfuse.tabular.toml import parse_toml
from reinfuse.tabular.toml_document import toml_document

FIRST = 'title = "Ours"\nmodels = []\n[[factors]]\nname = "sex"\n'
NARROW = FIRST.replace("models", "confidence = 0.9\nmodels")


@pytest.fixture
def plan(tmp_path):
    return tmp_path / "plan.toml"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Let time pass: a minute at each look."""
    minutes = iter(range(10, 60))
    monkeypatch.setattr(plan_lock, "_now", lambda: f"2026-11-29T20:{next(minutes)}:00Z")


def test_a_locked_plan_has_the_digest_that_sha256sum_prints(plan):
    lock_plan(plan, FIRST)
    assert plan.read_text() == FIRST
    of = history(plan)
    assert (of.locked, of.changes) == ("2026-11-29T20:10:00Z", ())
    assert of.sha256 == hashlib.sha256(plan.read_bytes()).hexdigest()
    assert oct(record_file(plan).stat().st_mode)[-3:] == "600"


def test_locking_again_without_a_change_adds_no_version(plan):
    lock_plan(plan, FIRST)
    lock_plan(plan, FIRST)
    assert len(read_record(plan).versions) == 1


def test_a_change_needs_a_reason_and_says_whether_results_were_seen(plan):
    lock_plan(plan, FIRST)
    with pytest.raises(PlanRefused, match="without a reason"):
        lock_plan(plan, NARROW)
    assert plan.read_text() == FIRST
    lock_plan(plan, NARROW, reason="the  protocol\nsays so.")
    note_results(plan)
    note_results(plan)
    lock_plan(plan, NARROW.replace('"sex"', '"age_years"'), reason="asked for by a reviewer")
    one, two = history(plan).changes
    assert (one.after_results, one.reason, one.settings) == (False, "the protocol says so", ("confidence: 0.95 → 0.9",))
    assert (two.after_results, two.reason) == (True, "asked for by a reviewer")
    assert two.settings == ("factors: sex: included → left out", "factors: age_years: left out → included")
    assert read_record(plan).results_since == "2026-11-29T20:13:00Z"


def test_a_change_by_another_program_is_told_too(plan):
    lock_plan(plan, FIRST)
    assert locked_plan(plan).is_recorded
    plan.write_text(NARROW)
    state = locked_plan(plan)
    (change,) = state.history.changes
    assert (state.is_recorded, change.time, change.after_results) == (False, "", None)
    assert state.sha256 == hashlib.sha256(NARROW.encode()).hexdigest()
    plan.write_text(FIRST + "# a comment\n")
    assert history(plan).changes[0].settings == (ONLY_LAYOUT,)


def test_a_record_that_was_edited_is_refused(plan):
    lock_plan(plan, FIRST)
    record = record_file(plan)
    record.write_text(record.read_text().replace("Ours", "Theirs"))
    with pytest.raises(PlanRefused, match="another SHA-256 than was recorded"):
        history(plan)
    record.write_text("versions = 3")
    with pytest.raises(PlanRefused, match="cannot be read"):
        results.analyze(dataset("sheih_2020").path, plan, place=SimpleNamespace(check=lambda: None))


def test_what_cannot_be_followed_is_not_locked(plan):
    with pytest.raises(PlanRefused, match="did you mean"):
        lock_plan(plan, 'titel = "Ours"\n')
    with pytest.raises(PlanRefused, match="correct the text"):
        lock_plan(plan, "title = ")
    assert not plan.exists()
    assert not record_file(plan).exists()


def test_a_plan_without_a_record_says_nothing_of_one(plan):
    assert history(plan) is None
    assert locked_plan(plan) is None
    study = Study(read_cohort(dataset("synthetic_gauthier_2021").path), Plan.built_in())
    assert "plan_history" not in study._provenance()


@pytest.fixture
def findings(plan):
    alone = Plan.built_in().analyses.none().model_dump(mode="json")
    lock_plan(plan, FIRST + toml_document({"analyses": alone}))
    note_results(plan)
    lock_plan(plan, plan.read_text().replace('"sex"', '"age_years"'), reason="a slip")
    return analysis.analyze(dataset("synthetic_gauthier_2021").path, plan)


def test_the_report_says_when_it_was_locked_and_lists_what_was_changed_after_the_results(findings):
    prose = Prose(findings)
    assert ("The analysis plan was locked on 2026-11-29 at 20:10 UTC and was changed once afterwards (Limitations). "
            "This is a record, not a proof.") in prose.methods()  # fmt: skip
    assert ("Change of the plan on 2026-11-29 at 20:12 UTC, after results had been seen: factors: sex: included → "
            "left out; factors: age_years: left out → included. Reason given: a slip.") in prose.limits()  # fmt: skip
    shown = dict(provenance(findings))
    assert len(shown["Plan's file, locked on 2026-11-29 at 20:10 UTC (SHA-256)"]) == 64
    json.dumps(findings.as_dict(), allow_nan=False)


def test_what_leaves_the_centre_has_the_year_alone_and_no_reason(findings):
    text = json.dumps(_neutral(findings.provenance)["plan_history"])
    assert '"locked": "2026"' in text
    assert "11-29" not in text
    assert "slip" not in text


@pytest.mark.parametrize("settings", [
    {"title": 'A "quoted" \\ title\n', "confidence": 0.9, "models": [], "subgroups": ["sex", "diagnosis"]},
    {"factors": [{"name": "x", "column": "LDH (U/l)", "above": 240.0}], "columns": {"os_days": "OS, days"},
     "rules": {"responders_by_diagnosis": {"CLL": ["CR", "PR"]}}},
])  # fmt: skip
def test_settings_come_back_from_their_text(settings):
    assert parse_toml(toml_document(settings).encode()) == settings


def test_a_plan_of_the_package_comes_back_whole():
    for name in ("sheih_2020", "brudno_2016"):
        text = (dataset(name).path / "plan.toml").read_text()
        assert differences(text, plan_text(settings_of(text))) == (ONLY_LAYOUT,)


def test_the_command_locks_a_file_and_asks_for_the_reason_of_a_change(plan, main):
    plan.write_text(FIRST)
    status, out, _ = main("lock", plan)
    assert (status, hashlib.sha256(FIRST.encode()).hexdigest() in out, "not a proof" in out) == (0, True, True)
    plan.write_text(NARROW)
    status, _, wrong = main("lock", plan)
    assert (status, "without a reason" in wrong) == (2, True)
    status, out, _ = main("lock", plan, "--reason", "the protocol says so")
    assert (status, hashlib.sha256(NARROW.encode()).hexdigest() in out) == (0, True)
    assert main("lock", plan.with_name("none.toml"))[0] == 2
