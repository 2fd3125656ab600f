"""Optional libraries, by extra: what each part needs, and the command that installs it from where reinfuse stands."""

from __future__ import annotations

import shlex
import sys
import tomllib
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from reinfuse.exceptions import ExtraMissing, Problem

MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "app": ("starlette", "uvicorn", "python_multipart"),
    "fhir": ("duckdb",),
    "kinetics": ("jax", "numpyro"),
    "omop": ("ibis", "duckdb"),
    "omop-postgres": ("ibis", "psycopg"),
    "omop-spark": ("ibis", "pyspark", "grpc"),
    "pool": ("cryptography", "mpyc"),
    "sas": ("pyreadstat",),
    "virtual": ("numba", "bayes_opt", "SALib", "dask", "distributed"),
})  # fmt: skip
"""Extra -> the modules that it brings."""


def require(extra: str, otherwise: str = "") -> None:
    """Refuse, before any work, what needs an extra that is not installed.

    Parameters
    ----------
    extra
        Its name.
    otherwise
        What can be done without it.

    Raises
    ------
    ExtraMissing
        With the command that installs it.
    """
    absent = [name for name in MODULES[extra] if not _present(name)]
    if absent:
        rule = f"needs libraries that are not installed ({', '.join(absent)}; the extra {extra!r})"
        remedy = f"install them: {command(extra)}{f'; or {otherwise}' if otherwise else ''}"
        raise ExtraMissing([Problem(rule=rule, remedy=remedy)])


def command(extra: str, package: Path | None = None) -> str:
    """Return the command that installs an extra: from a checkout's pinned requirements, else what it declares.

    Parameters
    ----------
    package
        Folder of the package; default: this one.
    """
    python = shlex.quote(sys.executable)
    root = (package or Path(__file__).resolve().parents[1]).parents[1]
    pinned = root / f"requirements-{extra}.lock"
    if pinned.is_file():
        return f"{python} -m pip install --require-hashes -r {shlex.quote(str(pinned))}"
    declared = root / "pyproject.toml"
    if declared.is_file():
        wanted = tomllib.loads(declared.read_text(encoding="utf-8"))["project"]["optional-dependencies"][extra]
    else:
        wanted = [r.partition(";")[0].strip() for r in metadata.requires("reinfuse") or () if _of(r, extra)]
    return f"{python} -m pip install {' '.join(shlex.quote(w) for w in wanted)}"


def _of(requirement: str, extra: str) -> bool:
    marker = requirement.partition(";")[2].replace("'", '"')
    return f'extra == "{extra}"' in marker


def _present(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
