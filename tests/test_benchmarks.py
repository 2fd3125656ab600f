"""Every benchmark runs: each has a small size that compares answers, is too small for times, and writes nothing."""

import os
import runpy
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "benchmarks"
NEEDS = {
    "firth_null.py": ["lifelines"],
    "large_cohort.py": ["Rscript"],
    "nca.py": ["openpkflow"],
    "registry.py": ["duckdb", "ibis"],
    "registry_spark.py": ["pyspark"],
    "resampling.py": ["lifelines", "Rscript"],
    "kinetics/population.py": ["pymc"],
    "virtual/inferences.py": ["bayesflow"],
}
"""What a benchmark compares with, which the tests' own environment does not bring."""
COMPILED = {"kinetics/calibration.py", "kinetics/large.py", "kinetics/population.py"}
"""Half a minute of compiling each: run them alone with --small."""
ALONE = {
    "generate.py",
    "virtual/arithmetic.py",
    "virtual/jax_model.py",
    "virtual/kalman.py",
    "virtual/neural.py",
    "virtual/peers.py",
    "virtual/planted.py",
    "virtual/products.py",
    "virtual/structures.py",
}
"""Parts of others."""
FURTHER = {"virtual/calibration.py": [[], ["planted"], ["effective"]]}
PROCESSES = {"operating_characteristics/run.py"}
"""Starts processes as copies of its own, which would be of the tests' process, threads and all."""
SCRIPTS = sorted(
    str(path.relative_to(BENCHMARKS))
    for path in BENCHMARKS.rglob("*.py")
    if "__main__" in path.read_text(encoding="utf-8")
)


def missing(need):
    """Tell whether a program or library that a benchmark needs is not there."""
    if need != "Rscript":
        return find_spec(need) is None
    try:
        loaded = subprocess.run(["Rscript", "-e", "library(survival); library(jsonlite)"], capture_output=True)
    except OSError:
        return True
    return loaded.returncode != 0


def test_every_script_is_a_benchmark_or_a_part_of_one():
    every = {str(path.relative_to(BENCHMARKS)) for path in BENCHMARKS.rglob("*.py")}
    assert every - set(SCRIPTS) == ALONE
    assert set(NEEDS) <= set(SCRIPTS)


@pytest.fixture
def run_script(monkeypatch):
    """Return what runs a benchmark as its command line does, in this process, which has imported what most need."""

    def run(script, *arguments):
        path, modules, settings = BENCHMARKS / script, set(sys.modules), dict(os.environ)
        if script in PROCESSES:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", str(path), *arguments], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr[-2000:]
            return
        monkeypatch.setattr(sys, "argv", [str(path), *arguments])
        monkeypatch.syspath_prepend(str(path.parent))
        status = None
        try:
            with warnings.catch_warnings(action="ignore"):
                runpy.run_path(str(path), run_name="__main__")
        except SystemExit as ended:
            status = ended.code
        finally:
            os.environ.clear()
            os.environ.update(settings)
            for name in set(sys.modules) - modules:  # another folder's script may import a file of the same name
                if str(getattr(sys.modules[name], "__file__", "")).startswith(str(BENCHMARKS)):
                    del sys.modules[name]
        assert not status, status

    return run


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_small_run(script, run_script):
    if script in COMPILED:
        pytest.skip(f"benchmarks/{script} --small compiles for half a minute: run it alone")
    absent = [need for need in NEEDS.get(script, []) if missing(need)]
    if absent:
        pytest.skip(f"benchmarks/{script} compares with what is not installed here: {', '.join(absent)}")
    before = {p: p.stat().st_mtime_ns for p in ROOT.glob("benchmarks/**/*.[cjp][sn][vog]*")}
    before |= {p: p.stat().st_mtime_ns for p in ROOT.glob("src/reinfuse/simulation/*.csv")}
    for more in FURTHER.get(script, [[]]):
        run_script(script, *more, "--small")
    assert before == {p: p.stat().st_mtime_ns for p in before}
