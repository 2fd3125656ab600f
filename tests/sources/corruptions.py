"""300 corruptions of messy sheets, seeded: what goes wrong with a centre's sheet between its map and the next import.

Each kind is one function, which alters a sheet and, where the sheet then says something else, the truth beside it
(None: no number of it can be right). A swap that leaves a cell with another valid reading and contradicts nothing
(3 April for 4 March, as a date of the spreadsheet program) cannot be noticed by anyone, and is not among them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime

from sheet_variants import NotHere, Variant, pick, variant_of

SEED, VARIANTS = 20261129, 300
NAMES = ("tracking", "long", "german", "american", "months")
Corruption = Callable[[random.Random, Variant], None]
CORRUPTIONS: list[Corruption] = []
DATES = ("infusions[2].date", "infusions[1].date", "infusions.date", "responses.date", "patients.death")
DOSES = ("infusions[2].dose_cells_per_kg", "infusions.dose_cells_per_kg", "infusions[1].dose_cells_per_kg")
RESPONSES = ("responses[2].response", "responses.response", "sheet.response")
GRADES = ("toxicities[2].CRS.grade", "toxicities.CRS.grade")
IDS = ("patients.patient_id", "infusions.patient_id", "sheet.patient_id")


def corruption(make: Corruption) -> Corruption:
    """Register a kind."""
    CORRUPTIONS.append(make)
    return make


def corrupted(count: int = VARIANTS, *, seed: int = SEED) -> Iterator[tuple[str, str, int, Variant]]:
    """Yield kind, sheet, number and variant; kinds and sheets take turns, so that few hold many kinds."""
    rng = random.Random(seed)
    number, turn = 0, 0
    while number < count:
        for i, make in enumerate(CORRUPTIONS):
            for shift in range(len(NAMES)):
                name = NAMES[(i + turn + shift) % len(NAMES)]
                variant = variant_of(name)
                try:
                    make(rng, variant)
                except NotHere:
                    continue
                yield make.__name__, name, number, variant
                number += 1
                break
            if number == count:
                return
        turn += 1


def any_sheet(rng: random.Random, v: Variant) -> str:
    """Return the name of a random sheet."""
    return rng.choice(sorted(v.rows))


def dates(v: Variant, *targets: str) -> tuple[str, int, dict[int, datetime]]:
    """Return sheet, position and the cells that are dates of the spreadsheet program; texts are read as written."""
    sheet, j, _ = v.column(*targets)
    form = {"german": "%d.%m.%Y", "american": "%m/%d/%Y"}
    moments = {}
    for i in v.data(sheet):
        cell = v.rows[sheet][i][j]
        if isinstance(cell, datetime):
            moments[i] = cell
        elif cell and v.is_text:
            moments[i] = datetime.strptime(str(cell), form["german" if v.separator == ";" else "american"])
    if not moments:
        raise NotHere
    return sheet, j, moments


# Rows ---------------------------------------------------------------------------------------------------------------


def _summed(v: Variant, sheet: str, how: Callable[[list[float]], float]) -> list:
    rows, width = v.rows[sheet], len(v.sheets[sheet].headers)
    row: list = [None] * width
    for j in range(1, width):
        cells = [rows[i][j] for i in v.data(sheet)]
        try:
            numbers = [
                float(str(c).replace(",", ".")) for c in cells if c not in (None, "") and not isinstance(c, datetime)
            ]
        except ValueError:
            continue
        if len(numbers) > 1:
            value = how(numbers)
            row[j] = str(value).replace(".", "," if v.separator == ";" else ".") if v.is_text else value
    return ["" if c is None and v.is_text else c for c in row]


@corruption
def total_added(rng: random.Random, v: Variant) -> None:
    """A row of totals below the data, as centres call it."""
    sheet = any_sheet(rng, v)
    row = _summed(v, sheet, lambda ns: round(sum(ns), 3))
    row[0] = rng.choice(["Total", "TOTAL", "Sum", "Summe", "Gesamt", f"N={len(v.data(sheet))}", "Totals:"])
    v.rows[sheet].insert(v.data(sheet)[-1] + 1, row)


@corruption
def mean_added_in_the_middle(rng: random.Random, v: Variant) -> None:
    """A row of means between the data."""
    sheet = any_sheet(rng, v)
    row = _summed(v, sheet, lambda ns: round(sum(ns) / len(ns), 3))
    row[0] = rng.choice(["Mean", "Average", "Mittelwert", "Median", "mean (SD)"])
    v.rows[sheet].insert(rng.choice(v.data(sheet)), row)


@corruption
def total_without_a_word(rng: random.Random, v: Variant) -> None:
    """Sums below the data, the first cell empty."""
    sheet = any_sheet(rng, v)
    row = _summed(v, sheet, lambda ns: round(sum(ns), 3))
    v.rows[sheet].insert(v.data(sheet)[-1] + 1, row)


@corruption
def header_repeated(rng: random.Random, v: Variant) -> None:
    """The header once more between the data, as on printed pages."""
    sheet = any_sheet(rng, v)
    v.rows[sheet].insert(rng.choice(v.data(sheet)[1:]), list(v.rows[sheet][v.header_row(sheet)]))


@corruption
def rows_sorted_otherwise(rng: random.Random, v: Variant) -> None:
    sheet = any_sheet(rng, v)
    here = v.data(sheet)
    rows = [v.rows[sheet][i] for i in here]
    rng.shuffle(rows)
    for i, row in zip(here, rows, strict=True):
        v.rows[sheet][i] = row


@corruption
def blank_rows(rng: random.Random, v: Variant) -> None:
    sheet = any_sheet(rng, v)
    for i in sorted(rng.sample(v.data(sheet), 2), reverse=True):
        v.rows[sheet].insert(i, [""] * len(v.sheets[sheet].headers))


@corruption
def title_above(rng: random.Random, v: Variant) -> None:
    """A title above everything: the header stands lower than in the map."""
    sheet = any_sheet(rng, v)
    if v.merges[sheet]:
        raise NotHere
    for _ in range(rng.choice([1, 2])):
        v.rows[sheet].insert(0, ["CAR-T list, updated 2024-03"])


@corruption
def title_taken_away(rng: random.Random, v: Variant) -> None:
    """The title is gone: the header stands higher than in the map."""
    sheet = any_sheet(rng, v)
    if v.sheets[sheet].header_rows[0] == 1:
        raise NotHere
    v.spread_merges(sheet)
    del v.rows[sheet][0]


@corruption
def row_twice(rng: random.Random, v: Variant) -> None:
    sheet = any_sheet(rng, v)
    i = rng.choice(v.data(sheet))
    v.rows[sheet].insert(i + 1, list(v.rows[sheet][i]))


@corruption
def row_twice_with_another_date(rng: random.Random, v: Variant) -> None:
    """A patient twice, with two dates of the same infusion: one must be wrong."""
    sheet, j, moments = dates(v, "infusions[2].date", "infusions.date")
    i = rng.choice(sorted(moments))
    row = list(v.rows[sheet][i])
    row[j] = "28.06.2022" if v.separator == ";" else "06/28/2022" if v.is_text else datetime(2022, 6, 28)
    v.rows[sheet].insert(i + 1, row)
    v.truth = None


@corruption
def hidden_rows(rng: random.Random, v: Variant) -> None:
    if v.is_text:
        raise NotHere
    sheet = next(iter(v.rows))
    v.hidden = {i + 1 for i in rng.sample(v.data(sheet), 2)}


@corruption
def footnote(rng: random.Random, v: Variant) -> None:
    sheet = any_sheet(rng, v)
    v.rows[sheet].append(
        [rng.choice(["* censored at allo-HCT", "Legend: 0 = none", "as of 31 Jan 2024, checked by AB"])]
    )


@corruption
def one_row_shifted(rng: random.Random, v: Variant) -> None:
    """A cell was inserted in one row: all behind it stand under the next header."""
    sheet, j, _ = v.column(*DATES[:3])
    v.rows[sheet][rng.choice(v.data(sheet))].insert(j, "" if v.is_text else None)
    v.truth = None


# Columns ------------------------------------------------------------------------------------------------------------


@corruption
def column_inserted(rng: random.Random, v: Variant) -> None:
    sheet = any_sheet(rng, v)
    header, cells = rng.choice([("ECOG", ["0", "1"]), ("LDH", ["240", "512"]), ("Ferritin", ["400", "3000"]),
                                ("Comment", ["", "lost"]), ("Ward", ["B3", "B4"])])  # fmt: skip
    j = rng.randrange(1, len(v.sheets[sheet].headers))
    v.insert_column(sheet, j, header, {i: rng.choice(cells) for i in v.data(sheet)})


@corruption
def empty_column_before_all(rng: random.Random, v: Variant) -> None:
    sheet = any_sheet(rng, v)
    v.insert_column(sheet, 0, "", {})


@corruption
def column_removed(rng: random.Random, v: Variant) -> None:
    sheet, j, target = v.column(*rng.choice([("patients.sex", "sheet.age_years"), GRADES]))
    v.spread_merges(sheet)
    for row in v.rows[sheet]:
        del row[j : j + 1]
    assert v.truth is not None
    if target.startswith("toxicities"):
        v.truth["toxicities"] = [r for r in v.truth["toxicities"] if r["kind"] != "CRS" or
                                 (r["infusion"] == "1" and "[2]" in target)]  # fmt: skip
        v.truth = {t: rows for t, rows in v.truth.items() if rows}
    else:
        table, _, column = target.partition(".")
        v.truth[table] = [{c: t for c, t in row.items() if c != column} for row in v.truth[table]]


@corruption
def column_renamed(rng: random.Random, v: Variant) -> None:
    words = {DOSES: None, GRADES: "CRS max", RESPONSES: "Response", IDS: "Pat", ("patients.sex",): "Gender"}
    targets = rng.choice([t for t in words if words[t]])
    sheet, j, _ = v.column(*targets)
    v.change_header(sheet, j, str(words[targets]))
    if not v.merges[sheet] and targets in (GRADES, RESPONSES) and "long" not in v.example.file:
        v.change_header(sheet, j, f"{words[targets]} CART2")


@corruption
def columns_exchanged(rng: random.Random, v: Variant) -> None:
    """Two columns change places, each with its header."""
    sheet = any_sheet(rng, v)
    v.spread_merges(sheet)
    width = len(v.sheets[sheet].headers)
    a, b = rng.sample(range(width), 2)
    for row in v.rows[sheet]:
        row += [""] * (width - len(row)) if len(row) > 1 else []
        if len(row) > 1:
            row[a], row[b] = row[b], row[a]


@corruption
def headers_shifted(rng: random.Random, v: Variant) -> None:
    """From one column on, headers stand one column further left than their data."""
    sheet, j, _ = v.column(*DATES[:3])
    v.spread_merges(sheet)
    for k in [n - 1 for n in v.sheets[sheet].header_rows]:
        row = v.rows[sheet][k]
        row.append(row.pop(j))
    v.truth = None


@corruption
def header_twice(rng: random.Random, v: Variant) -> None:
    """One header stands over two columns."""
    sheet, j, _ = v.column("patients.diagnosis", "infusions.product", "sheet.diagnosis", "patients.sex")
    headers = v.rows[sheet][v.header_row(sheet)]
    v.insert_column(sheet, j + 1, str(headers[j]), {i: "other" for i in v.data(sheet)})
    v.truth = None


@corruption
def headers_written_otherwise(rng: random.Random, v: Variant) -> None:
    """Case and blanks of headers."""
    sheet = any_sheet(rng, v)
    row = v.rows[sheet][v.header_row(sheet)]
    change = rng.choice([str.upper, str.lower, lambda t: f" {t}\u00a0"])
    for j, text in enumerate(row):
        if text:
            row[j] = change(str(text))


@corruption
def merges_taken_away(rng: random.Random, v: Variant) -> None:
    """Merged headers are unmerged: the text is left in the first cell alone, or in each."""
    sheet = next(iter(v.rows))
    if not v.merges[sheet]:
        raise NotHere
    if rng.random() < 0.5:
        v.spread_merges(sheet)
    v.merges[sheet] = []


@corruption
def sheet_renamed(rng: random.Random, v: Variant) -> None:
    if v.is_text:
        raise NotHere
    sheet = any_sheet(rng, v)
    v.names[sheet] = rng.choice(["2024", "Sheet1", f"{sheet} (new)"])


# Numbers and units --------------------------------------------------------------------------------------------------


def scaled(v: Variant, sheet: str, j: int, where: list[int], factor: float) -> None:
    """Multiply plain numbers of a column."""
    for i in where:
        cell = v.rows[sheet][i][j]
        try:
            value = float(str(cell).replace(",", ".")) * factor
        except ValueError:
            continue
        text = f"{value:g}" if value < 1e6 else f"{value:.0f}"
        v.rows[sheet][i][j] = text.replace(".", "," if v.separator == ";" else ".") if v.is_text else value


@corruption
def one_dose_of_another_unit(rng: random.Random, v: Variant) -> None:
    """A dose in single cells among doses in millions, or the other way."""
    sheet, j, _ = v.column(*DOSES)
    scaled(v, sheet, j, [pick(rng, v, sheet, j)], 1e-6 if "long" in v.example.file else 1e6)


@corruption
def all_doses_of_another_unit(rng: random.Random, v: Variant) -> None:
    """1e6 against 1, the header as before."""
    sheet, j, _ = v.column(*DOSES)
    scaled(v, sheet, j, v.data(sheet), 1e-6 if "long" in v.example.file else 1e6)


def _weight(v: Variant, sheet: str, i: int) -> float:
    headers = v.sheets[sheet].headers
    return (
        float(v.rows[sheet][i][headers.index("Patient | Weight (kg)")]) if "Patient | Weight (kg)" in headers else 0.0
    )


@corruption
def all_doses_total(rng: random.Random, v: Variant) -> None:
    """Total cells under a header that says per kg; where the map names the body weight, they can be read rightly."""
    sheet, j, _ = v.column(*DOSES)
    for i in v.data(sheet):
        scaled(v, sheet, j, [i], _weight(v, sheet, i) or rng.choice([58.0, 66.0, 74.0, 81.0]))


@corruption
def one_dose_total(rng: random.Random, v: Variant) -> None:
    """One dose of all cells among doses per kg."""
    sheet, j, _ = v.column(*DOSES)
    i = pick(rng, v, sheet, j)
    scaled(v, sheet, j, [i], _weight(v, sheet, i) or 70.0)


@corruption
def dose_header_without_its_unit(rng: random.Random, v: Variant) -> None:
    """The unit is taken out of the header."""
    sheet, j, _ = v.column(*DOSES)
    header = str(v.rows[sheet][v.header_row(sheet)][j])
    v.change_header(sheet, j, header.partition("(")[0].strip())


@corruption
def dose_header_of_another_unit(rng: random.Random, v: Variant) -> None:
    """Header and numbers both change to single cells per kg."""
    sheet, j, _ = v.column(*DOSES[:1])
    header = str(v.rows[sheet][v.header_row(sheet)][j])
    v.change_header(sheet, j, f"{header.partition('(')[0]}(cells/kg)")
    scaled(v, sheet, j, v.data(sheet), 1e6)
    if "tracking" in v.example.file:
        raise NotHere


@corruption
def dose_header_total(rng: random.Random, v: Variant) -> None:
    """The header says total cells now."""
    sheet, j, _ = v.column(*DOSES)
    header = str(v.rows[sheet][v.header_row(sheet)][j])
    v.change_header(sheet, j, f"{header.partition('(')[0]}(total cells)")
    v.truth = None


@corruption
def other_decimal_mark(rng: random.Random, v: Variant) -> None:
    """Decimal commas for points, or the other way, in all of one column."""
    sheet, j, _ = v.column(*DOSES, "sheet.pfs_days")
    cells = [v.rows[sheet][i][j] for i in v.data(sheet)]
    if any(c is not None and float(str(c).replace(",", ".").partition(" ")[0] or 0) > 1000 for c in cells):
        raise NotHere
    for i in v.data(sheet):
        text = str(v.rows[sheet][i][j])
        v.rows[sheet][i][j] = text.replace(",", ".") if "," in text else text.replace(".", ",")


@corruption
def one_number_of_another_mark(rng: random.Random, v: Variant) -> None:
    """One decimal comma among points, or the other way."""
    sheet, j, _ = v.column(*DOSES, "sheet.pfs_days")
    here = [i for i in v.data(sheet) if "." in str(v.rows[sheet][i][j]) or "," in str(v.rows[sheet][i][j])]
    if not here:
        raise NotHere
    i = rng.choice(here)
    v.rows[sheet][i][j] = str(v.rows[sheet][i][j]).translate(str.maketrans(",.", ".,"))


@corruption
def thousands_marked(rng: random.Random, v: Variant) -> None:
    """2.000.000 and 2,000,000 as texts."""
    if "long" not in v.example.file:
        raise NotHere
    sheet, j, _ = v.column(*DOSES)
    mark = rng.choice(",.' ")
    for i in v.data(sheet):
        v.rows[sheet][i][j] = f"{v.rows[sheet][i][j]:,.0f}".replace(",", mark)


@corruption
def doses_with_units_in_cells(rng: random.Random, v: Variant) -> None:
    """2e6/kg for 2 under (x10^6/kg), and the like."""
    sheet, j, _ = v.column(*DOSES)
    i = pick(rng, v, sheet, j)
    cell = v.rows[sheet][i][j]
    try:
        value = float(str(cell).replace(",", ".")) / (1e6 if "long" in v.example.file else 1)
    except ValueError:
        raise NotHere from None
    v.rows[sheet][i][j] = rng.choice([f"{value:g}e6/kg", f"{value:g} x 10^6/kg", f"{value:g} Mio/kg"])
