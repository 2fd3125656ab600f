"""A run that is killed at any point, or stopped by a signal: what it leaves, and what the next one does with that."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from outputs import contents, fill, posix, replaced, write_study
from reinfuse.output import Destination


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path)


# Killed at any point

KILLED = """
import os, shutil, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from reinfuse.output import Destination
from outputs import fill
out, point = Path(sys.argv[1]), sys.argv[2]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
if point == "fill":
    def write(draft):
        fill("new")(draft)
        die()
else:
    write = fill("new")
if point.isdigit():
    rename, renames = Path.rename, []
    def counted(self, target):
        renames.append(target)
        if len(renames) == int(point):
            die()
        return rename(self, target)
    Path.rename = counted
if point == "removal":
    remove = shutil.rmtree
    def half(path, ignore_errors=False):
        if not (path / "spent").exists():
            return remove(path)
        for name in ("lock", "state.json", "spent/reinfuse.manifest.json", "spent/patients.csv"):
            (path / name).unlink()
        die()
    shutil.rmtree = half
Destination(out, force="own" in sys.argv[4:]).write(write)
"""


def kill(out: Path, point: str, *more: str) -> None:
    completed = subprocess.run([sys.executable, "-c", KILLED, str(out), point, str(Path(__file__).parent), *more],
                          capture_output=True, check=False)  # fmt: skip
    assert completed.returncode == -signal.SIGKILL, completed.stderr


@posix
@pytest.mark.parametrize(("point", "state"), [("fill", "old"), ("1", "old"), ("2", None), ("removal", "new")])
def test_a_killed_run_leaves_old_or_new_whole_and_the_next_one_cleans_up(tmp_path, point, state):
    """Renames: 1 takes the old folder away, 2 puts the new one in; killed between them, the old one is put back."""
    out = tmp_path / "out"
    Destination(out).write(fill("old"))
    kill(out, point)
    assert out.exists() is (state is not None)
    assert len(list(tmp_path.glob(".reinfuse-work-*"))) == 1
    Destination(tmp_path / "other").check()  # any command that writes into this folder cleans up
    assert {p.name for p in tmp_path.iterdir()} == {"out"}
    assert (out / "patients.csv").read_text() == (state or "old")
    assert (out / "figures" / "km.svg").read_text() == (state or "old")
    Destination(out).write(fill("newer"))
    assert (out / "patients.csv").read_text() == "newer"


@posix
@pytest.mark.parametrize("point", ["1", "2", "3"])
def test_a_killed_run_with_force_never_loses_what_it_moves_aside(tmp_path, point):
    """Renames: 3 gives the user's folder its name beside the new one."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "own.txt").write_text("own")
    kill(out, point, "own")
    Destination(tmp_path / "other").check()
    assert not list(tmp_path.glob(".*"))
    kept = contents(replaced(out)[0]) if point == "3" else contents(out)
    assert kept == {"own.txt": b"own"}


@posix
def test_a_folder_made_in_the_place_of_one_that_a_killed_run_took_away_stays_too(tmp_path):
    out = tmp_path / "out"
    Destination(out).write(fill("old"))
    kill(out, "2")
    out.mkdir()
    (out / "own.txt").write_text("own")
    Destination(tmp_path / "other").check()
    assert contents(out) == {"own.txt": b"own"}
    assert (replaced(out)[0] / "patients.csv").read_text() == "old"


@posix
def test_the_draft_of_a_run_that_lives_and_folders_of_other_names_are_left(tmp_path):
    others = [".reinfuse-work-abcdefgh", ".reinfuse-work-short", ".out-abcdefgh", "reinfuse-work-abcdefgh"]
    for name in others:
        (tmp_path / name).mkdir()
        (tmp_path / name / "patients.csv").write_text("x")
    (tmp_path / ".reinfuse-work-linklink").symlink_to(tmp_path / ".out-abcdefgh")
    before = contents(tmp_path)

    def meanwhile(draft: Path) -> None:
        fill("new")(draft)
        script = "import sys; from pathlib import Path; from reinfuse.output import Destination; " \
                 "Destination(Path(sys.argv[1])).check()"  # fmt: skip
        subprocess.run([sys.executable, "-c", script, str(tmp_path / "other")], check=True)
        Destination(tmp_path / "third").check()
        assert (draft / "patients.csv").read_text() == "new"

    Destination(tmp_path / "out").write(meanwhile)
    assert before.items() <= contents(tmp_path).items()
    assert (tmp_path / "out" / "patients.csv").read_text() == "new"


# Signals

SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and nohup this one
import {module}
def slow(*_, **__):
    print("here", flush=True)
    time.sleep(60)
{module}.{name} = slow
from reinfuse.cli import main as cli
sys.argv = ["reinfuse", "analyze", "{study}/eight", "--plan", "{study}/plans/plan.toml", "--out", "{out}"]
cli.main()
"""


@posix
@pytest.mark.parametrize(("name", "status", "module", "what"), [
    ("SIGINT", 130, "reinfuse.study.cohort_reading", "examine"),
    ("SIGHUP", 129, "reinfuse.study.cohort_reading", "examine"),
    ("SIGTERM", 143, "reinfuse.report.export.results_folder", "documents"),
])  # fmt: skip
def test_a_signal_ends_with_a_sentence_and_leaves_nothing(study, name, status, module, what):
    out = study / "new" / "out"
    script = SLOW.format(module=module, name=what, study=study, out=out)
    before = contents(study)
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with run:
        assert "here\n" in iter(run.stdout.readline, "")  # what is told before goes by
        run.send_signal(getattr(signal, name))
        started = time.monotonic()
        _, told = run.communicate(timeout=30)
    assert run.returncode == status
    at = " at: documents" if what == "documents" else ""
    assert told == f"Stopped by {name}: reinfuse analyze{at}. Nothing was written.\n"
    assert time.monotonic() - started < 20
    assert contents(study) == before
    assert not (study / "new").exists()


HEEDING = """
import os, signal, sys, threading, time
from pathlib import Path
from reinfuse.cli import console
from reinfuse.runtime import signals
from reinfuse.output import Destination
def fill(draft):
    (draft / "patients.csv").write_text("new")
def hit():
    os.kill(os.getpid(), signal.SIGTERM)
place = Destination(Path("out"))
sys.argv = ["reinfuse", "test"]
try:
    with signals.heeded(console.end):
        exec(sys.stdin.read())
except signals.Stopped as stopped:
    console.end(stopped)
"""


def heeding(code: str, folder: Path, before: str = ""):
    """Run code that heeds signals, in a folder, after what a caller does before."""
    return subprocess.run([sys.executable, "-c", before + HEEDING], input=code, capture_output=True, text=True,
                          cwd=folder, timeout=60, check=False)  # fmt: skip


@posix
def test_a_signal_at_the_renames_waits_for_them(tmp_path):
    Destination(tmp_path / "out").write(fill("old"))
    completed = heeding("""
rename = Path.rename
def renamed(self, target):
    hit()
    return rename(self, target)
Path.rename = renamed
place.write(fill)
""", tmp_path)  # fmt: skip
    assert (completed.returncode, completed.stderr) == (
        143,
        "Stopped by SIGTERM: reinfuse test. Written before that: out\n",
    )
    assert (tmp_path / "out" / "patients.csv").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@posix
@pytest.mark.parametrize("then", ["hit(); time.sleep(100)", "time.sleep(100)"])
def test_a_second_signal_or_work_that_does_not_end_leaves_nothing_either(tmp_path, then):
    completed = heeding(f"""
def slow(draft):
    fill(draft)
    try:
        hit()
        time.sleep(100)
    finally:
        {then}
place.write(slow)
""", tmp_path)  # fmt: skip
    assert (completed.returncode, completed.stderr) == (
        143,
        "Stopped by SIGTERM: reinfuse test. Nothing was written.\n",
    )
    assert not list(tmp_path.iterdir())


@posix
def test_compiled_code_that_hears_no_signal_is_not_waited_for(tmp_path):
    started = time.monotonic()
    completed = heeding("""
import hashlib
def deaf(draft):
    fill(draft)
    threading.Timer(0.5, hit).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)
place.write(deaf)
""", tmp_path)  # fmt: skip
    assert (completed.returncode, completed.stderr) == (
        143,
        "Stopped by SIGTERM: reinfuse test. Nothing was written.\n",
    )
    assert not list(tmp_path.iterdir())
    assert time.monotonic() - started < 50


@posix
def test_a_thread_that_goes_on_is_not_waited_for_and_what_is_kept_is_told(tmp_path):
    started = time.monotonic()
    completed = heeding("""
signals.note_step("virtual patients", 1, 4)
signals.note_remains("Finished work is kept.")
threading.Thread(target=time.sleep, args=(100,)).start()
hit()
time.sleep(100)
""", tmp_path)  # fmt: skip
    note = "Stopped by SIGTERM: reinfuse test at: virtual patients (step 2 of 4). Nothing was written. "
    assert (completed.returncode, completed.stderr) == (143, note + "Finished work is kept.\n")
    assert time.monotonic() - started < 50


@posix
def test_a_signal_that_the_caller_ignores_stays_ignored(tmp_path):
    completed = heeding("os.kill(os.getpid(), signal.SIGHUP); print('on')", tmp_path,
                   before="import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n")  # fmt: skip
    assert (completed.returncode, completed.stdout) == (0, "on\n")


@posix
def test_other_signals_are_nobodys_end(tmp_path):
    completed = heeding("""
signal.signal(signal.SIGCHLD, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGCHLD)
time.sleep(signals.GRACE + 1)
print("on")
""", tmp_path)  # fmt: skip
    assert (completed.returncode, completed.stdout) == (0, "heard\non\n")
