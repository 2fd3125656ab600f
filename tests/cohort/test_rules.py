"""Each check: a literal cohort that breaks it, and the exact problem."""

import pytest

from helpers import places, problems_of, read, write_folder
from reinfuse import read_cohort

PATIENTS = """patient_id,last_contact,death,death_cause,diagnosis
P01,500,,,CLL
P02,300,300,disease,NHL"""
INFUSIONS = """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
P01,1,0,2e6,Cy/Flu
P01,2,100,2e7,Cy/Flu
P02,1,0,2e6,Cy
P02,2,150,1e6,Cy/Flu"""
GOOD = {
    "patients": PATIENTS,
    "infusions": INFUSIONS,
    "responses": "patient_id,day,response,criteria\nP01,130,CR,iwCLL\nP02,180,PR,Lugano",
    "mrd": "patient_id,day,result,value,method\nP01,128,undetectable,,flow\nP02,179,,0.01,NGS",
    "counts": "patient_id,day,value,unit,below_lloq\nP01,107,52.5,cells/uL,no\nP02,157,3,copies/ug,yes",
    "toxicities": "patient_id,infusion,kind,grade,day\nP01,2,CRS,2,103\nP02,1,ICANS,0,",
    "therapies": "patient_id,day,therapy,kind\nP01,400,ibrutinib,anticancer\nP02,250,IVIG,supportive",
}


def broken(folder, table, old, new):
    """Write the good cohort with one text of one table replaced."""
    assert GOOD[table].count(old) == 1
    return write_folder(folder, **(GOOD | {table: GOOD[table].replace(old, new)}))


def test_the_good_cohort_has_no_problem(tmp_path):
    cohort = read(tmp_path, **GOOD)
    assert (cohort.warnings, cohort.extra) == ((), {})


def test_things_of_one_day_do_not_contradict_each_other(tmp_path):
    tables = GOOD | {
        "patients": PATIENTS.replace("300,300", "150,150"),
        "responses": "patient_id,day,response\nP01,500,PD\nP02,150,NE",
        "toxicities": "patient_id,infusion,kind,grade,day\nP01,2,CRS,2,100\nP02,2,CRS,5,150",
        "mrd": "patient_id,day,result\nP01,500,detectable",
        "counts": "patient_id,day,value,unit\nP02,150,1,cells/uL",
        "therapies": "patient_id,day,therapy,kind\nP01,500,ibrutinib,anticancer",
    }
    assert read(tmp_path, **tables).warnings == ()


CELLS = [
    ("patients", "P02,", ",", [("patients", 2, "patient_id", None, "patient_id is missing")]),
    ("patients", "P02,", "N/A,", [("patients", 2, "patient_id", "N/A", "patient_id is missing")]),
    (
        "patients",
        ",500,",
        ",2024-01-01,",
        [("patients", 1, "last_contact", "2024-01-01", "last_contact is not a number")],
    ),
    ("patients", ",500,", ",500.5,", [("patients", 1, "last_contact", "500.5", "last_contact is not a whole number")]),
    ("patients", ",500,,", ",500,unknown,", [("patients", 1, "death", "unknown", "death is entered as unknown")]),
    ("patients", ",500,,", ",500,?,", [("patients", 1, "death", "?", "death is entered as unknown")]),
    (
        "patients",
        "disease",
        "infection",
        [("patients", 2, "death_cause", "infection", "death_cause is not an accepted value")],
    ),
    ("infusions", "P01,1", "P01,one", [("infusions", 1, "infusion", "one", "infusion is not a number")]),
    (
        "infusions",
        "P01,1",
        "P01,0",
        [("infusions", 1, "infusion", "0", "infusion is outside the possible range, from 1 to 20")],
    ),
    ("infusions", "P01,2,100", "P01,2,", [("infusions", 2, "day", None, "day is missing")]),
    (
        "infusions",
        "2e7",
        "2",
        [
            (
                "infusions",
                2,
                "dose_cells_per_kg",
                "2",
                "dose_cells_per_kg is outside the possible range, from 1000 to 1e+09 cells/kg",
            )
        ],
    ),
    (
        "infusions",
        "2e7",
        "2x107",
        [("infusions", 2, "dose_cells_per_kg", "2x107", "dose_cells_per_kg is not a number")],
    ),
    (
        "infusions",
        "6,Cy\n",
        "6,Cyy\n",
        [("infusions", 3, "lymphodepletion", "Cyy", "lymphodepletion holds an unrecognised regimen or agent")],
    ),
    ("responses", "CR", "VGPR", [("responses", 1, "response", "VGPR", "response is not an accepted value")]),
    ("responses", "CR", "", [("responses", 1, "response", None, "response is missing")]),
    ("mrd", "0.01", "1.5", [("mrd", 2, "value", "1.5", "value is outside the possible range, from 0 to 1 fraction")]),
    ("mrd", "0.01", "<1e-4", [("mrd", 2, "value", "<1e-4", "value is not a number")]),
    ("mrd", ",undetectable", ",ok", [("mrd", 1, "result", "ok", "result is not an accepted value")]),
    ("counts", "cells/uL", "cells", [("counts", 1, "unit", "cells", "unit is not an accepted value")]),
    ("counts", "52.5", "-1", [("counts", 1, "value", "-1", "value is outside the possible range, 0 or more")]),
    ("counts", "yes", "2", [("counts", 2, "below_lloq", "2", "below_lloq is neither yes nor no")]),
    (
        "toxicities",
        "CRS,2",
        "CRS,7",
        [("toxicities", 1, "grade", "7", "grade is outside the possible range, from 0 to 5")],
    ),
    ("toxicities", "CRS,2", "CRS,", [("toxicities", 1, "grade", None, "grade is missing")]),
    ("toxicities", "CRS,2", ",2", [("toxicities", 1, "kind", None, "kind is missing")]),
    ("therapies", "400", "month 13", [("therapies", 1, "day", "month 13", "day is not a number")]),
    (
        "therapies",
        "anticancer",
        "chemo",
        [("therapies", 1, "kind", "chemo", "kind is not an accepted value")],
    ),
]


