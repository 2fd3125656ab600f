"""Spreadsheets as centres keep them, each with what must come out of it, worked out by hand beside it.

No patient is real. `EXAMPLES` holds one of each kind; `Example.write` writes it into a folder.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import openpyxl

Cell = str | int | float | datetime | None
Rows = Sequence[Sequence[Cell]]
Truth = Mapping[str, Sequence[Mapping[str, str]]]


@dataclass(frozen=True)
class SheetExample:
    """One sheet.

    Attributes
    ----------
    rows
        As they stand, the first one in row 1.
    merges
        Ranges of merged cells.
    headers
        Composed headers that must be told, in order.
    header_rows, data_from, drop_rows, left_out
        Where they stand; texts that begin rows of totals; numbers of the rows that are no data.
    targets
        Header -> where it belongs, under the names of the contract.
    asked
        Headers of which a person must be asked something.
    """

    rows: Rows
    headers: tuple[str, ...]
    header_rows: tuple[int, ...] = (1,)
    data_from: int = 2
    drop_rows: tuple[str, ...] = ()
    left_out: tuple[int, ...] = ()
    merges: tuple[str, ...] = ()
    targets: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """One file.

    Attributes
    ----------
    file
        Its name; the ending says what it is.
    sheets
        Those that hold data; of a text file the one table, named ``sheet``.
    legends
        Sheets that hold none.
    answers
        What a person answers where only a person can know: value dictionaries, order of dates, weights.
    tables
        The cohort's tables that must come out. `lymphodepletion` is told as the regimen's class.
    separator
        Of a text file.
    """

    file: str
    sheets: Mapping[str, SheetExample]
    tables: Truth
    answers: Mapping[str, object] = field(default_factory=dict)
    legends: Mapping[str, Rows] = field(default_factory=dict)
    separator: str = ","

    def write(self, folder: Path, change: Callable[[openpyxl.Workbook], None] | None = None) -> Path:
        """Write the file; `change` alters a workbook before it is saved."""
        path = folder / self.file
        if path.suffix == ".xlsx":
            sheets = {name: (sheet.rows, sheet.merges) for name, sheet in self.sheets.items()}
            return write_sheets(path, {**sheets, **{name: (rows, ()) for name, rows in self.legends.items()}}, change)
        (sheet,) = self.sheets.values()
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=self.separator).writerows(sheet.rows)
        return path


def write_sheets(
    path: Path,
    sheets: Mapping[str, tuple[Rows, Sequence[str]]],
    change: Callable[[openpyxl.Workbook], None] | None = None,
) -> Path:
    """Write a workbook: each sheet's rows and ranges of merged cells."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, (rows, merges) in sheets.items():
        sheet = book.create_sheet(title)
        for i, row in enumerate(rows, 1):
            for j, value in enumerate(row, 1):
                if value is not None:
                    sheet.cell(i, j, value)
        for one in merges:
            sheet.merge_cells(one)
    if change:
        change(book)
    book.save(path)
    return path


def table(text: str) -> list[dict[str, str]]:
    """Return literal rows, cells separated by blanks (``_`` is an empty one, ``~`` a blank in a text)."""
    head, *rows = (line.split() for line in text.strip().splitlines())
    return [{h: "" if c == "_" else c.replace("~", " ") for h, c in zip(head, row, strict=True)} for row in rows]


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text)


