"""What is understood of one cell: each reading beside its text, and what must stay open beside what is read."""

from datetime import date

import pytest

from reinfuse.sources.values import understand
from reinfuse.sources.values.dates import completed, date_orders, depends_on_order, read_source_date
from reinfuse.sources.values.doses import dose_unit, read_dose
from reinfuse.sources.values.units import time_unit

UNDETECTABLE, DETECTABLE = "undetectable", "detectable"


def parts(column, text, **settings):
    said = understand(column, text, **settings)
    return None if said is None else dict(said.parts)


@pytest.mark.parametrize(("text", "iso"), [
    ("2019-03-15", "2019-03-15"), ("2019/3/5", "2019-03-05"), ("2019-03-15 00:00:00", "2019-03-15"),
    ("15 March 2019", "2019-03-15"), ("15. März 2019", "2019-03-15"), ("15-Mar-19", "2019-03-15"),
    ("15MAR2019", "2019-03-15"), ("Mar 5, 2020", "2020-03-05"), ("12 de mayo de 2021", "2021-05-12"),
    ("1er mars 2020", "2020-03-01"), ("5-juil-2020", "2020-07-05"), ("12. Dez. 2020", "2020-12-12"),
    ("25/11/2019", "2019-11-25"), ("12/25/2019", "2019-12-25"), ("05.05.2019", "2019-05-05"),
    ("20190315", "2019-03-15"), ("43905", "2020-03-15"), ("2019-03-15T14:30:00", "2019-03-15"),
])  # fmt: skip
def test_dates_with_one_reading(text, iso):
    assert read_source_date(text).iso == iso


@pytest.mark.parametrize(("text", "iso"), [
    ("2019", "2019"), ("03/2019", "2019-03"), ("Mar 2019", "2019-03"), ("März 2019", "2019-03"), ("2019-03", "2019-03"),
    ("UN-MAR-2019", "2019-03"), ("XX.03.2019", "2019-03"), ("00.00.2019", "2019"), ("UN-UN-2019", "2019"),
    ("2019-03-UU", "2019-03"), ("??/03/2019", "2019-03"),
])  # fmt: skip
def test_a_date_without_its_day_is_cut_short_and_never_filled_in(text, iso):
    read = read_source_date(text)
    assert (read.iso, read.is_partial) == (iso, True)


@pytest.mark.parametrize("text", [
    "31.02.2020", "Mar-19", "03/19", "2019-20", "1.5", "30", "early 2019", "before 12 May 2019", "12/11/2019",
    "12.11.19",
    "juin/juillet 2019", "12 jui 2019", "2019-13-01",
])  # fmt: skip
def test_what_is_no_date_or_has_two_readings_is_not_read(text):
    assert read_source_date(text) is None


@pytest.mark.parametrize(("text", "order", "iso"), [
    ("12/11/2019", "dmy", "2019-11-12"), ("12/11/2019", "mdy", "2019-12-11"), ("12.11.19", "dmy", "2019-11-12"),
    ("19-11-12", "ymd", "2019-11-12"), ("2019-03-15", "dmy", "2019-03-15"), ("12/25/2019", "dmy", None),
    ("25/12/2019", "mdy", None), ("25/12/2019", "ymd", None),
])  # fmt: skip
def test_an_order_reads_its_own_dates_and_no_others(text, order, iso):
    read = read_source_date(text, order)
    assert (read and read.iso) == iso


def test_the_cells_decide_the_order_or_it_stays_open():
    latest = date(2026, 11, 29)
    assert date_orders(["12/11/2019", "03/04/2020"], latest=latest) == ("dmy", "mdy")
    assert date_orders(["12/11/2019", "25/04/2020", "2020-01-01", "lost"], latest=latest) == ("dmy",)
    assert date_orders(["12/11/2019", "04/25/2020"], latest=latest) == ("mdy",)
    assert date_orders(["25/11/2019", "04/25/2020"], latest=latest) == ()
    assert date_orders(["2020-01-01"], latest=latest) == ("dmy", "mdy", "ymd")
    assert date_orders(["12.11.19", "28.03.20"], latest=latest) == ("dmy",)  # no infusion of 2028
    assert date_orders(["12.11.19", "20.03.20"], latest=latest) == ("dmy", "ymd")
    assert [depends_on_order(t) for t in ("12/11/2019", "12/12/2019", "25/12/2019")] == [True, False, False]