@pytest.mark.parametrize(("table", "old", "new", "expected"), CELLS)
def test_a_cell_that_is_not_understood(tmp_path, table, old, new, expected):
    problems = problems_of(broken(tmp_path, table, old, new))
    found = [(p.table, p.row, p.column, p.value, p.rule) for p in problems if p.table == table]
    assert found == expected
    assert all(p.severity == "error" for p in problems)


def test_a_death_that_is_not_known_is_refused_in_dates_too(tmp_path):
    patients = "patient_id,last_contact,death,diagnosis\nP01,2021-01-01,unknown,CLL"
    infusions = "patient_id,infusion,date,dose_cells_per_kg,lymphodepletion\nP01,1,2020-01-01,2e6,Cy/Flu"
    problems = problems_of(write_folder(tmp_path, patients=patients, infusions=infusions))
    assert places(problems) == [("patients", 1, "death", "unknown", "error")]


HEADERS = [
    ("patients", "death,", "deaths,", "death", "the column is missing", "is it 'deaths'? rename it"),
    ("patients", "last_contact", "zzz", "last_contact", "the column is missing", "add it: date or day on which the"),
    ("infusions", "lymphodepletion", "lymphodepletn", "lymphodepletion", "the column is missing", "is it 'lymphodepl"),
    ("responses", "day,", "days_after,", "date", "has neither a date nor a day column", "add one"),
    ("counts", ",unit", ",units", "unit", "the column is missing", "is it 'units'? rename it"),
    ("toxicities", "grade", "score", "grade", "the column is missing", "add it: grade of severity"),
]


@pytest.mark.parametrize(("table", "old", "new", "column", "rule", "remedy"), HEADERS)
def test_a_column_that_is_missing(tmp_path, table, old, new, column, rule, remedy):
    problems = problems_of(broken(tmp_path, table, old, new))
    (problem,) = [p for p in problems if p.severity == "error"]
    assert (problem.table, problem.row, problem.column, problem.rule) == (table, None, column, rule)
    assert problem.remedy.startswith(remedy)


def test_a_column_that_is_not_declared_is_kept_with_a_warning(tmp_path):
    header = GOOD["patients"].replace("diagnosis", "diagnosis,centre,deaths")
    cohort = read(tmp_path, **(GOOD | {"patients": header.replace("CLL", "CLL,Ulm,1") + ",Bonn,"}))
    expected = [("patients", None, "centre", None, "warning"), ("patients", None, "deaths", None, "warning")]
    assert places(cohort.warnings) == expected
    assert cohort.warnings[0].remedy.startswith("nothing: it is kept")
    assert cohort.warnings[1].remedy.startswith("did you mean death? otherwise nothing")
    assert cohort.tables["patients"]["centre"].to_list() == ["Ulm", "Bonn"]