_ = None
TRACKING = Example(
    "tracking.xlsx",
    {"CART pts 2019-24": SheetExample(
        [
            ["CAR-T repeat infusions, tracking sheet (updated 02/2024)"],
            [],
            ["Patient", _, _, _, _, "CART #1", _, _, _, _, "CART #2", _, _, _, _, _, "Outcome", _, _, "Comments"],
            ["MRN", "Dx", "Sex", "Age at CART", "Weight (kg)", "Date", "LD", "Dose (x10^6/kg)", "CRS", "Best resp",
             "Date", "LD", "Dose (x10^6/kg)", "CRS", "ICANS", "Best resp", "PD date", "Last f/u", "LDH pre-LD", _],
            ["P01", "NHL", "M", 61, 74, _day("2019-03-04"), "Flu/Cy 30/500 x3", 2, 1, "PR",
             "12/11/2019", "Flu/Cy 30/500 x3", 6, 2, 0, "CR", _, "alive 3/2024", 240, _],
            ["P02", "ALL", "F", 24, 58, _day("2019-05-20"), "Cy", 1, 2, "CRi/MRD-",
             _day("2020-02-03"), "Flu/Cy", 3, 3, 1, "CRi/MRD-", _day("2020-08-01"), "died 12 May 2021", 310,
             "allo SCT declined"],
            ["P03", "CLL", "M", 70, 60, _day("2020-01-09"), "Benda", "120 Mio", 0, "SD",
             _day("2020-12-01"), "Flu/Cy", 5, 0, 0, "PD (D28)", _day("2020-12-29"), "died 1 Feb 2021", 455, _],
            ["P04", "NHL", "F", 55, 66, _day("2020-03-09"), "Cy", 3, 1, "PR",
             "25/06/2020", "Flu/Cy", 5, 0, 0, "NR", _day("2020-08-14"), "alive 07 Feb 2021", 198, _],
            ["P05", "NHL", "M", 48, 90, _day("2020-06-02"), "Flu/Cy", 2, 1, "CR",
             _day("2021-03-15"), "Flu/Cy 30/500 x3", 2, 1, 0, "CR", _, "alive 15 Jan 2024", 222, _],
            ["P06", "ALL", "F", 19, 52, _day("2020-09-14"), "Flu/Cy", 1, 3, "CR MRD-",
             _day("2021-01-18"), "Cy", 1, 2, 2, "CRi/MRD+", _day("2021-03-20"), "died 30 Sep 2021", 512, _],
            ["P07", "CLL", "M", 66, 77, _day("2021-02-01"), "Cy", 2, 0, "PR",
             _day("2021-09-06"), "Flu/Cy", 4, 1, 0, "PR", _day("2022-05-10"), "alive 20 Nov 2023", 205, _],
            ["P08", "NHL", "F", 59, 61, _day("2021-04-12"), "none", 2, 0, "PD",
             _day("2021-08-23"), "Flu/Cy", 6, 2, 1, "SD", _day("2021-12-01"), "alive 2 Dec 2023", 287, _],
            [],
            ["Total", 8, _, _, _, _, _, 13, _, _, _, _, 32, _, _, _, _, _, 2429],
        ],
        headers=(
            "Patient | MRN", "Patient | Dx", "Patient | Sex", "Patient | Age at CART", "Patient | Weight (kg)",
            "CART #1 | Date", "CART #1 | LD", "CART #1 | Dose (x10^6/kg)", "CART #1 | CRS", "CART #1 | Best resp",
            "CART #2 | Date", "CART #2 | LD", "CART #2 | Dose (x10^6/kg)", "CART #2 | CRS", "CART #2 | ICANS",
            "CART #2 | Best resp", "Outcome | PD date", "Outcome | Last f/u", "Outcome | LDH pre-LD", "Comments",
        ),
        header_rows=(3, 4),
        data_from=5,
        drop_rows=("Total",),
        left_out=(14,),
        merges=("A3:E3", "F3:J3", "K3:P3", "Q3:S3", "T3:T4"),
        targets={
            "Patient | MRN": "patients.patient_id", "Patient | Dx": "patients.diagnosis",
            "Patient | Sex": "patients.sex", "Patient | Age at CART": "patients.age_years",
            "CART #1 | Date": "infusions[1].date", "CART #1 | LD": "infusions[1].lymphodepletion",
            "CART #1 | Dose (x10^6/kg)": "infusions[1].dose_cells_per_kg", "CART #1 | CRS": "toxicities[1].CRS.grade",
            "CART #1 | Best resp": "responses[1].response", "CART #2 | Date": "infusions[2].date",
            "CART #2 | LD": "infusions[2].lymphodepletion",
            "CART #2 | Dose (x10^6/kg)": "infusions[2].dose_cells_per_kg", "CART #2 | CRS": "toxicities[2].CRS.grade",
            "CART #2 | ICANS": "toxicities[2].ICANS.grade", "CART #2 | Best resp": "responses[2].response",
            "Outcome | PD date": "responses[2].date", "Outcome | Last f/u": "patients.last_contact",
            "Patient | Weight (kg)": "ignore", "Outcome | LDH pre-LD": "ignore", "Comments": "ignore",
        },
        asked=("CART #1 | Best resp", "CART #2 | Best resp", "Outcome | Last f/u"),
    )},
    legends={"Legend": [["Flu/Cy", "fludarabine and cyclophosphamide"], ["NR", "no response"], ["D28", "day 28"]]},
    answers={
        "date_order": "dmy",  # 25/06/2020 can be read in one way only, so 12/11/2019 is 12 November
        "partial": "first",  # alive 3/2024
        "values": {"response": {"NR": "SD"}},
        "weight": "Patient | Weight (kg)",  # 120 Mio are cells in all: 120e6 / 60 kg
        "best response": "28 days after its infusion",
    },
    tables={
        "patients": table("""
            patient_id  diagnosis  sex  age_years  last_contact  death
            P01         NHL        M    61         2024-03-01    _
            P02         ALL        F    24         2021-05-12    2021-05-12
            P03         CLL        M    70         2021-02-01    2021-02-01
            P04         NHL        F    55         2021-02-07    _
            P05         NHL        M    48         2024-01-15    _
            P06         ALL        F    19         2021-09-30    2021-09-30
            P07         CLL        M    66         2023-11-20    _
            P08         NHL        F    59         2023-12-02    _
        """),
        "infusions": table("""
            patient_id  infusion  date        lymphodepletion  dose_cells_per_kg
            P01         1         2019-03-04  Cy-Flu           2000000
            P01         2         2019-11-12  Cy-Flu           6000000
            P02         1         2019-05-20  Cy               1000000
            P02         2         2020-02-03  Cy-Flu           3000000
            P03         1         2020-01-09  Other            2000000
            P03         2         2020-12-01  Cy-Flu           5000000
            P04         1         2020-03-09  Cy               3000000
            P04         2         2020-06-25  Cy-Flu           5000000
            P05         1         2020-06-02  Cy-Flu           2000000
            P05         2         2021-03-15  Cy-Flu           2000000
            P06         1         2020-09-14  Cy-Flu           1000000
            P06         2         2021-01-18  Cy               1000000
            P07         1         2021-02-01  Cy               2000000
            P07         2         2021-09-06  Cy-Flu           4000000
            P08         1         2021-04-12  None             2000000
            P08         2         2021-08-23  Cy-Flu           6000000
        """),
        "responses": table("""
            patient_id  date        response
            P01         2019-04-01  PR
            P01         2019-12-10  CR
            P02         2019-06-17  CRi
            P02         2020-03-02  CRi
            P02         2020-08-01  PD
            P03         2020-02-06  SD
            P03         2020-12-29  PD
            P04         2020-04-06  PR
            P04         2020-07-23  SD
            P04         2020-08-14  PD
            P05         2020-06-30  CR
            P05         2021-04-12  CR
            P06         2020-10-12  CR
            P06         2021-02-15  CRi
            P06         2021-03-20  PD
            P07         2021-03-01  PR
            P07         2021-10-04  PR
            P07         2022-05-10  PD
            P08         2021-05-10  PD
            P08         2021-09-20  SD
            P08         2021-12-01  PD
        """),
        "mrd": table("""
            patient_id  date        result
            P02         2019-06-17  undetectable
            P02         2020-03-02  undetectable
            P06         2020-10-12  undetectable
            P06         2021-02-15  detectable
        """),
        "toxicities": table("""
            patient_id  infusion  kind   grade
            P01         1         CRS    1
            P01         2         CRS    2
            P01         2         ICANS  0
            P02         1         CRS    2
            P02         2         CRS    3
            P02         2         ICANS  1
            P03         1         CRS    0
            P03         2         CRS    0
            P03         2         ICANS  0
            P04         1         CRS    1
            P04         2         CRS    0
            P04         2         ICANS  0
            P05         1         CRS    1
            P05         2         CRS    1
            P05         2         ICANS  0
            P06         1         CRS    3
            P06         2         CRS    2
            P06         2         ICANS  2
            P07         1         CRS    0
            P07         2         CRS    1
            P07         2         ICANS  0
            P08         1         CRS    0
            P08         2         CRS    2
            P08         2         ICANS  1
        """),
    },
)  # fmt: skip
"""The sheet of many a centre: a title, grouped headers, infusions side by side, words in cells, a total, a legend."""

