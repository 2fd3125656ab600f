"""The patients' brief: its numbers are the records', its words are plain, and it never gives advice."""

from __future__ import annotations

import io
import re
import tomllib
from dataclasses import replace
from importlib.resources import files

import pytest
from pypdf import PdfReader

from helpers import plain, read
from pages import Page, inaccessible, outside, pdf_text
from reinfuse import Plan, Study, read_cohort
from reinfuse.data import datasets
from reinfuse.disclosure import suppressed
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.brief_options import BriefOptions
from reinfuse.report.brief import content, readability
from reinfuse.report.brief.citations import FACTORS
from reinfuse.report.brief.content import brief
from reinfuse.report.brief.findings import OutcomeSentences
from reinfuse.report.brief.icons import icons
from reinfuse.report.brief.translation import LANGUAGES, Words, translation, unit_of
from reinfuse.report.document.html import html
from reinfuse.report.document.model import Bullets, Pairs, Paragraph, Picture
from reinfuse.report.document.pdf import pdf
from reinfuse.results.estimate import SO_THAT, Estimate


@pytest.fixture(scope="module")
def cohorts(demo_findings):
    """Findings of each bundled cohort, the synthetic one in full."""
    found = {"synthetic_gauthier_2021": demo_findings}
    for name in ("sheih_2020", "brudno_2016"):
        one = datasets()[name]
        found[name] = Study(read_cohort(one.path, one.plan.columns, used=one.plan.used_columns), plain(one.plan)).run()
    return found


def pages(document):
    """Return the number of printed pages."""
    return len(PdfReader(io.BytesIO(pdf(document))).pages)


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
    from reinfuse.plan.options import Analyses

    settings = {*Plan.model_fields, *Analyses.model_fields}
    assert {s for s in settings if "brief" in s or "advice" in s or "disclaimer" in s} == {"brief"}
    assert set(BriefOptions.model_fields) == {"centre", "contact", "reviewed"}


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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("smallest", [0, 5, 11])
def test_every_number_of_the_brief_is_a_record_s(cohorts, language, smallest):
    for findings in cohorts.values():
        told = suppressed(findings, smallest)[0] if smallest else findings
        lines = texts(brief(told, language))
        assert len(lines) > 15
        assert unheld(lines, told, Words(language)) == []


def test_a_changed_number_is_found(demo_findings):
    lines, words = texts(brief(demo_findings)), Words("en")
    for right, wrong in (("17 of 44", "18 of 44"), ("from 24 to 55", "from 25 to 55"),
                         ("about 3.1 months", "about 3.2 months"), ("about 39 of", "about 40 of"),
                         ("from 4.7 to 21 months", "from 4.7 to 22 months"),
                         ("44 people took", "45 people took"), ("them were 55", "them were 56")):  # fmt: skip
        changed = [line.replace(right, wrong) for line in lines]
        assert changed != lines, right
        assert unheld(changed, demo_findings, words) != [], wrong


def unheld(lines, findings, words):
    """Return the lines in which a number is left when all that the records and the fixed words say is taken out."""
    held = {words.say("side_effects", "intro"), *words.items("not_mean"), *words.items("questions")}
    words.unit = OutcomeSentences(findings, words.language).words.unit
    for e in findings.estimates:
        about = {"toxicity": e.level == ">=3", "baseline": e.term == "diagnosis", "response": True}
        if e.statistic == "proportion" and about.get(e.analysis, False):
            held |= _said_of_a_share(e, words)
        if e.statistic == "median" and e.endpoint in ("pfs", "os", "dor") and (e.endpoint == "pfs" or not e.group):
            shown = (e.estimate, e.lower, e.upper) if (e.population, e.group) == ("all", None) else (e.estimate,)
            times = {words.time(x) for x in shown if x is not None and e.unit == "days"}
            held |= times | {words.say("lived", "by_type_item_of", type=name, n=words.number(e.n), time=time)
                             for time in (*times, words.say("lived", "by_type_not_reached"))
                             for name in words.all["type_short"].values()}  # fmt: skip
            held |= {words.span(e.lower, e.upper)} if len(shown) == 3 and None not in (e.lower, e.upper) else set()
        if e.statistic == "median" and e.term == "age_years" and e.estimate is not None:
            held |= {words.say("people", "age", age=f"{e.estimate:.0f}")}
        if e.analysis == "flow" and e.estimate is not None:
            n, ordinals = words.number(e.estimate), words.all["ordinal"].values()
            held |= {
                words.say("people", "number", n=n),
                *(words.say("short", "number", n=n, ordinal=o) for o in ordinals),
            }
    held |= set(_said_of_other_studies(findings, words))
    made = str(findings.provenance["date"])
    held |= {words.date(made), words.date(content._a_year_after(made))}
    left = []
    for line in lines:
        if not line.startswith((words.say("about", "source", source=""), words.say("about", "data", cohort="")[:-1])):
            for phrase in sorted(held, key=len, reverse=True):
                line = re.sub(rf"(?<!\d){re.escape(phrase)}", "", line)
            left += [line] if re.search(r"\d", line) else []
    return left


