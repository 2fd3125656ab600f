"""The screens where data become a cohort, as a person uses them: forms are read off the pages and sent."""

from __future__ import annotations

import csv
import re
import tomllib
import zipfile
from html import unescape
from importlib.resources import files
from io import BytesIO

import openpyxl
import pytest
from asgi_client import Browser
from centre import AGE, ANSWERS, MENDED, SECOND, SHEET, answers_of, messy_sheet, sent, to_columns, to_problems
from test_security import HOSTILE
from workbooks import EXAMPLES

from cohorts import EIGHT
from reinfuse.app.project import Project
from reinfuse.data import datasets


def project_at(tmp_path, name="tracking"):
    return Project((tmp_path / "projects" / name).resolve())


def form_of(page, row, column):
    """Return the form that decides about a cell."""
    return next(f for f in page.forms if (f["fields"].get("row"), f["fields"].get("column")) == (row, column))


def decide(browser, page, row, column, **fields):
    form = form_of(page, row, column)
    return browser.post(form["action"], {**form["fields"], **fields})


def mended(browser, page):
    for (row, column), (_, new) in MENDED.items():
        page = decide(browser, page, row, column, new=new, reason="typing error", decision="correct")
    return page


# Data.
def test_the_first_page_takes_files_and_has_a_card_for_each_bundled_cohort(browser):
    page = browser.get()
    assert "Everything stays on this machine" in page.words
    for one in datasets().values():
        assert one.title in page.words
    assert browser.post("open/files", {}).status == 422
    assert "no file was sent" in browser.post("open/files", {}).words


def test_several_files_are_one_folder_and_no_two_have_one_name(browser, tmp_path):
    files = [(f"cohort/{name}.csv", text.encode()) for name, text in EIGHT.items()]
    page = browser.post("open/files", {"folder": "Our cohort"}, files=files)
    assert page.status == 200
    project = project_at(tmp_path, "Our cohort")
    assert {p.name for p in project.source.iterdir()} == {f"{name}.csv" for name in EIGHT}
    twice = browser.post("open/files", {}, files=[("a/x.csv", b"1"), ("b/X.csv", b"2")])
    assert (twice.status, "several of these files" in twice.words) == (422, True)
    mixed = browser.post("open/files", {"folder": "f"}, files=[("f/sheet.csv", b"a,b\n1,2"), ("f/.x.csv", b"1"),
                                                               ("f/notes.docx", b"PK")])  # fmt: skip
    assert "2 files of the folder are no tables" in mixed.words
    assert "no file of a table" in browser.post("open/files", {}, files=[("x.exe", b"MZ")]).words


def test_a_bundled_cohort_is_opened_beside_nothing_of_the_package(browser, tmp_path):
    before = {p.name for p in datasets()["sheih_2020"].path.parent.iterdir()}
    page = browser.post("open/bundled", {"name": "sheih_2020"})
    assert page.status == 200
    assert {p.name for p in datasets()["sheih_2020"].path.parent.iterdir()} == before
    assert project_at(tmp_path, "sheih_2020").source == datasets()["sheih_2020"].path
    assert browser.post("open/bundled", {"name": "../x"}).status == 422


def test_a_project_opened_again_shows_where_one_was(browser, tmp_path):
    to_columns(browser, sent(browser, messy_sheet(tmp_path)))
    later = Browser()
    start = later.get()
    assert str(project_at(tmp_path).folder) in start.text
    page = later.send(start, "open/recent")
    assert page.path.endswith("/columns")


def test_an_older_tab_changes_nothing(browser, tmp_path):
    tab = to_columns(browser, sent(browser, messy_sheet(tmp_path)))
    other = to_columns(browser, tab)
    browser.send(tab, "/answer", **{"q:source.ids|ids": "keep"})
    text = project_at(tmp_path).map.read_bytes()
    refused = browser.send(other, "/answer", **{"q:source.ids|ids": "number"})
    assert (refused.status, "older than the project" in refused.words) == (409, True)
    assert project_at(tmp_path).map.read_bytes() == text