LONG = Example(
    "long.xlsx",
    {
        "Patients": SheetExample(
            [
                ["Study ID", "Diagnosis", "Sex", "Age (years)", "Vital status", "Date of death", "Date last seen"],
                ["CT-001", "CLL", "male", 63, "alive", _, _day("2023-04-18")],
                ["CT-002", "ALL", "female", 31, "dead", _day("2022-02-09"), _day("2022-02-01")],
                ["CT-003", "NHL", "female", 58, "alive", _, _day("2023-06-30")],
                ["CT-004", "NHL", "male", 71, "dead", _day("2021-12-24"), _day("2021-12-24")],
            ],
            headers=("Study ID", "Diagnosis", "Sex", "Age (years)", "Vital status", "Date of death", "Date last seen"),
            targets={
                "Study ID": "patients.patient_id", "Diagnosis": "patients.diagnosis", "Sex": "patients.sex",
                "Age (years)": "patients.age_years", "Vital status": "ignore", "Date of death": "patients.death",
                "Date last seen": "patients.last_contact",
            },
        ),
        "Infusions": SheetExample(
            [
                ["Study ID", "Infusion no.", "Infusion date", "Product", "Conditioning", "Cell dose (cells/kg)",
                 "CRS grade (ASTCT)", "ICANS grade"],
                ["CT-001", 1, _day("2020-02-11"), "axi-cel", "Cy", 2e6, 1, 0],
                ["CT-001", 2, _day("2020-11-03"), "axi-cel", "Flu/Cy", 2e6, 2, 1],
                ["CT-002", 1, _day("2020-10-06"), "tisa-cel", "Flu/Cy", 1.5e6, 3, 2],
                ["CT-002", 2, _day("2021-08-17"), "tisa-cel", "Flu/Cy", 3e6, 1, 0],
                ["CT-003", 1, _day("2021-01-25"), "axi-cel", "Flu/Cy", 2e6, 0, 0],
                ["CT-004", 1, _day("2020-08-31"), "liso-cel", "Cy", 1e6, 2, 0],
                ["CT-004", 2, _day("2021-05-10"), "liso-cel", "Flu/Cy", 2e6, 0, 0],
            ],
            headers=("Study ID", "Infusion no.", "Infusion date", "Product", "Conditioning", "Cell dose (cells/kg)",
                     "CRS grade (ASTCT)", "ICANS grade"),
            targets={
                "Study ID": "infusions.patient_id", "Infusion no.": "infusions.infusion",
                "Infusion date": "infusions.date", "Product": "infusions.product",
                "Conditioning": "infusions.lymphodepletion", "Cell dose (cells/kg)": "infusions.dose_cells_per_kg",
                "CRS grade (ASTCT)": "toxicities.CRS.grade", "ICANS grade": "toxicities.ICANS.grade",
            },
        ),
        "Assessments": SheetExample(
            [
                ["Study ID", "Date of assessment", "Response", "MRD"],
                ["CT-001", _day("2020-03-10"), "SD", _],
                ["CT-001", _day("2020-12-01"), "CR", "negative"],
                ["CT-001", _day("2021-05-04"), "CR", "negative"],
                ["CT-002", _day("2020-11-03"), "CRi", "positive"],
                ["CT-002", _day("2021-09-14"), "CR", "negative"],
                ["CT-002", _day("2021-12-20"), "relapse", "positive"],
                ["CT-003", _day("2021-02-22"), "PR", _],
                ["CT-004", _day("2020-09-28"), "PD", _],
                ["CT-004", _day("2021-06-07"), "PD", _],
            ],
            headers=("Study ID", "Date of assessment", "Response", "MRD"),
            targets={
                "Study ID": "responses.patient_id", "Date of assessment": "responses.date",
                "Response": "responses.response", "MRD": "mrd.result",
            },
        ),
    },
    tables={
        "patients": table("""
            patient_id  diagnosis  sex  age_years  last_contact  death
            CT-001      CLL        M    63         2023-04-18    _
            CT-002      ALL        F    31         2022-02-01    2022-02-09
            CT-003      NHL        F    58         2023-06-30    _
            CT-004      NHL        M    71         2021-12-24    2021-12-24
        """),
        "infusions": table("""
            patient_id  infusion  date        product   lymphodepletion  dose_cells_per_kg
            CT-001      1         2020-02-11  axi-cel   Cy               2000000
            CT-001      2         2020-11-03  axi-cel   Cy-Flu           2000000
            CT-002      1         2020-10-06  tisa-cel  Cy-Flu           1500000
            CT-002      2         2021-08-17  tisa-cel  Cy-Flu           3000000
            CT-003      1         2021-01-25  axi-cel   Cy-Flu           2000000
            CT-004      1         2020-08-31  liso-cel  Cy               1000000
            CT-004      2         2021-05-10  liso-cel  Cy-Flu           2000000
        """),
        "responses": table("""
            patient_id  date        response
            CT-001      2020-03-10  SD
            CT-001      2020-12-01  CR
            CT-001      2021-05-04  CR
            CT-002      2020-11-03  CRi
            CT-002      2021-09-14  CR
            CT-002      2021-12-20  PD
            CT-003      2021-02-22  PR
            CT-004      2020-09-28  PD
            CT-004      2021-06-07  PD
        """),
        "mrd": table("""
            patient_id  date        result
            CT-001      2020-12-01  undetectable
            CT-001      2021-05-04  undetectable
            CT-002      2020-11-03  detectable
            CT-002      2021-09-14  undetectable
            CT-002      2021-12-20  detectable
        """),
        "toxicities": table("""
            patient_id  infusion  kind   grade
            CT-001      1         CRS    1
            CT-001      1         ICANS  0
            CT-001      2         CRS    2
            CT-001      2         ICANS  1
            CT-002      1         CRS    3
            CT-002      1         ICANS  2
            CT-002      2         CRS    1
            CT-002      2         ICANS  0
            CT-003      1         CRS    0
            CT-003      1         ICANS  0
            CT-004      1         CRS    2
            CT-004      1         ICANS  0
            CT-004      2         CRS    0
            CT-004      2         ICANS  0
        """),
    },
)  # fmt: skip
"""Three sheets: one row a patient, one an infusion, one an assessment."""

