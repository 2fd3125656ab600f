"""Where results go: what is refused, what is moved aside, and what is left when a run is killed at any point."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers import write_folder, write_sheet
from reinfuse import Plan, Study, cli, read_cohort
from reinfuse.errors import OutputRefused
from reinfuse.findings import Findings
from reinfuse.output import Destination
from reinfuse.switches import Analyses
from test_cli import GOOD

MANIFEST = "reinfuse.manifest.json"
posix = pytest.mark.skipif(os.name == "nt", reason="signals and modes of POSIX")


def _run(*arguments, cwd=None, **env):
    return subprocess.run([sys.executable, "-m", "reinfuse.cli", *map(str, arguments)], capture_output=True, cwd=cwd,
                          env={**os.environ, **env}, check=False)  # fmt: skip


@pytest.fixture
def main(monkeypatch, capsys):
    """Return what runs the command line here, in a folder, and gives exit status, output and errors."""

    def run(*arguments, cwd):
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["reinfuse", *map(str, arguments)])
        status = 0
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        return status, *capsys.readouterr()

    return run


def heed_interrupts() -> None:
    """Undo what a shell does to a job in its background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


QUICK = """
[analyses]
calibrated = "none"
permutation = false
averaging = false
bootstraps = 0
influence = false
proportional_hazards = false
sensitivity = false
imputations = 0
competing = false
standardise = false
paired = false
power = 0
kinetics = false
"""


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def fill(text: str):
    """Return what writes two small files, one of them in figures/."""

    def write(draft: Path) -> None:
        (draft / "figures").mkdir()
        (draft / "figures" / "km.svg").write_text(text)
        (draft / "patients.csv").write_text(text)

    return write