# Columns.
def test_each_column_is_shown_with_its_cells_its_meaning_and_the_reason(browser, tmp_path):
    page = to_columns(browser, sent(browser, messy_sheet(tmp_path)))
    rows = {row.partition('<th scope="row">')[2].partition("<")[0]: " ".join(re.sub(r"<[^>]+>", " ", row).split())
            for row in page.text.split("<tr")[2:]}  # fmt: skip
    assert "12/11/2019 → 2019-11-12" in rows[SECOND]
    assert "CART2 infusion: date" in rows[SECOND]
    assert "What does &#39;NR&#39; mean as response?" in rows["CART #2 | Best resp"]
    assert "the name says it" in rows["Patient | Dx"]
    assert "120 Mio → 2000000" in rows["CART #1 | Dose (x10^6/kg)"]  # a guess shows what would follow from it
    assert "CART1 infusion: dose cells per kg. Is it right" in rows["CART #1 | Dose (x10^6/kg)"]
    assert len(rows) == 17
    assert "10 questions are open" in page.words
    detail = browser.get(f"{page.path}/column?sheet={SHEET}&header=Patient | Dx".replace(" ", "%20"))
    assert "as it stands" in detail.words


def test_the_map_is_the_one_that_the_command_line_writes_for_the_same_answers(browser, tmp_path, main, monkeypatch):
    path = messy_sheet(tmp_path)
    page = to_columns(browser, sent(browser, path))
    proposed = project_at(tmp_path).map.read_bytes()
    assert main("map", path, "--out", tmp_path / "proposed.toml")[0] == 0
    assert (tmp_path / "proposed.toml").read_bytes() == proposed
    answers = answers_of(page)
    browser.send(page, "/answer", **answers)
    lines = re.findall(r"^  (\S.*?): ", main("map", path, "--out", tmp_path / "again.toml")[1], flags=re.MULTILINE)
    typed = [next(a for key, a in ANSWERS.items() if key.startswith(f"{line}|")) if any(
        key.startswith(f"{line}|") for key in ANSWERS) else "yes" for line in lines]  # fmt: skip
    monkeypatch.setattr("sys.stdin", TypedLines(typed))
    assert main("map", path, "--out", tmp_path / "reviewed.toml", "--review")[0] == 0
    assert (tmp_path / "reviewed.toml").read_bytes() == project_at(tmp_path).map.read_bytes()


class TypedLines:
    """Standard input with a person's answers."""

    def __init__(self, lines):
        self._lines = iter(lines)

    def readline(self):
        return f"{next(self._lines)}\n"


def test_an_answer_that_is_none_is_told_beside_its_question_and_nothing_is_saved(browser, tmp_path):
    page = to_columns(browser, sent(browser, messy_sheet(tmp_path)))
    text = project_at(tmp_path).map.read_bytes()
    wrong = browser.send(page, "/answer", **{**answers_of(page), "q:values.response.NR|value": "XX"})
    assert (wrong.status, "answer one of: CR, CRi" in wrong.words) == (422, True)
    assert 'value="XX"' in wrong.text
    assert project_at(tmp_path).map.read_bytes() == text


def test_a_column_means_one_thing_once(browser, tmp_path):
    page = to_columns(browser, sent(browser, messy_sheet(tmp_path)))
    detail = browser.get(f"{page.path}/column?sheet={SHEET}&header=Outcome | LDH pre-LD".replace(" ", "%20"))
    assert "infusions[2].ldh_pre_ld" in detail.text
    assert "infusions[2].dose_cells_per_kg" not in detail.text
    changed = browser.send(detail, "/change", meaning="infusions[2].ldh_pre_ld")
    assert "CART2 infusion: ldh pre ld" in changed.words
    refused = browser.send(
        detail, "/change", meaning="infusions[2].dose_cells_per_kg", stamp=project_at(tmp_path).stamp
    )
    assert refused.status == 422
    ignored = browser.send(detail, "/change", meaning="ignore", stamp=project_at(tmp_path).stamp)
    assert "CART2 infusion: ldh pre ld" not in ignored.words


def test_a_column_of_a_table_that_the_map_has_no_block_of_gets_one_and_its_day_is_asked(browser, tmp_path):
    cells = {"S4": "PB finding", **{f"S{row}": "positive" for row in range(5, 13)}}
    page = to_columns(browser, sent(browser, messy_sheet(tmp_path, cells)))
    detail = browser.get(f"{page.path}/column?sheet={SHEET}&header=Outcome | PB finding".replace(" ", "%20"))
    page = browser.send(detail, "/change", meaning="mrd[new after 2].result")
    asked = 'CART2 MRD: date, for "Outcome | PB finding". Is it right: day 28 after infusion 2'
    assert asked in unescape(page.words)
    page = browser.send(page, "/answer", **answers_of(page))
    browser.send(page, "/import")
    with (project_at(tmp_path).cohort / "provenance.csv").open(encoding="utf-8", newline="") as file:
        read = [row for row in csv.DictReader(file) if row["raw"] == "positive" and row["column"] == "result"]
    assert [row["table"] for row in read] == ["mrd"] * 7  # one of eight repeats what Best resp says of that day


