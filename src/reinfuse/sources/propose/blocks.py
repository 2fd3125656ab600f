"""The blocks of a map, from the lines that were found in one table of the source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reinfuse.sources.propose.days_in_cells import day_in_cells
from reinfuse.sources.propose.filled import ProposedLine, dates_beside
from reinfuse.sources.propose.table_shape import Shape
from reinfuse.sources.source_map import BY_DATE, OPEN, OWN_INFUSION, Block, Field
from reinfuse.sources.values import understand
from reinfuse.sources.values.responses import CRITERIA
from reinfuse.sources.values.understood import plain

Place = tuple[str, int | None, int | None]
"""Concept, infusion and day, as in `Match.key`."""
_CRITERIA = {word: name for word, name in CRITERIA.items() if name in ("iwCLL", "Lugano", "NCCN")}
_METHODS = {"flow": "flow", "ngs": "NGS", "pcr": "PCR", "clonoseq": "NGS"}
_COMPARTMENTS = {"bm": "marrow", "marrow": "marrow", "km": "marrow", "pb": "blood", "blood": "blood"}
_DAY_28 = 28
_OF_PATIENTS = ("prior_lines", "bulky")
"""Columns of infusions that may stand with the patients."""
_NOT_RECORDED = "not recorded"


def blocks_of(sheet: str, shape: Shape, lines: Mapping[Place, ProposedLine], *, one_table: bool) -> Iterator[Block]:
    """Yield the blocks that fill the cohort's tables from one sheet.

    Parameters
    ----------
    lines
        What each column was taken for.
    one_table
        The source is this one table, so that what it lacks is nowhere.
    """
    identifier = next((line.filled for (key, _, _), line in lines.items() if key == "patients.patient_id"), None)
    who = identifier or Field(column=OPEN, reason="no column identifies the patients")
    builder = _Builder(sheet, shape, lines, who)
    if shape.row_of == "derived":
        fields = {line.match.concept.column: line.filled for line in lines.values()}
        yield Block("sheet", sheet, {"patient_id": who, **fields})
        return
    builder.several = not one_table and not any(key == "infusions.date" for key, _, _ in lines)
    yield from builder.patients(one_table=one_table)
    yield from builder.infusions()
    yield from builder.responses()
    yield from builder.residual_disease()
    yield from builder.toxicities()
    yield from builder.therapies()
    yield from builder.counts()


class _Builder:
    """Builds the blocks of one sheet."""

    def __init__(self, sheet: str, shape: Shape, lines: Mapping[Place, ProposedLine], who: Field) -> None:
        self.sheet, self.shape, self.lines = sheet, shape, lines
        self.who = replace(who, reason="", confidence=None, confirm=False) if who.column != OPEN else who
        self.identified = who
        self.several = False
        """Other sheets hold the dates of the infusions."""

    def block(self, table: str, fields: Mapping[str, Field], *, first: bool = False) -> Block:
        """Return a block with its patients."""
        who = self.identified if first else self.who
        return Block(table, self.sheet, {"patient_id": who, **fields})

    def of(self, table: str, infusion: int | None) -> dict[str, Field]:
        """Return the fields of a table that belong to one infusion, without days or roles."""
        return {line.match.concept.column: line.filled for (_, k, day), line in self.lines.items()
                if line.match.concept.table == table and k == infusion and day is None and not line.match.concept.role
                and not line.match.concept.kind and line.match.concept.column != "patient_id"}  # fmt: skip

    def role(self, key: str) -> Iterator[tuple[int | None, ProposedLine]]:
        """Yield the lines of one concept, each with its infusion."""
        yield from ((k, line) for (name, k, _), line in self.lines.items() if name == key)

    def patients(self, *, one_table: bool) -> Iterator[Block]:
        fields = self.of("patients", None) | self.of("patients", 1)
        several = self.of("infusions", 1) if self.several else {}
        fields |= {c: f for c, f in (self.of("infusions", None) | several).items()
                   if c in _OF_PATIENTS and self.shape.row_of == "patient"}  # fmt: skip
        fields |= self._diagnosis(fields)
        fields |= self._histology(fields)
        fields |= self._sex(fields)
        age = self._age_at_first(fields)
        if "last_contact" in fields and "death" not in fields:
            fields |= self._death(fields["last_contact"])
        fields |= self._cause(fields)
        if one_table and "death" not in fields:
            why = 'no column of death was found: name it, or write const = "" if nobody died'
            fields["death"] = Field(const=OPEN, reason=why)
        if one_table and "diagnosis" not in fields:
            why = 'no column of the diagnosis was found: name it, or write what all patients have, as const = "ALL"'
            fields["diagnosis"] = Field(const=OPEN, reason=why)
        if fields:
            yield self.block("patients", fields, first=True)
        if age is not None:
            yield age

    def _histology(self, fields: Mapping[str, Field]) -> dict[str, Field]:
        """Return the histology from diagnoses that name it: `DLBCL` is NHL, and is not lost."""
        line = self._telling("diagnosis", "histology", fields, read_as="diagnosis")
        why = "the diagnosis names it"
        return {"histology": replace(line, part="histology", reason=why, confirm=False)} if line else {}

    def _diagnosis(self, fields: Mapping[str, Field]) -> dict[str, Field]:
        """Return the diagnosis from the histology, where no column holds it: `DLBCL` is NHL."""
        line = self._telling("histology", "diagnosis", fields, read_as="diagnosis")
        return {"diagnosis": replace(line, reason="the histology says it", confirm=False)} if line else {}

    def _sex(self, fields: Mapping[str, Field]) -> dict[str, Field]:
        """Return the sex from cells such as ``63M``, where it stands beside the age."""
        line = self._telling("age_years", "sex", fields, read_as="age_years")
        return {"sex": replace(line, reason="it stands beside the age", confirm=False)} if line else {}

    def _telling(self, column: str, wanted: str, fields: Mapping[str, Field], *, read_as: str) -> Field | None:
        """Return the field of a column of patients whose cells tell what no column holds; None where none does."""
        _, line = next(self.role(f"patients.{column}"), (None, None))
        if wanted in fields or line is None:
            return None
        tells = any((s := understand(read_as, t)) and wanted in s.parts for t in line.match.cells.counts)
        return line.filled if tells else None

    def _cause(self, fields: Mapping[str, Field]) -> dict[str, Field]:
        """Return the cause of death from the words beside its date, where no column holds it."""
        for (key, _, _), line in self.lines.items():
            if key not in ("patients.last_contact", "patients.death", "patients.death:status"):
                continue
            texts = line.match.cells.counts
            worded = any((s := understand("death_cause", t)) and "death_cause" in s.parts for t in texts)
            if worded and "death_cause" not in fields:
                why = "it stands beside what tells of the death"
                return {"death_cause": Field(column=line.match.name.header, order=line.filled.order, reason=why)}
        return {}

    def _age_at_first(self, fields: dict[str, Field]) -> Block | None:
        """Take the age out of the fields where rows are infusions: it is that at CART1, in the row of the first one."""
        number = self.of("infusions", None).get("infusion") if self.shape.row_of == "infusion" else None
        if "age_years" not in fields or number is None or fields["age_years"].until:
            return None
        cells = self.lines["infusions.infusion", None, None].match.cells.counts
        first = tuple(t for t in cells if (s := understand("infusion", t)) and s.parts.get("infusion") == "1")
        block = self.block("patients", {"age_years": fields.pop("age_years")})
        return replace(block, where={number.column: first or ("1",)})

    def _death(self, last: Field) -> dict[str, Field]:
        """Return death from the vital status, or from the words beside the date of last contact."""
        _, status = next(self.role("patients.death:status"), (None, None))
        contact = next(line for _, line in self.role("patients.last_contact"))
        worded = any((s := understand("last_contact", t, order="dmy")) and "status" in s.parts
                     for t in contact.match.cells.counts)  # fmt: skip
        if worded:
            why = "the words beside its dates say who died"
            return {"death": replace(last, part="death", reason=why, confidence=contact.match.confidence)}
        if status is None:
            return {}
        return {"death": replace(last, where=status.filled.where, confirm=status.filled.confirm,
                                 reason=status.filled.reason, confidence=status.filled.confidence)}  # fmt: skip

    def infusions(self) -> Iterator[Block]:
        if self.shape.row_of == "infusion":
            fields = self.of("infusions", None)
            number = {"infusion": self._own_number(fields)}
            yield self.block("infusions", {**number, **_without(fields, "infusion")})
            yield from self._in_other_units(None, {**number, **{c: f for c, f in fields.items() if c == "date"}})
            return
        for k in self.shape.infusions if self.shape.row_of == "patient" else ():
            fields = self.of("infusions", k)
            if fields and not (self.several and set(fields) <= set(_OF_PATIENTS)):
                if "date" not in fields and "day" not in fields:
                    fields["date"] = Field(column=OPEN, reason=f"no column holds the date of CART{k}")
                yield self.block("infusions", {"infusion": Field(const=str(k)), **_without(fields, "infusion")})
                when = {c: field for c, field in fields.items() if c in {"date", "day"}}
                yield from self._in_other_units(k, {"infusion": Field(const=str(k)), **when})

    def _in_other_units(self, k: int | None, fields: Mapping[str, Field]) -> Iterator[Block]:
        """Yield the blocks that read a dose in the rows of another unit."""
        line = self.lines.get(("infusions.dose_cells_per_kg", k, None))
        for dose in line.others if line else ():
            yield self.block("infusions", {**fields, "dose_cells_per_kg": dose})

    def _own_number(self, fields: Mapping[str, Field]) -> Field:
        """Return the number of the infusion in the same row, or that by the order of dates."""
        why = "no column numbers the infusions: by the order of their dates"
        return fields.get("infusion", Field(const=BY_DATE, confirm=True, reason=why))

    def _after(self, infusion: int | None, day: int | None, why: str = _NOT_RECORDED) -> Field:
        """Return a day after an infusion that no column tells."""
        after = OWN_INFUSION if self.shape.row_of == "infusion" else f"infusion {infusion}" if infusion else OPEN
        reason = f"the header says day {day}" if day else why
        return Field(after=after, day=day or _DAY_28, said=reason, confirm=True, reason="no column holds its date")

    def responses(self) -> Iterator[Block]:
        for (key, k, day), line in self.lines.items():
            if key == "responses.response":
                own = self._own_date("responses", k, day)
                criteria = self.lines.get(("responses.criteria", k, None))
                dated = self._completed(own, line, k, day=day) if own else self._dated(line, k, day)
                more = {"criteria": criteria.filled} if criteria else _in_header(line, "criteria", words=_CRITERIA)
                yield self.block("responses", {"date": dated, "response": line.filled, **more})
                read = (understand("response", t, order="dmy") for t in line.match.cells.counts)
                if any(s is not None and "mrd" in s.parts for s in read):
                    within = replace(line.filled, part="mrd", reason="MRD stands beside the response", confirm=False)
                    yield self.block("mrd", {"date": replace(dated, reason="as the response"), "result": within})
        for _, line in self.role("responses.date:PD"):
            yield self.block("responses", {"date": line.filled, "response": Field(const="PD")})

    def _completed(self, own: ProposedLine, line: ProposedLine, k: int | None, *, day: int | None) -> Field:
        """Return the date of responses; for those without one, a day after the infusion that a person confirms."""
        lacking = line.match.cells.filled - own.match.cells.filled
        placed = self._after(k, day)
        numbers = any(t.isdigit() for t in own.match.cells.counts)
        if lacking <= 0 or placed.after == OPEN or numbers:
            return own.filled
        why = f"responses without a date: {lacking}; for them, day {placed.day} after the infusion is taken"
        return replace(own.filled, after=placed.after, day=placed.day, said="no date is recorded", confirm=True,
                       reason=f"{own.filled.reason}; {why}")  # fmt: skip

    def _own_date(self, table: str, k: int | None, day: int | None) -> ProposedLine | None:
        """Return the column of the date of a day; of an infusion with one date and one assessment, that date."""
        dates = {d: line for (key, i, d), line in self.lines.items() if key == f"{table}.date" and i == k}
        assessed = (f"{table}.response", f"{table}.result", f"{table}.value")
        days = {d for (key, i, d) in self.lines if i == k and key.split(":")[0] in assessed}
        return dates.get(day) or (next(iter(dates.values())) if len(dates) == 1 and len(days) <= 1 else None)

    def _dated(self, line: ProposedLine, k: int | None, day: int | None) -> Field:
        """Place an assessment whose date no column holds."""
        if (told := dates_beside(line)) and all(told):
            return Field(column=line.filled.column, part="date", reason="the date stands in the same cell")
        beside = self.lines.get(("responses.response", k, day))
        return day_in_cells(beside, self._after(k, day)) if beside and not day else self._after(k, day)

    def residual_disease(self) -> Iterator[Block]:
        results = [place for place in self.lines if place[0].startswith("mrd.result")]
        values = [
            place for place in self.lines if place[0] == "mrd.value" and ("mrd.result", *place[1:]) not in results
        ]
        for place in (*results, *values):
            _, k, day = place
            column = place[0].split(":")[0].partition(".")[2]
            fields = {column: self.lines[place].filled}
            if (value := ("mrd.value", k, day)) in self.lines and place[0] == "mrd.result":
                fields["value"] = self.lines[value].filled
            elif column == "result" and _tells_values(self.lines[place]):
                why = "some of its cells hold a fraction, and no result in words"
                fields["value"] = replace(self.lines[place].filled, part="value", reason=why, confirm=False)
            more = {c: self.lines[key].filled for c in ("method", "compartment")
                    if (key := (f"mrd.{c}", k, None)) in self.lines}  # fmt: skip
            for named, words in (("method", _METHODS), ("compartment", _COMPARTMENTS)):
                if named not in more and column == "result":
                    more |= _in_header(self.lines[place], named, words=words)
            line = self.lines[place]
            told = column == "result" and any(dates_beside(line))
            own = self._own_date("mrd", k, day) or (None if told else self._own_date("responses", k, day))
            yield self.block("mrd", {"date": own.filled if own else self._dated(line, k, day), **fields, **more})

    def toxicities(self) -> Iterator[Block]:
        for (_, k, _), line in self.lines.items():
            concept = line.match.concept
            if concept.table == "toxicities" and concept.kind and concept.column == "grade":
                onset = self.lines.get((f"toxicities.{concept.kind}.date", k, None))
                more = {"date": self._onset(onset, k)} if onset else {}
                kind = {"kind": Field(const=concept.kind), "grade": line.filled}
                yield self.block("toxicities", {"infusion": self._infusion(k), **kind, **more})
        generic = self.of("toxicities", None)
        if "grade" in generic:
            kind = {"kind": generic.get("kind", Field(const=OPEN, reason="which toxicity is graded is not said"))}
            yield self.block("toxicities", {"infusion": self._infusion(None), **kind, **_without(generic, "kind")})

    def _onset(self, line: ProposedLine, k: int | None) -> Field:
        if any(t.isdigit() and len(t) < 4 for t in line.match.cells.counts):
            return replace(line.filled, after=self._after(k, None).after)
        return line.filled

    def _infusion(self, k: int | None) -> Field:
        if self.shape.row_of == "infusion":
            number = self.of("infusions", None).get("infusion")
            return replace(number, reason="", confidence=None) if number else Field(const=BY_DATE)
        number = self.of("infusions", None).get("infusion")
        if number and self.shape.row_of == "event":
            return number
        return Field(const=str(k) if k else OPEN, reason="" if k else "after which infusion it was is not said")

    def therapies(self) -> Iterator[Block]:
        for key, k, _ in list(self.lines):
            if key == "therapies.therapy":
                own = self.lines.get(("therapies.date", k, None))
                kind = self.lines.get(("therapies.kind", k, None))
                date = own.filled if own else Field(column=OPEN, reason="no column holds the date of the therapy")
                fields = {"date": date, "therapy": self.lines[key, k, None].filled}
                fields["kind"] = kind.filled if kind else Field(
                    const="anticancer", confirm=True,
                    reason="no column says of which kind the therapy was")  # fmt: skip
                yield self.block("therapies", fields)
        for _, line in self.role("therapies.date:allo-HCT"):
            yield self.block("therapies", {"date": line.filled, "therapy": Field(const="allogeneic transplant"),
                                           "kind": Field(const="allo-HCT")})  # fmt: skip

    def counts(self) -> Iterator[Block]:
        fields = self.of("counts", None)
        if "value" in fields and self.shape.row_of == "event":
            fields.setdefault("unit", Field(const=OPEN, reason="no column holds the unit of the counts"))
            fields.setdefault("date", Field(column=OPEN, reason="no column holds the date of the sample"))
            yield self.block("counts", fields)


def _in_header(line: ProposedLine, column: str, *, words: Mapping[str, str]) -> dict[str, Field]:
    """Return a constant that a header tells: `Response (Lugano)`, `MRD flow (BM)`."""
    meanings = {meaning for word, meaning in words.items() if re.search(rf"\b{word}\b", plain(line.match.name.header))}
    return {column: Field(const=meanings.pop(), reason="the header says so")} if len(meanings) == 1 else {}


def _tells_values(line: ProposedLine) -> bool:
    """Tell whether a cell of a column of results holds a fraction alone."""
    mark = line.match.cells.mark
    meanings = (understand("mrd.result", t, unit=line.filled.unit, mark=mark) for t in line.match.cells.counts)
    return any(m and "value" in m.parts and "result" not in m.parts for m in meanings)


def _without(fields: Mapping[str, Field], *names: str) -> dict[str, Field]:
    return {c: f for c, f in fields.items() if c not in names}


def is_used(header: str, sheet: str, *, blocks: Iterable[Block]) -> bool:
    """Tell whether a line of any block reads a column of a sheet."""
    return any(header in filled.headers for b in blocks if b.sheet == sheet for filled in b.fields.values())