@pytest.mark.parametrize(
    ("table", "column", "meant"),
    [
        ("patients", "sexx", "sex"),
        ("patients", "histolgy", "histology"),
        ("therapies", "kinds", "kind"),
        ("toxicities", "dates", "date"),
        ("infusions", "prior_line", "prior_lines"),
        ("mrd", "results", "result"),
    ],
)
def test_a_misspelt_column_is_refused_and_not_lost(tmp_path, table, column, meant):
    tables = GOOD | {"therapies": "patient_id,day,therapy\nP01,160,IVIG", "mrd": "patient_id,day,value\nP01,130,0.1"}
    tables["toxicities"] = "patient_id,infusion,kind,grade\nP01,2,CRS,1"
    head, *rows = tables[table].splitlines()
    tables[table] = "\n".join([f"{head},{column}", *(f"{row}," for row in rows)])
    (problem,) = problems_of(write_folder(tmp_path, **tables))
    assert (problem.table, problem.column, problem.severity) == (table, column, "error")
    assert problem.rule == f"the column is not read, and its name is nearly {meant}"
    assert problem.remedy.startswith(f"name it {meant} if it is that (")


def test_a_misspelt_column_that_the_plan_names_is_its_own(tmp_path):
    cohort_folder = broken(tmp_path, "patients", "diagnosis\nP01,500,,,CLL\nP02,300,300,disease,NHL",
                  "diagnosis,sexx\nP01,500,,,CLL,F\nP02,300,300,disease,NHL,M")  # fmt: skip
    assert read_cohort(cohort_folder, used=("sexx",)).warnings == ()


def test_a_wanted_column_needs_no_warning(tmp_path):
    folder = broken(tmp_path, "patients", "diagnosis\nP01,500,,,CLL\nP02,300,300,disease,NHL",
                    "diagnosis,LDH\nP01,500,,,CLL,240\nP02,300,300,disease,NHL,")  # fmt: skip
    cohort = read_cohort(folder, used=("LDH",))
    assert cohort.warnings == ()
    assert cohort.tables["patients"]["LDH"].to_list() == ["240", None]


BETWEEN_CELLS = [
    (
        "duplicate patient",
        {"patients": PATIENTS + "\nP01,500,,,CLL"},
        ("patients", 3, "patient_id", "P01", "patient_id already occurs in an earlier row"),
    ),
    (
        "duplicate infusion",
        {"infusions": INFUSIONS + "\nP02,2,200,2e6,Cy"},
        ("infusions", 5, "infusion", "2", "patient_id and infusion already occurs in an earlier row"),
    ),
    (
        "unknown patient",
        {"mrd": GOOD["mrd"].replace("P02", "P03")},
        ("mrd", 2, "patient_id", "P03", "the patient is not in the table patients"),
    ),
    (
        "a gap in the infusions",
        {"infusions": INFUSIONS.replace("P02,2", "P02,3")},
        ("infusions", 4, "infusion", "3", "an earlier infusion of the patient is missing"),
    ),
    (
        "the second infusion first",
        {"infusions": INFUSIONS.replace("P01,2,100", "P01,2,-5")},
        ("infusions", 2, "day", "-5", "the infusion is not after the previous one"),
    ),
    (
        "both infusions on one day",
        {"infusions": INFUSIONS.replace("P01,2,100", "P01,2,0")},
        ("infusions", 2, "day", "0", "the infusion is not after the previous one"),
    ),
    (
        "the first infusion on another day than 0",
        {"infusions": INFUSIONS.replace("P02,1,0", "P02,1,7")},
        ("infusions", 3, "day", "7", "day 0 is the first infusion, and this one is on another day"),
    ),
    (
        "neither last contact nor death",
        {"patients": PATIENTS.replace(",500,", ",,")},
        ("patients", 1, "last_contact", None, "neither last contact nor death is known"),
    ),
    (
        "a cause of death without death",
        {"patients": PATIENTS.replace(",500,,,", ",500,,treatment,")},
        ("patients", 1, "death_cause", "treatment", "has a cause of death but no death"),
    ),
    (
        "last contact after death",
        {"patients": PATIENTS.replace("300,300", "301,300")},
        ("patients", 2, "last_contact", "301", "last contact is after death"),
    ),
    (
        "an assessment after death",
        {"responses": GOOD["responses"].replace("180", "301")},
        ("responses", 2, "day", "301", "is after the patient's death"),
    ),
    (
        "a therapy after last contact",
        {"therapies": GOOD["therapies"].replace("400", "501")},
        ("therapies", 1, "day", "501", "is after the patient's last contact"),
    ),
    (
        "a toxicity after death",
        {"toxicities": GOOD["toxicities"].replace("ICANS,0,", "ICANS,0,301")},
        ("toxicities", 2, "day", "301", "is after the patient's death"),
    ),
    (
        "an infusion after death",
        {"infusions": INFUSIONS.replace("P02,2,150", "P02,2,301")},
        ("infusions", 4, "day", "301", "is after the patient's death"),
    ),
    (
        "a toxicity of an infusion that was not given",
        {"toxicities": GOOD["toxicities"].replace("P02,1", "P02,3")},
        ("toxicities", 2, "infusion", "3", "the patient had no infusion of this number"),
    ),
    (
        "a toxicity before its infusion",
        {"toxicities": GOOD["toxicities"].replace("103", "99")},
        ("toxicities", 1, "day", "99", "the toxicity is before its infusion"),
    ),
    (
        "a test without result and value",
        {"mrd": GOOD["mrd"].replace(",undetectable", ",")},
        ("mrd", 1, "result", None, "has neither a result nor a value"),
    ),
    (
        "tests without the columns result and value",
        {"mrd": "patient_id,day,method\nP01,128,flow"},
        ("mrd", None, "result", None, "has neither a result nor a value column"),
    ),
    (
        "no patient",
        {"patients": PATIENTS.partition("\n")[0], **{t: GOOD[t].partition("\n")[0] for t in GOOD if t != "patients"}},
        ("patients", None, None, None, "holds no patient"),
    ),
]