def test_no_text_has_the_name_of_a_method_which_a_template_would_show_in_its_place():
    texts = tomllib.loads((files("reinfuse.app") / "texts" / "en.toml").read_text(encoding="utf-8"))
    assert {name for group in texts.values() for name in group} & set(dir(dict)) == set()


def test_what_was_answered_can_be_asked_again_and_the_whole_begun_anew(browser, tmp_path):
    page = to_columns(browser, sent(browser, messy_sheet(tmp_path)))
    first = project_at(tmp_path).map.read_bytes()
    answers = answers_of(page)
    page = browser.send(page, "/answer", **{**answers, "q:responses[2].date|confirm": "no"})
    keys = [f["fields"]["key"] for f in page.forms if f["action"].endswith("/again")]
    assert {f"q:{key}" for key in keys} == set(answers)
    for key in keys:
        form = next(f for f in page.forms if f["fields"].get("key") == key)
        page = browser.post(form["action"], form["fields"])
    assert project_at(tmp_path).map.read_bytes() == first
    page = browser.send(page, "/answer", **answers)
    page = browser.send(page, "/anew")
    assert project_at(tmp_path).map.read_bytes() == first
    assert (project_at(tmp_path).folder / "map-earlier-1.toml").is_file()


def test_a_file_whose_columns_were_changed_meanwhile_is_mapped_anew(browser, tmp_path):
    page = to_problems(browser, messy_sheet(tmp_path))
    project = project_at(tmp_path)
    book = openpyxl.load_workbook(project.source)
    book.worksheets[0]["R4"] = "Ferritin"
    book.save(project.source)
    assert "the headers of the source are not those" in browser.get(page.path).words
    columns = to_columns(browser, page)
    assert "The file has other columns than before" in columns.words
    columns = browser.send(columns, "/anew")
    assert "Ferritin" in columns.words
    assert "questions are open" in columns.words


def test_problems_cannot_be_opened_while_a_question_is(browser, tmp_path):
    page = to_columns(browser, sent(browser, messy_sheet(tmp_path)))
    assert browser.followed(browser.get(page.path.replace("/columns", "/problems"))).path.endswith("/data")


# Problems.
def test_errors_are_corrected_the_source_is_not_changed_and_the_command_line_makes_the_same_cohort(
    browser, tmp_path, main
):
    path = messy_sheet(tmp_path)
    page = to_problems(browser, path)
    assert "2 errors" in page.words
    project = project_at(tmp_path)
    assert not project.cohort.exists()
    assert "Use these data" not in page.words
    page = mended(browser, page)
    assert "The data can be analysed" in page.words
    assert "1 error" in browser.send(page, "/back").words
    assert "2 errors" in browser.send(browser.get(page.path), "/anew").words
    project.folder.joinpath("corrections-earlier-1.csv").replace(project.corrections)
    page = decide(browser, browser.get(page.path), "7", AGE, new="70", decision="correct", reason="typing error")
    assert browser.send(page, "/accept").status == 200
    assert project.source.read_bytes() == path.read_bytes()
    with project.corrections.open(encoding="utf-8", newline="") as file:
        ledger = [tuple(row.values())[:6] for row in csv.DictReader(file)]
    assert ledger[:2] == [(SHEET, row, column, *texts, "typing error") for (row, column), texts in MENDED.items()]
    assert ledger[2:] == [(SHEET, "7", AGE, "70", "240", "taken back"), (SHEET, "7", AGE, "240", "70", "typing error")]
    assert main("import", project.source, "--map", project.map, "--corrections", project.corrections,
                "--out", tmp_path / "replayed")[0] == 0  # fmt: skip
    written = {p.name: p.read_bytes() for p in project.cohort.iterdir()}
    assert {p.name: p.read_bytes() for p in (tmp_path / "replayed").iterdir()} == written
    assert b"70" in written["patients.csv"].splitlines()[3]
    provenance = written["provenance.csv"].decode()
    assert "240,corrected to '70': typing error" in provenance
    assert "2 cells corrected by hand" in written["about.toml"].decode()
    assert main("check", project.source, "--map", project.map, "--corrections", project.corrections)[0] == 0
    assert main("check", project.source, "--map", project.map)[0] == 2