def _said_of_other_studies(findings, words):
    for endpoint in ("cr", "response"):
        place = ("published", endpoint, "all", "proportion")
        shares = sorted(e.estimate for e in findings.estimates
                        if (e.analysis, e.endpoint, e.population, e.statistic) == place)  # fmt: skip
        if shares:
            several = {"low": words.of_100(shares[0]), "high": words.of_100(shares[-1])}
            share = words.say("published", "range" if len(shares) > 1 else "about", **several)
            name = endpoint if len(shares) > 1 else f"{endpoint}_one"
            yield words.say("published", name, date=words.date("2026-11-28"), studies=len(shares), share=share)


def _said_of_a_share(e, words):
    held = {words.count(e), words.count(e, short=True)} | {words.count(e).capitalize()}
    if e.estimate is not None:
        held |= {words.say("happened", "share", share=words.of_100(e.estimate))}
        held |= {f" {words.number(e.n)} "} if e.events == e.n else set()  # in all 14 people
    if e.lower is not None and e.upper is not None:
        limits = {"low": words.of_100(e.lower), "high": words.of_100(e.upper)}
        held |= {words.say("happened", sure, **limits) for sure in ("sure", "sure_again")}
    return held


def linked(findings, language="en"):
    """Return the one paragraph on what was linked to better or worse results."""
    (section,) = (s for s in brief(findings, language).sections if s.name == "linked")
    (paragraph,) = section.blocks
    return paragraph.text


def test_what_is_linked_is_said_with_counts_and_how_sure(demo_findings):
    text = linked(demo_findings)
    for told in (
        "in 14 of 28 people with two chemo drugs (cyclophosphamide and fludarabine) before the first round, and in 2 "
        "of 15 people without. Chance alone does not easily explain this. With the two drugs before the second round "
        "or more cells in the second round, any difference could well be due to chance. We also",
    ):
        assert told in text
    assert "It was longer with the two drugs before the first round or more cells in the second round. Chance" in text
    assert "With the two drugs before the second round, any difference could well be due to chance." in text
    assert "Linked does not mean caused." in text
    assert len(text.split()) < 155


def test_a_shorter_time_is_called_so_and_models_that_disagree_make_it_unsure(demo_findings):
    def turned(chosen):
        return replace(demo_findings, estimates=tuple(
            replace(e, estimate=1 / e.estimate) if e.statistic == "hazard_ratio" and e.estimate and chosen(e) else e
            for e in demo_findings.estimates))  # fmt: skip

    assert "It was shorter with the two drugs before the first round or more cells" in linked(turned(lambda e: True))
    text = linked(turned(lambda e: e.analysis == "calibrated"))
    assert "With the two drugs before the first round or more cells in the second round, the tests do not agree" in text


def test_people_who_were_all_chosen_for_their_response_prove_no_rate(cohorts):
    """In this cohort only responders were published: no share, no interval, no picture of it."""
    document = brief(cohorts["sheih_2020"])
    lines = texts(document)
    assert (
        sum(
            "The cancer went away, or there was much less of it, in all 14 people. Maybe only such" in line
            for line in lines
        )
        == 2
    )
    assert not any("14 of 14" in line or "9 of 9" in line for line in lines)
    assert [b.name for b in document.blocks() if isinstance(b, Picture)] == []


def test_a_time_that_was_not_reached_is_said_in_words(demo_findings):
    def unreached(population):
        where = ("pfs", "median", population, None)
        return replace(demo_findings, estimates=tuple(
            replace(e, estimate=None, upper=None) if (e.endpoint, e.statistic, e.population, e.group) == where else e
            for e in demo_findings.estimates))  # fmt: skip

    lines = texts(brief(unreached("all")))
    assert any("in more than half of the people the cancer did not come back or get worse in the time they were" in line
               and "The true time could be about 1.4 months or longer." in line for line in lines)  # fmt: skip
    assert any("longer than they were watched with CLL (9 people)" in line
               for line in texts(brief(unreached("diagnosis=CLL"))))  # fmt: skip


