"""A messy sheet that can be altered cell by cell, and what came of it: asked, refused, read rightly or wrongly.

Each variant goes through the map that was confirmed for the sheet as it was, and through a map made for it anew. Of
the new map, questions that the unaltered sheet raises are answered as for that one; any further question counts as
asked.
"""

from __future__ import annotations

import copy
import csv
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from workbooks import EXAMPLES, Cell, Example, SheetExample, write_sheets

from reinfuse.cohort.lymphodepletion import regimen_class
from reinfuse.sources.cohort_folder import check
from reinfuse.sources.follow import follow
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import MapQuestion, answered, questions
from reinfuse.sources.read import read_source
from reinfuse.sources.source_map import SourceMap

Truth = dict[str, list[dict[str, str]]]
YES_NO = {"1": "yes", "0": "no"}
ASKED, REFUSED, RIGHT, WRONG = "asked", "refused", "read rightly", "read wrongly"


class NotHere(Exception):
    """A corruption has nothing to alter in this sheet."""


@dataclass
class Variant:
    """A sheet on its way to be altered; `truth` is None where no reading of the result can be right."""

    example: Example
    sheets: dict[str, SheetExample]
    rows: dict[str, list[list[Cell]]]
    truth: Truth | None
    merges: dict[str, list[str]]
    names: dict[str, str]
    hidden: set[int] = field(default_factory=set)
    separator: str = ","
    encoding: str = "utf-8"

    @property
    def is_text(self) -> bool:
        """Whether it is a text file."""
        return self.example.file.endswith(".csv")

    def column(self, *targets: str) -> tuple[str, int, str]:
        """Return sheet, position and target of the first of some targets that the file holds."""
        for target in targets:
            for name, sheet in self.sheets.items():
                for j, header in enumerate(sheet.headers):
                    if sheet.targets.get(header) == target:
                        return name, j, target
        raise NotHere

    def data(self, sheet: str) -> list[int]:
        """Return the positions of the rows that are patients, infusions or assessments."""
        out, rows = self.sheets[sheet].left_out, self.rows[sheet]
        first = self.sheets[sheet].data_from - 1
        return [i for i in range(first, len(rows)) if i + 1 not in out and any(c not in (None, "") for c in rows[i])]

    def header_row(self, sheet: str) -> int:
        """Return the position of the last row of the header."""
        return self.sheets[sheet].header_rows[-1] - 1

    def change_header(self, sheet: str, j: int, text: str) -> None:
        """Write another text over a column."""
        self.rows[sheet][self.header_row(sheet)][j] = text

    def insert_column(self, sheet: str, j: int, header: str, cells: Mapping[int, Cell]) -> None:
        """Insert a column; merged headers are written into each of their cells first."""
        self.spread_merges(sheet)
        for i, row in enumerate(self.rows[sheet]):
            row += [None] * (j - len(row))
            row.insert(j, header if i == self.header_row(sheet) else cells.get(i))

    def spread_merges(self, sheet: str) -> None:
        """Unmerge, with the text of each group in all its cells."""
        from openpyxl.utils import range_boundaries

        for area in self.merges[sheet]:
            left, top, right, bottom = range_boundaries(area)
            if top == bottom:
                for j in range(left - 1, right):
                    self.rows[sheet][top - 1][j] = self.rows[sheet][top - 1][left - 1]
        self.merges[sheet] = []

    def write(self, folder: Path) -> Path:
        """Write the file."""
        path = folder / self.example.file
        if self.is_text:
            (rows,) = self.rows.values()
            with path.open("w", encoding=self.encoding, newline="") as file:
                csv.writer(file, delimiter=self.separator).writerows(rows)
            return path
        sheets = {self.names[name]: (rows, self.merges[name]) for name, rows in self.rows.items()}

        def hide(book) -> None:
            for i in self.hidden:
                book.worksheets[0].row_dimensions[i].hidden = True

        return write_sheets(path, {**sheets, **{n: (r, ()) for n, r in self.example.legends.items()}}, hide)


def variant_of(name: str) -> Variant:
    """Return an example as it is, to be altered."""
    example = EXAMPLES[name]
    rows = {sheet: [list(row) for row in one.rows] for sheet, one in example.sheets.items()}
    for sheet, one in example.sheets.items():
        for row in rows[sheet]:
            row += [None] * (len(one.headers) - len(row)) if not example.file.endswith(".csv") else []
    truth = {t: [dict(row) for row in table] for t, table in example.tables.items()}
    merges = {sheet: list(one.merges) for sheet, one in example.sheets.items()}
    return Variant(example, dict(example.sheets), rows, copy.deepcopy(truth), merges,
                   {sheet: sheet for sheet in rows}, separator=example.separator)  # fmt: skip


