"""A search compared with the register: notices are raised, known studies met again, the rest listed to be screened."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from reinfuse.evidence import read_register
from reinfuse.evidence.citations import read_citations
from reinfuse.evidence.update import compare_with_search
from reinfuse.exceptions import RegisterRefused

DAY = date(2026, 11, 29)
RETRACTED = """PMID- 90000001
OWN - NLM
DP  - 2021 Jan 21
TI  - Factors associated with outcomes after a second CD19-targeted CAR T-cell
      infusion for refractory B-cell malignancies.
PG  - 323-335
LID - 10.1182/blood.2020006770 [doi]
AU  - Gauthier J
AU  - Bezerra ED
PT  - Journal Article
PT  - Retracted Publication
RIN - Blood. 2027 Feb 4;149(5):600. doi: 10.1182/blood.2027000001. PMID: 90000002
TA  - Blood
JT  - Blood
VI  - 137
IP  - 3
"""
NOTICE = """PMID- 90000002
TI  - Retraction: Factors associated with outcomes.
PG  - 600
LID - 10.1182/blood.2027000001 [doi]
DP  - 2027 Feb 4
PT  - Retraction of Publication
ROF - Blood. 2021 Jan 21;137(3):323-335. doi: 10.1182/blood.2020006770. PMID: 90000001
TA  - Blood
VI  - 149
"""
BY_PLACE = """PMID- 90000003
TI  - Reinfusion of CD19 CAR T cells.
PG  - 2182-2193
AID - 10.1182/bloodadvances.made [doi]
DP  - 2024 May 14
EIN - Blood Adv. 2025;9(1):1. doi: 10.1182/bloodadvances.erratum
TA  - Blood Adv
JT  - Blood advances
VI  - 8
"""
NEW = """PMID- 90000004
TI  - Second infusions in nine patients.
AU  - New A
DP  - 2026
TA  - Leukemia
CON - Blood. 2020;1(1):1. PMID: 1
"""
OTHERS_ERRATUM = """PMID- 90000005
TI  - Erratum to another article.
PT  - Published Erratum
EFR - Lancet. 2020;1(1):1. PMID: 2
"""
RIS = """TY  - JOUR
TI  - Second infusions in nine patients
DO  - https://doi.org/10.1000/NEW
PY  - 2026
ER  -

TY  - JOUR
TI  - Correction of anaemia before a second infusion
AU  - Other, B.
JO  - Blood
VL  - 1
SP  - 2
ER  -

TY  - JOUR
TI  - Erratum: Efficacy of second CAR-T (CART2) infusion limited by poor CART expansion and antigen modulation
DO  - 10.1136/jitc-2021-004483corr1
ER  -

