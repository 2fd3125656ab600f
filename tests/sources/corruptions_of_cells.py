"""Corruptions of single cells: dates, words, identifiers, the order of infusions."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from corruptions import DATES, DOSES, GRADES, IDS, RESPONSES, any_sheet, corruption, dates
from sheet_variants import NotHere, Variant, pick


def _form(v: Variant) -> str:
    return "%d.%m.%Y" if v.separator == ";" else "%m/%d/%Y"


@corruption
def dates_as_texts(rng: random.Random, v: Variant) -> None:
    """All dates of a column as texts with one reading."""
    sheet, j, moments = dates(v, *rng.sample(DATES, len(DATES)))
    form = rng.choice(["%Y-%m-%d", "%d %b %Y", "%Y/%m/%d", "%d. %B %Y", "%b %d, %Y", "%d-%b-%Y"])
    for i, moment in moments.items():
        v.rows[sheet][i][j] = moment.strftime(form)


@corruption
def dates_with_months_before_days(rng: random.Random, v: Variant) -> None:
    """All dates of a column as texts in the order of another country; days above 12 show it."""
    if v.is_text and v.separator == ",":
        raise NotHere
    sheet, j, moments = dates(v, *DATES)
    if all(m.day <= 12 for m in moments.values()):
        raise NotHere
    for i, moment in moments.items():
        v.rows[sheet][i][j] = moment.strftime("%m/%d/%Y")


@corruption
def one_date_with_the_month_first(rng: random.Random, v: Variant) -> None:
    """Day and month are exchanged in one cell, and the day shows it."""
    sheet, j, moments = dates(v, *rng.sample(DATES, len(DATES)))
    here = [i for i, m in moments.items() if m.day > 12]
    if not here:
        raise NotHere
    i = rng.choice(here)
    swapped = {"%d.%m.%Y": "%m.%d.%Y", "%m/%d/%Y": "%d/%m/%Y"}[_form(v)]
    v.rows[sheet][i][j] = moments[i].strftime(swapped if v.is_text else "%m/%d/%Y")


@corruption
def serial_numbers(rng: random.Random, v: Variant) -> None:
    """Dates that lost their format: days since 1900."""
    sheet, j, moments = dates(v, *DATES)
    for i, moment in moments.items():
        number = (moment - datetime(1899, 12, 30)).days
        v.rows[sheet][i][j] = str(number) if v.is_text else number


@corruption
def years_of_two_figures(rng: random.Random, v: Variant) -> None:
    sheet, j, moments = dates(v, *DATES)
    form = _form(v).replace("%Y", "%y") if v.is_text else "%d.%m.%y"
    for i, moment in moments.items():
        v.rows[sheet][i][j] = moment.strftime(form)


@corruption
def impossible_year(rng: random.Random, v: Variant) -> None:
    """A slip of the pen in one year."""
    sheet, j, moments = dates(v, *DATES[:3])
    i = rng.choice(sorted(moments))
    wrong = moments[i].replace(year=rng.choice([1920, 2090, 2190]), day=min(moments[i].day, 28))
    v.rows[sheet][i][j] = wrong.strftime(_form(v)) if v.is_text else wrong
    v.truth = None


@corruption
def day_cut_off(rng: random.Random, v: Variant) -> None:
    """One date without its day: no reading gives the day back."""
    sheet, j, moments = dates(v, *DATES[:3])
    i = rng.choice(sorted(moments))
    v.rows[sheet][i][j] = moments[i].strftime(rng.choice(["%m/%Y", "%b %Y", "%Y"]))
    v.truth = None


@corruption
def infusions_exchanged(rng: random.Random, v: Variant) -> None:
    """The dates of the first and the second infusion of a patient are exchanged."""
    sheet, j, moments = dates(v, "infusions[1].date", "infusions.date")
    if "long" in v.example.file:
        pairs = [(a, b) for a in moments for b in moments if a < b and v.rows[sheet][a][0] == v.rows[sheet][b][0]]
        a, b = rng.choice(pairs)
        v.rows[sheet][a][j], v.rows[sheet][b][j] = v.rows[sheet][b][j], v.rows[sheet][a][j]
    else:
        _, k, _ = v.column("infusions[2].date")
        row = v.rows[sheet][rng.choice(sorted(moments))]
        row[j], row[k] = row[k], row[j]
    v.truth = None


@corruption
def infusion_number_wrong(rng: random.Random, v: Variant) -> None:
    """An infusion bears the number of another."""
    sheet, j, _ = v.column("infusions.infusion")
    i = rng.choice([i for i in v.data(sheet) if v.rows[sheet][i][j] == 2])
    v.rows[sheet][i][j] = rng.choice([1, 3, "second?"])
    v.truth = None


@corruption
def death_before_the_infusion(rng: random.Random, v: Variant) -> None:
    sheet, j, moments = dates(v, "patients.death", "patients.last_contact")
    i = rng.choice(sorted(moments))
    early = moments[i] - timedelta(days=3000)
    v.rows[sheet][i][j] = early.strftime(_form(v)) if v.is_text else early
    v.truth = None


@corruption
def identifier_changed(rng: random.Random, v: Variant) -> None:
    """An identifier is mistyped in one row of one sheet: the other sheets do not know it."""
    sheet = any_sheet(rng, v)
    if len(v.rows) == 1:
        raise NotHere
    i = rng.choice(v.data(sheet))
    was = str(v.rows[sheet][i][0])
    v.rows[sheet][i][0] = rng.choice([was.replace("0", "O", 1), was.lower(), was.replace("-", ""), was[:-1] + "9"])
    v.truth = None


@corruption
def identifier_with_blanks(rng: random.Random, v: Variant) -> None:
    sheet, j, _ = v.column(*IDS)
    i = pick(rng, v, sheet, j)
    v.rows[sheet][i][j] = rng.choice([" {}", "{} ", "{}\u00a0"]).format(v.rows[sheet][i][j])


@corruption
def identifier_of_another(rng: random.Random, v: Variant) -> None:
    """Two patients bear one identifier."""
    sheet, j, _ = v.column("patients.patient_id", "sheet.patient_id")
    a, b = rng.sample(v.data(sheet), 2)
    v.rows[sheet][a][j] = v.rows[sheet][b][j]
    v.truth = None


@corruption
def identifier_missing(rng: random.Random, v: Variant) -> None:
    sheet, j, _ = v.column(*IDS, "infusions.patient_id")
    v.rows[sheet][rng.choice(v.data(sheet))][j] = "" if v.is_text else None
    v.truth = None


@corruption
def word_for_missing_as_response(rng: random.Random, v: Variant) -> None:
    """A word that means no assessment, or no response: only its centre knows."""
    sheet, j, _ = v.column(*RESPONSES)
    v.rows[sheet][pick(rng, v, sheet, j)][j] = rng.choice(["n.r.", "NRes", "refractory", "xx", "see letter", "9"])
    v.truth = None


@corruption
def word_for_missing_as_grade(rng: random.Random, v: Variant) -> None:
    """A word in place of a grade."""
    sheet, j, _ = v.column(*GRADES)
    v.rows[sheet][pick(rng, v, sheet, j)][j] = rng.choice(["mild", "9", "99", "yes", "1-2", "2?"])
    v.truth = None


@corruption
def word_for_missing_as_dose(rng: random.Random, v: Variant) -> None:
    """A word in place of a dose."""
    sheet, j, _ = v.column(*DOSES)
    v.rows[sheet][pick(rng, v, sheet, j)][j] = rng.choice(["full", "DL2", "~2", "2-3", "<1", "2+2", "-2", "0"])
    v.truth = None


@corruption
def grade_written_otherwise(rng: random.Random, v: Variant) -> None:
    sheet, j, _ = v.column(*GRADES)
    for i in v.data(sheet):
        cell = v.rows[sheet][i][j]
        if cell not in (None, ""):
            v.rows[sheet][i][j] = rng.choice([f"G{cell}", f"grade {cell}", f"Grad {cell}", str(cell)])


@corruption
def formula_error(rng: random.Random, v: Variant) -> None:
    sheet, j, _ = v.column(*rng.choice([DATES[:3], DOSES, RESPONSES]))
    v.rows[sheet][pick(rng, v, sheet, j)][j] = rng.choice(["#REF!", "#VALUE!", "####", "#DIV/0!"])
    v.truth = None


@corruption
def flags_of_events_reversed(rng: random.Random, v: Variant) -> None:
    """One flag contradicts: dead, yet no event of PFS on that day."""
    sheet, j, _ = v.column("sheet.pfs_event")
    row = v.rows[sheet][rng.choice(v.data(sheet))]
    row[v.column("sheet.os_event")[1]], row[j] = "1", "0"
    row[v.column("sheet.pfs_days")[1]] = row[v.column("sheet.os_days")[1]]
    v.truth = None


@corruption
def months_that_are_days(rng: random.Random, v: Variant) -> None:
    """Times in days under a header that says months."""
    sheet, j, _ = v.column(*rng.choice([("sheet.pfs_days",), ("sheet.os_days",)]))
    for i in v.data(sheet):
        v.rows[sheet][i][j] = f"{float(v.rows[sheet][i][j]) * 30.4375:.0f}"
    v.truth = None


@corruption
def one_time_in_days(rng: random.Random, v: Variant) -> None:
    """One time in days among months; read as months it would be decades."""
    sheet, j, _ = v.column("sheet.os_days")
    i = rng.choice([i for i in v.data(sheet) if float(v.rows[sheet][i][j]) > 12])
    v.rows[sheet][i][j] = f"{float(v.rows[sheet][i][j]) * 30.4375:.0f}"
    v.truth = None


@corruption
def header_of_days_over_months(rng: random.Random, v: Variant) -> None:
    """The header says days now; the numbers are months still."""
    sheet, j, _ = v.column("sheet.os_days")
    v.change_header(sheet, j, "OS (days)")
    v.truth = None


@corruption
def another_encoding(rng: random.Random, v: Variant) -> None:
    """A text file saved by another program."""
    if not v.is_text:
        raise NotHere
    v.encoding = rng.choice(["utf-16", "utf-8-sig", "cp1252"])


@corruption
def another_separator(rng: random.Random, v: Variant) -> None:
    if not v.is_text:
        raise NotHere
    v.separator = "\t"