def test_what_is_hidden_is_not_called_untested(demo_findings):
    for smallest in (5, 11):
        lines = texts(brief(suppressed(demo_findings, smallest)[0]))
        assert not any("No test could tell" in line for line in lines)
        assert not any("number" in line and "not shown" in line and "Among" in line for line in lines)


def test_a_cohort_without_factors_has_no_such_section(cohorts):
    assert "linked" not in {s.name for s in brief(cohorts["brudno_2016"]).sections}


def test_no_sentence_tells_anybody_what_to_do_but_to_ask():
    english = " ".join(_leaves(translation("en")).values()).lower()
    for word in ("you should", "you must", "we recommend", "is better for you", "ask for", "need to", "best treatment"):
        assert word not in english
    spanish = " ".join(_leaves(translation("es")).values()).lower()
    for word in ("usted debe", "debería", "recomendamos", "tiene que", "le conviene"):
        assert word not in spanish


def test_tests_that_disagree_make_it_unsure(demo_findings):
    other = tuple(replace(e, p_value=0.2) if e.analysis == "permutation" else e for e in demo_findings.estimates)
    lines = texts(brief(replace(demo_findings, estimates=other)))
    assert any("14 of 28" in line and "2 of 15 people without. The tests do not agree" in line for line in lines)


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
    assert words.count(replace(small, note=SO_THAT)) == "a number of people that is not shown here"


@pytest.mark.parametrize(("days", "unit", "said"), [
    ((61.0,), "days", ["61 days"]), ((1.0, 0.2), "days", ["1 day", "less than 1 days"]),
    ((43.0, 94.0, 640.0), "months", ["about 1.4 months", "about 3.1 months", "about 21 months"]),
    ((61.0, 1000.0), "months", ["about 2 months", "about 33 months"]),
    ((1.0, 30.4375, 290.0, 303.0, 1.6), "months",
     ["less than 0.1 months", "about 1 month", "about 9.5 months", "about 10 months", "about 0.1 months"]),
    ((1826.25, 2000.0), "years", ["about 5 years", "about 5.5 years"]),
])  # fmt: skip
def test_all_times_of_a_brief_have_one_unit(days, unit, said):
    words = Words("en")
    words.unit = unit_of(days) if unit != "days" else "days"
    assert words.unit == unit
    assert [words.time(x) for x in days] == said


def test_no_brief_mixes_units(cohorts):
    for findings in cohorts.values():
        for language, units in (("en", "(?:day|month|year)s?"), ("es", "(?:días?|mes(?:es)?|años?)")):
            sections = [s for s in brief(findings, language).sections if s.name == "lived"]
            text = " ".join(line for s in sections for line in texts(replace(brief(findings, language), sections=(s,))))
            told = {m.rstrip("s").removesuffix("e") for m in re.findall(rf"\d ({units})\b", text)}
            assert len(told) == 1 or not sections, told


def test_numbers_as_each_language_writes_them():
    spanish = Words("es")
    spanish.unit = "years"
    assert [spanish.time(x) for x in (900.0, 2000.0)] == ["unos 2,5 años", "unos 5,5 años"]
    assert spanish.span(900.0, 2000.0) == "de 2,5 a 5,5 años"
    many = Estimate("response", "cr", "proportion", n=12345, events=1234)
    assert Words("en").count(many) == "1,234 of 12,345 people"
    assert Words("es").count(many) == "1.234 de 12.345 personas"
    assert [Words("en").of_100(x) for x in (0, 0.001, 0.394, 0.999, 1)] == [
        "0",
        "fewer than 1",
        "39",
        "more than 99",
        "100",
    ]
    assert Words("en").date("2024-02-29") == "February 29, 2024"
    assert Words("es").date("2024-02-29") == "29 de febrero de 2024"
    assert Words("en").date("2024") == "2024"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_demo_has_two_pages(demo_findings, language):
    own = BriefOptions(centre="University Hospital, Cell Therapy", contact="telephone 555 0100", reviewed="2026-11-29")
    for findings in (demo_findings, replace(demo_findings, plan=demo_findings.plan.model_copy(update={"brief": own}))):
        assert pages(brief(findings, language)) == 2