def test_an_error_cannot_be_left_and_a_correction_changes_something(browser, tmp_path):
    page = to_problems(browser, messy_sheet(tmp_path))
    assert "Leave as it is" not in page.words
    same = decide(browser, page, "7", AGE, decision="correct")
    assert (same.status, "was not changed" in same.words) == (422, True)
    assert not project_at(tmp_path).corrections.exists()


def test_a_warning_is_left_with_a_reason_and_stays_to_be_seen(browser, tmp_path):
    files = {**EIGHT, "infusions": EIGHT["infusions"].replace("P5,1,0,axi-cel,200000", "P5,1,0,axi-cel,20000")}
    browser.post("open/files", {"folder": "eight"}, files=[(f"{n}.csv", t.encode()) for n, t in files.items()])
    page = browser.get(f"p/{project_at(tmp_path, 'eight').id}/problems")
    assert "The data can be analysed" in page.words
    warnings = [f["fields"] for f in page.forms if f["action"].endswith("/decide")]
    assert warnings, page.words
    first = next(f for f in page.forms if f["action"].endswith("/decide"))
    silent = browser.post(first["action"], {**first["fields"], "decision": "leave"})
    assert (silent.status, "give the reason" in silent.words) == (422, True)
    page = browser.post(first["action"], {**first["fields"], "decision": "leave", "reason": "looked up in the chart"})
    assert "left: looked up in the chart" in page.words
    assert len([f for f in page.forms if f["action"].endswith("/decide")]) == len(warnings) - 1


def test_a_cohort_folder_is_corrected_too_and_checked_so_from_the_command_line(browser, tmp_path, main):
    files = {**EIGHT, "patients": EIGHT["patients"].replace("P3,700,,,NHL,DLBCL,M,55", "P3,700,,,NHL,DLBCL,M,550")}
    browser.post("open/files", {"folder": "eight"}, files=[(f"{n}.csv", t.encode()) for n, t in files.items()])
    project = project_at(tmp_path, "eight")
    assert browser.followed(browser.get(f"p/{project.id}/columns")).path.endswith("/data")
    page = browser.get(f"p/{project.id}/problems")
    assert "1 error" in page.words
    page = decide(browser, page, "3", "age_years", new="55", decision="correct")
    assert "The data can be analysed" in page.words
    assert main("check", project.source)[0] == 2
    assert main("check", project.source, "--corrections", project.corrections)[0] == 0


# What a file may hold.
def test_markup_in_every_cell_is_text_on_every_screen(browser, tmp_path):
    header = ["Patient", "Diagnosis", "CART1 date", "CART2 date", "CART2 best response", "Last contact",
              "Date of death", HOSTILE]  # fmt: skip
    rows = [[f"P{i}", "NHL", f"2020-01-0{i}", f"2020-09-0{i}", HOSTILE, "2021-05-01", "", HOSTILE] for i in (1, 2)]
    rows[0][2] = "2022-01-01"
    path = tmp_path / "sheet.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    page = to_columns(browser, sent(browser, path))
    pages = [page, browser.send(page, "/answer", **{n: HOSTILE for n in answers_of(page)})]
    for name in list(answers_of(page)):
        if "value" in name:
            page = browser.send(page, "/answer", **{name: "SD"})
    pages.append(browser.send(page, "/answer", **answers_of(page)))
    pages.append(browser.send(pages[-1], "/import"))
    detail = re.search(r'href="([^"]+/column\?[^"]+img[^"]+)"', page.text)[1].replace("&amp;", "&")
    pages.append(browser.get(detail))
    assert pages[-2].path.endswith("/problems")
    for one in pages:
        assert "&lt;img" in one.text
        assert "<img" not in one.text
        assert "<script>alert" not in one.text


def test_a_workbook_that_unpacks_to_more_than_the_limit_is_refused_on_the_page(browser):
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        with book.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(420):
                part.write(b"0" * 1_000_000)
    page = to_columns(browser, browser.post("open/files", {}, files=[("bomb.xlsx", packed.getvalue())]))
    assert page.status == 422
    assert "MB" in page.words
    back = re.search(r'class="button" href="([^"]+)"', page.text)[1]
    assert browser.followed(browser.get(back)).path.endswith("/data")


@pytest.mark.parametrize("name", ["german", "long", "months"])
def test_other_sheets_of_centres_come_through(browser, tmp_path, name):
    path = EXAMPLES[name].write(tmp_path)
    page = to_columns(browser, sent(browser, path))
    page = browser.send(page, "/answer", **answers_of(page))
    assert "Nothing is open" in page.words
    page = browser.send(page, "/import")
    assert "The data can be analysed" in page.words