def test_a_policy_completes_a_date_that_was_cut_short():
    days = [completed("2019-02", p) for p in ("refuse", "first", "middle", "last")]
    assert days == [None, "2019-02-01", "2019-02-15", "2019-02-28"]
    assert [completed("2019", p) for p in ("first", "middle", "last")] == ["2019-01-01", "2019-07-01", "2019-12-31"]
    assert completed("2019-02-03", "refuse") == "2019-02-03"


@pytest.mark.parametrize(("text", "cells", "per"), [
    ("2e6", 2e6, ""), ("2 x 10^6", 2e6, ""), ("2x10⁶/kg", 2e6, "kg"), ("2e6/kg", 2e6, "kg"), ("200k/kg", 2e5, "kg"),
    ("120 Mio", 1.2e8, ""), ("1.2 Mio/kg", 1.2e6, "kg"), ("1,2 Mio/kg", 1.2e6, "kg"), ("150 million", 1.5e8, ""),
    ("150 million CAR+ cells", 1.5e8, ""), ("flat dose 150 Mio", 1.5e8, "total"), ("100 M total", 1e8, "total"),
    ("2 x 10^6 viable CAR T cells/kg", 2e6, "kg"), ("0,1 Mrd", 1e8, ""), ("3 Mio Zellen/kg KG", 3e6, "kg"),
    ("2,000,000", 2e6, ""), ("0.2x10^6/kg", 2e5, "kg"),
])  # fmt: skip
def test_a_dose_tells_whether_it_is_per_kg_in_all_or_neither(text, cells, per):
    dose = read_dose(text, mark=".")
    assert (dose.cells, dose.per) == (cells, per)


@pytest.mark.parametrize("text", ["2 x 10e6", "10e6/kg", "2x106", "~2e6/kg", "1-2e6/kg", "2 mg/kg", "2e6/m2", "2.10^6"])
def test_a_dose_with_two_readings_or_of_something_else_is_not_read(text):
    assert read_dose(text, mark=".") is None


@pytest.mark.parametrize(("text", "unit", "expected"), [
    ("2", "1e6 cells/kg", {"dose_cells_per_kg": "2000000"}), ("120", "1e6 cells", {"dose_cells": "120000000"}),
    ("120 Mio", "1e6 cells", {"dose_cells": "120000000"}), ("2e6", "1e6 cells/kg", {"dose_cells_per_kg": "2000000"}),
    ("2000000", "1e6 cells/kg", {"dose_cells_per_kg": "2000000"}), ("1.5e8", "1e6 cells/kg", {"dose": "150000000"}),
    ("120 Mio", "1e6 cells/kg", {"dose": "120000000"}),
    ("1.2 Mio", "1e6 cells/kg", {"dose_cells_per_kg": "1200000"}),
    ("2e6", "cells/kg", {"dose_cells_per_kg": "2000000"}),
    ("2e6/kg", "1e6 cells/kg", {"dose_cells_per_kg": "2000000"}),
    ("0.07", "1e6 cells/kg", {"dose_cells_per_kg": "70000"}), ("150000000", "cells", {"dose_cells": "150000000"}),
    ("1.2 Mio/kg", "cells", {"dose_cells_per_kg": "1200000"}), ("120 Mio", "", {"dose": "120000000"}),
])  # fmt: skip
def test_the_units_of_map_and_cell_are_applied_once(text, unit, expected):
    assert parts("dose_cells_per_kg", text, unit=unit) == expected


