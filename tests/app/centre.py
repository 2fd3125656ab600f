"""The tracking sheet of a centre with errors typed into it, and what a person answers on the way through the app."""

from __future__ import annotations

import re
import sys
from html import unescape
from pathlib import Path

import openpyxl

sys.path.append(str(Path(__file__).resolve().parents[1] / "sources"))
from workbooks import EXAMPLES

SHEET = "CART pts 2019-24"
AGE, SECOND = "Patient | Age at CART", "CART #2 | Date"
WRONG = {"D7": 240, "K9": "2018-12-01"}
"""The age of P03, and the second infusion of P05 before the first one."""
MENDED = {("7", AGE): ("240", "70"), ("9", SECOND): ("2018-12-01", "2021-03-15")}
ANSWERS = {"source.ids|ids": "keep", "values.response.NR|value": "SD", "patients.last_contact|partial": "first",
           "patients.death|partial": "first"}  # fmt: skip
"""What only a person can know; all else is right as it is proposed."""


def messy_sheet(folder, cells=WRONG):
    """Write the sheet, and return its path."""
    path = EXAMPLES["tracking"].write(folder)
    book = openpyxl.load_workbook(path)
    for place, value in cells.items():
        book.worksheets[0][place] = value
    book.save(path)
    return path


def answers_of(page):
    """Return an answer for each question of the page with the columns."""
    names = dict.fromkeys(unescape(n) for n in re.findall(r'name="(q:[^"]+)"', page.text))
    return {name: ANSWERS.get(name.removeprefix("q:"), "yes") for name in names}


def sent(browser, path):
    """Send a file as the page does, and return the page that answers."""
    return browser.post("open/files", {}, files=[(path.name, path.read_bytes())])


def to_columns(browser, page):
    """Go from a page of the project to its columns."""
    return browser.get(page.path.rpartition("/")[0] + "/columns")


def to_problems(browser, path):
    """Send a file, answer what is asked, import, and return the page with the problems."""
    columns = to_columns(browser, sent(browser, path))
    answered = browser.send(columns, "/answer", **answers_of(columns))
    return browser.send(answered, "/import")
