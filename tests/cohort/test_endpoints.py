"""Each rule of endpoints: literal patients, all with the index infusion on day 100, and the derived row."""

import pytest

from helpers import read
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_derivation import derive
from reinfuse.cohort.responders import responder_set
from reinfuse.cohort.toxicity_grades import grade_name

INDEX = 100


def derived(folder, person="P,1000,,CLL", rules=None, index=2, **tables):
    """Derive the endpoints of one patient whose CART1 is on day 0 and CART2 on day 100."""
    infusions = tables.pop("infusions", "P,1,0,2e6,Cy/Flu\nP,2,100,2e7,Cy/Flu")
    headers = {
        "responses": "patient_id,day,response",
        "mrd": "patient_id,day,result,value",
        "toxicities": "patient_id,infusion,kind,grade,day",
        "therapies": "patient_id,day,therapy,kind",
    }
    cohort = read(
        folder,
        patients=f"patient_id,last_contact,death,diagnosis\n{person}",
        infusions=f"patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n{infusions}",
        **{name: f"{headers[name]}\n{rows}" for name, rows in tables.items()},
    )
    return derive(cohort, index, rules=rules or Rules()).row(0, named=True)


def part(row, *names):
    return {n: row[n] for n in names}


# Best response and the day-by-day rules of progression, new therapy and death.

BEST = [
    ("before progression", "P,130,PR\nP,190,CR\nP,250,PD", "CR", "responses row 2"),
    ("after progression does not count", "P,130,PD\nP,160,CR", "PD", "responses row 1"),
    ("on the day of progression does not count", "P,130,CR\nP,130,PD", "PD", "responses row 2"),
    ("relapse is progression", "P,130,relapse\nP,160,CR", "PD", "responses row 1"),
    ("the earliest of the best", "P,130,SD\nP,160,PR\nP,190,PR", "PR", "responses row 2"),
    ("the first row of two alike on one day", "P,130,PR\nP,130,PR", "PR", "responses row 1"),
    ("before the index infusion does not count", "P,28,CR\nP,130,SD", "SD", "responses row 2"),
    ("on the day of the index infusion does not count", "P,100,CR\nP,130,SD", "SD", "responses row 2"),
    ("not evaluable only", "P,130,NE\nP,160,NE", "NE", "responses row 1"),
    ("not evaluable and later stable", "P,130,NE\nP,160,SD", "SD", "responses row 2"),
    ("CRi is better than nPR", "P,130,nPR\nP,160,CRi", "CRi", "responses row 2"),
    ("no assessment", "P,28,CR", None, None),
]


@pytest.mark.parametrize(("rows", "response", "source"), [c[1:] for c in BEST], ids=[c[0] for c in BEST])
def test_best_response(tmp_path, rows, response, source):
    row = derived(tmp_path, responses=rows)
    assert part(row, "response", "response_source") == {"response": response, "response_source": source}


HORIZON = [
    ("on the day of a new therapy counts", "P,160,ibrutinib,anticancer", "CR"),
    ("after a new therapy does not count", "P,159,ibrutinib,anticancer", "SD"),
    ("after a therapy of no kind does not count", "P,159,ibrutinib,", "SD"),
    ("after radiation does not count", "P,159,RT,radiation", "SD"),
    ("after a transplant does not count", "P,159,transplant,allo-HCT", "SD"),
    ("after supportive therapy counts", "P,159,IVIG,supportive", "CR"),
    ("after a therapy before the index infusion counts", "P,99,ibrutinib,anticancer", "CR"),
    ("after a therapy on the day of the index infusion counts", "P,100,bridging,anticancer", "CR"),
]


@pytest.mark.parametrize(("rows", "response"), [c[1:] for c in HORIZON], ids=[c[0] for c in HORIZON])
def test_best_response_and_new_therapy(tmp_path, rows, response):
    assert derived(tmp_path, responses="P,130,SD\nP,160,CR", therapies=rows)["response"] == response


@pytest.mark.parametrize(("day", "response"), [(160, "CR"), (159, "SD")])
def test_the_next_infusion_ends_the_response(tmp_path, day, response):
    infusions = f"P,1,0,2e6,Cy/Flu\nP,2,100,2e7,Cy/Flu\nP,3,{day},2e7,Cy/Flu"
    assert derived(tmp_path, infusions=infusions, responses="P,130,SD\nP,160,CR")["response"] == response


def test_responders_by_diagnosis():
    rules = Rules()
    assert responder_set(rules, "ALL") == ("CR", "CRi")
    assert responder_set(rules, "CLL") == responder_set(rules, None) == ("CR", "CRi", "nPR", "PR")