TY  - JOUR
TI  - RETRACTED: CD22 in B-ALL
DO  - 10.1038/s41375-019-0488-7
ER  -
"""


@pytest.fixture
def export(tmp_path):
    def write(text, name="pubmed.nbib"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def update_of(*paths, **more):
    citations = [c for p in paths for c in read_citations(p)]
    return compare_with_search(read_register(), citations, searched_on=DAY, **more)


def flow_of(update):
    return {s.step: s.records for s in update.flow}


def test_a_record_of_pubmed_is_read(export):
    (record,) = read_citations(export(RETRACTED))
    assert record.title.endswith("CAR T-cell infusion for refractory B-cell malignancies.")
    assert (record.doi, record.pmid, record.year, record.volume, record.first_page) == (
        "10.1182/blood.2020006770", "90000001", "2021", "137", "323"
    )  # fmt: skip
    assert record.authors == "Gauthier J, Bezerra ED"
    assert [(x.kind, x.direction, x.pmid) for x in record.links] == [("retraction", "in", "90000002")]


@pytest.mark.parametrize("text", [RETRACTED, NOTICE, RETRACTED + "\n" + NOTICE])
def test_a_retraction_is_raised_once_from_the_article_from_its_notice_or_from_both(export, text):
    (notice,) = update_of(export(text)).notices
    assert (notice.study, notice.kind, notice.doi, notice.raised_on) == (
        "gauthier2021", "retraction", "10.1182/blood.2027000001", DAY
    )  # fmt: skip
    assert update_of(export(text, "pubmed.txt")).notices == (notice,)
    without_tag = RETRACTED.replace("RIN -", "XXX -")
    assert [n.kind for n in update_of(export(without_tag)).notices] == ["retraction"]


def test_a_study_without_identifiers_is_met_by_its_journal_volume_and_page(export):
    update = update_of(export(BY_PLACE))
    assert [s.name for s, _ in update.again] == ["bloodadv2024_2182"]
    assert [(n.study, n.kind) for n in update.notices] == [("bloodadv2024_2182", "correction")]
    assert not update.new
    assert [s.name for s, _ in update_of(export(BY_PLACE.replace("2182-", "2183-"))).again] == []


def test_the_counts_of_the_flow_add_up_and_each_record_has_one_place(export):
    pubmed = export("\n".join([RETRACTED, NOTICE, BY_PLACE, NEW, NEW, OTHERS_ERRATUM]))
    flow = flow_of(update_of(pubmed, export(RIS, "embase.ris")))
    assert flow["records identified"] == 10
    assert sum(flow.values()) == 2 * flow["records identified"]
    assert flow["duplicates removed"] == 1
    assert flow["notices to other articles"] == 3  # the retraction, and two errata
    assert flow["already in the register"] == 3
    assert flow["new, to be screened"] == 3  # of NEW the RIS has a DOI alone, and PubMed a PMID


def test_ris_says_it_in_words(export):
    update = update_of(export(RIS, "embase.ris"))
    assert [(n.study, n.kind) for n in update.notices] == [
        ("leukemia2019_cd22", "retraction"), ("holland2022", "correction")
    ]  # fmt: skip
    titles = [r.title for r in update.new]
    assert titles == ["Second infusions in nine patients", "Correction of anaemia before a second infusion"]
    assert update.new[0].doi == "10.1000/new"


def test_screened_records_are_not_listed_again(export):
    path = export(NEW)
    first = update_of(path)
    later = update_of(path, listed=first.screening)
    assert len(first.new) == 1
    assert later.new == ()
    assert later.screening == first.screening
    assert flow_of(later)["listed earlier, not decided yet"] == 1


@pytest.mark.parametrize(("text", "name", "rule"), [
    ("TY  - JOUR\nTI  - cut off\n", "x.ris", "ends? with ER"),
    ("nothing", "x.nbib", "holds no record"),
    ("PMID- \nAB  - x\n", "x.nbib", "neither a title"),
    ("x", "x.csv", "no export"),
    ("junk\nTY  - JOUR\nUR  - a\n   b\nTI  - \n x\n", "x.ris", "ends? with ER"),
])  # fmt: skip
def test_what_is_no_export_is_refused(export, text, name, rule):
    with pytest.raises(RegisterRefused, match=rule):
        read_citations(export(text, name))


def test_the_commands(main, export, tmp_path):
    status, output, errors = main("evidence", "update", export(RETRACTED + "\n" + NEW), "--out", tmp_path / "new",
                                  "--searched-on", "2026-11-29")  # fmt: skip
    assert status == 0
    assert "ALARM: retraction of gauthier2021" in errors
    assert "new, to be screened: 1" in output
    assert {p.name for p in (tmp_path / "new").iterdir() if p.suffix in (".csv", ".txt")} == {
        "notices.csv", "screening.csv", "flow.csv", "search_strategy.txt"
    }  # fmt: skip
    with (tmp_path / "new" / "flow.csv").open(encoding="utf-8", newline="") as file:
        flow = {r["step"]: (int(r["records"]), r["date"]) for r in csv.DictReader(file)}
    assert flow["studies in the register"] == (18, "2026-11-29")
    assert flow["comparable"][0] + flow["comparable but for a retraction"][0] + sum(
        count for step, (count, _) in flow.items() if step.startswith("not comparable")) == 18  # fmt: skip
    assert flow["comparable but for a retraction"][0] == 1
    status, output, _ = main("evidence", "--register", tmp_path / "new", "--endpoint", "cr")
    assert (status, output.splitlines()[0][:36]) == (0, "ALARM: retraction of Gauthier 2021 (")
    assert "left out of every synthesis" in output
    assert "ALARM" not in main("evidence")[1]
    synthesis = ("evidence", "synthesis", "--endpoint", "cr")
    assert "RETRACTED and left out: Gauthier 2021 (Blood. 2027" in main(*synthesis, "--register", tmp_path / "new")[1]
    assert "RETRACTED" not in main(*synthesis)[1]
    rows = (
        (tmp_path / "new" / "screening.csv")
        .read_text()
        .replace(",2026-11-29,,,,", ",2026-11-29,exclude,no CD19,AR,2026-12-01")
    )
    (tmp_path / "new" / "screening.csv").write_text(rows)
    status, output, errors = main(
        "evidence", "update", export(NEW), "--register", tmp_path / "new", "--out", tmp_path / "b"
    )
    assert (status, errors) == (0, "")
    assert "excluded earlier: 1 (last decision 2026-12-01)" in output
    with (tmp_path / "b" / "notices.csv").open(encoding="utf-8", newline="") as file:
        assert [r["study"] for r in csv.DictReader(file)] == ["gauthier2021"]  # an earlier notice is not forgotten


def test_listing_filters_and_refuses_what_is_not_there(main):
    assert "1 studies" in main("evidence", "--study", "gauthier2021")[1]
    assert "5 comparable" in main("evidence")[1]
    assert "@article{gauthier2021" in main("evidence", "--disease", "CLL", "--bibtex")[1]
    assert "zuma1" in main("evidence", "--construct", "AXI", "--endpoint", "cr")[1]
    status, _, errors = main("evidence", "--endpoint", "rc")
    assert status == 2
    assert "is no endpoint of the register" in errors
    assert "reinfus*" in main("evidence", "search")[1]