def test_a_response_has_the_words_of_its_disease(demo_findings):
    lines = texts(brief(demo_findings))
    assert "ALL: no signs of the leukemia were left in 3 of 14 people." in lines
    assert "CLL: the leukemia went away, or there was much less of it, in 3 of 9 people." in lines
    assert "NHL: the lymphoma went away or shrank in 11 of 21 people." in lines
    assert [line for line in lines if "shrank" in line and "lymphoma" not in line] == []
    assert any("some people with ALL or CLL had a very close test" in line for line in lines)


def of_one_type(findings, kind):
    """Return findings as if all patients had one diagnosis."""
    own = f"diagnosis={kind}"
    estimates = tuple(replace(e, population="all") for e in findings.estimates if e.population == own)
    only = (*estimates, *(e for e in findings.estimates if e.population == own or e.analysis in ("flow", "baseline")))
    described = replace(findings.described, populations=tuple(p for p in findings.described.populations if p == own))
    return replace(findings, estimates=only, described=described)


def test_a_study_of_one_disease_speaks_of_that_disease(demo_findings):
    leukemia = texts(brief(of_one_type(demo_findings, "ALL")))
    assert any("No signs of the leukemia were left in 3 of 14 people. " in line for line in leukemia)
    assert not any("All signs of the cancer went away" in line for line in leukemia)  # told already
    lymphoma = texts(brief(of_one_type(demo_findings, "NHL")))
    assert any("The lymphoma went away or shrank in 11 of 21 people." in line for line in lymphoma)
    assert any("All signs of the cancer went away in 4 of 21 people." in line for line in lymphoma)
    assert not any("close test" in line for line in lymphoma)


def test_a_partial_response_in_all_is_not_called_a_complete_one(demo_findings):
    complete = ("cr", "proportion", "diagnosis=ALL")
    partial = tuple(replace(e, events=2) if (e.endpoint, e.statistic, e.population) == complete else e
                    for e in demo_findings.estimates)  # fmt: skip
    lines = texts(brief(replace(demo_findings, estimates=partial)))
    assert "ALL: the cancer went away, or there was much less of it, in 3 of 14 people." in lines
    assert not any("no signs of the leukemia" in line for line in lines)


def of_centre(findings, **own):
    return replace(findings, plan=findings.plan.model_copy(update={"brief": BriefOptions(**own)}))


@pytest.mark.parametrize(("reviewed", "told"), [
    (None, "Ask your center when this was last reviewed."),
    ("2024-03-01", "This page was last reviewed on March 1, 2024. The full"),
    ("2024-02-28", "This page was last reviewed on February 28, 2024. The numbers on it are newer than that."),
    ("2024-03-02", "This page is to be reviewed on March 2, 2024. Ask your center when it was last reviewed."),
])  # fmt: skip
def test_when_the_centre_reviewed_it(demo_findings, reviewed, told):
    dated = replace(demo_findings, provenance={**demo_findings.provenance, "date": "2024-03-01"})
    assert any(told in line for line in texts(brief(of_centre(dated, reviewed=reviewed))))


@pytest.mark.parametrize(("language", "told"), [
    ("en", ("Center: Our hospital.", "Contact: +1 555 0100.")),
    ("es", ("Centro: Our hospital.", "Contacto: +1 555 0100.")),
])  # fmt: skip
def test_the_centre_and_its_contact(demo_findings, language, told):
    findings = of_centre(demo_findings, centre="Our hospital", contact="+1 555 0100")
    document = brief(findings, language)
    assert any(all(part in line for part in told) for line in texts(document))
    assert not any("Cent" in line and "hospital" in line for line in texts(brief(demo_findings, language)))
    again = Plan.of({"brief": {"centre": "Our hospital", "contact": "+1 555 0100"}})
    assert again.brief == findings.plan.brief
    assert again.is_built_in


def test_wrong_settings_of_the_brief_are_refused_all_at_once():
    with pytest.raises(PlanRefused) as refused:
        Plan.of({"brief": {"center": "x", "reviewed": "March 2024", "contact": "a\x00b"}})
    told = {(p.column, p.value): f"{p.rule} {p.remedy}" for p in refused.value.problems}
    assert "did you mean centre?" in told["brief.center", "x"]
    assert "is not a date such as 2026-11-29" in told["brief.reviewed", "March 2024"]
    assert any(column == "brief.contact" for column, _ in told)