@pytest.mark.parametrize(("tables", "expected"), [c[1:] for c in BETWEEN_CELLS], ids=[c[0] for c in BETWEEN_CELLS])
def test_rows_that_contradict_each_other(tmp_path, tables, expected):
    problems = problems_of(write_folder(tmp_path, **({"patients": PATIENTS, "infusions": INFUSIONS} | tables)))
    assert [(p.table, p.row, p.column, p.value, p.rule) for p in problems if p.severity == "error"] == [expected]


@pytest.mark.parametrize(
    ("table", "old", "new", "expected"),
    [
        ("patients", ",500,,,", ",5OO,,,", [("patients", 1, "last_contact", "5OO")]),
        ("patients", ",500,,,", ",500,x,disease,", [("patients", 1, "death", "x")]),
        ("mrd", ",,0.01", ",,<0.01", [("mrd", 2, "value", "<0.01")]),
        ("infusions", "P01,1,0", "P01,I,0", [("infusions", 1, "infusion", "I")]),
    ],
)
def test_a_cell_that_is_not_understood_is_not_called_empty_too(tmp_path, table, old, new, expected):
    problems = problems_of(broken(tmp_path, table, old, new))
    assert [(p.table, p.row, p.column, p.value) for p in problems] == expected


def test_tables_without_their_key_columns_are_refused(tmp_path):
    infusions = "infusion,dose_cells_per_kg,lymphodepletion\n1,2e6,Cy"
    responses = "patient_id,_time,response\nP01,130,CR"
    problems = problems_of(write_folder(tmp_path, **(GOOD | {"infusions": infusions, "responses": responses})))
    assert [(p.table, p.column, p.rule) for p in problems if p.table in ("infusions", "responses")] == [
        ("infusions", "date", "has neither a date nor a day column"),
        ("infusions", "patient_id", "the column is missing"),
        ("responses", "date", "has neither a date nor a day column"),
        ("responses", "_time", "the column is not a declared one"),
    ]


def test_days_are_shown_as_dates_where_the_cohort_has_dates(tmp_path):
    patients = "patient_id,last_contact,death,diagnosis\nP01,2021-01-02,2021-01-01,CLL\nP02,2021-01-01,,CLL"
    infusions = """patient_id,infusion,date,dose_cells_per_kg,lymphodepletion
    P01,1,2020-01-01,2e6,Cy/Flu
    P01,2,2019-12-31,2e6,Cy/Flu
    P02,1,2020-01-01,2e6,Cy/Flu"""
    toxicities = "patient_id,infusion,kind,grade,date\nP01,1,CRS,1,2019-12-30\nP02,1,CRS,1,2021-01-02"
    problems = problems_of(write_folder(tmp_path, patients=patients, infusions=infusions, toxicities=toxicities))
    assert places(problems) == [
        ("infusions", 2, "date", "2019-12-31", "error"),
        ("patients", 1, "last_contact", "2021-01-02", "error"),
        ("toxicities", 1, "date", "2019-12-30", "error"),
        ("toxicities", 2, "date", "2021-01-02", "error"),
    ]


