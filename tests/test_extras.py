"""Libraries that are not installed: refused before any work, with the command that works from where reinfuse stands."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reinfuse.data import DEMO, datasets
from reinfuse.runtime.extras import MODULES, command

ROOT = Path(__file__).resolve().parents[1]
HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
from reinfuse.cli.main import main
sys.argv[1:] = ARGUMENTS
main()
"""


def without(modules, *arguments):
    """Run a command in a process in which modules cannot be found."""
    code = f"HIDDEN, ARGUMENTS = {tuple(modules)!r}, {list(arguments)!r}\n{HIDE}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "src")})  # fmt: skip


@pytest.mark.parametrize(
    ("extra", "arguments"),
    [
        ("virtual", ["virtual", "trial"]),
        ("virtual", ["virtual", "trial", "--cluster", "tcp://127.0.0.1:1"]),
        ("virtual", ["virtual", "search"]),
        ("virtual", ["virtual", "ablation"]),
        ("virtual", ["virtual", "calibrate", "targets.csv"]),
        ("kinetics", ["kinetics", str(datasets()[DEMO].path)]),
    ],
)
def test_a_missing_extra_is_refused_before_any_work(extra, arguments, tmp_path):
    done = without(MODULES[extra], *arguments, "--out", str(tmp_path / "out"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "fault of the program" not in done.stderr
    assert f"requirements-{extra}.lock" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_app_names_its_libraries_and_needs_them_for_no_other_command():
    done = without(MODULES["app"], "app", "--no-browser")
    assert (done.returncode, done.stdout) == (2, "")
    assert "requirements-app.lock" in done.stderr
    assert without(MODULES["app"], "datasets").returncode == 0


@pytest.mark.parametrize("module", MODULES["virtual"])
def test_each_module_of_an_extra_is_looked_for(module, tmp_path):
    done = without([module], "virtual", "trial", "--out", str(tmp_path / "out"))
    assert done.returncode == 2, done.stderr
    assert module in done.stderr


def test_what_needs_no_extra_runs_without_them(tmp_path):
    every = [m for modules in MODULES.values() for m in modules]
    assert json.loads(without(every, "virtual", "parameters", "--json").stdout)["parameters"]
    counts = ["kinetics", str(datasets()[DEMO].path), "--no-sampling", "--out", str(tmp_path / "k")]
    for arguments in (["virtual", "trial", "--help"], ["kinetics", "--help"], counts):
        done = without(every, *arguments)
        assert done.returncode == 0, done.stderr


def test_a_checkout_without_pinned_requirements_names_what_it_declares(tmp_path):
    package = tmp_path / "src" / "reinfuse"
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert command("pool", package).endswith("-m pip install 'cryptography>=43' 'mpyc>=0.11,<0.12'")


def test_a_checkout_names_its_pinned_requirements():
    for extra in MODULES:
        path = command(extra).rpartition(" ")[2]
        assert Path(path) == ROOT / f"requirements-{extra}.lock"
        pinned = set(re.findall(r"^([a-z0-9-]+)==", Path(path).read_text(), re.MULTILINE))
        names = {
            "bayes_opt": "bayesian-optimization",
            "ibis": "ibis-framework",
            "pyspark": "pyspark-client",
            "grpc": "grpcio",
        }
        wanted = {names.get(m, m).replace("_", "-").casefold() for m in MODULES[extra]}
        assert wanted <= pinned


def test_an_installed_package_names_the_libraries_themselves(tmp_path):
    told = command("kinetics", tmp_path / "site-packages" / "reinfuse")
    assert told.startswith(sys.executable)
    assert re.search(r"pip install .*jax.*numpyro", told)
    assert "reinfuse[" not in told
