"""Where results go: what is refused before anything is computed, and what is moved aside."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from helpers import write_sheet
from outputs import MANIFEST, contents, fill, posix, replaced, write_study
from reinfuse.exceptions import OutputRefused
from reinfuse.output import Destination


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path)


# Inputs are never written over, in any spelling


@pytest.mark.parametrize("out", ["eight", "eight/", "./eight/../eight", "link", "eight/out", "link/deep/out", ".",
                                 "plans", "plans/plan.toml", "plans/../plans", "elsewhere"])  # fmt: skip
@pytest.mark.parametrize("force", [False, True])
def test_output_over_inside_or_above_an_input_is_refused(study, monkeypatch, out, force):
    monkeypatch.chdir(study)
    before = contents(study)
    place = Destination(Path(out), "analyze", (Path("eight"), Path("plans/plan.toml")), force)
    with pytest.raises(OutputRefused):
        place.check()
    with pytest.raises(OutputRefused):
        place.write(fill("new"))
    assert contents(study) == before


def test_a_folder_beside_a_file_that_is_read_is_fine(tmp_path):
    sheet = write_sheet(tmp_path, "patient_id,response\nP1,CR")
    Destination(tmp_path / "out", reads=(sheet,)).write(fill("new"))
    assert (tmp_path / "out" / "patients.csv").read_text() == "new"


def test_another_spelling_in_upper_case_is_the_same_folder_where_the_disk_says_so(study):
    if not (study / "EIGHT").exists():
        pytest.skip("this disk tells upper from lower case")
    with pytest.raises(OutputRefused):
        Destination(study / "EIGHT", reads=(study / "eight",)).check()


# What stands in the way


def test_a_rerun_replaces_its_own_results_and_nothing_else_is_left(tmp_path):
    out = tmp_path / "a" / "out"
    Destination(out).write(fill("old"))
    (out / ".DS_Store").write_text("the file manager's")
    (out / "figures" / "km.svg").unlink()
    Destination(out).write(fill("new"))
    assert contents(out).keys() == {MANIFEST, "figures/km.svg", "patients.csv"}
    assert (out / "patients.csv").read_text() == "new"
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def add_file(out):
    (out / "notes.txt").write_text("mine")


def add_figure(out):
    (out / "figures" / "own.svg").write_text("mine")


def change_file(out):
    (out / "patients.csv").write_text("odd")  # as many bytes as before


def add_folder(out):
    (out / "drafts").mkdir()


def add_link(out):
    (out / "figures" / "link.svg").symlink_to("km.svg")


def spoil_manifest(out):
    (out / MANIFEST).write_text("[]")


def drop_manifest(out):
    (out / MANIFEST).unlink()


@pytest.mark.parametrize("change", [add_file, add_figure, change_file, add_folder, add_link, spoil_manifest,
                                    drop_manifest])  # fmt: skip
def test_the_users_own_files_are_refused_and_with_force_moved_aside(tmp_path, caplog, change):
    out = tmp_path / "out"
    Destination(out).write(fill("old"))
    change(out)
    before = contents(tmp_path)
    for _ in range(2):
        with pytest.raises(OutputRefused):
            Destination(out).write(fill("new"))
    assert contents(tmp_path) == before
    Destination(out, force=True).write(fill("new"))
    (aside,) = replaced(out)
    assert {f"out/{name}": content for name, content in contents(aside).items()} == before
    assert (out / "patients.csv").read_text() == "new"
    assert str(aside) in caplog.text
    assert not list(tmp_path.glob(".*"))


def test_a_second_folder_moved_aside_on_one_day_has_a_name_of_its_own(tmp_path):
    out = tmp_path / ("o" * 255)
    out.mkdir()
    for text in ("one", "two"):
        (out / "own.txt").write_text(text)
        Destination(out, force=True).write(fill("new"))
    asides = [p for p in tmp_path.iterdir() if p != out]
    assert sorted((p / "own.txt").read_text() for p in asides) == ["one", "two"]


def test_results_of_another_command_are_not_replaced(tmp_path):
    out = tmp_path / "out"
    Destination(out, "analyze").write(fill("old"))
    with pytest.raises(OutputRefused, match="output folder") as refused:
        Destination(out, "virtual ablation").write(fill("new"))
    assert "`reinfuse analyze`" in refused.value.problems[0].rule
    assert (out / "patients.csv").read_text() == "old"


def test_what_comes_into_the_folder_during_the_run_is_not_lost(tmp_path):
    out = tmp_path / "out"
    Destination(out).write(fill("old"))

    def slow(draft: Path) -> None:
        fill("new")(draft)
        add_file(out)

    with pytest.raises(OutputRefused):
        Destination(out).write(slow)
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "patients.csv").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_the_name_of_a_file_costs_nothing(tmp_path):
    """Six files were replaced before the seventh was found to be a folder."""
    (tmp_path / "out" / "patients.csv").mkdir(parents=True)
    (tmp_path / "out" / "report.html").write_text("own")
    with pytest.raises(OutputRefused):
        Destination(tmp_path / "out").write(fill("new"))
    assert contents(tmp_path) == {"out/report.html": b"own"}


def test_links_are_followed_and_stay_links(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "results")
    Destination(tmp_path / "out").write(fill("old"))
    Destination(tmp_path / "out").write(fill("new"))
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk" / "results" / "patients.csv").read_text() == "new"


# Found before anything is computed


def test_places_that_cannot_be_written_are_found_at_once(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    places = ["../file", "../file/out", ".", "..", "/", "x" * 256, "/".join(["y" * 200] * 25), "a\0b", "../loop/out"]
    places += ["/proc/out", "/proc/self/out"] if Path("/proc/self").exists() else []
    for place in places:
        with pytest.raises(OutputRefused) as refused:
            Destination(Path(place)).check()
        assert refused.value.problems[0].rule.startswith("the output folder ")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "here", "loop"]
    assert not list((tmp_path / "here").iterdir())


@posix
@pytest.mark.skipif(os.name != "nt" and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_found_at_once(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputRefused):
        Destination(tmp_path / "locked" / "out").check()


def test_a_check_leaves_nothing_and_long_names_that_fit_are_taken(tmp_path):
    out = tmp_path / "new" / ("é" * 127)
    Destination(out).check()
    assert not list(tmp_path.iterdir())
    Destination(out).write(fill("new"))
    assert (out / "patients.csv").read_text() == "new"


def test_a_failure_leaves_nothing_not_even_new_folders(tmp_path):
    def broken(draft: Path) -> None:
        fill("new")(draft)
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputRefused) as refused:
        Destination(tmp_path / "a" / "b" / "out").write(broken)
    assert "no space left on device" in refused.value.problems[0].rule
    assert not list(tmp_path.iterdir())


# Single files


def test_single_files_are_refused_where_they_are_and_moved_aside_with_force(tmp_path, caplog):
    files = {"km.svg": b"new", "km.csv": b"new"}
    (tmp_path / "km.csv").mkdir()
    (tmp_path / "km.csv" / "own").write_text("own")
    with pytest.raises(OutputRefused) as refused:
        Destination(tmp_path, "figure").write_files(files)
    assert refused.value.problems[0].value == f"{tmp_path}: km.csv"
    Destination(tmp_path, "figure", force=True).write_files(files)
    Destination(tmp_path, "figure", force=True).write_files({"km.svg": b"newer"})
    names = {re.sub(r"\d{4}-\d\d-\d\d", "DAY", name): content for name, content in contents(tmp_path).items()}
    assert names == {"km.svg": b"newer", "km.csv": b"new", "km.csv-replaced-DAY/own": b"own",
                     "km-replaced-DAY.svg": b"new"}  # fmt: skip
    assert "km-replaced-" in caplog.text


def test_single_files_are_all_written_or_none(tmp_path, monkeypatch):
    (tmp_path / "a.svg").write_text("old")
    rename, count = Path.rename, []

    def failing(self, target):
        count.append(target)
        if len(count) == 4:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    (tmp_path / "b.svg").write_text("old")
    with pytest.raises(OutputRefused):
        Destination(tmp_path, "figure", force=True).write_files({"a.svg": b"new", "b.svg": b"new"})
    assert contents(tmp_path) == {"a.svg": b"old", "b.svg": b"old"}