def replaced(folder: Path) -> list[Path]:
    return sorted(folder.parent.glob(f"{folder.name}-replaced-*"))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return findings of two patients, and the folder that they were read from."""
    folder = write_folder(tmp_path_factory.mktemp("small"), **GOOD)
    return Study(read_cohort(folder), Plan.built_in().model_copy(update={"analyses": Analyses.none()})).run(), folder


@pytest.fixture(scope="module")
def saved(small, tmp_path_factory):
    """Return a folder of results, written where nothing asks for modes."""
    before = os.umask(0)
    try:
        return small[0].save(tmp_path_factory.mktemp("saved") / "new" / "results")
    finally:
        os.umask(before)


@pytest.fixture
def results(saved, tmp_path):
    """Return a copy of the results."""
    return Path(shutil.copytree(saved, tmp_path / "results"))


# Inputs are never written over, in any spelling


@pytest.fixture
def study(tmp_path):
    """Return a folder with a cohort, links to it, a plan and a wide sheet."""
    cohort = write_folder(tmp_path, **GOOD).rename(tmp_path / "eight")
    (tmp_path / "link").symlink_to(cohort, target_is_directory=True)
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "plan.toml").write_text(f'title = "ours"\n{QUICK}')
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept.csv").write_text("x")
    (cohort / "counts_of_2021.txt").symlink_to(tmp_path / "elsewhere" / "kept.csv")
    return tmp_path


@pytest.mark.parametrize("out", ["eight", "eight/", "./eight/../eight", "link", "eight/out", "link/deep/out", ".",
                                 "plans", "plans/plan.toml", "plans/../plans", "elsewhere"])  # fmt: skip
@pytest.mark.parametrize("force", [False, True])
def test_output_over_inside_or_above_an_input_is_refused(study, monkeypatch, out, force):
    monkeypatch.chdir(study)
    before = contents(study)
    place = Destination(Path(out), "analyze", (Path("eight"), Path("plans/plan.toml")), force)
    with pytest.raises(OutputRefused):
        place.check()
    with pytest.raises(OutputRefused):
        place.write(fill("new"))
    assert contents(study) == before


def test_a_folder_beside_a_file_that_is_read_is_fine(tmp_path):
    sheet = write_sheet(tmp_path, "patient_id,response\nP1,CR")
    Destination(tmp_path / "out", reads=(sheet,)).write(fill("new"))
    assert (tmp_path / "out" / "patients.csv").read_text() == "new"


def test_another_spelling_in_upper_case_is_the_same_folder_where_the_disk_says_so(study):
    if not (study / "EIGHT").exists():
        pytest.skip("this disk tells upper from lower case")
    with pytest.raises(OutputRefused):
        Destination(study / "EIGHT", reads=(study / "eight",)).check()


def test_the_issues_command_leaves_the_cohort_alone(study, main):
    before = contents(study)
    status, _, errors = main("analyze", "eight", "--out", "eight", cwd=study)
    assert status == 2
    assert "is what the command reads" in errors
    assert contents(study) == before


@pytest.mark.parametrize("command", [
    ["analyze", "eight"], ["demo"], ["kinetics", "eight"], ["power", "eight"], ["virtual", "search"],
    ["virtual", "ablation"], ["virtual", "trial"],
])  # fmt: skip
def test_every_command_refuses_a_folder_of_the_user_and_says_so_before_it_reads(study, main, command):
    """The cohort is no cohort: the output is looked at first."""
    (study / "eight" / "patients.csv").write_text("nonsense")
    (study / "mine" / "figures").mkdir(parents=True)
    (study / "mine" / "figures" / "own.svg").write_text("own")
    before = contents(study)
    status, output, errors = main(*command, "--out", "mine", cwd=study)
    assert (status, output) == (2, "")
    assert "holds files that reinfuse did not write [mine: figures]" in errors
    assert "--force" in errors
    assert contents(study) == before


@pytest.mark.parametrize("command", [["virtual", "trial", "plans/plan.toml"],
                                     ["virtual", "trial", "--cohort", "plans"]])  # fmt: skip
def test_protocols_and_cohort_of_a_virtual_trial_are_inputs(study, main, command):
    status, _, errors = main(*command, "--out", "plans", "--force", cwd=study)
    assert status == 2
    assert "what the command reads" in errors


def test_results_are_an_input_of_share_and_figure(results, tmp_path, main):
    before = contents(tmp_path)
    for out in ("results", "results/shared", "."):
        status, _, errors = main("share", "results", "--out", out, "--force", cwd=tmp_path)
        assert status == 2
        assert "what the command reads" in errors
    for out in ("results", "results/figures"):
        assert main("figure", "km_pfs", "results", "--out", out, "--force", cwd=tmp_path)[0] == 2
    assert contents(tmp_path) == before
    assert main("figure", "km_pfs", results, cwd=tmp_path)[0] == 0  # beside it is fine
    assert (tmp_path / "km_pfs.svg").is_file()


def test_python_refuses_the_cohort_and_the_results_that_were_read(small, results, monkeypatch):
    findings, cohort = small
    before = contents(cohort)
    for out in (cohort, cohort / "out", cohort.parent):
        with pytest.raises(OutputRefused):
            findings.save(out, force=True)
    assert contents(cohort) == before
    monkeypatch.chdir(results.parent)
    again = Findings.load("results")
    monkeypatch.chdir("/")
    with pytest.raises(OutputRefused):  # it would lose patients.csv, which is not read back
        again.save(results, force=True)


# What stands in the way


def test_a_rerun_replaces_its_own_results_and_nothing_else_is_left(tmp_path):
    out = tmp_path / "a" / "out"
    Destination(out).write(fill("old"))
    (out / ".DS_Store").write_text("the file manager's")
    (out / "figures" / "km.svg").unlink()
    Destination(out).write(fill("new"))
    assert contents(out).keys() == {MANIFEST, "figures/km.svg", "patients.csv"}
    assert (out / "patients.csv").read_text() == "new"
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def add_file(out):
    (out / "notes.txt").write_text("mine")


def add_figure(out):
    (out / "figures" / "own.svg").write_text("mine")


def change_file(out):
    (out / "patients.csv").write_text("odd")  # as many bytes as before


def add_folder(out):
    (out / "drafts").mkdir()


def add_link(out):
    (out / "figures" / "link.svg").symlink_to("km.svg")


def spoil_manifest(out):
    (out / MANIFEST).write_text("[]")


def drop_manifest(out):
    (out / MANIFEST).unlink()


@pytest.mark.parametrize("change", [add_file, add_figure, change_file, add_folder, add_link, spoil_manifest,
                                    drop_manifest])  # fmt: skip
def test_the_users_own_files_are_refused_and_with_force_moved_aside(tmp_path, caplog, change):
    out = tmp_path / "out"
    Destination(out).write(fill("old"))
    change(out)
    before = contents(tmp_path)
    for _ in range(2):
        with pytest.raises(OutputRefused):
            Destination(out).write(fill("new"))
    assert contents(tmp_path) == before
    Destination(out, force=True).write(fill("new"))
    (aside,) = replaced(out)
    assert {f"out/{name}": content for name, content in contents(aside).items()} == before
    assert (out / "patients.csv").read_text() == "new"
    assert str(aside) in caplog.text
    assert not list(tmp_path.glob(".*"))


def test_a_second_folder_moved_aside_on_one_day_has_a_name_of_its_own(tmp_path):
    out = tmp_path / ("o" * 255)
    out.mkdir()
    for text in ("one", "two"):
        (out / "own.txt").write_text(text)
        Destination(out, force=True).write(fill("new"))
    asides = [p for p in tmp_path.iterdir() if p != out]
    assert sorted((p / "own.txt").read_text() for p in asides) == ["one", "two"]


def test_results_of_another_command_are_not_replaced(tmp_path):
    out = tmp_path / "out"
    Destination(out, "analyze").write(fill("old"))
    with pytest.raises(OutputRefused, match="output folder") as refused:
        Destination(out, "virtual ablation").write(fill("new"))
    assert "`reinfuse analyze`" in refused.value.problems[0].rule
    assert (out / "patients.csv").read_text() == "old"


def test_what_comes_into_the_folder_during_the_run_is_not_lost(tmp_path):
    out = tmp_path / "out"
    Destination(out).write(fill("old"))

    def slow(draft: Path) -> None:
        fill("new")(draft)
        add_file(out)

    with pytest.raises(OutputRefused):
        Destination(out).write(slow)
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "patients.csv").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_the_name_of_a_file_costs_nothing(tmp_path):
    """Six files were replaced before the seventh was found to be a folder."""
    (tmp_path / "out" / "patients.csv").mkdir(parents=True)
    (tmp_path / "out" / "report.html").write_text("own")
    with pytest.raises(OutputRefused):
        Destination(tmp_path / "out").write(fill("new"))
    assert contents(tmp_path) == {"out/report.html": b"own"}


def test_links_are_followed_and_stay_links(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "results")
    Destination(tmp_path / "out").write(fill("old"))
    Destination(tmp_path / "out").write(fill("new"))
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk" / "results" / "patients.csv").read_text() == "new"


# Found before anything is computed


def test_places_that_cannot_be_written_are_found_at_once(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    places = ["../file", "../file/out", ".", "..", "/", "x" * 256, "/".join(["y" * 200] * 25), "a\0b", "../loop/out"]
    places += ["/proc/out", "/proc/self/out"] if Path("/proc/self").exists() else []
    for place in places:
        with pytest.raises(OutputRefused) as refused:
            Destination(Path(place)).check()
        assert refused.value.problems[0].rule.startswith("the output folder ")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "here", "loop"]
    assert not list((tmp_path / "here").iterdir())


@posix
@pytest.mark.skipif(os.name != "nt" and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_found_at_once(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputRefused):
        Destination(tmp_path / "locked" / "out").check()


def test_a_check_leaves_nothing_and_long_names_that_fit_are_taken(tmp_path):
    out = tmp_path / "new" / ("é" * 127)
    Destination(out).check()
    assert not list(tmp_path.iterdir())
    Destination(out).write(fill("new"))
    assert (out / "patients.csv").read_text() == "new"


def test_a_failure_leaves_nothing_not_even_new_folders(tmp_path):
    def broken(draft: Path) -> None:
        fill("new")(draft)
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputRefused) as refused:
        Destination(tmp_path / "a" / "b" / "out").write(broken)
    assert "no space left on device" in refused.value.problems[0].rule
    assert not list(tmp_path.iterdir())


@posix
def test_everything_is_for_the_owner_alone(saved):
    for path in (saved.parent, saved, *saved.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert (saved / "patients.csv").is_file()


def test_the_manifest_lists_every_file(saved):
    listed = json.loads((saved / MANIFEST).read_text(encoding="utf-8"))
    assert listed["command"] == "analyze"
    assert listed["files"].keys() == contents(saved).keys() - {MANIFEST}
    assert all(f["bytes"] == (saved / name).stat().st_size for name, f in listed["files"].items())


# Single files


def test_single_files_are_refused_where_they_are_and_moved_aside_with_force(tmp_path, caplog):
    files = {"km.svg": b"new", "km.csv": b"new"}
    (tmp_path / "km.csv").mkdir()
    (tmp_path / "km.csv" / "own").write_text("own")
    with pytest.raises(OutputRefused) as refused:
        Destination(tmp_path, "figure").write_files(files)
    assert refused.value.problems[0].value == f"{tmp_path}: km.csv"
    Destination(tmp_path, "figure", force=True).write_files(files)
    Destination(tmp_path, "figure", force=True).write_files({"km.svg": b"newer"})
    names = {re.sub(r"\d{4}-\d\d-\d\d", "DAY", name): content for name, content in contents(tmp_path).items()}
    assert names == {"km.svg": b"newer", "km.csv": b"new", "km.csv-replaced-DAY/own": b"own",
                     "km-replaced-DAY.svg": b"new"}  # fmt: skip
    assert "km-replaced-" in caplog.text


def test_single_files_are_all_written_or_none(tmp_path, monkeypatch):
    (tmp_path / "a.svg").write_text("old")
    rename, count = Path.rename, []

    def failing(self, target):
        count.append(target)
        if len(count) == 4:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    (tmp_path / "b.svg").write_text("old")
    with pytest.raises(OutputRefused):
        Destination(tmp_path, "figure", force=True).write_files({"a.svg": b"new", "b.svg": b"new"})
    assert contents(tmp_path) == {"a.svg": b"old", "b.svg": b"old"}


def test_a_figure_that_is_there_is_refused_before_the_analysis(study, main):
    (study / "km_pfs.pdf").write_text("own")
    (study / "eight" / "patients.csv").write_text("nonsense")
    status, _, errors = main("figure", "km_pfs", "eight", cwd=study)
    assert status == 2
    assert "[.: km_pfs.pdf]" in errors
    assert (study / "km_pfs.pdf").read_text() == "own"


def test_a_template_leaves_filled_tables_says_so_and_goes_into_no_results(results, tmp_path, main):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "patients.csv").write_text("mine")
    status, _, errors = main("template", "new", cwd=tmp_path)
    assert status == 0
    assert "patients.csv is there already and was left as it is" in errors
    assert (tmp_path / "new" / "patients.csv").read_text() == "mine"
    status, _, errors = main("template", "new", "--force", cwd=tmp_path)
    assert status == 0
    assert errors.count("Moved aside, not deleted") == 8
    assert [p.read_text() for p in (tmp_path / "new").glob("patients-replaced-*.csv")] == ["mine"]
    assert (tmp_path / "new" / "patients.csv").read_text().startswith("patient_id,")
    before = contents(results)
    assert main("template", "results", "--force", cwd=tmp_path)[0] == 2
    (tmp_path / "file").write_text("x")
    assert main("template", "file", cwd=tmp_path)[0] == 2
    assert contents(results) == before


# Killed at any point

KILLED = """
import os, shutil, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from reinfuse.output import Destination
from test_output import fill
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
    import reinfuse.output.workplace
    def half(path, ignore_errors):
        (path / "lock").unlink()
        (path / "old" / "patients.csv").unlink()
        die()
    import reinfuse.output.refusals
    passed = []
    real = shutil.rmtree
    shutil.rmtree = lambda path, ignore_errors: half(path, ignore_errors) if (path / "old").exists() else real(path)
