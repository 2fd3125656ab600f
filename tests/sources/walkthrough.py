"""The commands of docs/from-spreadsheet.md, run in an empty folder: their outputs as the page must show them.

``python tests/sources/walkthrough.py`` writes the outputs into the page anew. A block begins with ``$ command``; of
``--review``, the lines behind ``> `` are what is typed. The page's plan runs with its slow analyses switched off; a
date of today is written YYYY-MM-DD, and how many estimates and notes a report holds is left open.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from workbooks import EXAMPLES

sys.path.append(str(Path(__file__).resolve().parents[1]))
from helpers import QUICK
from helpers import command as run_command

PAGE = Path(__file__).resolve().parents[2] / "docs" / "from-spreadsheet.md"
_BLOCK = re.compile(r"```console\n(\$ .*?\n)(.*?)```", re.DOTALL)
_PLAN = re.compile(r"```toml\n(# plan\.toml\n.*?)```", re.DOTALL)


def page_run(text: str, folder: Path) -> str:
    """Return the page with the output of each command as it is today."""
    EXAMPLES["tracking"].write(folder)
    if plan := _PLAN.search(text):
        (folder / "plan.toml").write_text(plan[1] + QUICK, encoding="utf-8")
    return _BLOCK.sub(lambda block: f"```console\n{block[1]}{run_block(block[1], block[2], folder)}```", text)


def run_block(command: str, shown: str, folder: Path) -> str:
    """Return what a command prints in a folder, with what is typed into it."""
    arguments = command.removeprefix("$ reinfuse ").split()
    typed = [line.removeprefix("> ") for line in shown.splitlines() if line.startswith("> ")]
    done = run_command(*arguments, cwd=folder, answers="".join(f"{line}\n" for line in typed), COLUMNS="120")
    answers = iter(typed)
    asked = re.sub(r"^> ", lambda _: f"> {next(answers, '')}\n", done.stderr, flags=re.MULTILINE)
    whole = (asked + done.stdout).replace(f"{folder.resolve()}{os.sep}", "").replace(str(folder.resolve()), ".")
    whole = re.sub(r"-replaced-\d{4}-\d\d-\d\d", "-replaced-YYYY-MM-DD", whole)
    whole = re.sub(r"\d+ estimates, \d+ notes", "... estimates, ... notes", whole)
    return "".join(f"{line.rstrip()}\n" for line in whole.splitlines())


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        PAGE.write_text(page_run(PAGE.read_text(encoding="utf-8"), Path(place)), encoding="utf-8")
