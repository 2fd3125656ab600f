"""A second process: the same results whoever does the pieces, and nothing lost where it dies or fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from helpers import quick
from reinfuse import Study, read_cohort
from reinfuse.data import datasets
from reinfuse.report.export.results_folder import write
from reinfuse.runtime import parallel
from reinfuse.runtime.boundary import STRICT
from reinfuse.runtime.second_process import SecondProcess, second_process


def squares(n):
    return [partial(_square, i) for i in range(n)]


def _square(i):
    time.sleep(0.02)
    return i * i, os.getpid()


def dying(n):
    return [partial(os._exit, 3)] * n


def failing(n):
    return [_fail] * n


def _fail():
    raise ZeroDivisionError("no patient's value leaves here")


@pytest.fixture
def second():
    one = SecondProcess()
    one.ask(squares, 0)  # it has begun, and imported this module: that takes seconds on a busy machine
    yield one
    one.close()


def test_pieces_are_shared_and_come_in_their_order(second):
    second.results(squares, 1, [0], here=_square)
    results = second.results(squares, 60, range(2, 60), here=_square)
    assert list(results) == list(range(2, 60))
    assert [value for value, _ in results.values()] == [i * i for i in range(2, 60)]
    assert {who for _, who in results.values()} > {os.getpid()}


def test_what_a_process_that_dies_had_is_done_here(second):
    results = second.results(dying, 20, range(20), here=_square)
    assert [value for value, _ in results.values()] == [i * i for i in range(20)]
    assert {who for _, who in results.values()} == {os.getpid()}


def test_one_piece_of_work_is_done_there_or_where_that_process_is_dead_here(second):
    value, who = second.either(_square, 7)
    assert value == 49
    assert who not in (0, os.getpid())
    second._process.kill()
    second._process.wait()
    assert second.either(_square, 7) == (49, os.getpid())


def test_an_error_there_is_an_error_here(second):
    with pytest.raises(ZeroDivisionError):
        second.results(failing, 200, range(200), here=_square)


def _is_imported(module):
    return module in sys.modules


def test_what_is_needed_later_is_imported_there_meanwhile_and_a_dead_process_is_none_of_its_business(second):
    assert not second.ask(_is_imported, "wave")
    second.prepare("no_such_module")
    second.prepare("wave")
    end = time.monotonic() + 30
    while not (imported := second.ask(_is_imported, "wave")) and time.monotonic() < end:
        time.sleep(0.01)
    assert imported
    second._process.kill()
    second._process.wait()
    second.prepare("chunk")
    assert second.either(_square, 7) == (49, os.getpid())


def test_one_core_has_no_second_process(monkeypatch):
    monkeypatch.setattr(parallel, "CORES", 1)
    with second_process() as none:
        assert none is None


def test_a_study_and_its_report_are_the_same_with_and_without_it(second, tmp_path, monkeypatch, sharp_pixels):
    monkeypatch.setenv(STRICT, "1")
    bundled = datasets()["brudno_2016"]
    study = Study(read_cohort(bundled.path, bundled.plan.columns, used=bundled.plan.used_columns), quick(bundled.plan))
    alone, shared = study.run(), study.run(None, second)
    assert alone.as_dict() == shared.as_dict()
    folders = (
        write(alone, tmp_path / "alone"),
        write(shared, tmp_path / "shared", progress=None, boundary=None, second=second),
    )
    names = [sorted(str(p.relative_to(f)) for p in f.rglob("*") if p.is_file()) for f in folders]
    assert names[0] == names[1]
    for name in names[0]:
        if not name.endswith((".json", ".pdf")):
            assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


HELD = """
import os, sys, time
from reinfuse.runtime.second_process import SecondProcess

if __name__ == "__main__":
    second = SecondProcess()
    print(second.ask(os.getpid), flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_it_ends_with_the_first_one_whatever_ends_that(tmp_path):
    script = tmp_path / "held.py"
    script.write_text(HELD)
    first = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    second = int(first.stdout.readline())
    first.kill()
    first.wait()
    first.stdout.close()
    deadline = time.monotonic() + 30
    while _alive(second):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.is_file() or state.read_text().rpartition(")")[2].split()[0] != "Z"