Destination(out, force="own" in sys.argv[4:]).write(write)
"""


def kill(out: Path, point: str, *more: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(out), point, str(Path(__file__).parent), *more],
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr


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
import sys, time
import {module}
def slow(*_, **__):
    print("here", flush=True)
    time.sleep(60)
{module}.{name} = slow
from reinfuse import cli
sys.argv = ["reinfuse", "analyze", "{study}/eight", "--plan", "{study}/plans/plan.toml", "--out", "{out}"]
cli.main()
"""


@posix
@pytest.mark.parametrize(("name", "status", "module", "what"), [
    ("SIGINT", 130, "reinfuse.cohort.cohort", "read_cohort"), ("SIGHUP", 129, "reinfuse.cohort.cohort", "read_cohort"),
    ("SIGTERM", 143, "reinfuse.report.write", "report"),
])  # fmt: skip
def test_a_signal_ends_with_a_sentence_and_leaves_nothing(study, name, status, module, what):
    out = study / "new" / "out"
    script = SLOW.format(module=module, name=what, study=study, out=out)
    before = contents(study)
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           preexec_fn=heed_interrupts)  # fmt: skip
    with run:
        assert run.stdout.readline() == "here\n"
        run.send_signal(getattr(signal, name))
        started = time.monotonic()
        _, told = run.communicate(timeout=30)
    assert run.returncode == status
    at = " at: documents" if what == "report" else ""
    assert told == f"Stopped by {name}: reinfuse analyze{at}. Nothing was written.\n"
    assert time.monotonic() - started < 20
    assert contents(study) == before
    assert not (study / "new").exists()


