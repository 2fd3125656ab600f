"""The patients' brief: its numbers are the records', its words are plain, and it never gives advice."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from importlib.resources import files

import pytest
from pypdf import PdfReader

from helpers import plain, read
from pages import Page, inaccessible, outside, pdf_text
from reinfuse import Plan, Study, read_cohort
from reinfuse.analysis.estimate import SO_THAT, Estimate
from reinfuse.data import datasets
from reinfuse.disclosure import suppressed
from reinfuse.report.brief import content, readability
from reinfuse.report.brief.content import brief
from reinfuse.report.brief.icons import icons
from reinfuse.report.brief.words import LANGUAGES, Words, translation
from reinfuse.report.document import Bullets, Pairs, Paragraph, Picture
from reinfuse.report.html import html


@pytest.fixture(scope="module")
def cohorts(demo_findings):
    """Findings of each bundled cohort, the synthetic one in full."""
    found = {"synthetic_gauthier_2021": demo_findings}
    for name in ("sheih_2020", "brudno_2016"):
        one = datasets()[name]
        found[name] = Study(read_cohort(one.path, one.plan.columns, one.plan.used_columns), plain(one.plan)).run()
    return found


def texts(document):
    """Return every text of a brief, one a line."""
    lines = [document.title, *document.banners]
    for block in document.blocks():
        if isinstance(block, Paragraph):
            lines.append(document.text(block.text))
        if isinstance(block, Bullets):
            lines += [document.text(i) for i in block.items]
        if isinstance(block, Pairs):
            lines += [f"{t}. {document.text(x)}" for t, x in block.items]
        if isinstance(block, Picture):
            lines.append(block.drawn.alt)
    return lines


def test_translations_have_the_same_texts_with_the_same_gaps():
    found = {language: _leaves(translation(language)) for language in LANGUAGES}
    assert found["en"].keys() == found["es"].keys()
    for key, text in found["en"].items():
        gaps = [sorted(re.findall(r"\{(\w+)\}", t)) for t in (text, found["es"][key])]
        assert gaps[0] == gaps[1], key
        assert text != found["es"][key] or not re.search(r"[a-z]{4}", re.sub(r"\{\w+\}", "", text)), key


def _leaves(told, before=""):
    if isinstance(told, str):
        return {before: told}
    pairs = told.items() if isinstance(told, dict) else enumerate(told)
    return {k: v for name, value in pairs for k, v in _leaves(value, f"{before}.{name}".strip(".")).items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_always_says_that_it_is_no_medical_advice_at_both_ends(cohorts, language):
    said = translation(language)["page"]["informs"]
    assert ("not medical advice" in said) or ("No es un consejo médico" in said)
    for findings in cohorts.values():
        lines = texts(brief(findings, language))
        assert said in lines[1:3]
        assert lines[-1] == said


def test_no_plan_can_switch_that_off():
    from reinfuse.switches import Analyses

    settings = {*Plan.model_fields, *Analyses.model_fields}
    assert not {s for s in settings if "brief" in s or "advice" in s or "disclaimer" in s}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("smallest", [0, 5, 11])
def test_the_text_is_plain_whatever_the_cohort_shows(cohorts, language, smallest):
    for name, findings in cohorts.items():
        told = suppressed(findings, smallest)[0] if smallest else findings
        facts = brief(told, language).facts["readability"]
        values = [float(x) for x in re.findall(r"(?:grade|INFLESZ) (\d+(?:\.\d+)?)", facts)]
        assert values, name
        assert all(v <= 8 for v in values) if language == "en" else values[0] >= 55


def test_a_text_that_is_too_hard_is_refused(demo_findings, monkeypatch):
    monkeypatch.setattr(readability, "HARDEST_GRADE", 2.0)
    with pytest.raises(readability.TooHard, match="too hard to read: Flesch-Kincaid grade"):
        brief(demo_findings)


def test_every_number_of_the_brief_is_a_record(demo_findings):
    """Numbers of people with their denominators; days, months and years; shares of 100."""
    document = brief(demo_findings)
    lines = [line for line in texts(document) if "doi" not in line]
    held = {(e.events, e.n) for e in demo_findings.estimates if e.statistic == "proportion"}
    pairs = {(int(a), int(b)) for line in lines for a, b in re.findall(r"(\d+) of (\d+)\b", line)}
    assert len(pairs) > 15
    assert pairs <= held
    shares = {int(x) for line in lines for x in re.findall(r"from (\d+) to \d+ of every 100", line)}
    shares |= {int(x) for line in lines for x in re.findall(r"from \d+ to (\d+) of every 100", line)}
    limits = [
        x for e in demo_findings.estimates if e.statistic == "proportion" for x in (e.lower, e.upper) if x is not None
    ]
    assert shares <= {round(100 * x) for x in limits}
    words = Words("en")
    times = {x for e in demo_findings.estimates if e.unit == "days" and e.analysis == "survival"
             for x in (e.estimate, e.lower, e.upper) if x is not None}  # fmt: skip
    known = {words.time(t) for t in times}
    told = {x for line in lines for x in re.findall(r"(?:about )?\d+(?:\.\d)? (?:days|months|years)(?! old)", line)}
    assert "61 days" in told
    assert {x for x in told if x not in ("55 years",)} <= known


def test_what_is_linked_is_said_with_counts_and_how_sure(demo_findings):
    lines = texts(brief(demo_findings))
    flu = next(line for line in lines if line.startswith("Both chemo drugs") and "14 of 28" in line)
    assert "2 of 15 people" in flu
    assert "Chance alone does not easily explain this difference." in flu
    dose = next(line for line in lines if line.startswith("More cells") and "16 of 36" in line)
    assert "This difference could well be due to chance." in dose
    assert any("Linked does not mean caused." in line for line in lines)


def test_tests_that_disagree_make_it_unsure(demo_findings):
    other = tuple(replace(e, p_value=0.2) if e.analysis == "permutation" else e for e in demo_findings.estimates)
    lines = texts(brief(replace(demo_findings, estimates=other)))
    assert any("14 of 28" in line and "The tests do not agree" in line for line in lines)


def test_small_numbers_are_not_shown(demo_findings):
    lines = texts(brief(suppressed(demo_findings, 5)[0]))
    text = "\n".join(lines)
    assert "fewer than 5" in text
    assert not re.search(r"\b[1-4] of \d", text)
    assert "Small numbers of people are not shown" in text


def test_a_suppressed_count_in_words():
    words = Words("en")
    small = Estimate("response", "cr", "proportion", n=9, note="suppressed: fewer than 5")
    assert words.count(small) == "fewer than 5 of 9 people"
    assert words.count(replace(small, n=None)) == "fewer than 5 people"
    assert words.count(replace(small, note=SO_THAT)).startswith("a number that is not shown")


@pytest.mark.parametrize(("days", "said"), [(61.0, "61 days"), (89.4, "89 days"), (90.0, "about 3 months"),
                         (255.0, "about 8 months"), (731.0, "about 2 years"), (1000.0, "about 2.7 years")])  # fmt: skip
def test_times_as_people_say_them(days, said):
    assert Words("en").time(days) == said


def test_spanish_has_a_decimal_comma():
    assert Words("es").time(1000.0) == "unos 2,7 años"


def test_first_infusions_and_made_up_people_are_said(cohorts):
    first = brief(cohorts["sheih_2020"])
    assert first.title == "What happened after a first round of CAR-T cells"
    assert any("had their first round" in line for line in texts(first))
    assert not any("made up" in line for line in texts(first))
    assert "made up" in brief(cohorts["synthetic_gauthier_2021"]).banners[0]


def test_the_date_and_when_it_is_out_of_date(demo_findings):
    told = replace(demo_findings, provenance={**demo_findings.provenance, "date": "2024-02-29"})
    assert any("made on 2024-02-29. They may be out of date after 2025-02-28." in line for line in texts(brief(told)))


def test_a_cohort_with_nothing_but_people_has_a_brief(tmp_path):
    infusions = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nA,1,0,1e6,Cy\nA,2,50,2e6,Cy"
    cohort = read(tmp_path, patients="patient_id,last_contact,death,diagnosis\nA,90,,Waldenstrom", infusions=infusions)
    lines = texts(brief(Study(cohort, plain(Plan.built_in())).run()))
    assert any(line.startswith("1 person took part.") for line in lines)
    assert any("some other cancer of the blood" in line for line in lines)
    assert not any("Waldenstrom" in line for line in lines)


def test_icons_count_people():
    drawn = icons("i", "3 of 9 people", 3, 9)
    assert drawn.svg.count(b"<circle") == 9
    assert drawn.svg.count(b'<circle cx="13" cy="8" r="5.2" fill="#0B5C93"') == 1
    assert drawn.svg.count(b'fill="#0B5C93"') == 6  # head and body of three
    assert drawn.alt == "3 of 9 people"
    many = icons("i", "t", 410, 1000)
    assert (many.svg.count(b"<circle"), many.svg.count(b'fill="#0B5C93"')) == (100, 82)


def test_html_and_pdf_of_the_brief(demo_report):
    page = Page((demo_report / "brief.html").read_text(encoding="utf-8"))
    assert inaccessible(page) == []
    assert outside(page) == []
    meta = {m["name"]: m["content"] for m in page.all("meta") if "name" in m}
    assert meta["readability"].startswith("Flesch-Kincaid grade ")
    reader = PdfReader(demo_report / "brief.pdf")
    assert "Flesch-Kincaid grade" in str(reader.metadata["/Keywords"])
    printed = re.sub(r"\s+", "", pdf_text(demo_report / "brief.pdf"))
    skip = translation("en")["words"]["skip"]
    for line in (x for x in page.plain.splitlines() if x.strip() != skip):
        assert re.sub(r"\s+", "", line) in printed, line


def test_the_spanish_page_says_its_language(demo_findings):
    page = Page(html(brief(demo_findings, "es")))
    assert page.all("html")[0]["lang"] == "es"
    assert inaccessible(page) == []
    with pytest.raises(KeyError):
        brief(demo_findings, "xx")


def test_words_stand_in_the_translation_files_alone():
    code = files("reinfuse.report.brief").joinpath("content.py").read_text(encoding="utf-8")
    strings = re.findall(r'"([^"\n]*)"', re.sub(r'"""[\s\S]*?"""', "", code))
    assert not [s for s in strings if re.search(r"[a-z]+ [a-z]+ [a-z]+", s)]
    assert tomllib.loads(files("reinfuse.report.brief").joinpath("syllables.toml").read_text(encoding="utf-8"))
    assert tuple(translation("en")["with"]) == content.FACTORS
