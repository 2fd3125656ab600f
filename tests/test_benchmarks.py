"""Every benchmark runs: each has a small size that compares answers, is too small for times, and writes nothing."""

import subprocess
import sys
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
    "resampling.py": ["lifelines", "Rscript"],
    "kinetics/population.py": ["pymc"],
}
"""What a benchmark compares with, which the tests' own environment does not bring."""
COMPILED = {"kinetics/calibration.py", "kinetics/large.py", "kinetics/population.py"}
"""Half a minute of compiling each: run them alone with --small."""
ALONE = {"generate.py", "virtual/arithmetic.py", "virtual/jax_model.py", "virtual/peers.py", "virtual/planted.py"}
"""Parts of others."""
FURTHER = {"virtual/calibration.py": [[], ["planted"]]}
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


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_small_run(script):
    if script in COMPILED:
        pytest.skip(f"benchmarks/{script} --small compiles for half a minute: run it alone")
    absent = [need for need in NEEDS.get(script, []) if missing(need)]
    if absent:
        pytest.skip(f"benchmarks/{script} compares with what is not installed here: {', '.join(absent)}")
    before = {p: p.stat().st_mtime_ns for p in ROOT.glob("benchmarks/**/*.[cjp][sn][vog]*")}
    before |= {p: p.stat().st_mtime_ns for p in ROOT.glob("src/reinfuse/simulation/*.csv")}
    for more in FURTHER.get(script, [[]]):
        done = subprocess.run([sys.executable, "-W", "ignore", str(BENCHMARKS / script), *more, "--small"],
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
    assert before == {p: p.stat().st_mtime_ns for p in before}