def test_first_infusions_and_made_up_people_are_said(cohorts):
    first = brief(cohorts["sheih_2020"])
    assert first.title == "What happened after a first round of CAR-T cells"
    assert any("had their first round" in line for line in texts(first))
    assert not any("made up" in line for line in texts(first))
    made_up = brief(cohorts["synthetic_gauthier_2021"])
    assert made_up.title.endswith("(made-up people)")
    assert "made up" in made_up.banners[0]
    assert "made up" in texts(made_up)[-2]


def test_the_date_and_when_it_is_out_of_date(demo_findings):
    told = replace(demo_findings, provenance={**demo_findings.provenance, "date": "2024-02-29"})
    assert any(
        "made on February 29, 2024. They may be out of date after February 28, 2025." in line
        for line in texts(brief(told))
    )


def test_a_cohort_with_nothing_but_people_has_a_brief(tmp_path):
    infusions = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nA,1,0,1e6,Cy\nA,2,50,2e6,Cy"
    cohort = read(tmp_path, patients="patient_id,last_contact,death,diagnosis\nA,90,,Waldenstrom", infusions=infusions)
    lines = texts(brief(Study(cohort, plain(Plan.built_in())).run()))
    assert any(line.startswith("1 person took part.") for line in lines)
    assert any("another blood cancer" in line for line in lines)
    assert not any("Waldenstrom" in line for line in lines)


def test_icons_count_people():
    drawn = icons("i", "3 of 9 people", 3, of=9, alt="Away in 3 of 9 people")
    assert drawn.svg.count(b"<circle") == 9
    assert drawn.svg.count(b'<circle cx="13" cy="8" r="5.2" fill="#0B5C93"') == 1
    assert drawn.svg.count(b'fill="#0B5C93"') == 6  # head and body of three
    assert (drawn.title, drawn.alt) == ("3 of 9 people", "Away in 3 of 9 people")
    many = icons("i", "t", 410, of=1000, alt="t")
    assert (many.svg.count(b"<circle"), many.svg.count(b'fill="#0B5C93"')) == (100, 82)
    assert b'width="650" height="160"' in many.svg
    assert icons("i", "t", 1, of=1000, alt="t") is None
    assert icons("i", "t", 999, of=1000, alt="t") is None
    assert icons("i", "t", 0, of=1000, alt="t").svg.count(b'fill="#0B5C93"') == 0


def test_a_picture_says_what_it_counts(demo_findings):
    pictures = [b for b in brief(demo_findings).blocks() if isinstance(b, Picture)]
    assert pictures[0].drawn.alt == "The cancer went away, or there was much less of it, in 17 of 44 people."
    assert pictures[0].caption.startswith("17 of 44 people. Each shape")
    assert "Each shape is one person." in pictures[0].caption
    many = tuple(replace(e, n=1000, events=394, estimate=0.394) if (e.endpoint, e.statistic, e.population, e.group)
                 == ("response", "proportion", "all", None) else e for e in demo_findings.estimates)  # fmt: skip
    first = next(b for b in brief(replace(demo_findings, estimates=many)).blocks() if isinstance(b, Picture))
    assert "The picture shows it as about 39 of every 100 people." in first.caption


def test_several_other_cancers_have_one_name(tmp_path):
    rows = "".join(f"{p},290,,{d}\n" for p, d in zip("ABCD", ("CLL", "CLL", "MM", "AML"), strict=True))
    infusions = "".join(f"{p},{i},{60 * i - 60},1e6,Cy\n" for p in "ABCD" for i in (1, 2))
    cohort = read(tmp_path, patients="patient_id,last_contact,death,diagnosis\n" + rows,
                  infusions="patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n" + infusions)  # fmt: skip
    lines = texts(brief(Study(cohort, plain(Plan.built_in())).run()))
    assert any("2 of 4 had chronic lymphocytic leukemia (CLL). The others had other cancers of the blood." in line
               for line in lines)  # fmt: skip


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
    for module in ("content", "findings", "citations", "sentences", "translation", "icons"):
        code = files("reinfuse.report.brief").joinpath(f"{module}.py").read_text(encoding="utf-8")
        strings = re.findall(r'"([^"\n]*)"', re.sub(r'"""[\s\S]*?"""', "", code))
        assert not [s for s in strings if re.search(r"[a-z]+ [a-z]+ [a-z]+", s)], module
    assert tomllib.loads(files("reinfuse.report.brief").joinpath("syllables.toml").read_text(encoding="utf-8"))
    assert tuple(translation("en")["factor_short"]) == FACTORS