@pytest.mark.parametrize(("header", "unit"), [
    ("Dose (x10^6/kg)", "1e6 cells/kg"), ("CART #1 | Dose [x10⁶ cells/kg]", "1e6 cells/kg"),
    ("Zelldosis (Mio)", "1e6 cells"),
    ("Dose (10E6/kg)", "1e6 cells/kg"), ("Dose (x 106/kg)", "1e6 cells/kg"), ("dose_cells_per_kg", "cells/kg"),
    ("cells infused (10^8)", "1e8 cells"), ("total cells", "cells"),
])  # fmt: skip
def test_a_header_names_the_unit_of_its_doses(header, unit):
    assert str(dose_unit(header)) == unit


def test_a_header_without_a_unit_names_none():
    assert dose_unit("Dose") is None
    assert [time_unit(h) for h in ("PFS", "PFS (mo)", "os_days", "OS [Monate]", "m")] == [
        None, "months", "days", "months", None,
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [
    ("CR", {"response": "CR"}), ("CRi/MRD-", {"response": "CRi", "mrd": UNDETECTABLE}),
    ("CR MRD-", {"response": "CR", "mrd": UNDETECTABLE}), ("MRD neg CR", {"response": "CR", "mrd": UNDETECTABLE}),
    ("CR MRD-positive", {"response": "CR", "mrd": DETECTABLE}), ("CR, uMRD", {"response": "CR", "mrd": UNDETECTABLE}),
    ("PD (D28)", {"response": "PD", "day": "28"}), ("PR (iwCLL 2018)", {"response": "PR", "criteria": "iwCLL"}),
    ("CR day 28 MRD neg", {"response": "CR", "mrd": UNDETECTABLE, "day": "28"}),
    ("CR M3", {"response": "CR", "month": "3"}),
    ("PD 25.12.2021", {"response": "PD", "date": "2021-12-25"}),
    ("PD (05/2021)", {"response": "PD", "date": "2021-05"}),
    ("CMR", {"response": "CR"}), ("CMR (Deauville 2)", {"response": "CR"}), ("PAR", {"response": "PR"}),
    ("SAD", {"response": "SD"}), ("NMR", {"response": "SD"}), ("PAD", {"response": "PD"}), ("CRu", {"response": "CR"}),
    ("CRh", {"response": "CRi"}), ("relapse/PD", {"response": "PD"}), ("Komplette Remission", {"response": "CR"}),
])  # fmt: skip
def test_a_response_with_what_stands_beside_it(text, expected):
    assert parts("response", text) == expected


@pytest.mark.parametrize("text", [
    "NR", "No response", "refractory", "VGPR", "NED", "CR?", "PR -> CR", "PR → CR", "CR/CRi", "CR D28, PD D90",
    "PR by CT, CR by PET", "no CR", "CR MRD-/PD", "PD (12.11.2021)", "CR with MRD", "MRD-", "MRD neg/MRD pos",
    "stable? PD",
    "continued CR", "not PD", "12", "CR*",
])  # fmt: skip
def test_what_may_be_two_responses_is_asked_about(text):
    assert understand("response", text) is None


@pytest.mark.parametrize(("text", "expected"), [
    ("neg", {"result": UNDETECTABLE}), ("uMRD4", {"result": UNDETECTABLE}), ("<10^-4", {"result": UNDETECTABLE}),
    ("< 0.01 %", {"result": UNDETECTABLE}), ("≥1e-4", {"result": DETECTABLE}), ("+", {"result": DETECTABLE}),
    ("pos (0.02 %)", {"result": DETECTABLE, "value": "0.0002"}), ("0.02%", {"value": "0.0002"}),
    ("NGS neg", {"method": "NGS", "result": UNDETECTABLE}),
    ("BM: undetectable", {"compartment": "marrow", "result": UNDETECTABLE}),
    ("-", None), ("<1%", None), ("yes", None), ("0", None), ("1", None), ("neg/pos", None), ("equivocal", None),
    ("n/a", {}),
])  # fmt: skip
def test_results_of_residual_disease(text, expected):
    assert parts("result", text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("G2", "2"), ("grade 3", "3"), ("2 (ASTCT)", "2"), ("0/none", "0"), ("none", "0"), ("III", "3"), ("no CRS", "0"),
    ("Grad 1", "1"), ("2.0", "2"), ("max 2", "2"), ("1-2", None), (">=3", None), ("yes", None), ("6", None),
    ("2.5", None),
])  # fmt: skip
def test_grades(text, expected):
    assert (parts("grade", text) or {}).get("grade") == expected