PFS = ("pfs_days", "pfs_event", "pfs_source")


def pfs(row):
    return tuple(row[n] for n in PFS)


TIMES = [
    ("progression", {"responses": "P,130,PR\nP,250,PD"}, (150, "yes", "responses row 2")),
    ("the first progression", {"responses": "P,250,PD\nP,130,PD"}, (30, "yes", "responses row 2")),
    (
        "death",
        {"person": "P,400,400,CLL", "responses": "P,130,PR"},
        (300, "yes", "patients row 1"),
    ),
    (
        "death before any assessment",
        {"person": "P,110,110,CLL", "responses": "P,28,PR"},
        (10, "yes", "patients row 1"),
    ),
    (
        "death on the day of the infusion",
        {"person": "P,100,100,CLL", "responses": "P,28,PR"},
        (0, "yes", "patients row 1"),
    ),
    (
        "progression on the day of death",
        {"person": "P,250,250,CLL", "responses": "P,250,PD"},
        (150, "yes", "responses row 1"),
    ),
    ("censored at the last assessment", {"responses": "P,130,PR\nP,250,SD"}, (150, "no", "responses row 2")),
    (
        "an assessment that is not evaluable is none",
        {"responses": "P,130,PR\nP,250,NE"},
        (30, "no", "responses row 1"),
    ),
    ("not evaluable only", {"responses": "P,130,NE"}, (0, "no", "infusions row 2")),
    ("no assessment", {"responses": "P,28,CR"}, (0, "no", "infusions row 2")),
    (
        "censored before a new therapy",
        {"responses": "P,130,PR\nP,200,PR\nP,250,PD", "therapies": "P,220,ibrutinib,anticancer"},
        (100, "no", "responses row 2"),
    ),
    (
        "progression on the day of the new therapy",
        {"responses": "P,130,PR\nP,250,PD", "therapies": "P,250,ibrutinib,anticancer"},
        (150, "yes", "responses row 2"),
    ),
    (
        "death after a new therapy",
        {"person": "P,400,400,CLL", "responses": "P,130,PR", "therapies": "P,220,ibrutinib,anticancer"},
        (30, "no", "responses row 1"),
    ),
    (
        "death on the day of the new therapy",
        {"person": "P,220,220,CLL", "responses": "P,130,PR", "therapies": "P,220,ibrutinib,anticancer"},
        (120, "yes", "patients row 1"),
    ),
    (
        "a new therapy before any assessment",
        {"responses": "P,250,PD", "therapies": "P,150,ibrutinib,anticancer"},
        (0, "no", "infusions row 2"),
    ),
    (
        "supportive therapy does not count",
        {"responses": "P,130,PR\nP,250,PD", "therapies": "P,150,IVIG,supportive"},
        (150, "yes", "responses row 2"),
    ),
    (
        "a transplant is a new therapy",
        {"responses": "P,130,PR\nP,250,PD", "therapies": "P,150,transplant,allo-HCT"},
        (30, "no", "responses row 1"),
    ),
    (
        "unless the plan says otherwise",
        {
            "responses": "P,130,PR\nP,250,PD",
            "therapies": "P,150,transplant,allo-HCT",
            "rules": Rules(transplant_is_new_therapy=False),
        },
        (150, "yes", "responses row 2"),
    ),
    (
        "an autologous transplant too",
        {
            "responses": "P,130,PR\nP,250,PD",
            "therapies": "P,150,transplant,auto-HCT",
            "rules": Rules(transplant_is_new_therapy=False),
        },
        (150, "yes", "responses row 2"),
    ),
    (
        "a plan that goes on after a new therapy",
        {
            "responses": "P,130,PR\nP,250,PD",
            "therapies": "P,150,ibrutinib,anticancer",
            "rules": Rules(censor_at_new_therapy=False),
        },
        (150, "yes", "responses row 2"),
    ),
    (
        "death after a new therapy in such a plan",
        {
            "person": "P,400,400,CLL",
            "responses": "P,130,PR",
            "therapies": "P,150,ibrutinib,anticancer",
            "rules": Rules(censor_at_new_therapy=False),
        },
        (300, "yes", "patients row 1"),
    ),
    (
        "an event within the allowed gap",
        {"responses": "P,130,PR\nP,310,PD", "rules": Rules(max_gap_days=180)},
        (210, "yes", "responses row 2"),
    ),
    (
        "an event after too long a gap",
        {"responses": "P,130,PR\nP,311,PD", "rules": Rules(max_gap_days=180)},
        (30, "no", "responses row 1"),
    ),
    (
        "an event after too long a gap without any assessment",
        {"person": "P,400,400,CLL", "responses": "P,130,NE", "rules": Rules(max_gap_days=180)},
        (0, "no", "infusions row 2"),
    ),
]


