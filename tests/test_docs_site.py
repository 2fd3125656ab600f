"""The pages of the site: their examples run, and nothing in them is loaded from elsewhere.

The site itself is built by `make docs`, which runs the same examples; what is built is looked at where it is there.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers import plain
from reinfuse import analyze, save
from reinfuse.cli.main import app
from reinfuse.data import DEMO, dataset

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
sys.path.append(str(ROOT / "tests" / "sources"))

from walkthrough import run_block  # noqa: E402

BUILT = DOCS / "_build" / "html"
PAGES = sorted((DOCS / "howto").glob("*.md"))
NOTEBOOKS = [page for page in sorted(DOCS.rglob("*.md")) if "\n```{code-cell}" in page.read_text(encoding="utf-8")
             and DOCS / "_build" not in page.parents]  # fmt: skip
_CELL = re.compile(r"```\{code-cell\} python\n(?::.*\n|\n)*(.*?)```", re.DOTALL)
_CONSOLE = re.compile(r"```console\n(\$ .*?\n)(.*?)```", re.DOTALL)
_FILE = re.compile(r"```toml\n# (\S+\.toml)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", NOTEBOOKS, ids=lambda page: page.stem)
def test_the_cells_of_a_page_run(page, monkeypatch, tmp_path):
    if page.stem == "comparison":
        pytest.importorskip("lifelines")
    monkeypatch.chdir(page.parent)  # where the site's builder runs them
    monkeypatch.setattr("tempfile.mkdtemp", lambda: str(tmp_path))
    cells, names = _CELL.findall(page.read_text(encoding="utf-8")), {}
    assert cells
    for cell in cells:
        exec(compile(cell, str(page), "exec"), names)


def test_the_numbers_of_r_that_the_questions_quote_are_those_of_the_comparison():
    text = " ".join((DOCS / "faq.md").read_text(encoding="utf-8").split())
    of_r = json.loads((DOCS / "comparison.json").read_text())
    cll, cy_flu = of_r["cll"], of_r["cy_flu"]["hazard_ratio"]
    assert f"hazard ratio of {cll['hazard_ratio']:.0e}".replace("e-0", "e-") in text
    assert f"0.15 instead of {cy_flu:.2f} with 9 events" in text  # reinfuse's own: docs/python.md
    assert f"p = {cll['wald_p']:.3f}, and p = {cll['likelihood_ratio_p']:.3f} by the likelihood ratio" in text


@pytest.mark.parametrize("page", [p for p in PAGES if "```console" in p.read_text(encoding="utf-8")],
                         ids=lambda page: page.stem)  # fmt: skip
def test_the_commands_of_a_page_give_what_stands_under_them(page, tmp_path):
    text = page.read_text(encoding="utf-8")
    (tmp_path / "cohort").mkdir()
    for table in dataset(DEMO).path.glob("*.csv"):
        shutil.copy(table, tmp_path / "cohort")
    if " results " in text:
        sheet = dataset("sheih_2020")
        save(analyze(sheet.path / "sheet.csv", plain(sheet.plan)), tmp_path / "results")
    for name, contents in _FILE.findall(text):
        (tmp_path / name).write_text(contents, encoding="utf-8")
    blocks = _CONSOLE.findall(text)
    assert blocks
    for command, shown in blocks:
        first, more, last = shown.rpartition("...\n")
        given = run_block(command, shown, tmp_path)
        assert (given.startswith(first) and given.endswith(last)) if more else given == shown, command


def test_the_commands_on_virtual_patients_have_the_options_that_the_page_names():
    text = (DOCS / "howto" / "virtual.md").read_text(encoding="utf-8")
    commands = re.findall(r"^reinfuse (virtual \w+)(.*)$", text, re.MULTILINE)
    assert len(commands) == 3
    for command, rest in commands:
        help_text = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200"}).output
        assert [o for o in re.findall(r"--[a-z-]+", rest) if o not in help_text] == [], command


def test_the_protocols_of_the_page_on_virtual_patients_can_be_read(tmp_path):
    from reinfuse.simulation.trial.protocol import Protocols

    [(_, contents)] = _FILE.findall((DOCS / "howto" / "virtual.md").read_text(encoding="utf-8"))
    (tmp_path / "protocols.toml").write_text(contents, encoding="utf-8")
    assert len(Protocols.load(tmp_path / "protocols.toml").all_arms) == 4


def test_what_builds_the_site_is_pinned_with_hashes_and_names_no_place():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["docs"]
    lock = (ROOT / "requirements-docs.lock").read_text()
    pinned = re.findall(r"^([a-z0-9-]+)==\S+.*\\\n    --hash=sha256:", lock, re.MULTILINE)
    assert {re.split("[<>=]", one)[0] for one in wanted} <= set(pinned)
    assert len(pinned) == len(re.findall(r"^\S+==", lock, re.MULTILINE))
    assert "://" not in lock


def test_the_first_page_of_a_report_is_a_small_picture():
    picture = (DOCS / "_static" / "report_page_1.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 200_000


class _Loaded(HTMLParser):
    """Collects what a page loads by itself."""

    def __init__(self):
        super().__init__()
        self.places = []

    def handle_starttag(self, tag, attrs):
        names = {"link": "href", "script": "src", "img": "src", "iframe": "src", "object": "data", "source": "src"}
        self.places += [value for name, value in attrs if name == names.get(tag) and value]


def from_elsewhere(page):
    """Return what a page loads from another machine."""
    loaded = _Loaded()
    loaded.feed(page)
    return [place for place in loaded.places if re.match(r"(https?:)?//", place)]


def test_a_page_that_loads_from_elsewhere_is_noticed():
    assert from_elsewhere('<a href="https://a.org">a</a><script src="//cdn.org/a.js"></script><img src="a.png">') == [
        "//cdn.org/a.js"
    ]


@pytest.mark.skipif(not BUILT.is_dir(), reason="the site is not built here (make docs)")
def test_no_page_loads_anything_from_elsewhere():
    pages = {page: from_elsewhere(page.read_text(encoding="utf-8")) for page in BUILT.rglob("*.html")}
    styles = {style: re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style.read_text(encoding="utf-8"))
              for style in BUILT.rglob("*.css")}  # fmt: skip
    assert len(pages) > 30
    assert {place: loaded for place, loaded in (pages | styles).items() if loaded} == {}
