"""The examples in docstrings are right: those of the statistics that can be used by themselves, as they stand there."""

from __future__ import annotations

import doctest
import inspect
from importlib import import_module

import pytest

from reinfuse import statistics


@pytest.mark.parametrize("name", statistics.__all__)
def test_the_examples_of_a_module_are_right(name):
    outcome = doctest.testmod(import_module(f"reinfuse.statistics.{name}"))
    assert outcome.attempted > 0
    assert outcome.failed == 0


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
    import reinfuse

    assert dir(reinfuse) == sorted(reinfuse.__all__)
    assert dir(statistics) == sorted(statistics.__all__)
    assert all(getattr(reinfuse, n) is not None for n in reinfuse.__all__)
    with pytest.raises(AttributeError, match="did you mean 'analyze'"):
        reinfuse.analyse  # noqa: B018
    with pytest.raises(AttributeError, match="there are Cohort, Findings"):
        reinfuse.cox  # noqa: B018
    with pytest.raises(AttributeError, match="there are fine_gray, firth"):
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