@pytest.mark.parametrize(("given", "expected"), [c[1:] for c in TIMES], ids=[c[0] for c in TIMES])
def test_progression_free_survival(tmp_path, given, expected):
    assert pfs(derived(tmp_path, **given)) == expected


OS = ("os_days", "os_event", "os_source")
TTNT = ("ttnt_days", "ttnt_event", "ttnt_source")
RELAPSE = ("relapse_days", "relapse_event", "relapse_source")
NRM = ("nrm_days", "nrm_event", "nrm_source")
DOR = ("dor_days", "dor_event", "dor_source")


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ("P,1000,,CLL", (900, "no", "patients row 1")),
        ("P,400,400,CLL", (300, "yes", "patients row 1")),
        ("P,,400,CLL", (300, "yes", "patients row 1")),
        ("P,390,400,CLL", (300, "yes", "patients row 1")),
    ],
)
def test_overall_survival_goes_on_after_a_new_therapy(tmp_path, person, expected):
    row = derived(tmp_path, person, therapies="P,150,ibrutinib,anticancer")
    assert tuple(row[n] for n in OS) == expected


@pytest.mark.parametrize(
    ("person", "therapies", "expected"),
    [
        ("P,1000,,CLL", "P,150,ibrutinib,anticancer\nP,120,RT,radiation", (20, "yes", "therapies row 2")),
        ("P,400,400,CLL", "P,150,IVIG,supportive", (300, "yes", "patients row 1")),
        ("P,1000,,CLL", "P,150,IVIG,supportive", (900, "no", "patients row 1")),
        ("P,400,400,CLL", "P,400,ibrutinib,anticancer", (300, "yes", "therapies row 1")),
    ],
)
def test_time_to_next_treatment(tmp_path, person, therapies, expected):
    row = derived(tmp_path, person, therapies=therapies)
    assert tuple(row[n] for n in TTNT) == expected


def test_the_next_infusion_is_the_next_treatment(tmp_path):
    infusions = "P,1,0,2e6,Cy/Flu\nP,2,100,2e7,Cy/Flu\nP,3,300,2e7,Cy/Flu"
    row = derived(tmp_path, infusions=infusions, therapies="P,350,ibrutinib,anticancer")
    assert tuple(row[n] for n in TTNT) == (200, "yes", "infusions row 3")


@pytest.mark.parametrize(
    ("person", "responses", "relapse", "nrm"),
    [
        (
            "P,400,400,CLL",
            "P,130,CR\nP,250,PD",
            (150, "yes", "responses row 2"),
            (150, "no", "responses row 2"),
        ),
        ("P,400,400,CLL", "P,130,CR", (300, "no", "patients row 1"), (300, "yes", "patients row 1")),
        ("P,1000,,CLL", "P,130,CR", (900, "no", "patients row 1"), (900, "no", "patients row 1")),
    ],
    ids=["relapse and later death", "death without relapse", "alive without relapse"],
)
def test_relapse_and_death_without_it_compete(tmp_path, person, responses, relapse, nrm):
    row = derived(tmp_path, person, responses=responses, therapies="P,200,ibrutinib,anticancer")
    assert (tuple(row[n] for n in RELAPSE), tuple(row[n] for n in NRM)) == (relapse, nrm)


@pytest.mark.parametrize(
    ("person", "responses", "expected"),
    [
        ("P,1000,,CLL", "P,130,PR\nP,160,CR\nP,250,PD", (120, "yes", "responses row 3")),
        ("P,1000,,CLL", "P,130,PR\nP,160,CR\nP,250,CR", (120, "no", "responses row 3")),
        ("P,400,400,CLL", "P,130,PR", (270, "yes", "patients row 1")),
        ("P,1000,,CLL", "P,130,PR", (0, "no", "responses row 1")),
        ("P,1000,,CLL", "P,130,SD\nP,250,PD", (None, None, None)),
        ("P,1000,,CLL", "P,130,PD\nP,160,CR", (None, None, None)),
        ("P,1000,,ALL", "P,130,PR\nP,160,CR\nP,250,PD", (90, "yes", "responses row 3")),
        ("P,1000,,ALL", "P,130,PR\nP,250,PD", (None, None, None)),
    ],
)
def test_duration_of_response_counts_from_the_first_response(tmp_path, person, responses, expected):
    row = derived(tmp_path, person, responses=responses)
    assert tuple(row[n] for n in DOR) == expected