HEEDING = """
import os, signal, sys, threading, time
from pathlib import Path
from reinfuse import console, signals
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


def heeding(code: str, folder: Path, **more):
    """Run code that heeds signals, in a folder."""
    return subprocess.run([sys.executable, "-c", HEEDING], input=code, capture_output=True, text=True, cwd=folder,
                          timeout=60, check=False, **more)  # fmt: skip


@posix
def test_a_signal_at_the_renames_waits_for_them(tmp_path):
    Destination(tmp_path / "out").write(fill("old"))
    done = heeding("""
rename = Path.rename
def renamed(self, target):
    hit()
    return rename(self, target)
Path.rename = renamed
place.write(fill)
""", tmp_path)  # fmt: skip
    assert (done.returncode, done.stderr) == (143, "Stopped by SIGTERM: reinfuse test. Written before that: out\n")
    assert (tmp_path / "out" / "patients.csv").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@posix
@pytest.mark.parametrize("then", ["hit(); time.sleep(100)", "time.sleep(100)"])
def test_a_second_signal_or_work_that_does_not_end_leaves_nothing_either(tmp_path, then):
    done = heeding(f"""
def slow(draft):
    fill(draft)
    try:
        hit()
        time.sleep(100)
    finally:
        {then}
place.write(slow)
""", tmp_path)  # fmt: skip
    assert (done.returncode, done.stderr) == (143, "Stopped by SIGTERM: reinfuse test. Nothing was written.\n")
    assert not list(tmp_path.iterdir())


@posix
def test_a_thread_that_goes_on_is_not_waited_for(tmp_path):
    started = time.monotonic()
    done = heeding("threading.Thread(target=time.sleep, args=(100,)).start(); hit(); time.sleep(100)", tmp_path)
    assert done.returncode == 143
    assert time.monotonic() - started < 50


@posix
def test_a_signal_that_the_caller_ignores_stays_ignored(tmp_path):
    done = heeding("os.kill(os.getpid(), signal.SIGHUP); print('on')", tmp_path,
                   preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "on\n")


# Consoles

ODD = {**GOOD, "responses": "patient_id,day,response\nP1,128,Tót😀\nP2,120,PD"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "utf-16"])
def test_json_is_valid_on_every_console(tmp_path, encoding):
    done = _run("check", write_folder(tmp_path, **ODD), "--json", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (2, b"")
    problems = json.loads(done.stdout.decode(encoding))["problems"]
    assert "Tót😀" in {p["value"] for p in problems}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("command", [
    ["check", "COHORT"], ["schema", "--json"], ["schema", "--markdown"], ["cite"],
    ["virtual", "parameters"], ["virtual", "parameters", "--json"], ["virtual", "parameters", "--markdown"],
])  # fmt: skip
def test_no_text_stops_the_program_on_a_console_that_lacks_letters(tmp_path, command, encoding):
    cohort = write_folder(tmp_path, **ODD)
    done = _run(*(cohort if c == "COHORT" else c for c in command), PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert done.returncode == (2 if command[0] == "check" else 0), done.stderr
    assert b"fault of the program" not in done.stderr
    if "--json" in command:
        json.loads(done.stdout.decode("ascii"))
    if command[0] == "check" and encoding == "latin-1":
        assert b"[T\xf3t\\U0001f600] -> use one of" in done.stderr


def test_an_analysis_ends_well_on_such_a_console_and_names_odd_folders(study, tmp_path):
    done = _run("analyze", "eight", "--plan", "plans/plan.toml", "--out", "é → 😀", cwd=study,
                PYTHONIOENCODING="ascii", LC_ALL="C")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"report.html" in done.stdout
    assert (tmp_path / "é → 😀" / "report.html").is_file()


def test_words_of_libraries_do_not_stand_on_standard_error(tmp_path, study):
    """A diagnosis in letters that the figures' font lacks, a font that is not there, a logarithm of 0."""
    cohort = write_folder(tmp_path, **{**GOOD, "patients": GOOD["patients"].replace("NHL", "淋巴瘤")})
    plan = str(study / "plans" / "plan.toml")
    script = (
        "import sys, logging, warnings, numpy\nfrom reinfuse import cli\n"
        "import reinfuse.cohort.cohort as c\nread = c.read_cohort\n"
        "def noisy(*a):\n"
        "    from matplotlib.font_manager import findfont\n"
        "    findfont('No such font'); numpy.log(numpy.zeros(1)); warnings.warn('odd'); return read(*a)\n"
        "c.read_cohort = noisy\n"
        f"sys.argv = ['reinfuse', 'analyze', {str(cohort)!r}, '--plan', {plan!r}, '--out', {str(tmp_path / 'out')!r}]\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "report.html").is_file()
