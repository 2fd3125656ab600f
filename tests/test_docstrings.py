"""The examples in docstrings give what stands there; what is public tells its parameters."""

from __future__ import annotations

import doctest
import inspect
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import reinfuse
from reinfuse import statistics
from reinfuse.data import dataset
from test_structure import modules_of

SOURCE = Path(__file__).resolve().parents[1] / "src"
SHOWN = sorted(module for module, path in modules_of(SOURCE).items()
               if re.search(r"^ *>>> ", path.read_text(encoding="utf-8"), re.MULTILINE))  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_the_examples_of_a_module_are_right(name, tmp_path, monkeypatch):
    for file in ("sheet.csv", "plan.toml"):
        shutil.copy(dataset("sheih_2020").path / file, tmp_path)
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testmod(import_module(name))
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_examples_are_looked_for_in_every_room_and_none_is_left_out():
    of_statistics = {f"reinfuse.statistics.{name}" for name in statistics.__all__}
    assert of_statistics | {"reinfuse", "reinfuse.study.report"} <= set(SHOWN)
    assert [p for p in SOURCE.rglob("*.py") if "doctest: +SKIP" in p.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("name", statistics.__all__)
def test_each_function_that_can_be_used_alone_tells_its_parameters_and_shows_an_example(name):
    module = import_module(f"reinfuse.statistics.{name}")
    functions = [f for n, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__
                 and not n.startswith("_") and ">>>" in (f.__doc__ or "")]  # fmt: skip
    assert functions
    for function in functions:
        text = inspect.getdoc(function)
        parameters = text.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
        named = {n.strip() for line in parameters.splitlines() if not line.startswith(" ") for n in line.split(",")}
        assert named == set(inspect.signature(function).parameters), f"{name}.{function.__name__}"


def test_completion_shows_what_is_public():
    assert dir(reinfuse) == sorted(reinfuse.__all__)
    assert dir(statistics) == sorted(statistics.__all__)
    assert all(getattr(reinfuse, n) is not None for n in reinfuse.__all__)
    with pytest.raises(AttributeError, match="did you mean 'analyze'"):
        reinfuse.analyse  # noqa: B018
    with pytest.raises(AttributeError, match="there are Cohort, Findings"):
        reinfuse.cox  # noqa: B018
    with pytest.raises(AttributeError, match="there are beta_rules, binomial_normal"):
        statistics.cox  # noqa: B018


@pytest.mark.parametrize(("arguments", "rule"), [
    (("logit", [[0.0], [1.0]], [0.0, 1.0]), "use 'logistic' or 'cox'"),
    (("cox", [[0.0], [1.0]], [0.0, 1.0]), "time belongs to a Cox model"),
    (("logistic", [0.0, 1.0], [0.0, 1.0]), r"X has shape \(n, k\)"),
    (("logistic", [[0.0], [float("nan")]], [0.0, 1.0]), "leave out rows with a missing value"),
])  # fmt: skip
def test_arrays_that_are_no_data_of_a_model_are_refused(arguments, rule):
    import numpy as np

    kind, X, event = arguments
    with pytest.raises(ValueError, match=rule):
        statistics.firth.fit(kind, np.array(X), np.array(event))


def test_to_import_reinfuse_loads_no_library():
    code = "import sys, reinfuse; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    path = str(Path(reinfuse.__file__).parents[1])
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         env={"PYTHONPATH": path})  # fmt: skip
    assert not {"narwhals", "numpy", "polars", "pandas", "pydantic", "scipy", "matplotlib"} & set(run.stdout.split())
