"""References in Vancouver style and as BibTeX, and the STROBE checklist: true of what was run."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from reinfuse import __version__
from reinfuse.report.bibtex import bibliography, entry, key
from reinfuse.report.references import REFERENCES, Reference
from reinfuse.report.strobe import AUTHORS, ITEMS, checklist

KAPLAN = Reference("Kaplan EL, Meier P", "Estimation & 50% more", "J Am Stat Assoc", 1958, "53", "457-481")


def entries(text):
    """Return kind, key and fields of each entry; fails on an unbalanced brace."""
    found = []
    for kind, name, body in re.findall(r"@(\w+)\{(\w+),\n(.*?)\n\}\n", text, flags=re.DOTALL):
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", body, flags=re.MULTILINE))
        assert len(fields) == len(body.splitlines())
        assert all(v.count("{") == v.count("}") for v in fields.values())
        found.append((kind, name, fields))
    return found


def test_an_entry_by_hand():
    assert KAPLAN.text == "Kaplan EL, Meier P. Estimation & 50% more. J Am Stat Assoc 1958;53:457-481."
    assert entry(KAPLAN).splitlines() == [
        "@article{kaplan1958estimation,",
        "  author = {Kaplan, E. L. and Meier, P.},",
        r"  title = {{Estimation \& 50\% more}},",
        "  journal = {J Am Stat Assoc},",
        "  year = {1958},",
        "  volume = {53},",
        "  pages = {457--481},",
        "}",
    ]


def test_a_question_ends_a_title_and_others_are_others():
    asked = replace(KAPLAN, authors="Puhr R, et al", title="Accurate?", doi="10.1/x_y", issue="3")
    assert asked.text == "Puhr R, et al. Accurate? J Am Stat Assoc 1958;53(3):457-481. doi:10.1/x_y"
    assert "author = {Puhr, R. and others}" in entry(asked)


def test_every_reference_is_an_entry_of_its_own():
    found = entries(bibliography(REFERENCES))
    assert [kind for kind, _, _ in found] == ["article"] * len(REFERENCES) + ["software"]
    assert len({name for _, name, _ in found}) == len(found)
    assert found[-1][2]["version"] == __version__
    for (_, name, fields), reference in zip(found[:-1], REFERENCES.values(), strict=True):
        assert name == key(reference)
        assert {"author", "title", "journal", "year", "volume", "pages"} <= set(fields)


def test_a_bibliography_holds_what_was_cited(demo_report):
    cited = entries((demo_report / "references.bib").read_text(encoding="utf-8"))
    names = [name for _, name, _ in cited]
    assert names[0] == key(REFERENCES["study"])
    assert key(REFERENCES["fine_gray"]) in names
    with pytest.raises(KeyError):
        bibliography(["nobody1900nothing"])


def _by_item(findings):
    return {row.head.split()[0]: row.cells[1] for row in checklist(findings).rows}


def test_the_checklist_has_every_item_of_strobe(demo_findings):
    numbers = [int(re.match(r"\d+", item)[0]) for item, _, _ in ITEMS]
    assert sorted(set(numbers)) == list(range(1, 23))
    found = _by_item(demo_findings)
    assert found["16a"] == "Factors associated with outcome (unadjusted and adjusted)"
    assert "E-values" in found["12e"]
    assert found["12c"] == "Methods: multiple imputation beside complete cases"
    assert found["14c"] == "Time to event: median follow-up"
    for item in ("2", "5", "6", "20", "21", "22"):
        assert AUTHORS in found[item]


def test_the_checklist_claims_nothing_that_was_not_run(demo_findings):
    kept = tuple(e for e in demo_findings.estimates if e.analysis in ("flow", "baseline", "response"))
    found = _by_item(replace(demo_findings, estimates=kept))
    assert found["16a"] == "No model was asked for"
    assert found["12e"] == found["17"] == "None was asked for"
    assert found["15"] == "Response"
    assert found["14c"].startswith(AUTHORS)
    assert "imputation" not in " ".join(found.values())
    assert "power" not in found["10"]
    assert found["10"].startswith(AUTHORS)


def test_a_section_that_the_checklist_names_is_in_the_report(demo_findings):
    from reinfuse.report.document import Section
    from reinfuse.report.report import report

    titles = {b.title for b in report(demo_findings, ()).blocks() if isinstance(b, Section)}
    named = {"Summary", "What was asked", "Patients", "Methods", "Limits", "Response", "Time to event", "Toxicity",
             "Factors associated with outcome", "How sure are these associations?", "Factors learnt after the infusion",
             "Combinations of protocols", "This infusion and the one before", "What this cohort could have seen",
             "Rules", "Competing events"}  # fmt: skip
    assert named <= titles