def test_duration_of_response_is_censored_before_a_new_therapy(tmp_path):
    row = derived(tmp_path, responses="P,130,PR\nP,190,PR\nP,250,PD", therapies="P,200,ibrutinib,anticancer")
    assert tuple(row[n] for n in DOR) == (60, "no", "responses row 2")


UMRD = [
    ("the day before the window", "P,120,undetectable,", None, None),
    ("the first day of the window", "P,121,undetectable,", "yes", "mrd row 1"),
    ("the last day of the window", "P,142,detectable,", "no", "mrd row 1"),
    ("the day after the window", "P,143,undetectable,", None, None),
    ("the test nearest to day 28", "P,122,undetectable,\nP,129,detectable,\nP,140,undetectable,", "no", "mrd row 2"),
    ("days 26 and 30 differ: detectable wins", "P,126,undetectable,\nP,130,detectable,", "no", "mrd row 2"),
    ("days 26 and 30 differ the other way", "P,126,detectable,\nP,130,undetectable,", "no", "mrd row 1"),
    ("days 26 and 30 agree: the earlier is named", "P,130,undetectable,\nP,126,undetectable,", "yes", "mrd row 2"),
    ("two samples of one day differ", "P,128,undetectable,\nP,128,detectable,", "no", "mrd row 2"),
    ("a value below the threshold", "P,128,,0.00009", "yes", "mrd row 1"),
    ("a value at the threshold", "P,128,,1e-4", "no", "mrd row 1"),
    ("a value of nothing", "P,128,,0", "yes", "mrd row 1"),
    ("a result stands before the value", "P,128,detectable,0.00009", "no", "mrd row 1"),
    ("a result in other words", "P,128,MRD-,", "yes", "mrd row 1"),
]


@pytest.mark.parametrize(("rows", "umrd", "source"), [c[1:] for c in UMRD], ids=[c[0] for c in UMRD])
def test_undetectable_mrd_about_day_28(tmp_path, rows, umrd, source):
    row = derived(tmp_path, mrd=rows)
    assert part(row, "umrd_day28", "umrd_day28_source") == {"umrd_day28": umrd, "umrd_day28_source": source}


@pytest.mark.parametrize(
    ("rules", "umrd"),
    [
        (Rules(umrd_window=(14, 35)), "yes"),
        (Rules(umrd_window=(14, 35), umrd_day=14), "no"),
        (Rules(umrd_window=(14, 35), umrd_day=14, umrd_threshold=1e-2), "yes"),
        (Rules(umrd_window=(36, 40)), None),
    ],
)
def test_window_day_and_threshold_of_the_plan(tmp_path, rules, umrd):
    assert derived(tmp_path, mrd="P,114,,0.001\nP,135,,0.00001", rules=rules)["umrd_day28"] == umrd


def test_a_test_after_a_new_therapy_does_not_count(tmp_path):
    row = derived(tmp_path, mrd="P,128,undetectable,\nP,122,detectable,", therapies="P,125,ibrutinib,anticancer")
    assert part(row, "umrd_day28", "umrd_day28_source") == {"umrd_day28": "no", "umrd_day28_source": "mrd row 2"}


TOXICITIES = "P,1,CRS,4,3\nP,2,CRS,1,103\nP,2,CRS,3,105\nP,2,ICANS,0,\nP,1,Infection,2,20"


def test_the_worst_grade_of_each_kind_after_the_index_infusion(tmp_path):
    row = derived(tmp_path, toxicities=TOXICITIES)
    assert part(row, "crs_grade", "crs_grade_source", "icans_grade", "icans_grade_source") == {
        "crs_grade": 3,
        "crs_grade_source": "toxicities row 3",
        "icans_grade": 0,
        "icans_grade_source": "toxicities row 4",
    }


@pytest.mark.parametrize(("rule", "grade", "source"), [("none", 0, "no row in toxicities"), ("missing", None, None)])
def test_a_kind_without_a_row(tmp_path, rule, grade, source):
    row = derived(tmp_path, toxicities=TOXICITIES, rules=Rules(toxicity_absent=rule))
    assert (row["toxicity_infection_grade"], row["toxicity_infection_grade_source"]) == (grade, source)


