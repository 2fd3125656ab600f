"""How long the command line takes to answer, and the demo to be done. Run: python benchmarks/start.py.

Run by the interpreter that runs this script. Bytecode is kept in a temporary folder, as an installed program keeps it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from measure import machine, measured, results, summary

RUNS = 9
GOALS = {"reinfuse --help": 0.3, "reinfuse demo": 10.0}


def times(arguments: list[str], environment: dict[str, str]) -> dict[str, float | int]:
    """Return what a command takes, after one run that does not count."""
    command = [sys.executable, "-m", "reinfuse.cli", *arguments]
    return summary([measured(command, environment) for _ in range(RUNS + 1)][1:])


def main() -> None:
    """Measure and write the results."""
    told = machine()
    with tempfile.TemporaryDirectory() as temporary:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(Path(temporary) / "bytecode")
        commands = {"reinfuse --help": ["--help"], "reinfuse demo": ["demo", "--out", str(Path(temporary) / "out")]}
        for name, arguments in commands.items():
            told[name] = {**times(arguments, environment), "goal_s": GOALS[name]}
    print(json.dumps(told, indent=1))
    results("start.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
