"""Rules that a plan can change: further therapy, death of disease, compartments of MRD. CART2 on day 100."""

import pytest

from helpers import plain, read
from reinfuse import read_cohort
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_derivation import derive
from reinfuse.cohort.patient_courses import courses
from reinfuse.data import DEMO, datasets
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.analysis_plan import Plan
from reinfuse.report.text.narrative import _rules
from reinfuse.study import Study

INFUSIONS = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nP,1,0,2e6,Cy/Flu\nP,2,100,2e7,Cy/Flu"
PERSON = "patient_id,last_contact,death,death_cause,diagnosis\n"
THROUGH = Rules(censor_at_new_therapy=False)


def cohort(folder, person="P,1000,,,CLL", infusions=INFUSIONS, **tables):
    return read(folder, patients=PERSON + person, infusions=infusions, **tables)


def row(folder, *args, rules=None, **tables):
    return derive(cohort(folder, *args, **tables), 2, rules=rules or Rules()).row(0, named=True)


def part(row, *names):
    return tuple(row[n] for n in names)


PFS = ("pfs_days", "pfs_event", "pfs_source")
DOR = ("dor_days", "dor_event", "dor_source")
BEST = ("response", "response_day", "response_source")

# A plan that follows progression-free survival through a further therapy: nothing else goes on through it.

IBRUTINIB = "patient_id,day,therapy,kind\nP,150,ibrutinib,anticancer"


def responses(*rows):
    return "patient_id,day,response\n" + "\n".join(f"P,{r}" for r in rows)


def test_a_response_to_a_further_therapy_is_none_to_the_infusion(tmp_path):
    given = {"responses": responses("128,SD", "200,CR", "300,PD"), "therapies": IBRUTINIB}
    through, ends = (row(tmp_path, rules=r, **given) for r in (THROUGH, Rules()))
    assert part(through, *BEST) == part(ends, *BEST) == ("SD", None, "responses row 1")
    assert part(through, *PFS) == (200, "yes", "responses row 3")
    assert part(ends, *PFS) == (28, "no", "responses row 1")
    assert part(through, *DOR) == part(ends, *DOR) == (None, None, None)


def test_a_response_to_the_next_infusion_is_none_to_this_one(tmp_path):
    three = INFUSIONS + "\nP,3,150,2e7,Cy/Flu"
    through = row(tmp_path, infusions=three, rules=THROUGH, responses=responses("128,SD", "200,CR"))
    assert part(through, *BEST) == ("SD", None, "responses row 1")
    assert part(through, *PFS) == (100, "no", "responses row 2")


def test_duration_of_response_ends_at_a_further_therapy_whatever_the_plan(tmp_path):
    given = {"responses": responses("128,CR", "140,CR", "200,CR", "300,PD"), "therapies": IBRUTINIB}
    through, ends = (row(tmp_path, rules=r, **given) for r in (THROUGH, Rules()))
    assert part(through, *DOR) == part(ends, *DOR) == (12, "no", "responses row 2")
    assert part(through, *PFS) == (200, "yes", "responses row 4")


def test_an_mrd_test_after_a_further_therapy_never_counts(tmp_path):
    early = "patient_id,day,therapy,kind\nP,125,ibrutinib,anticancer"
    mrd = "patient_id,day,result\nP,122,detectable\nP,128,undetectable"
    got = [row(tmp_path, rules=r, mrd=mrd, therapies=early) for r in (THROUGH, Rules())]
    assert [part(g, "umrd_day28", "umrd_day28_source") for g in got] == [("no", "mrd row 1")] * 2


def test_a_size_after_a_further_therapy_never_counts(tmp_path):
    sizes = "patient_id,day,response,size\nP,99,PD,40\nP,128,SD,30\nP,200,CR,0"
    got = [row(tmp_path, rules=r, responses=sizes, therapies=IBRUTINIB) for r in (THROUGH, Rules())]
    assert [g["best_size_change"] for g in got] == [-25, -25]


# Death of disease without a recorded progression.

RELAPSE = ("relapse_days", "relapse_event", "relapse_source")
NRM = ("nrm_days", "nrm_event", "nrm_source")
DEAD = (300, "yes", "patients row 1")
NOT = (300, "no", "patients row 1")
CAUSES = [
    ("disease", Rules(), DEAD, NOT),
    ("disease", Rules(death_of_disease="non-relapse mortality"), NOT, DEAD),
    ("treatment", Rules(), NOT, DEAD),
    ("other", Rules(), NOT, DEAD),
    ("unknown", Rules(), NOT, DEAD),
    ("", Rules(), NOT, DEAD),
]