def answer_of(question: MapQuestion, answers: Mapping[str, object]) -> str:
    """Return what the person of an example answers."""
    if question.setting == "value":
        values = answers["values"]
        assert isinstance(values, dict)
        return values[question.place.removeprefix("values.")][question.subject]
    fixed = {"ids": "keep", "confirm": "yes", "unit": "1e6 cells/kg"}
    own = {s: answers.get("date_order") for s in ("order", "date_order")} | {"partial": answers.get("partial")}
    return {**fixed, **own}.get(question.setting) or "yes"


def with_weight(source_map: SourceMap, weight: str) -> SourceMap:
    """Return the map with the column of body weights beside each dose."""
    blocks = []
    for block in source_map.blocks:
        dose = block.fields.get("dose_cells_per_kg")
        more = {"dose_cells_per_kg": replace(dose, weight=weight)} if dose else {}
        blocks.append(replace(block, fields={**block.fields, **more}))
    return replace(source_map, blocks=tuple(blocks))


def asked_by(source_map: SourceMap) -> Iterator[tuple[tuple[str, str, str], MapQuestion]]:
    """Yield the open questions, each after what makes it the same question in another map."""
    for question in questions(source_map):
        yield (question.line, question.setting, question.text), question


@cache
def confirmed(name: str) -> tuple[SourceMap, frozenset[tuple[str, str, str]]]:
    """Return the confirmed map of an example as it is, and the questions that it raised."""
    with TemporaryDirectory() as folder:
        source_map = propose(read_source(EXAMPLES[name].write(Path(folder)))).map
    raised = dict(asked_by(source_map))
    return _answered(EXAMPLES[name], source_map), frozenset(raised)


def _answered(example: Example, source_map: SourceMap) -> SourceMap:
    for question in list(questions(source_map)):
        source_map = answered(source_map, question, answer_of(question, example.answers))
    weight = example.answers.get("weight")
    return with_weight(source_map, str(weight)) if weight else source_map


def outcomes(name: str, variant: Variant) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return what comes of a variant by the map of the unaltered sheet, and by a new one: outcome and why."""
    with TemporaryDirectory() as folder:
        path = variant.write(Path(folder))
        source_map, raised = confirmed(name)
        old = _followed(path, source_map, variant)
        source = read_source(path)
        if not source.tables or any(p.severity == "error" for p in source.problems):
            return old, (REFUSED, "; ".join(p.rule for p in source.problems))
        proposed = propose(source).map
        further = [line for line, _ in asked_by(proposed) if line not in raised]
        if further:
            return old, (ASKED, "; ".join(map(str, further)))
        return old, _followed(path, _answered(variant.example, proposed), variant)


def _followed(path: Path, source_map: SourceMap, variant: Variant) -> tuple[str, str]:
    imported = follow(read_source(path, kind=source_map.kind, layouts=source_map.layouts), source_map)
    checked = check(imported, path)
    if checked.cohort is None:
        errors = [p for p in checked.problems if p.severity == "error"]
        changed = any(p.column == "source.fingerprint" for p in errors)
        return ASKED if changed else REFUSED, "; ".join(f"{p.column}: {p.rule}" for p in errors)
    if variant.truth is None:
        return WRONG, "read, although nothing in it can be right"
    differing = list(_differing(variant.truth, imported.tables))
    return (WRONG, "; ".join(differing)) if differing else (RIGHT, "")


def _differing(truth: Truth, tables) -> Iterator[str]:
    """Yield the rows that differ from the truth."""
    for name in sorted({*truth, *tables}):
        table = tables.get(name)
        rows = (
            [{c: cell.text for c, cell in zip(table.columns, row, strict=True)} for row in table.rows] if table else []
        )
        columns = tuple(truth[name][0]) if truth.get(name) else table.columns
        expected = sorted([comparable(row, columns) for row in truth.get(name, ())], key=str)
        got = sorted([comparable(row, columns) for row in rows], key=str)
        if expected != got:
            yield f"{name}: not {[r for r in expected if r not in got]} but {[r for r in got if r not in expected]}"


def comparable(row: Mapping[str, str], columns: tuple[str, ...]) -> dict[str, str | None]:
    """Return the columns of a row that its truth tells, a regimen as its class."""
    texts: dict[str, str | None] = {c: row.get(c) or "" for c in columns}
    if texts.get("lymphodepletion"):
        texts["lymphodepletion"] = regimen_class(str(texts["lymphodepletion"]))
    return {c: YES_NO.get(str(t), t) if c.endswith("_event") else t for c, t in texts.items()}


def pick(rng: random.Random, variant: Variant, sheet: str, j: int) -> int:
    """Return the position of a random row of data whose cell is filled."""
    filled = [
        i
        for i in variant.data(sheet)
        if j < len(variant.rows[sheet][i]) and variant.rows[sheet][i][j] not in (None, "")
    ]
    if not filled:
        raise NotHere
    return rng.choice(filled)
