"""References in Vancouver style and as BibTeX."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from reinfuse import __version__
from reinfuse.report.analyses.registry import references
from reinfuse.report.text.bibtex import bibliography, entry, key
from reinfuse.report.text.references import REFERENCES, Reference
from reinfuse.study.results import bibliography as all_references

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
    assert asked.text == "Puhr R, et al. Accurate? J Am Stat Assoc 1958;53:457-481."
    full = "Puhr R, et al. Accurate? J Am Stat Assoc 1958;53(3):457-481. doi:10.1/x_y"
    assert replace(asked, in_full=True).text == full
    for said in ("author = {Puhr, R. and others}", "number = {3}", "doi = {10.1/x_y}"):
        assert said in entry(asked)


def test_what_bibtex_reads_as_its_own_signs_is_escaped():
    title = r"{a}_b #1 $2 50% & c\d ~e^f"
    line = entry(replace(KAPLAN, title=title)).splitlines()[2]
    assert line == (r"  title = {{\{a\}\_b \#1 \$2 50\% \& c\textbackslash{}d \textasciitilde{}e\textasciicircum{}f}},")


def test_every_reference_is_an_entry_of_its_own():
    found = entries(all_references())
    assert [kind for kind, _, _ in found] == ["article"] * len(references()) + ["software"]
    assert len({name for _, name, _ in found}) == len(found)
    assert found[-1][2]["version"] == __version__
    for (_, name, fields), reference in zip(found[:-1], references().values(), strict=True):
        assert name == key(reference)
        assert {"author", "title", "journal", "year", "volume", "pages"} <= set(fields)


def test_facts_have_the_form_of_facts():
    for reference in references().values():
        assert 1900 < reference.year < 2030
        first, *last = (int(p) for p in reference.pages.split("-"))
        assert not last or [first] < last  # an article may be of one page
        assert re.fullmatch(r"\d+", reference.volume)
        assert re.fullmatch(r"\d*", reference.issue)
        assert re.fullmatch(r"(10\.\d{4,5}/\S+)?", reference.doi)
        assert all(re.fullmatch(r"[^\W\d_][^\d_]* [A-Z]{1,2}|et al", a) for a in reference.authors.split(", "))
    dois = [r.doi for r in references().values() if r.doi]
    assert len(set(dois)) == len(dois)


def test_the_software_is_cited_as_its_citation_file_asks():
    cff = (Path(__file__).parents[2] / "CITATION.cff").read_text(encoding="utf-8")
    told = dict(re.findall(r'^(\w[\w-]*): "?(.+?)"?$', cff, flags=re.MULTILINE))
    fields = entries(bibliography([]))[-1][2]
    assert fields["title"].strip("{}") == told["title"]
    assert fields["version"] == told["version"]
    assert fields["author"].strip("{}") == re.search(r"- name: (.+)", cff)[1]


def test_a_bibliography_holds_what_was_cited(demo_report):
    cited = entries((demo_report / "references.bib").read_text(encoding="utf-8"))
    names = [name for _, name, _ in cited]
    assert names[0] == key(REFERENCES["study"])
    assert key(REFERENCES["fine_gray"]) in names
    with pytest.raises(KeyError):
        bibliography(["nobody1900nothing"])
