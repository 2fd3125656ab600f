"""200 corrupted variants of the bundled cohort: what was done to each, and what must follow.

`same`: the variant is only written differently, and gives the same patients. `refused`: a problem names the table
and, for a single cell, its row and column. Each kind of corruption is one function; each is drawn several times.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

Rows = list[list[str]]
Tables = dict[str, Rows]
SEED, VARIANTS = 20210121, 200


@dataclass(frozen=True)
class Expected:
    """What must follow: the same patients, or a problem in this table, row and column (None: anywhere)."""

    same: bool
    table: str | None = None
    row: int | None = None
    column: str | None = None


SAME = Expected(True)
Corruption = Callable[[random.Random, Tables], Expected]
CORRUPTIONS: list[Corruption] = []
AFTER: dict[str, Callable[[bytes], bytes]] = {}


def corruption(make: Corruption) -> Corruption:
    CORRUPTIONS.append(make)
    return make


def _cell(rng: random.Random, tables: Tables, table: str, column: str, where: Callable[[str], bool] = bool) -> int:
    """Return the index of a random row of a table whose cell passes."""
    j = tables[table][0].index(column)
    return rng.choice([i for i, row in enumerate(tables[table]) if i and where(row[j])])


def _set(rng: random.Random, tables: Tables, table: str, column: str, value: str) -> Expected:
    i = _cell(rng, tables, table, column)
    tables[table][i][tables[table][0].index(column)] = value
    return Expected(False, table, i, column)


def _every(tables: Tables, table: str, column: str, change: Callable[[str], str]) -> Expected:
    j = tables[table][0].index(column)
    for row in tables[table][1:]:
        row[j] = change(row[j])
    return SAME


@corruption
def spaces(rng, tables):
    for rows in tables.values():
        for row in rows[1:]:
            j = rng.randrange(len(row))
            row[j] = rng.choice([" ", "\u00a0", "  "]) + row[j] + rng.choice(["", " ", "\t"])
    return SAME


@corruption
def other_case(rng, tables):
    change = rng.choice([str.lower, str.upper, str.title])
    _every(tables, "responses", "response", change)
    _every(tables, "patients", "diagnosis", change)
    return _every(tables, "infusions", "bulky", change)


@corruption
def missing_in_words(rng, tables):
    for table in ("patients", "infusions"):
        for row in tables[table][1:]:
            row[:] = [cell or rng.choice(["N/A", "NA", "n/a", "-", "null"]) for cell in row]
    return SAME


@corruption
def thousands(rng, tables):
    mark = rng.choice([",", " ", "'"])
    return _every(tables, "infusions", "dose_cells_per_kg", lambda t: f"{float(t):,.0f}".replace(",", mark) if t else t)


@corruption
def powers_of_ten(rng, tables):
    pattern = rng.choice(["{}x10^{}", "{} x 10^{}", "{}E{}", "{}*10^{}", "{}e+0{}"])

    def change(text):
        if not text:
            return text
        mantissa, exponent = f"{float(text):e}".split("e")
        return pattern.format(f"{float(mantissa):g}", int(exponent))

    return _every(tables, "infusions", "dose_cells_per_kg", change)


@corruption
def headers(rng, tables):
    change = rng.choice([str.upper, str.title, lambda t: t.replace("_", " "), lambda t: f" {t} "])
    for rows in tables.values():
        rows[0] = [change(name) for name in rows[0]]
    return SAME


@corruption
def shuffled(rng, tables):
    for name, rows in tables.items():
        order = rng.sample(range(len(rows[0])), len(rows[0]))
        body = rows[1:]
        rng.shuffle(body)
        tables[name] = [[row[j] for j in order] for row in [rows[0], *body]]
    return SAME


@corruption
def blank_rows(rng, tables):
    for rows in tables.values():
        rows.insert(rng.randrange(1, len(rows)), [""] * len(rows[0]))
        rows.append([" "] * len(rows[0]))
    return SAME


@corruption
def synonyms(rng, tables):
    words = {"PD": "progressive disease", "SD": "Stable Disease", "CR": "complete remission", "relapse": "PD"}
    return _every(tables, "responses", "response", lambda t: words.get(t, t) if rng.random() < 0.5 else t)


@corruption
def whole_numbers_as_decimals(rng, tables):
    _every(tables, "infusions", "infusion", lambda t: t + ".0")
    return _every(tables, "responses", "day", lambda t: t + rng.choice(["", ".0"]))


@corruption
def yes_and_no_otherwise(rng, tables):
    pair = rng.choice([("TRUE", "FALSE"), ("1", "0"), ("Y", "N"), ("true", "false")])
    return _every(tables, "infusions", "bulky", lambda t: {"yes": pair[0], "no": pair[1]}.get(t, t))


@corruption
def assessments_twice(rng, tables):
    tables["responses"] += [list(row) for row in rng.sample(tables["responses"][1:], 5)]
    return SAME


def _dated(rng: random.Random, tables: Tables) -> None:
    """Turn days into dates, each patient with a first infusion on a date of its own."""
    start = {row[0]: date(1995, 1, 1) + timedelta(days=rng.randrange(9000)) for row in tables["patients"][1:]}
    for header, *body in tables.values():
        where = [j for j, name in enumerate(header) if name in ("day", "last_contact", "death")]
        for row in body:
            for j in (j for j in where if row[j]):
                row[j] = (start[row[0]] + timedelta(days=int(row[j]))).isoformat()
        header[:] = ["date" if name == "day" else name for name in header]


@corruption
def dates(rng, tables):
    _dated(rng, tables)
    pattern = rng.choice(["%Y-%m-%d", "%Y/%m/%d", "%d %b %Y", "%d-%B-%Y", "%Y-%m-%d 00:00:00", "%b %d, %Y"])
    return _every(tables, "responses", "date", lambda t: date.fromisoformat(t).strftime(pattern))


@corruption
def wrong_date(rng, tables):
    _dated(rng, tables)
    table = rng.choice(["infusions", "responses", "mrd", "therapies"])
    return _set(
        rng,
        tables,
        table,
        "date",
        rng.choice(["03/04/2024", "2024-02-30", "24-03-15", "March 2024", "1899-12-30", "120"]),
    )


def _bytes(change):
    def make(rng, tables):
        AFTER[rng.choice(sorted(tables))] = change
        return SAME

    make.__name__ = change.__name__
    return corruption(make)


def byte_order_mark(data):
    return b"\xef\xbb\xbf" + data


def carriage_returns(data):
    return data.replace(b"\n", b"\r\n")


def semicolons(data):
    rows = csv.reader(io.StringIO(data.decode()))
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def utf_16(data):
    return data.decode().encode("utf-16")


def quoted(data):
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(csv.reader(io.StringIO(data.decode())))
    return out.getvalue().encode()


def tabs(data):
    return semicolons(data).replace(b";", b"\t")


for _change in (byte_order_mark, tabs, carriage_returns, semicolons, utf_16, quoted):
    _bytes(_change)


@corruption
def impossible_dose(rng, tables):
    return _set(
        rng, tables, "infusions", "dose_cells_per_kg", rng.choice(["0", "-2e6", "1.4e11", "999", "2x106", "high"])
    )


@corruption
def impossible_grade(rng, tables):
    return _set(rng, tables, "toxicities", "grade", rng.choice(["6", "-1", "2.5", "III", "severe"]))


@corruption
def impossible_day(rng, tables):
    table = rng.choice(["infusions", "responses", "mrd", "therapies"])
    return _set(rng, tables, table, "day", rng.choice(["12.5", "soon", "1e9", "03/04/2024", "45000"]))


@corruption
def unknown_response(rng, tables):
    return _set(rng, tables, "responses", "response", rng.choice(["great", "CRR", "12", "P D"]))


@corruption
def unknown_regimen(rng, tables):
    return _set(rng, tables, "infusions", "lymphodepletion", rng.choice(["xyz", "Cy/Fludd", "Cy + ?", "as usual"]))


@corruption
def impossible_age(rng, tables):
    return _set(rng, tables, "patients", "age_years", rng.choice(["-3", "660", "old", "1958-03-04"]))


@corruption
def neither_yes_nor_no(rng, tables):
    return _set(rng, tables, "infusions", "bulky", rng.choice(["maybe", "2", "5 cm"]))


@corruption
def unknown_patient(rng, tables):
    table = rng.choice(["infusions", "responses", "mrd", "toxicities", "therapies"])
    return _set(rng, tables, table, "patient_id", rng.choice(["SYN-99", "syn-01x", "0"]))


@corruption
def no_patient(rng, tables):
    table = rng.choice(["patients", "responses", "mrd"])
    return _set(rng, tables, table, "patient_id", rng.choice(["", "N/A"]))


@corruption
def gap_in_infusions(rng, tables):
    i = _cell(rng, tables, "infusions", "infusion", lambda t: t == "2")
    tables["infusions"][i][tables["infusions"][0].index("infusion")] = "3"
    return Expected(False, "infusions", i, "infusion")


@corruption
def second_before_first(rng, tables):
    i = _cell(rng, tables, "infusions", "infusion", lambda t: t == "2")
    tables["infusions"][i][tables["infusions"][0].index("day")] = rng.choice(["-5", "0"])
    return Expected(False, "infusions", i, "day")


@corruption
def after_the_end(rng, tables):
    return _set(rng, tables, rng.choice(["responses", "mrd", "therapies"]), "day", "20000")


@corruption
def dead_before_last_contact(rng, tables):
    i = _cell(rng, tables, "patients", "death")
    tables["patients"][i][tables["patients"][0].index("death")] = "1"
    return Expected(False, "patients", i, "last_contact")


@corruption
def patient_twice(rng, tables):
    tables["patients"].append(list(rng.choice(tables["patients"][1:])))
    return Expected(False, "patients", len(tables["patients"]) - 1, "patient_id")


@corruption
def infusion_twice(rng, tables):
    tables["infusions"].append(list(rng.choice(tables["infusions"][1:])))
    return Expected(False, "infusions", len(tables["infusions"]) - 1, "infusion")


@corruption
def column_missing(rng, tables):
    table, column = rng.choice([("patients", "last_contact"), ("patients", "patient_id"), ("infusions", "infusion"),
                                ("responses", "response"), ("infusions", "lymphodepletion")])  # fmt: skip
    j = tables[table][0].index(column)
    for row in tables[table]:
        del row[j]
    return Expected(False, table, None, column)


@corruption
def column_renamed(rng, tables):
    tables["infusions"][0][tables["infusions"][0].index("dose_cells_per_kg")] = "dose_cell_kg"
    return Expected(False, "infusions", None, "dose_cells_per_kg")


@corruption
def column_twice(rng, tables):
    table = rng.choice(sorted(tables))
    for row in tables[table]:
        row.append(row[1])
    return Expected(False, table, None, tables[table][0][1])


@corruption
def row_too_short(rng, tables):
    table = rng.choice(["infusions", "responses", "patients"])
    i = rng.randrange(1, len(tables[table]))
    del tables[table][i][-2:]
    return Expected(False, table, i)


@corruption
def cells_shifted(rng, tables):
    i = rng.randrange(1, len(tables["infusions"]))
    tables["infusions"][i].insert(1, "")
    return Expected(False, "infusions", i)


@corruption
def tables_swapped(rng, tables):
    tables["patients"], tables["infusions"] = tables["infusions"], tables["patients"]
    return Expected(False, "patients")


@corruption
def dates_and_days(rng, tables):
    table = rng.choice(["responses", "mrd"])
    tables[table][0].append("date")
    for row in tables[table][1:]:
        row.append("2024-03-15")
    return Expected(False, table, None, "day")


@corruption
def table_missing(rng, tables):
    table = rng.choice(["patients", "infusions"])
    del tables[table]
    return Expected(False, table)


@corruption
def not_a_table(rng, tables):
    table = rng.choice(sorted(tables))
    rubbish = rng.choice([b"", rng.randbytes(400) + b"\0", b"\n\n\n", b"PK\x03\x04" + rng.randbytes(60) + b"\0"])
    AFTER[table] = lambda data: rubbish
    return Expected(False, table)


@corruption
def total_row(rng, tables):
    table = rng.choice(["patients", "infusions"])
    tables[table].append(["Total", *[""] * (len(tables[table][0]) - 1)])
    return Expected(False, table, len(tables[table]) - 1)


@corruption
def header_again(rng, tables):
    table = rng.choice(["patients", "infusions", "responses"])
    i = rng.randrange(2, len(tables[table]))
    tables[table].insert(i, list(tables[table][0]))
    return Expected(False, table, i)


@corruption
def truncated(rng, tables):
    table = rng.choice(sorted(tables))
    i = rng.randrange(1, len(tables[table]))
    AFTER[table] = lambda data: b"\n".join(data.split(b"\n")[: i + 1]).rpartition(b",")[0].rpartition(b",")[0]
    return Expected(False, table, i)


@corruption
def bytes_within(rng, tables):
    table, bad = rng.choice(sorted(tables)), rng.choice([b"\0", b"\x07\x13", b"\x1f"])
    at = rng.random()
    AFTER[table] = lambda data: data[: int(at * len(data))] + bad + data[int(at * len(data)) :]
    return Expected(False, table)


@corruption
def unit_in_the_cell(rng, tables):
    return _set(rng, tables, "infusions", "dose_cells_per_kg", rng.choice(["2e6/kg", "2 million", "2e6 cells", "~2e6"]))


@corruption
def death_not_known(rng, tables):
    i = rng.randrange(1, len(tables["patients"]))
    tables["patients"][i][tables["patients"][0].index("death")] = rng.choice(["unknown", "?", "yes", "not available"])
    return Expected(False, "patients", i, "death")


@corruption
def cause_without_death(rng, tables):
    i = _cell(rng, tables, "patients", "death", lambda t: not t)
    tables["patients"][i][tables["patients"][0].index("death_cause")] = "disease"
    return Expected(False, "patients", i, "death_cause")


@corruption
def error_of_a_formula(rng, tables):
    table, column = rng.choice([("infusions", "dose_cells_per_kg"), ("responses", "response"),
                                ("patients", "diagnosis"), ("patients", "patient_id")])  # fmt: skip
    return _set(rng, tables, table, column, rng.choice(["#REF!", "#VALUE!", "#DIV/0!"]))


@corruption
def ids_in_another_case(rng, tables):
    table = rng.choice(["infusions", "responses", "toxicities"])
    i = rng.randrange(1, len(tables[table]))
    tables[table][i][0] = tables[table][i][0].lower()
    return Expected(False, table, i, "patient_id")


@corruption
def columns_exchanged(rng, tables):
    header = tables["infusions"][0]
    i, j = (header.index(name) for name in ("dose_cells_per_kg", rng.choice(["lymphodepletion", "infusion"])))
    header[i], header[j] = header[j], header[i]
    return Expected(False, "infusions", 1, "dose_cells_per_kg")


@corruption
def toxicity_of_no_infusion(rng, tables):
    return _set(rng, tables, "toxicities", "infusion", "9")


@corruption
def result_missing(rng, tables):
    i = rng.randrange(1, len(tables["mrd"]))
    for column in ("result", "value"):
        tables["mrd"][i][tables["mrd"][0].index(column)] = ""
    return Expected(False, "mrd", i, "result")


def write_variant(number: int, clean: Tables, folder: Path) -> tuple[str, Expected]:
    """Write one variant of the clean tables into a folder; return what was done and what must follow."""
    rng = random.Random(SEED + number)
    make = CORRUPTIONS[number % len(CORRUPTIONS)]
    tables = {name: [list(row) for row in rows] for name, rows in clean.items()}
    AFTER.clear()
    expected = make(rng, tables)
    for name, rows in tables.items():
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        data = out.getvalue().encode()
        (folder / f"{name}.csv").write_bytes(AFTER.get(name, bytes)(data))
    return make.__name__, expected