GERMAN = Example(
    "Liste.csv",
    {"sheet": SheetExample(
        [
            ["CAR-T-Liste, Stand 31.01.2024"],
            ["Pat.-Nr.", "Diagnose", "Geschlecht", "Alter", "CAR-T 1 Datum", "CAR-T 1 LD", "CAR-T 1 Dosis (10^6/kg)",
             "CAR-T 2 Datum", "CAR-T 2 LD", "CAR-T 2 Dosis (10^6/kg)", "CAR-T 2 CRS", "Ansprechen CAR-T 2",
             "Datum Ansprechen CAR-T 2", "Todesdatum", "Letzter Kontakt"],
            ["1", "NHL", "m", "61", "04.03.2019", "Flu/Cy", "1,5", "25.11.2019", "Flu/Cy", "3,0", "1", "CR",
             "23.12.2019", "", "15.01.2024"],
            ["2", "ALL", "w", "24", "20.05.2019", "Cy", "1,0", "03.02.2020", "Flu/Cy", "2,5", "2", "CR", "02.03.2020",
             "12.05.2021", "12.05.2021"],
            ["3", "CLL", "m", "70", "09.01.2020", "Flu/Cy", "2,0", "01.12.2020", "Flu/Cy", "5,0", "0", "PD",
             "29.12.2020", "01.02.2021", "01.02.2021"],
            ["4", "NHL", "w", "55", "09.03.2020", "Cy", "0,75", "25.06.2020", "Flu/Cy", "5,0", "0", "SD", "23.07.2020",
             "", "07.02.2021"],
            ["Mittelwert", "", "", "52,5", "", "", "1,3125", "", "", "3,875", "0,75", "", "", "", ""],
        ],
        headers=("Pat.-Nr.", "Diagnose", "Geschlecht", "Alter", "CAR-T 1 Datum", "CAR-T 1 LD",
                 "CAR-T 1 Dosis (10^6/kg)", "CAR-T 2 Datum", "CAR-T 2 LD", "CAR-T 2 Dosis (10^6/kg)", "CAR-T 2 CRS",
                 "Ansprechen CAR-T 2", "Datum Ansprechen CAR-T 2", "Todesdatum", "Letzter Kontakt"),
        header_rows=(2,),
        data_from=3,
        drop_rows=("Mittelwert",),
        left_out=(7,),
        targets={
            "Pat.-Nr.": "patients.patient_id", "Diagnose": "patients.diagnosis", "Geschlecht": "patients.sex",
            "Alter": "patients.age_years", "CAR-T 1 Datum": "infusions[1].date",
            "CAR-T 1 LD": "infusions[1].lymphodepletion", "CAR-T 1 Dosis (10^6/kg)": "infusions[1].dose_cells_per_kg",
            "CAR-T 2 Datum": "infusions[2].date", "CAR-T 2 LD": "infusions[2].lymphodepletion",
            "CAR-T 2 Dosis (10^6/kg)": "infusions[2].dose_cells_per_kg", "CAR-T 2 CRS": "toxicities[2].CRS.grade",
            "Ansprechen CAR-T 2": "responses[2].response", "Datum Ansprechen CAR-T 2": "responses[2].date",
            "Todesdatum": "patients.death", "Letzter Kontakt": "patients.last_contact",
        },
    )},
    separator=";",
    answers={"date_order": "dmy"},  # decided by 25.11.2019
    tables={
        "patients": table("""
            patient_id  diagnosis  sex  age_years  last_contact  death
            1           NHL        M    61         2024-01-15    _
            2           ALL        F    24         2021-05-12    2021-05-12
            3           CLL        M    70         2021-02-01    2021-02-01
            4           NHL        F    55         2021-02-07    _
        """),
        "infusions": table("""
            patient_id  infusion  date        lymphodepletion  dose_cells_per_kg
            1           1         2019-03-04  Cy-Flu           1500000
            1           2         2019-11-25  Cy-Flu           3000000
            2           1         2019-05-20  Cy               1000000
            2           2         2020-02-03  Cy-Flu           2500000
            3           1         2020-01-09  Cy-Flu           2000000
            3           2         2020-12-01  Cy-Flu           5000000
            4           1         2020-03-09  Cy               750000
            4           2         2020-06-25  Cy-Flu           5000000
        """),
        "responses": table("""
            patient_id  date        response
            1           2019-12-23  CR
            2           2020-03-02  CR
            3           2020-12-29  PD
            4           2020-07-23  SD
        """),
        "toxicities": table("""
            patient_id  infusion  kind  grade
            1           2         CRS   1
            2           2         CRS   2
            3           2         CRS   0
            4           2         CRS   0
        """),
    },
)  # fmt: skip
"""A German list as a text file: semicolons, decimal commas, days before months, a row of means."""