@pytest.mark.parametrize(("cause", "rules", "relapse", "nrm"), CAUSES)
def test_death_of_disease_without_progression_is_relapse_on_that_day(tmp_path, cause, rules, relapse, nrm):
    got = row(tmp_path, f"P,400,400,{cause},CLL", rules=rules, responses=responses("130,CR"))
    assert (part(got, *RELAPSE), part(got, *NRM)) == (relapse, nrm)
    assert part(got, *PFS) == (300, "yes", "patients row 1")


def test_a_recorded_progression_stands_before_death_of_disease(tmp_path):
    got = row(tmp_path, "P,400,400,disease,CLL", responses=responses("130,CR", "250,PD"))
    assert part(got, *RELAPSE) == (150, "yes", "responses row 2")
    assert part(got, *NRM) == (150, "no", "responses row 2")


def test_deaths_that_decide_between_relapse_and_non_relapse_mortality_are_named(tmp_path):
    people = "P,400,400,disease,CLL\nQ,300,300,unknown,NHL\nR,350,350,,NHL\nS,500,,,ALL\nT,200,200,treatment,ALL"
    infusions = INFUSIONS + "".join(f"\n{p},1,0,2e6,Cy\n{p},2,90,2e6,Cy" for p in "QRST")
    four = cohort(tmp_path, people, infusions, responses=responses("130,CR"))
    notes = analysis_set(four, Plan()).notes
    assert ("1 of 5 patients: died of disease without a recorded progression; counted as relapse on the day of death "
            "(patients row 1)") in notes  # fmt: skip
    assert ("2 of 5 patients: died without a recorded progression, cause unknown or not recorded; counted as "
            "non-relapse mortality (patients rows 2, 3)") in notes  # fmt: skip
    other = analysis_set(four, Plan(rules=Rules(death_of_disease="non-relapse mortality"))).notes
    assert ("1 of 5 patients: died of disease without a recorded progression; counted as non-relapse mortality "
            "(patients row 1)") in other  # fmt: skip


# MRD: which compartment decides.

MRD = "patient_id,day,result,compartment\n"
UMRD = ("umrd_day28", "umrd_day28_day", "umrd_day28_source", "umrd_day28_compartment")
TESTS = [
    ("marrow before blood", "P,128,detectable,blood\nP,135,undetectable,marrow", None,
     ("yes", 35, "mrd row 2", "marrow, against blood")),
    ("they agree", "P,128,detectable,PB\nP,135,detectable,BM", None, ("no", 35, "mrd row 2", "marrow")),
    ("blood alone", "P,128,detectable,blood", None, ("no", 28, "mrd row 1", "blood")),
    ("within marrow the nearest", "P,121,detectable,marrow\nP,129,undetectable,marrow\nP,128,detectable,blood", None,
     ("yes", 29, "mrd row 2", "marrow, against blood")),
    ("within marrow detectable wins", "P,128,undetectable,marrow\nP,128,detectable,marrow", None,
     ("no", 28, "mrd row 2", "marrow")),
    ("blood first in the plan", "P,128,detectable,blood\nP,128,undetectable,marrow", ("blood", "marrow"),
     ("no", 28, "mrd row 1", "blood, against marrow")),
    ("marrow alone in the plan", "P,128,detectable,blood", ("marrow",), (None, None, None, None)),
    ("marrow outside the window", "P,128,detectable,blood\nP,143,undetectable,marrow", None,
     ("no", 28, "mrd row 1", "blood")),
    ("a compartment not recorded comes last", "P,128,detectable,\nP,140,undetectable,blood", None,
     ("yes", 40, "mrd row 2", "blood, against not recorded")),
    ("another compartment does not count", "P,128,undetectable,CSF", None, (None, None, None, None)),
]  # fmt: skip


@pytest.mark.parametrize(("tests", "order", "expected"), [t[1:] for t in TESTS], ids=[t[0] for t in TESTS])
def test_the_compartment_that_decides_about_mrd(tmp_path, tests, order, expected):
    rules = Rules() if order is None else Rules(umrd_compartments=order)
    assert part(row(tmp_path, rules=rules, mrd=MRD + tests), *UMRD) == expected