def test_kinds_that_differ_in_punctuation_only_are_one(tmp_path):
    row = derived(tmp_path, toxicities="P,2,Lung infection,1,\nP,2,lung-infection,3,\nP,2,lung infection,2,")
    assert [c for c in row if c.endswith("_grade")] == ["toxicity_lung_infection_grade"]
    assert (row["toxicity_lung_infection_grade"], row["toxicity_lung_infection_grade_source"]) == (
        3,
        "toxicities row 2",
    )


def test_a_table_of_toxicities_without_rows_has_no_grades(tmp_path):
    assert not [c for c in derived(tmp_path, toxicities="") if c.endswith("_grade")]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("CRS", "crs_grade"),
        ("NT", "nt_grade"),
        ("ICANS", "icans_grade"),
        ("Infection (lung)", "toxicity_infection_lung_grade"),
    ],
)
def test_names_of_grades(kind, name):
    assert grade_name(kind) == name


def test_without_a_table_its_endpoints_are_absent(tmp_path):
    row = derived(tmp_path)
    assert list(row) == [
        "patient_id", "os_days", "os_event", "ttnt_days", "ttnt_event", "os_source", "ttnt_source",
    ]  # fmt: skip


THREE = "P,1,0,2e6,Cy/Flu\nP,2,100,2e7,Cy/Flu\nP,3,300,2e7,Cy/Flu\nQ,1,0,2e6,Cy"
PEOPLE = "P,1000,,CLL\nQ,1000,,ALL"
RESPONSES = "P,30,PR\nP,90,PD\nP,130,CR\nP,250,PD\nP,330,PR\nP,700,PR\nQ,28,CR"


@pytest.mark.parametrize(
    ("index", "response", "times", "survival"),
    [
        (1, "PR", (90, "yes", "responses row 2"), 1000),
        (2, "CR", (150, "yes", "responses row 4"), 900),
        (3, "PR", (400, "no", "responses row 6"), 700),
    ],
)
def test_another_index_infusion(tmp_path, index, response, times, survival):
    row = derived(tmp_path, PEOPLE, infusions=THREE, responses=RESPONSES, index=index)
    assert (row["patient_id"], row["response"], pfs(row), row["os_days"]) == ("P", response, times, survival)


def test_only_patients_with_the_index_infusion_are_derived(tmp_path):
    cohort = read(
        tmp_path,
        patients=f"patient_id,last_contact,death,diagnosis\n{PEOPLE}",
        infusions=f"patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n{THREE}",
    )
    assert [derive(cohort, i, rules=Rules())["patient_id"].to_list() for i in (1, 2, 3)] == [["P", "Q"], ["P"], ["P"]]


def test_dates_are_counted_from_the_index_infusion(tmp_path):
    cohort = read(
        tmp_path,
        patients="patient_id,last_contact,death,diagnosis\nP,2024-12-31,2024-12-31,CLL",
        infusions="""patient_id,infusion,date,dose_cells_per_kg,lymphodepletion
        P,1,2023-06-01,2e6,Cy/Flu
        P,2,2024-02-01,2e7,Cy/Flu""",
        responses="patient_id,date,response\nP,2024-03-01,PR\nP,2024-05-01,PD",
        mrd="patient_id,date,result\nP,2024-02-29,undetectable",
    )
    row = derive(cohort, 2, rules=Rules()).row(0, named=True)
    assert part(row, "pfs_days", "os_days", "dor_days", "umrd_day28") == {
        "pfs_days": 90,
        "os_days": 334,
        "dor_days": 61,
        "umrd_day28": "yes",
    }


def test_columns_of_the_input_do_not_stand_in_for_derived_ones(tmp_path):
    cohort = read(
        tmp_path,
        patients="patient_id,last_contact,death,diagnosis\nP,1000,,CLL",
        infusions="patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\nP,1,0,2e6,Cy/Flu\nP,2,100,2e7,Cy/Flu",
        responses="patient_id,day,response,diagnosis,t,rank,_index,_horizon\nP,130,PR,ALL,x,x,x,x",
        mrd="patient_id,day,result,umrd_day28,diagnosis\nP,128,undetectable,no,ALL",
        therapies="patient_id,day,therapy,source,t\nP,200,ibrutinib,x,x",
    )
    row = derive(cohort, 2, rules=Rules()).row(0, named=True)
    assert part(row, "response", "dor_days", "pfs_days", "umrd_day28", "ttnt_days") == {
        "response": "PR",
        "dor_days": 0,
        "pfs_days": 30,
        "umrd_day28": "yes",
        "ttnt_days": 100,
    }
