"""What every command has in common: help, version, completion, --quiet and --force."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
import typer

from helpers import write_folder
from outputs import contents
from reinfuse import Plan, Study, read_cohort, save
from reinfuse.cli import main as cli
from reinfuse.output import Destination
from reinfuse.plan.options import Analyses
from reinfuse.study.pooling import plan_pool
from reinfuse.version import __version__
from test_cli import GOOD

COMPLETED = {
    "reinfuse ana": "analyze", "reinfuse analyze --ou": "--out", "reinfuse virtual ab": "ablation",
    "reinfuse virtual search --max": "--max-crs-rate", "reinfuse completion f": "fish",
    "reinfuse demo --dataset bru": "brudno_2016", "reinfuse map x --kind fh": "fhir",
    "reinfuse share --q": "--quiet", "reinfuse analyze x --only toxi": "toxicity",
}  # fmt: skip
OF_EACH_KIND = ("reinfuse ana", "reinfuse analyze --ou", "reinfuse demo --dataset bru")
"""A command, an option, a value: what a shell hands over; what is answered, it does not change."""
DESIGNS = {"simon": "--p0 0.2 --p1 0.4", "bayes": "--p0 0.2 --p1 0.4 --n 20", "dose": "",
           "logrank": "--ratio 0.5 --accrual 12 --follow-up 12 --median 6",
           "precision": "--of proportion --rates 0.3 --half-width 0.1"}  # fmt: skip
"""What designs of studies cannot do without."""


def commands():
    """Return the words and the parameters of every command, those of groups too."""
    pairs = []

    def walk(command, words):
        if not hasattr(command, "list_commands"):
            pairs.append((words, {p.name for p in command.params}))
            return
        context = typer.Context(command)
        for name in command.list_commands(context):
            walk(command.get_command(context, name), (*words, name))

    walk(typer.main.get_command(cli.app), ())
    return pairs


def test_the_version(main):
    assert main("--version") == (0, f"reinfuse {__version__}\n", "")
    assert main("-V") == main("--version")


def test_every_command_has_short_help(main):
    assert len(commands()) > 15
    for words, _ in commands():
        status, output, _ = main(*words, "-h")
        assert (status, output) == main(*words, "--help")[:2]
        assert status == 0
        assert output.startswith(f"Usage: reinfuse {' '.join(words)} "), words
        assert "-h, --help" in output


def test_every_command_that_writes_can_be_forced_and_be_quiet():
    """Those are the commands with an --out, or with a folder to write as their argument."""
    writes = {words for words, names in commands() if names & {"out", "directory"}}
    assert {("analyze",), ("export", "adam"), ("virtual", "trial"), ("template",), ("map",), ("import",)} <= writes
    assert writes == {words for words, names in commands() if "force" in names}
    assert writes == {words for words, names in commands() if "quiet" in names}


def pool_request(folder):
    """Write the first request of a study of three centres, and return its path."""
    study = folder / "study.toml"
    study.write_text('centres = ["A", "B", "C"]\nendpoints = ["os"]\n[plan]\nfactors = [{name = "bulky"}]\n')
    return plan_pool(study, Destination(folder / "pool", "pool", ()))


def arguments(words, cohort, out):
    """Return a short way to call a command that writes."""
    more = {("template",): [out], ("figure",): ["km_pfs", cohort, "--out", out], ("demo",): ["--out", out],
            ("map",): [cohort, "--out", out / "m.toml"],
            ("import",): [cohort, "--map", cohort / "m.toml", "--out", out],
            ("evidence", "synthesis"): ["--endpoint", "cr", "--out", out],
            ("evidence", "borrow"): ["--endpoint", "cr", "--events", "3", "--n", "9", "--out", out]}  # fmt: skip
    if words == ("virtual", "calibrate"):
        return [cohort / "patients.csv", "--out", out]
    if words[0] == "virtual":
        return ["--out", out]
    if words == ("pool", "answer"):
        return [pool_request(cohort.parent), cohort, "--centre", "A", "--out", out]
    if words[0] == "design":
        return [*DESIGNS[words[1]].split(), "--out", out]
    return more.get(words, [cohort, "--out", out])


@pytest.mark.parametrize("words", [words for words, names in commands() if "force" in names], ids=" ".join)
def test_a_folder_of_the_user_is_refused_without_force(words, main, tmp_path):
    cohort, out = write_folder(tmp_path, **GOOD), tmp_path / "mine"
    if words == ("share",):
        plain = Plan.built_in().model_copy(update={"analyses": Analyses.none()})
        cohort = save(Study(read_cohort(cohort), plain).run(), tmp_path / "results")
    else:
        (cohort / "patients.csv").write_text("nonsense")  # the folder is looked at before the cohort is read
    out.mkdir()
    single = {
        ("figure",): "km_pfs.svg",
        ("map",): "m.toml",
        ("template",): "patients.csv",
        ("pool", "plan"): "request-1.json",
        ("pool", "answer"): "answer-A-1.json",
    }.get(words, "own.txt")
    (out / single).write_text("own")
    before = contents(out)
    status, output, errors = main(*words, *arguments(words, cohort, out), cwd=tmp_path)
    if words != ("template",):  # it leaves what is there, and writes the other tables
        assert (status, output) == (2, "")
        assert "--force" in errors
        assert contents(out) == before
    assert (out / single).read_text() == "own"


def test_a_quiet_command_prints_nothing_but_warnings(main, tmp_path):
    cohort = write_folder(tmp_path, **GOOD)
    quick = ("analyze", cohort, "--only", "toxicity", "--only", "report")
    status, output, errors = main(*quick, "--out", tmp_path / "out", "--quiet")
    assert (status, output, errors) == (0, "", "")
    assert (tmp_path / "out" / "report.html").is_file()
    assert "2 patients analysed" in main(*quick, "--out", tmp_path / "out")[1]
    (tmp_path / "out" / "own.txt").write_text("own")
    status, output, errors = main(*quick, "-q", "--out", tmp_path / "out")
    assert (status, output) == (2, "")
    assert "--force" in errors
    status, output, errors = main(*quick, "-q", "--force", "--out", tmp_path / "out")
    assert (status, output) == (0, "")
    assert "Moved aside, not deleted" in errors


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """Put a `reinfuse` first on the path that is this one."""
    program = tmp_path / "bin" / "reinfuse"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reinfuse.cli "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))
    monkeypatch.setenv("HOME", str(tmp_path))


def shell(name, script, cwd):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([name, "-c", script], capture_output=True, text=True, cwd=cwd, check=True, timeout=100)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.usefixtures("on_path")
def test_bash_completes(tmp_path):
    tries = "\n".join(f"try {line}" for line in COMPLETED)
    lines = shell("bash", f"""eval "$(reinfuse completion bash)"
        try() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _reinfuse_completion reinfuse
                 echo "${{COMPREPLY[*]}}"; }}
        {tries}
        try reinfuse analyze co
        complete -p reinfuse""", tmp_path)  # fmt: skip
    assert lines[: len(COMPLETED)] == list(COMPLETED.values())
    assert lines[len(COMPLETED)] == ""  # then bash itself completes names of files
    assert "-o default" in lines[-1]


@pytest.mark.usefixtures("on_path")
def test_fish_completes(tmp_path):
    (tmp_path / "cohort.csv").write_text("x")
    tries = "\n".join(f'complete -C "{line}"' for line in (*OF_EACH_KIND, "reinfuse analyze coh"))
    lines = shell("fish", f"reinfuse completion fish | source\n{tries}", tmp_path)
    assert [line.split("\t")[0] for line in lines] == [*map(COMPLETED.get, OF_EACH_KIND), "cohort.csv"]


@pytest.mark.usefixtures("on_path")
def test_zsh_completes(tmp_path):
    tries = "\n".join(f'_TYPER_COMPLETE_ARGS="{line}" _REINFUSE_COMPLETE=complete_zsh reinfuse' for line in
                      ("reinfuse ana", "reinfuse analyze coh"))  # fmt: skip
    lines = shell("zsh", f"""autoload -Uz compinit; compinit -u
        eval "$(reinfuse completion zsh)"
        print -r -- $_comps[reinfuse]
        {tries}""", tmp_path)  # fmt: skip
    assert lines == ["_reinfuse_completion", """_arguments '*: :(("analyze":"Analyse a cohort."))'""", "_files"]


def test_a_shell_without_completion_is_refused(main):
    status, output, errors = main("completion", "tcsh")
    assert (status, output) == (2, "")
    assert "bash" in errors
    assert "fish" in errors


def test_help_needs_no_library_of_the_analyses():
    code = "import sys; import reinfuse.cli.main; print(sorted({'polars', 'scipy', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)})  # fmt: skip
    assert done.stdout.strip() == "[]"