def _wide_dates(file: str, dates: Sequence[str], order: str) -> Example:
    """Return a small wide sheet with dates as texts; `order` is what a person answers."""
    head = ("Patient", "Diagnosis", "CART1 date", "CART2 date", "CART2 best response", "Date of response",
            "Last contact", "Date of death")  # fmt: skip
    one, two = dates[:6], dates[6:]
    form = {"mdy": "%m/%d/%Y", "dmy": "%d/%m/%Y"}[order]
    iso = [datetime.strptime(text, form).strftime("%Y-%m-%d") if text else "" for text in dates]
    pairs = [("A1", *iso[:2]), ("A2", *iso[6:8])]
    sheet = SheetExample(
        [head, ["A1", "NHL", *one[:2], "CR", *one[2:5]], ["A2", "CLL", *two[:2], "PD", *two[2:5]]],
        headers=head,
        targets=dict(zip(head, ("patients.patient_id", "patients.diagnosis", "infusions[1].date", "infusions[2].date",
                                "responses[2].response", "responses[2].date", "patients.last_contact",
                                "patients.death"), strict=True)),
    )  # fmt: skip
    return Example(file, {"sheet": sheet}, answers={"date_order": order}, tables={
        "patients": [
            {"patient_id": "A1", "diagnosis": "NHL", "last_contact": iso[3], "death": iso[4]},
            {"patient_id": "A2", "diagnosis": "CLL", "last_contact": iso[9], "death": iso[10]},
        ],
        "infusions": [{"patient_id": who, "infusion": str(k), "date": day}
                      for who, *days in pairs for k, day in enumerate(days, 1)],
        "responses": [{"patient_id": "A1", "date": iso[2], "response": "CR"},
                      {"patient_id": "A2", "date": iso[8], "response": "PD"}],
    })  # fmt: skip