def test_an_unknown_patient_is_told_the_nearest_known_one(tmp_path):
    (problem,) = problems_of(broken(tmp_path, "mrd", "P02", "p02"))
    assert problem.remedy.startswith("did you mean 'P02'? ")


WARNINGS = [
    (
        "responses",
        GOOD["responses"] + "\nP01,130,PR,iwCLL",
        [
            ("responses", 1, "response", "CR", "another assessment of the day differs"),
            ("responses", 3, "response", "PR", "another assessment of the day differs"),
        ],
    ),
    (
        "responses",
        GOOD["responses"] + "\nP02,180,PR,Lugano",
        [("responses", 3, "patient_id", "P02", "the row repeats an earlier row")],
    ),
    ("responses", GOOD["responses"] + "\nP01,130,NE,iwCLL", []),
    (
        "toxicities",
        GOOD["toxicities"] + "\nP01,2,CRS,2,103",
        [("toxicities", 3, "patient_id", "P01", "the row repeats an earlier row")],
    ),
]


@pytest.mark.parametrize(("table", "text", "expected"), WARNINGS)
def test_what_is_odd_is_a_warning(tmp_path, table, text, expected):
    cohort = read(tmp_path, **(GOOD | {table: text}))
    assert [(p.table, p.row, p.column, p.value, p.rule) for p in cohort.warnings] == expected
    assert all(p.severity == "warning" for p in cohort.warnings)


BAD = {
    "patients": """patient_id,last_contact,death,death_cause,diagnosis,sex
    P01,500,,,CLL,F
    P02,301,300,disease,NHL,M
    P03,400,,treatment,ALL,Q
    P01,500,,,CLL,F""",
    "infusions": """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
    P01,1,0,-5,Cy/Flu
    P01,3,100,2e6,Cy/Flu
    P02,1,3,2e6,Cy
    P03,1,0,2x106,magic
    P9,1,0,2e6,Cy""",
    "responses": "patient_id,day,response\nP01,130,good\nP02,400,CR\nP03,,PR",
    "mrd": "patient_id,result\nP01,undetectable",
    "toxicities": "patient_id,infusion,kind,grade\nP01,2,CRS,7",
}


def test_all_problems_of_a_cohort_are_told_at_once(tmp_path):
    problems = problems_of(write_folder(tmp_path, **BAD))
    assert [(p.table, p.row, p.column, p.value) for p in problems] == [
        ("infusions", 1, "dose_cells_per_kg", "-5"),
        ("infusions", 2, "infusion", "3"),
        ("infusions", 3, "day", "3"),
        ("infusions", 4, "dose_cells_per_kg", "2x106"),
        ("infusions", 4, "lymphodepletion", "magic"),
        ("infusions", 5, "patient_id", "P9"),
        ("mrd", None, "date", None),
        ("patients", 2, "last_contact", "301"),
        ("patients", 3, "death_cause", "treatment"),
        ("patients", 3, "sex", "Q"),
        ("patients", 4, "patient_id", "P01"),
        ("responses", 1, "response", "good"),
        ("responses", 2, "day", "400"),
        ("responses", 3, "day", None),
        ("toxicities", 1, "grade", "7"),
        ("toxicities", 1, "infusion", "2"),
    ]
    assert {p.severity for p in problems} == {"error"}


def test_the_text_of_a_refusal_holds_no_value_of_a_patient(tmp_path):
    from reinfuse import read_cohort
    from reinfuse.exceptions import CohortRefused

    with pytest.raises(CohortRefused) as caught:
        read_cohort(write_folder(tmp_path, **BAD))
    first, *kinds = str(caught.value).splitlines()
    assert first == (
        "the cohort was refused, 16 problems (infusions: 6, mrd: 1, patients: 4, responses: 3, toxicities: 2):"
    )
    assert len(kinds) == 16
    assert kinds[2] == (
        "- infusions, row 4 of the sheet, day: day 0 is the first infusion, and this one is on another day → count the "
        "days of this patient from the first infusion"
    )
    for value in ("P9", "2x106", "magic", "P01", "301", "400"):
        assert value not in str(caught.value)
    for value in ("P9", "2x106", "magic", "P01"):
        assert value not in repr(caught.value.problems)


def test_an_mrd_result_against_its_value_is_a_warning(tmp_path):
    mrd = "patient_id,day,result,value\nP01,128,undetectable,0.02\nP01,129,undetectable,0.00001"
    cohort = read(tmp_path, **(GOOD | {"mrd": mrd}))
    assert [(p.table, p.row, p.column, p.value) for p in cohort.warnings] == [("mrd", 1, "value", "0.02")]
