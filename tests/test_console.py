"""Consoles that lack letters, and libraries that write where nobody asked them to."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from helpers import command, write_folder
from outputs import run, write_study
from test_cli import GOOD


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path)


ODD = {**GOOD, "responses": "patient_id,day,response\nP1,128,Tót😀\nP2,120,PD"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "utf-16"])
def test_json_is_valid_on_every_console(tmp_path, encoding):
    completed = command("check", write_folder(tmp_path, **ODD), "--json", encoding=encoding)
    assert (completed.returncode, completed.stderr) == (2, "")
    problems = json.loads(completed.stdout)["problems"]
    assert "Tót😀" in {p["value"] for p in problems}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("words", [
    ["check", "COHORT"], ["schema", "--json"], ["schema", "--markdown"], ["cite"],
    ["virtual", "parameters"], ["virtual", "parameters", "--json"], ["virtual", "parameters", "--markdown"],
])  # fmt: skip
def test_no_text_stops_the_program_on_a_console_that_lacks_letters(tmp_path, words, encoding):
    cohort = write_folder(tmp_path, **ODD)
    completed = command(*(cohort if word == "COHORT" else word for word in words), encoding=encoding)
    assert completed.returncode == (2 if words[0] == "check" else 0), completed.stderr
    assert "fault of the program" not in completed.stderr
    if "--json" in words:
        assert completed.stdout.isascii()
        json.loads(completed.stdout)
    if words[0] == "check" and encoding == "latin-1":
        assert "[T\xf3t\\U0001f600] -> use one of" in completed.stderr


def test_a_process_of_its_own_is_told_of_its_console(tmp_path):
    """As the console tells it, by the environment: the rest is the same in this process."""
    completed = run("check", write_folder(tmp_path, **ODD), PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert completed.returncode == 2, completed.stderr
    assert b"[T\xf3t\\U0001f600] -> use one of" in completed.stderr


def test_an_analysis_ends_well_on_such_a_console_and_names_odd_folders(study, tmp_path):
    completed = run("analyze", "eight", "--plan", "plans/plan.toml", "--only", "brief", "--out", "é → 😀", cwd=study,
                PYTHONIOENCODING="ascii", LC_ALL="C")  # fmt: skip
    assert (completed.returncode, completed.stderr) == (0, b"")
    assert b"brief.html" in completed.stdout
    assert (tmp_path / "é → 😀" / "brief.html").is_file()


def test_words_of_libraries_do_not_stand_on_standard_error(tmp_path, study):
    """A diagnosis in letters that the figures' font lacks, a font that is not there, a logarithm of 0."""
    cohort = write_folder(tmp_path, **{**GOOD, "patients": GOOD["patients"].replace("NHL", "淋巴瘤")})
    plan = str(study / "plans" / "plan.toml")
    script = (
        "import sys, logging, warnings, numpy\nfrom reinfuse.cli import main as cli\n"
        "import reinfuse.study.cohort_reading as c\nread = c.examine\n"
        "def noisy(*a, **k):\n"
        "    from matplotlib.font_manager import findfont\n"
        "    findfont('No such font'); numpy.log(numpy.zeros(1)); warnings.warn('odd'); return read(*a, **k)\n"
        "c.examine = noisy\n"
        f"sys.argv = ['reinfuse', 'analyze', {str(cohort)!r}, '--plan', {plan!r}, '--out', {str(tmp_path / 'out')!r}]\n"
        "cli.main()\n"
    )
    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (completed.returncode, completed.stderr) == (0, "")
    assert (tmp_path / "out" / "report.html").is_file()
