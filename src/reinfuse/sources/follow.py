"""A map is followed: from the texts of a source to the tables of a cohort, every cell with its place and its rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reinfuse.cohort.schema import TABLES
from reinfuse.exceptions import Problem, nearest
from reinfuse.sources.ages import IMPOSSIBLE, ages_at, undated
from reinfuse.sources.assembling import Assembly, problem_at, rows_in_words
from reinfuse.sources.block_names import of_two_infusions
from reinfuse.sources.deaths import untold_deaths
from reinfuse.sources.empty_grades import GRADE, KINDS, meaning_of_empty, rows_lacking, with_empty
from reinfuse.sources.filling import FilledLine, Filling
from reinfuse.sources.imported import Imported, ImportedCell
from reinfuse.sources.infusion_days import in_time, is_time
from reinfuse.sources.left_columns import not_followed, with_typed_answers
from reinfuse.sources.records.answers import ANSWERS
from reinfuse.sources.source_map import BY_DATE, OPEN, WIDE_SHEET, Block, Field, SourceMap
from reinfuse.sources.source_table import Source, SourceTable

MAP = "map"
_SHOWN = 6
_NEEDED: Mapping[str, tuple[str, ...]] = {"patients": ("patient_id", "death"), "infusions": ("patient_id", "infusion")}


def follow(source: Source, source_map: SourceMap) -> Imported:
    """Fill the tables of a cohort as a map says.

    Parameters
    ----------
    source
        As it was read.
    source_map
        A person has confirmed it: what is open in it, and every cell that it does not settle, is a problem.

    Returns
    -------
    Imported
        Its `problems` say all that keeps it from being a cohort; its tables are not yet checked as a cohort.
    """
    return _Follower(source, with_typed_answers(source_map)).imported()


class _Follower:
    def __init__(self, source: Source, source_map: SourceMap) -> None:
        self.source, self.map = source, source_map
        self.filling = Filling(source_map, source.kind)
        self.assembly = Assembly()
        self.ids: dict[str, str] = {}
        self.listed: set[tuple[str, str, str]] = set()
        """Patient, infusion and kind of toxicities that a list names, with a grade or without."""
        self.read: set[tuple[str, str]] = set()
        """Name of a source's table and header of what some line reads."""

    def imported(self) -> Imported:
        blocks = [(place, b, table) for place, b in self.map.places() if (table := self._table(b)) is not None]
        whole = list(self._wrong_as_a_whole(blocks))
        blocks.sort(key=lambda item: item[1].table != "infusions")
        for place, block, table in blocks:
            self._fill(place, block, table=table)
        self._add_rows_lacking()
        tables = self.assembly.tables()
        self._untaken()
        problems = (
            *whole,
            *self._open(self.filling.gaps.words()),
            *not_followed(self.map),
            *self.filling.gaps.problems(),
            *self.assembly.problems,
            *untold_deaths(self.source, self.map, tables, self.read),
        )
        remarks = (*self.source.seen, *self.assembly.remarks, *self._left(), *self._lacking(), *self._missing(),
                   *self._idle_dictionaries())  # fmt: skip
        return Imported(self.source, self.map, tables, remarks, problems)

    def _table(self, block: Block) -> SourceTable | None:
        """Return the source's table of a block; without a name, the only one."""
        if not block.sheet and len(self.source.tables) == 1:
            return self.source.tables[0]
        return self.source.table(block.sheet)

    def _wrong_as_a_whole(self, blocks: Sequence[tuple[str, Block, SourceTable]]) -> Iterator[Problem]:
        yield from (p for p in self.source.problems if p.severity == "error")
        if self.map.kind != self.source.kind:
            rule = f"is made for a source of the kind {self.map.kind}, and this one is {self.source.kind}"
            yield Problem(table=MAP, column="source.kind", rule=rule, remedy="use the map of this source")
        names = [t.name for t in self.source.tables]
        for place, block in self.map.places():
            if self._table(block) is None:
                near = nearest(block.sheet, names)
                hint = f"did you mean {near!r}? " if near else ""
                yield Problem(table=MAP, column=f"{place}.sheet", value=block.sheet, rule="is not in the source",
                              remedy=f"{hint}the source has: {', '.join(names)}")  # fmt: skip
        if self.map.fingerprint and self.map.fingerprint != self.source.fingerprint:
            yield self._changed()
        for place, block, table in blocks:
            yield from self._wrong_headers(place, block, table=table)
        yield from self._lines_needed()
        yield from of_two_infusions(self.map, {t.name: tuple(t.positions) for t in self.source.tables})

    def _changed(self) -> Problem:
        headers_used = {h for b in self.map.blocks for f in b.fields.values() for h in f.headers}
        headers_used |= {h for left in (*self.map.ignored.values(), *(b.where for b in self.map.blocks)) for h in left}
        new = [c.header for t in self.source.tables for c in t.columns if c.header not in headers_used]
        listed = f" (not in the map: {', '.join(new[:_SHOWN])}{', ...' if len(new) > _SHOWN else ''})" if new else ""
        remedy = (f"look whether every line of the map still reads the right column, then write fingerprint = "
                  f'"{self.source.fingerprint}" in it; or run `reinfuse map` again')  # fmt: skip
        return Problem(
            table=MAP, column="source.fingerprint", remedy=remedy,
            rule=f"the headers of the source are not those for which the map was made{listed}",
        )  # fmt: skip

    def _wrong_headers(self, place: str, block: Block, *, table: SourceTable) -> Iterator[Problem]:
        headers = [(f"{place}.where", h) for h in block.where]
        headers += [(f"{place}.{c}", h) for c, f in block.fields.items() for h in f.headers]
        for where, header in headers:
            if header not in table.positions:
                near = nearest(header, table.positions)
                remedy = f"did you mean {near!r}?" if near else "correct the header in the map"
                rule = f"is no column of {table.name}"
                yield Problem(table=MAP, column=where, value=header, rule=rule, remedy=remedy)

    def _lines_needed(self) -> Iterator[Problem]:
        """Refuse a map without what no default can stand for: an unmapped death would make all patients alive."""
        tables = {b.table for b in self.map.blocks}
        if WIDE_SHEET in tables:
            if len(tables) > 1:
                yield Problem(table=MAP, column=WIDE_SHEET, rule="stands beside dated tables; only one can be imported",
                              remedy="take the block [sheet] away, or all others")  # fmt: skip
            return
        for table, columns in _NEEDED.items():
            mapped = {c for b in self.map.blocks if b.table == table for c in b.fields}
            for column in columns:
                if column not in mapped:
                    remedy = f'add the line {column} = "header" to [{table}] in the map'
                    if column == "death":
                        remedy += '; if nobody died: death = { const = "" }'
                    yield Problem(table=MAP, column=f"{table}.{column}", rule="has no line in the map", remedy=remedy)
        for place, block in self.map.places():
            if "patient_id" not in block.fields and block.table not in _NEEDED:
                rule, remedy = "has no line in the map", 'add the line patient_id = "header"'
                yield Problem(table=MAP, column=f"{place}.patient_id", rule=rule, remedy=remedy)

    def _open(self, words: set[tuple[str, str]]) -> Iterator[Problem]:
        """Tell what is open; words that were met in cells are told with their cells."""
        lines = {f"{place}.{c}": f for place, b in self.map.places() for c, f in b.fields.items()}
        for place, subject in self.map.open_questions():
            dictionary = place.removeprefix("values.")
            if place.startswith("values.") and (dictionary, subject.casefold()) in words:
                continue
            line = lines.get(f"{place}.{subject}")
            guess = line is not None and line.confirm
            rule = "is a guess that nobody has confirmed" if guess else "is open"
            remedy = 'write the answer instead of "?"'
            if guess:
                remedy = "take `confirm = true` away if the line is right, or correct the line"
            yield Problem(table=MAP, column=f"{place}.{subject}", rule=rule, remedy=remedy,
                          value=line.column if line is not None and line.column != OPEN else None)  # fmt: skip

    def _fill(self, place: str, block: Block, *, table: SourceTable) -> None:
        fields = {c: f for c, f in block.fields.items() if not f.is_open and set(f.headers) <= set(table.positions)}
        known_rows = all(h in table.positions for h in block.where) and not block.open_headers
        if block.table == "infusions" and (not known_rows or any(
            c in block.fields and c not in fields for c in ("patient_id", "infusion", "date", "day")
        )):  # fmt: skip
            self.filling.infusions.unknown = True
        if not known_rows or "patient_id" not in fields:
            return
        rows = self.filling.selected(table, block.where, range(len(table.rows)))
        if block.where and table.rows and not rows:
            self.assembly.problems.append(self._no_row(place, block, table=table))
        identifiers = self.filling.cells(FilledLine(place, "patient_id", fields["patient_id"], block, table, rows), ())
        cells: dict[str, Sequence[ImportedCell]] = {"patient_id": self._identified(identifiers)}
        patients = [c.text for c in cells["patient_id"]]
        for column, filled in fields.items():
            if column != "patient_id":
                cells[column] = self.filling.cells(FilledLine(place, column, filled, block, table, rows), patients)
            self.read |= {(table.name, h) for h in filled.headers}
        self._numbered(cells, table, block.table)
        self._complete(block, cells, table)
        self.assembly.add(block, cells, self._shared(block))
        if block.table == "infusions":
            self._note_infusions(table, cells)

    def _no_row(self, place: str, block: Block, *, table: SourceTable) -> Problem:
        """Tell that a condition of the map holds in no row: a text that was misspelt in it leaves all rows out."""
        header, wanted = next(((h, t) for h, t in block.where.items() if not self.filling.selected(
            table, {h: t}, range(len(table.rows)))), next(iter(block.where.items())))  # fmt: skip
        texts = list(dict.fromkeys(t for t in self.filling.texts(table, header) if t.strip()))
        shown = f"{', '.join(texts[:_SHOWN])}{', ...' if len(texts) > _SHOWN else ''}"
        return Problem(table=MAP, column=f"{place}.where.{header}", value=" or ".join(wanted),
                       rule="no row of the source holds it, so that the block reads none",
                       remedy=f"write one of those that are there ({shown}), or take the block away")  # fmt: skip

    def _identified(self, cells: Sequence[ImportedCell]) -> list[ImportedCell]:
        """Return patients' identifiers, or the numbers that stand for them; then the source's own are not kept."""
        if self.map.ids != "number":
            return list(cells)
        for cell in cells:
            if cell.text:
                self.ids.setdefault(cell.text, f"P{len(self.ids) + 1:03d}")
        return [c._replace(text=self.ids.get(c.text, ""), raw="", rule="numbered in the order of the source")
                for c in cells]  # fmt: skip

    def _shared(self, block: Block) -> frozenset[str]:
        """Return columns that another block of the same table reads from the same cells of the same sheet."""
        others = [b for b in self.map.blocks if b is not block
                  and (b.table, b.sheet, b.where) == (block.table, block.sheet, block.where)]  # fmt: skip
        elsewhere = {(c, f.cells_read) for b in others for c, f in b.fields.items() if f.column}
        own = ((c, (c, f.cells_read)) for c, f in block.fields.items() if f.column)
        return frozenset(c for c, read in own if read in elsewhere)

    def _numbered(self, cells: dict[str, Sequence[ImportedCell]], table: SourceTable, name: str) -> None:
        """Number infusions by date where the map says so; in other tables, take the number of the same row."""
        numbers = cells.get("infusion", ())
        if not any(c.text == BY_DATE for c in numbers):
            return
        if name != "infusions":
            own = self.filling.infusions.own
            cells["infusion"] = [c._replace(text=own.get((table.name, c.row), ("", ""))[1], rule="that of the same row")
                                 for c in numbers]  # fmt: skip
            return
        times = cells.get("date", cells.get("day", ()))
        by_patient: dict[str, set[str]] = {}
        for patient, time in zip(cells["patient_id"], times, strict=True):
            if time.text:
                by_patient.setdefault(patient.text, set()).add(time.text)
        order = {p: {t: str(i) for i, t in enumerate(sorted(days, key=in_time), 1)} for p, days in by_patient.items()}
        cells["infusion"] = [
            n._replace(text=order.get(p.text, {}).get(t.text, ""), rule="numbered in the order of the dates")
            for p, n, t in zip(cells["patient_id"], numbers, times, strict=True)
        ]
        self.assembly.remarks.append(f"{table.name}: infusions numbered in the order of their dates")

    def _complete(self, block: Block, cells: dict[str, Sequence[ImportedCell]], table: SourceTable) -> None:
        """Fill in what follows from the infusions that were given: ages, and grades of empty cells."""
        days = self.filling.infusions.days
        grade = block.fields.get(GRADE)
        meaning = meaning_of_empty(grade, self.map) if grade and block.table == "toxicities" else ""
        listed = bool(block.fields.get("kind", Field()).column)
        if meaning and listed and {"infusion", "kind", GRADE} <= cells.keys():
            self.listed |= {(p.text, n.text, k.text) for p, n, k in zip(cells["patient_id"], cells["infusion"],
                                                                        cells["kind"], strict=True)}  # fmt: skip
        elif meaning and {"infusion", GRADE} <= cells.keys():
            cells[GRADE] = with_empty(cells, days, meaning)
        patients = [c.text for c in cells["patient_id"]]
        for column, filled in block.fields.items():
            if not filled.until or column not in cells:
                continue
            cells[column] = ages_at(cells[column], patients, {} if self.filling.infusions.unknown else days,
                                    at=filled.until)  # fmt: skip
            self.assembly.remarks += [f"{table.name}: {r}" for r in undated(cells[column], column, at=filled.until)]
            wrong = [c for c in cells[column] if c.rule == IMPOSSIBLE]
            remedy = f"correct the dates, or take {column} out of the map"
            self.assembly.problems += [problem_at(c, IMPOSSIBLE, remedy=remedy) for c in wrong]

    def _add_rows_lacking(self) -> None:
        """Add the grades of infusions that a list of toxicities passes over, where the map says that they are 0."""
        listed = [b for b in self.map.blocks if b.table == "toxicities" and b.fields.get("kind", Field()).column]
        rows = self.assembly.rows.get("toxicities", [])
        kinds = [k for k in KINDS if any(r["kind"].text == k for r in rows if "kind" in r)]
        if not any(meaning_of_empty(b.fields.get(GRADE, Field()), self.map) for b in listed):
            return
        tables = {t.name: t for t in self.source.tables}
        given = {key: (tables[name], row) for (name, row), key in self.filling.infusions.own.items()}
        rows += rows_lacking(self.listed, given, kinds)

    def _note_infusions(self, table: SourceTable, cells: Mapping[str, Sequence[ImportedCell]]) -> None:
        """Remember when infusions were given, and which rows of the source they stand in."""
        times, numbers = cells.get("date", cells.get("day")), cells.get("infusion")
        if times is None or numbers is None:
            self.filling.infusions.unknown = True
            return
        for patient, number, time in zip(cells["patient_id"], numbers, times, strict=True):
            if patient.text and (time.raw or time.text):
                self.filling.infusions.days[patient.text, number.text] = time.text if is_time(time.text) else None
                self.filling.infusions.own[table.name, time.row] = (patient.text, number.text)

    def _untaken(self) -> None:
        """Note filled cells that every line's pattern or condition passed over."""
        for (name, header), lines in self.filling.lines.items():
            line, dictionary = lines[0]
            taken = self.filling.taken[name, header]
            considered = {r for one, _ in lines for r in one.rows}
            texts = self.filling.texts(line.table, header)
            outside = sum(bool(t.strip()) for r, t in enumerate(texts) if r not in considered)
            if outside:
                where = f"{rows_in_words(outside)} whose {header} is filled and that `where` of the map leaves out"
                self.assembly.remarks.append(f"{name}: {where}")
            for row in sorted(considered - taken):
                if texts[row].strip():
                    self.filling.gaps.add("unmatched", sheet=name, header=header, place=line.name, text=texts[row],
                                          dictionary=dictionary, row=line.table.rows[row].place)  # fmt: skip

    def _left(self) -> Iterator[str]:
        """Say which columns of the source are not carried over."""
        mapped = {b.sheet for b in self.map.blocks}
        for table in self.source.tables:
            headers = [c.header for c in table.columns if (table.name, c.header) not in self.read]
            if headers and (table.name in mapped or "" in mapped):
                yield f"{table.name}: columns that are not carried over: {', '.join(headers)}"
            elif table.name not in mapped and "" not in mapped:
                reasons = set(self.map.ignored.get(table.name, {}).values())
                why = f": {reasons.pop()}" if len(reasons) == 1 else ""
                yield f"{table.name}: the whole sheet is not carried over{why}"

    def _missing(self) -> Iterator[str]:
        """Say which words were read as missing values."""
        for name, words in self.filling.missing.items():
            shown = (f"{word!r} ({count})" for word, count in words.most_common())
            yield f"{name}: read as missing values: {', '.join(shown)}"
        for line, count in self.filling.unweighed.items():
            yield f"{line}: left empty, as they are of all cells and the row holds no body weight: {count}"

    def _idle_dictionaries(self) -> Iterator[str]:
        for name in self.map.values:
            if name not in self.filling.dictionaries and name != ANSWERS:
                near = nearest(name, self.filling.dictionaries)
                yield f"map: no line reads its texts by [values.{name}]{f', did you mean {near}?' * bool(near)}"

    def _lacking(self) -> Iterator[str]:
        """Say which required columns no line fills."""
        for table in TABLES.values():
            mapped = {c for b in self.map.blocks if b.table == table.name for c in b.fields}
            lacking = [c.name for c in table.columns if c.required and not c.filled and c.name not in mapped]
            if mapped and lacking:
                yield f"{table.name}: no column of the source is read as {', '.join(lacking)}, left empty"
