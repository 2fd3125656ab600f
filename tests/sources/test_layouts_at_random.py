"""Header, names and rows of messy sheets drawn at random: as a workbook, and as text that knows no merged cells."""

import csv
from datetime import datetime

import pytest

from reinfuse.sources.read import read_source
from sources.random_sheets import draw
from sources.workbooks import write_sheets

SEEDS = [seed for seed in range(80) if seed != 53]  # 53: means of two numbers and no label, after which is asked


def _said(table):
    numbers = tuple(int(row.place.removeprefix("row ")) for row in table.rows)
    return table.layout.header_rows, tuple(c.header for c in table.columns), numbers


@pytest.mark.parametrize("seed", SEEDS)
def test_header_and_data_of_a_workbook(seed, tmp_path):
    sheet = draw(seed)
    path = write_sheets(tmp_path / "x.xlsx", {"One": (sheet.rows, sheet.merges)})
    assert _said(read_source(path).table("One")) == (sheet.header_rows, sheet.names, sheet.data)


@pytest.mark.parametrize("seed", SEEDS)
def test_header_and_data_of_a_text_file(seed, tmp_path):
    sheet = draw(seed)
    comma = seed % 2 == 0
    width = max(map(len, sheet.rows))
    with (tmp_path / "x.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="," if comma else ";")
        for row in sheet.rows:
            writer.writerow([_text(c, comma=comma) for c in [*row, *[None] * (width - len(row))]])
    assert _said(read_source(tmp_path / "x.csv").tables[0]) == (sheet.header_rows, sheet.names, sheet.data)


def _text(cell, *, comma):
    if isinstance(cell, datetime):
        return cell.strftime("%d.%m.%Y")
    if isinstance(cell, float) and not comma:
        return str(cell).replace(".", ",")
    return "" if cell is None else str(cell)
