"""Jobs in processes of their own: stopped, killed, orphaned; nothing is left half-written, and no value is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from analysed import LITTLE, locked, to_plan, waited

from cohorts import EIGHT
from reinfuse.app.activity import Activity
from reinfuse.app.tasks import Tasks

WAIT = 60


@pytest.fixture
def tasks():
    one = Tasks(Activity())
    yield one
    one.end()


@pytest.fixture
def given(tmp_path):
    """What an analysis is given."""
    cohort = tmp_path / "cohort"
    cohort.mkdir()
    for name, text in EIGHT.items():
        (cohort / f"{name}.csv").write_text(text)
    (tmp_path / "plan.toml").write_text(LITTLE)
    return {"source": str(cohort), "map": None, "corrections": None, "plan": str(tmp_path / "plan.toml"),
            "out": str(tmp_path / "out")}  # fmt: skip


def begun(tasks, given):
    """Begin an analysis, and wait until it works."""
    task = tasks.begin("x", "analysis", given)
    until = time.monotonic() + WAIT
    while not task.total:
        assert time.monotonic() < until
        time.sleep(0.02)
    return task


def left(tmp_path):
    return sorted(p.name for p in tmp_path.iterdir())


def test_a_stopped_job_leaves_nothing_and_its_process_is_gone(tasks, given, tmp_path):
    task = begun(tasks, given)
    process = tasks._workers["x"]._process
    tasks.stop("x")
    assert (task.state, task.answer, process.poll() is not None) == ("stopped", None, True)
    assert left(tmp_path) == ["cohort", "plan.toml"]


def test_a_killed_process_is_a_sentence_and_leaves_no_results(tasks, given, tmp_path):
    task = begun(tasks, given)
    tasks._workers["x"]._process.kill()
    assert task.ended.wait(WAIT)
    assert (task.state, task.failure) == ("failed", "signal 9")
    assert not (tmp_path / "out").exists()


def test_while_one_runs_another_is_not_begun(tasks, given):
    task = begun(tasks, given)
    assert tasks.begin("x", "analysis", given) is task


def test_what_is_refused_comes_with_every_problem(tasks, given):
    task = tasks.begin("x", "analysis", {**given, "source": "/nowhere"})
    assert task.ended.wait(WAIT)
    assert (task.state, len(task.problems)) == ("refused", 1)
    assert "there is no such file or folder" in task.problems[0].rule


def test_what_fails_is_told_without_its_value(tasks, given):
    task = tasks.begin("x", "power", {**given, "draws": "SECRET"})
    assert task.ended.wait(WAIT)
    assert task.state in ("failed", "refused")
    assert "SECRET" not in f"{task.failure} {task.summary} {[p.rule for p in task.problems]}"


def test_a_process_without_its_app_ends():
    process = subprocess.Popen([sys.executable, "-c", "from reinfuse.app.worker import serve; serve()"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    process.communicate(timeout=WAIT)
    assert process.returncode == 0


def test_a_kept_process_answers_again_and_rests_in_the_end(tasks, monkeypatch):
    pytest.importorskip("numba", reason="the extra virtual is not installed")
    arm = {"cart1": "Cy", "cart2": "Cy-Flu", "dose1": 2e6, "dose2": 2e6, "interval": 120}
    asked = {"arms": [arm, {**arm, "interval": 200}], "patients": 200}
    first = tasks.begin("v", "virtual", asked, keep=True)
    assert first.ended.wait(WAIT)
    process = tasks._workers["v"]._process
    monkeypatch.setattr("reinfuse.app.tasks._KEPT", 0.1)
    second = tasks.begin("v", "virtual", {**asked, "arms": [arm, arm]}, keep=True)
    assert second.ended.wait(WAIT)
    assert tasks._workers["v"]._process is process
    assert first.answer != second.answer
    assert {row[3].split(" ")[0] for row in second.answer["rows"]} == {"0", "1"}
    assert process.wait(WAIT) == 0


def test_the_page_stops_a_run_and_says_that_nothing_was_written(browser):
    page, project = to_plan(browser)
    page = browser.send(locked(browser, page), "run/start")
    assert "data-poll" in page.text
    page = browser.send(page, "run/stop")
    assert "Stopped. Nothing was written" in page.words
    assert not project.results.exists()
    assert "Run the analysis" in page.words


def test_a_crash_is_a_sentence_on_the_page(browser):
    page, project = to_plan(browser)
    page = browser.send(locked(browser, page), "run/start")
    os.kill(browser.services.tasks._workers[project.id, "analysis"]._process.pid, signal.SIGKILL)
    waited(browser, page, "run/progress")
    page = browser.get(page.path)
    assert "This ended without a result: signal 9. Nothing was written." in page.words
    assert not project.results.exists()


def test_what_fails_while_an_answer_is_taken_is_told_too(tasks, given):
    def fails(*_):
        raise KeyError("SECRET")

    task = tasks.begin("x", "power", {**given, "draws": 40}, told=fails)
    assert task.ended.wait(WAIT)
    assert task.state == "failed"
    assert task.failure.startswith("KeyError at test_tasks.py:")