def test_two_kinds_of_toxicity_in_one_cell_are_parts():
    assert parts("grade", "CRS G2, ICANS 0") == {"CRS": "2", "ICANS": "0"}
    assert parts("grade", "2/1") is None


@pytest.mark.parametrize(("column", "text", "expected"), [
    ("death", "died 12 May 2021", {"status": "dead", "death": "2021-05-12"}), ("death", "alive", {"status": "alive"}),
    ("death", "alive 3/2024", {"status": "alive", "last_contact": "2024-03"}),
    ("death", "2021-05-12", {"death": "2021-05-12"}),
    ("death", "† 25.05.2021", {"status": "dead", "death": "2021-05-25"}), ("death", "dead", {"status": "dead"}),
    ("death", "unknown", None), ("death", "no", None), ("death", "", {}), ("death", "died 04/05/2021", None),
    ("last_contact", "alive 3/2024", {"status": "alive", "last_contact": "2024-03"}),
    ("last_contact", "died 12 May 2021", {"status": "dead", "death": "2021-05-12", "last_contact": "2021-05-12"}),
    ("last_contact", "lost to follow-up 03/2022", {"status": "alive", "last_contact": "2022-03"}),
    ("last_contact", "alive, last seen 2024-01-01", {"status": "alive", "last_contact": "2024-01-01"}),
])  # fmt: skip
def test_death_and_last_contact(column, text, expected):
    assert parts(column, text) == expected


@pytest.mark.parametrize(("column", "text", "expected"), [
    ("diagnosis", "DLBCL", {"diagnosis": "NHL", "histology": "DLBCL"}), ("diagnosis", "B ALL", {"diagnosis": "ALL"}),
    ("diagnosis", "MM", {"diagnosis": "MM"}), ("diagnosis", "CLL (17p-)", None), ("diagnosis", "2", None),
    ("sex", "weiblich", {"sex": "F"}), ("sex", "w", {"sex": "F"}), ("sex", "1", None),
    ("bulky", "Ja", {"bulky": "yes"}),
    ("bulky", "x", None), ("reason", "Rezidiv", {"reason": "relapse"}), ("reason", "NR", None),
    ("death_cause", "TRM", {"death_cause": "treatment"}), ("death_cause", "infection", None),
    ("therapies.kind", "alloSCT", {"kind": "allo-HCT"}), ("therapies.kind", "1", None),
    ("toxicities.kind", "infection", {"kind": "infection"}), ("compartment", "KM", {"compartment": "marrow"}),
    ("age_years", "61 y", {"age_years": "61"}), ("age_years", "61,5", {"age_years": "61.5"}),
    ("prior_lines", ">=5", None),
    ("lymphodepletion", "Flu/Cy 30/500 x3", {"lymphodepletion": "Flu/Cy 30/500 x3", "class": "Cy-Flu"}),
    ("lymphodepletion", "as CART1", None), ("product", "axi-cel", {"product": "axi-cel"}),
    ("umrd_day28", "neg", {"umrd_day28": "yes"}), ("umrd_day28", "no", {"umrd_day28": "no"}),
    ("sex", "#REF!", None), ("sex", "keine Angabe", {}),
])  # fmt: skip
def test_other_columns(column, text, expected):
    assert parts(column, text) == expected


def test_times_become_days_and_say_so():
    said = understand("pfs_days", "12", unit="months")
    assert (dict(said.parts), said.how) == ({"pfs_days": "365.25"}, "months x 30.4375 days")
    assert parts("mrd.value", "0.5", unit="percent") == {"value": "0.005"}