def test_the_notes_say_which_compartment_decided(tmp_path):
    people = "P,900,,,CLL\nQ,900,,,CLL\nR,900,,,CLL\nS,900,,,CLL"
    infusions = INFUSIONS + "".join(f"\n{p},1,0,2e6,Cy\n{p},2,100,2e6,Cy" for p in "QRS")
    tests = "P,128,detectable,blood\nP,128,undetectable,marrow\nQ,128,detectable,blood\nR,128,detectable,marrow\n"
    mrd = analysis_set(cohort(tmp_path, people, infusions, mrd=MRD + tests + "S,128,undetectable,CSF"), Plan()).notes
    assert "undetectable MRD at day 28 was decided in marrow (2 patients) and blood (1)" in mrd
    assert "1 of 4 patients: compartments differ about MRD at day 28; marrow decided, against blood (1)" in mrd
    assert ("1 MRD test from day 21 to 42 in a compartment that the plan does not name (CSF): does not count "
            "(mrd row 5)") in mrd  # fmt: skip


# What the report says of each rule.

SAID = [
    (Rules(), "Split dose", "an infusion planned within 30 days of the previous one is a part of it"),
    (Rules(split_dose_days=14), "Split dose", "an infusion planned within 14 days of the previous one is a part of it"),
    (Rules(), "Best response", "up to progression and new anticancer therapy"),
    (THROUGH, "Best response", "up to progression and new anticancer therapy"),
    (THROUGH, "Progression-free survival", "follow-up continues through a new anticancer therapy"),
    (THROUGH, "Duration of response", "but at a new anticancer therapy too"),
    (Rules(), "Undetectable MRD at day 28", "the first of: marrow, blood, not recorded"),
    (Rules(umrd_compartments=("blood",)), "Undetectable MRD at day 28", "the first of: blood;"),
    (Rules(), "Relapse or progression, non-relapse mortality",
     "death of disease without a recorded progression is relapse on that day"),
    (Rules(death_of_disease="non-relapse mortality"), "Relapse or progression, non-relapse mortality",
     "death of disease without a recorded progression is non-relapse mortality"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "about", "text"), SAID)
def test_the_report_says_the_rules_in_force(rules, about, text):
    assert text in dict(_rules(rules, wide=False, own_labels={}))[about]


def test_the_report_is_silent_on_rules_that_are_off_or_do_not_apply():
    assert "Split dose" not in dict(_rules(Rules(split_dose_days=0), wide=False, own_labels={}))
    assert set(dict(_rules(Rules(), wide=True, own_labels={}))) == {"Overall response", "Complete response", "Times"}


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ({"umrd_compartments": []}, "rules"),
        ({"umrd_compartments": ["marrow", "marrow"]}, "rules"),
        ({"umrd_compartments": ["marow"]}, "rules.umrd_compartments.0"),
        ({"death_of_disease": "nrm"}, "rules.death_of_disease"),
        ({"split_dose_days": -1}, "rules.split_dose_days"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(told, place):
    with pytest.raises(PlanRefused) as refused:
        Plan.of({"rules": told})
    assert [p.column for p in refused.value.problems] == [place]


def test_the_swimmer_marks_a_death_of_disease_as_no_progression(tmp_path):
    sheet = tmp_path / "sheet.csv"
    head = (
        "patient_id,os_days,os_event,pfs_days,pfs_event,relapse_days,relapse_event,nrm_days,nrm_event,relapse_source\n"
    )
    sheet.write_text(head + "A,90,1,90,1,90,1,90,0,patients row 1\nB,90,1,60,1,60,1,60,0,responses row 4\n", "utf-8")
    study = Study(read_cohort(sheet), plain(Plan()))
    marks = [[(e.day, e.kind) for e in c.events[1:]] for c in courses(study.cohort, study.data, 2)]
    assert marks == [[(90, "progression or death")], [(60, "PD")]]


def test_what_no_rule_changes_can_be_left_out():
    bundled = read_cohort(datasets()[DEMO].path)
    for rules in (Rules(), Rules(efs="index day", depth="derived")):
        whole, alone = (derive(bundled, 2, rules=rules, whole=w) for w in (True, False))
        assert whole.select(alone.columns).equals(alone)
        left_out = set(whole.columns) - set(alone.columns)
        assert {"umrd_day28", "transplant_day", "crs_grade"} <= left_out
        assert not {
            c for c in left_out if c.startswith(("pfs", "os", "dor", "efs", "ttnt", "relapse", "nrm", "response"))
        }
