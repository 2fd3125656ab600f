"""docs/python.md: every example runs, in order, and gives what stands under it."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest

from reinfuse.data import DEMO, dataset
from reinfuse.exceptions import Refused

PAGE = Path(__file__).resolve().parents[1] / "docs" / "python.md"
_EXAMPLE = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", re.DOTALL)


def examples(page):
    """Return the code of each example, and the text under it, or None."""
    return [(code, text or None) for code, text in _EXAMPLE.findall(page)]


def outcome(code, names):
    """Run an example; return its last value as Python shows it, or the text of what is refused."""
    *statements, last = ast.parse(code).body
    try:
        exec(compile(ast.Module(statements, []), str(PAGE), "exec"), names)
        if not isinstance(last, ast.Expr):
            exec(compile(ast.Module([last], []), str(PAGE), "exec"), names)
            return ""
        return repr(eval(compile(ast.Expression(last.value), str(PAGE), "eval"), names))
    except Refused as refused:
        return f"{type(refused).__name__}: {refused}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with what the page reads: a published sheet with its plan, and the synthetic cohort."""
    for name in ("sheet.csv", "plan.toml"):
        shutil.copy(dataset("sheih_2020").path / name, tmp_path)
    (tmp_path / "cohort").mkdir()
    for table in dataset(DEMO).path.glob("*.csv"):
        shutil.copy(table, tmp_path / "cohort")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_example_gives_what_stands_under_it(folder):
    names = {}
    shown = [(code, text, outcome(code, names)) for code, text in examples(PAGE.read_text(encoding="utf-8"))]
    assert len(shown) > 15
    for code, text, value in shown:
        if text is None:
            assert "Refused" not in value, code
        else:
            assert [line.rstrip() for line in value.splitlines()] == [line.rstrip() for line in text.splitlines()], code
    assert (folder / "table1.docx").read_bytes().startswith(b"PK")
    assert (folder / "figure1.pdf").read_bytes().startswith(b"%PDF")


def test_the_first_example_is_a_notebook_of_five_lines(folder):
    names = {}
    first, text = examples(PAGE.read_text(encoding="utf-8"))[0]
    lines = [line for line in first.splitlines() if line and not line.startswith("import")]
    assert (text, len(lines)) == (None, 5)
    *setup, table1, regression, km = lines
    exec("\n".join(["import pandas as pd", "import reinfuse", *setup]), names)
    assert "<caption" in eval(table1, names)._repr_html_()
    assert "1 (reference)" in eval(regression, names)._repr_html_()
    assert set(eval(km, names)._repr_mimebundle_()[0]) == {"image/svg+xml", "image/png", "text/plain"}
    assert names["report"].findings.described.patients == 14
