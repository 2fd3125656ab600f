"""Projects on the disk, the command that opens one, and the menu's entry."""

from __future__ import annotations

import json
import shutil
import stat
import threading

import pytest
from asgi_client import Browser
from centre import messy_sheet
from started import started_app

from reinfuse.app.project import Outdated, Project, is_project, open_project, project_of
from reinfuse.app.recent import note_recent, recent_file, recent_projects
from reinfuse.exceptions import SourceRefused


def test_a_project_lies_beside_its_data_and_is_found_again(tmp_path):
    sheet = messy_sheet(tmp_path)
    project = project_of(sheet)
    assert project.folder == (tmp_path / "tracking-reinfuse").resolve()
    assert stat.S_IMODE(project.folder.stat().st_mode) == 0o700
    assert project_of(sheet) == project_of(project.folder) == project
    assert project.source == sheet
    other = tmp_path / "other" / "tracking.xlsx"
    other.parent.mkdir()
    shutil.copy(sheet, other)
    assert project_of(other).folder != project.folder


def test_where_no_folder_may_be_made_a_project_is_among_the_user_s_own(tmp_path, monkeypatch):
    sheet = messy_sheet(tmp_path)
    real = type(sheet).mkdir

    def mkdir(self, *arguments, **named):
        if self.parent == tmp_path and self.name.endswith("-reinfuse"):
            raise PermissionError
        return real(self, *arguments, **named)

    monkeypatch.setattr(type(sheet), "mkdir", mkdir)
    assert project_of(sheet).folder == (tmp_path / "projects" / "tracking").resolve()


@pytest.mark.parametrize("name", ["no.xlsx", 'quo"te\\.xlsx', "Größe\t1.xlsx"])
def test_a_name_is_kept_as_it_is_and_what_is_not_there_is_refused(tmp_path, name):
    with pytest.raises(SourceRefused) as refused:
        project_of(tmp_path / name)
    assert refused.value.problems[0].rule == "is not there"
    (tmp_path / name).write_bytes(b"x")
    assert open_project(project_of(tmp_path / name).folder).source == tmp_path / name
    with pytest.raises(SourceRefused):
        open_project(tmp_path)


def test_the_stamp_changes_with_every_decision_and_with_nothing_else(tmp_path):
    project = project_of(messy_sheet(tmp_path))
    stamps = [project.stamp]
    project.remember("columns")
    (project.folder / "notes.txt").write_text("x")
    assert (project.stamp, project.screen) == (stamps[0], "columns")
    for place in (project.map, project.corrections, project.plan):
        place.write_text("x")
        stamps.append(project.stamp)
    assert len(set(stamps)) == 4
    with pytest.raises(Outdated), project.changing(stamps[0]):
        pytest.fail("an outdated change began")


def test_one_change_happens_at_a_time(tmp_path):
    project, order = project_of(messy_sheet(tmp_path)), []
    begun = threading.Event()

    def other():
        begun.set()
        with Project(project.folder).changing():
            order.append("second")

    with project.changing(project.stamp):
        thread = threading.Thread(target=other)
        thread.start()
        begun.wait()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_recent_projects_are_a_private_list_without_those_that_are_gone(tmp_path):
    projects = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        projects.append(project_of(messy_sheet(tmp_path / name)))
        note_recent(projects[-1])
    assert recent_projects() == projects[::-1]
    assert stat.S_IMODE(recent_file().stat().st_mode) == 0o600
    shutil.rmtree(projects[1].folder)
    assert recent_projects() == projects[:1]
    for broken in ("{", "3", json.dumps({"a": 1})):
        recent_file().write_text(broken)
        assert [p for p in recent_projects() if is_project(p.folder)] == []


def test_a_project_that_is_gone_is_told_and_no_other_is_opened(tmp_path):
    browser = Browser()
    browser.post("open/bundled", {"name": "sheih_2020"})
    page = browser.get()
    shutil.rmtree(tmp_path / "projects" / "sheih_2020")
    gone = browser.send(page, "open/recent")
    assert (gone.status, "not there any more" in gone.words) == (422, True)


def test_the_command_opens_the_project_of_what_it_is_given(tmp_path):
    sheet = messy_sheet(tmp_path)
    with started_app(sheet) as (_, link):
        assert "enter?key=" in link
    assert project_of(sheet) == recent_projects()[0]


def test_the_command_refuses_what_is_not_there(main, tmp_path):
    status, _, errors = main("app", tmp_path / "none.xlsx", "--no-browser")
    assert (status, "is not there" in errors) == (2, True)


def test_the_menu_has_an_entry_that_starts_this_python(main, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("sys.executable", '/opt/my "py$"/100%/python')
    assert main("app", "--install-shortcut")[0] == 0
    entry = (tmp_path / "applications" / "reinfuse.desktop").read_text()
    assert r'Exec="/opt/my \"py\$\"/100%%/python" -m reinfuse.cli app' in entry
    monkeypatch.setattr("sys.platform", "win32")
    assert main("app", "--install-shortcut")[0] == 2
