"""CONTRIBUTING.md can be followed: every place that it names is there; its example of an analysis runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import reinfuse.analyses
import reinfuse.report.analyses
from helpers import plain
from reinfuse import Plan, Study, read_cohort
from reinfuse.analyses import registry
from reinfuse.data import DEMO, datasets
from reinfuse.plan import switches
from reinfuse.report.analyses import registry as report_registry

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TASKS = ("an endpoint", "an analysis", "a source", "a figure", "a page", "a command", "a screen")
EXAMPLE = re.compile(r"```python\n# (src/reinfuse/\S+)\n(.*?)```", re.DOTALL)


def places(task):
    """Return the places of a task: path, and what to look for there."""
    chapter = TEXT.split(f"\n## Add {task}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\S+)` \| `(.+?)` \|", chapter, flags=re.MULTILINE)


@pytest.mark.parametrize("task", TASKS)
def test_every_place_of_a_task_is_there(task):
    named = places(task)
    assert len(named) >= 3
    for path, wanted in named:
        assert wanted in (ROOT / path).read_text(encoding="utf-8"), (path, wanted)


def test_every_room_is_named_and_every_named_room_is_there():
    table = TEXT.split("## The house")[1].split("\n## ")[0]
    named = {name for row in re.findall(r"^\| (`.+?) \|", table, flags=re.MULTILINE)
             for name in re.findall(r"`([\w./]+)`", row)}  # fmt: skip
    source = ROOT / "src" / "reinfuse"
    rooms = {f"{p.name}/" for p in source.iterdir() if (p / "__init__.py").is_file()}
    assert {name for name in named if name.endswith("/")} == rooms


def test_the_example_of_an_analysis_needs_its_two_files_alone(tmp_path, monkeypatch):
    files = dict(EXAMPLE.findall(TEXT))
    assert len(files) == 2
    for path, code in files.items():
        place = tmp_path / Path(path).relative_to("src/reinfuse")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(code, encoding="utf-8")
    caches = (registry.modules, report_registry.shown, report_registry.references, switches.declared)
    for package, folder in ((reinfuse.analyses, "analyses"), (reinfuse.report.analyses, "report/analyses")):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / folder)])
    try:
        for cached in caches:
            cached.cache_clear()
        plan = plain(Plan.built_in())
        settings = {**plan.analyses.model_dump(), "last_contact": True}
        plan = Plan.model_validate({**plan.model_dump(), "analyses": settings})
        findings = Study(read_cohort(datasets()[DEMO].path), plan).run()
        [record] = [e for e in findings.estimates if e.analysis == "last_contact"]
        assert record.estimate == findings.patients["os_days"].cast(float).median()
        assert "The median day of last contact is given." in list(report_registry.methods(findings, lambda *_: ""))
    finally:
        for cached in caches:
            cached.cache_clear()