AMERICAN = _wide_dates(
    "us.csv",
    ("03/04/2019", "11/12/2019", "12/10/2019", "01/15/2024", "", "",
     "05/20/2019", "02/03/2020", "03/02/2020", "05/12/2021", "05/12/2021", ""),
    "mdy",
)  # fmt: skip
"""Months before days, as 01/15/2024 shows."""
AMBIGUOUS = _wide_dates(
    "ambiguous.csv",
    ("03/04/2019", "11/12/2019", "12/12/2019", "01/05/2023", "", "",
     "05/02/2019", "02/03/2020", "03/02/2020", "05/12/2021", "05/12/2021", ""),
    "dmy",
)  # fmt: skip
"""No cell tells whether the day or the month stands first: a person must say."""

MONTHS = Example(
    "survival.csv",
    {"sheet": SheetExample(
        [
            ["Pt ID", "Disease", "Age", "2nd CAR-T best response", "PFS (months)", "PFS event", "OS (months)", "Death"],
            ["M1", "CLL", "64", "CR", "12.0", "1", "30.0", "0"],
            ["M2", "NHL", "57", "PD", "1.0", "1", "4.5", "1"],
            ["M3", "ALL", "22", "CR", "24.0", "0", "24.0", "0"],
            ["M4", "NHL", "49", "PR", "6.0", "1", "18.0", "1"],
        ],
        headers=("Pt ID", "Disease", "Age", "2nd CAR-T best response", "PFS (months)", "PFS event", "OS (months)",
                 "Death"),
        targets={
            "Pt ID": "sheet.patient_id", "Disease": "sheet.diagnosis", "Age": "sheet.age_years",
            "2nd CAR-T best response": "sheet.response", "PFS (months)": "sheet.pfs_days",
            "PFS event": "sheet.pfs_event", "OS (months)": "sheet.os_days", "Death": "sheet.os_event",
        },
    )},
    # a month has 30.4375 days: 12 months are 365.25 days
    tables={"sheet": table("""
        patient_id  diagnosis  age_years  response  pfs_days  pfs_event  os_days   os_event
        M1          CLL        64         CR        365.25    1          913.125   0
        M2          NHL        57         PD        30.4375   1          136.96875 1
        M3          ALL        22         CR        730.5     0          730.5     0
        M4          NHL        49         PR        182.625   1          547.875   1
    """)},
)  # fmt: skip
"""Times already derived, in months."""

EXAMPLES: Mapping[str, Example] = {
    "tracking": TRACKING, "long": LONG, "german": GERMAN, "american": AMERICAN, "ambiguous": AMBIGUOUS,
    "months": MONTHS,
}  # fmt: skip
