"""What a map asks a person: each open line as a question with its choices, and the map that follows from an answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reinfuse.cohort.lymphodepletion import regimen_class
from reinfuse.cohort.schema import TABLES
from reinfuse.sources import dose_answers, left_columns
from reinfuse.sources.block_names import MAIN_COLUMNS, named
from reinfuse.sources.gaps import permitted
from reinfuse.sources.infusion_days import is_time
from reinfuse.sources.question_words import NEITHER, counted_from, in_words, of_event
from reinfuse.sources.records.answers import ANSWERS, INFUSION, NO_INFUSION
from reinfuse.sources.source_map import (
    EMPTY_GRADES,
    EMPTY_MEANINGS,
    ID_RULES,
    LEFT_OUT,
    OPEN,
    WIDE_SHEET,
    Answer,
    Block,
    Field,
    SourceMap,
    units_of,
)
from reinfuse.sources.values.dates import BIRTH_PARTIALS, ORDERS, PARTIALS
from reinfuse.sources.values.vital_status import is_alive
from reinfuse.tabular.cell_parsing import read_number

_ASKED = ("column", "const", "unit", "weight", "order", "partial", "after", "since", "empty")
_TEXTS: Mapping[str, str] = {
    "date_order": "In which order do day, month and year stand in texts such as 03/04/2024?",
    "ids": "Shall patients keep the source's identifiers, or be numbered P001, P002, ...?",
    "column": "Which column of the source holds it?", "const": "Which text is it in every row?",
    "unit": "In which unit are its numbers?", "weight": "Which column holds the body weight in kg?",
    "order": "In which order do day, month and year stand?",
    "partial": "Which day shall stand for dates without one?",
    "birth": "What is the age where the day of birth is not told: missing (refuse), or the difference of years (year)?",
    "after": "{column} holds numbers of days: after which infusion are they counted?",
    "since": "Which column holds the date from which its days count?",
    "empty": "What does an empty cell mean: grade 0, or that the grade is not known?",
    EMPTY_GRADES: "What does an empty cell, or no row, among grades mean after an infusion that was given: 0 (the "
                  "toxicity did not occur), or missing (not known)?",
    "first_day": "Which number has the first day of a clock: 0, as reinfuse counts, or 1, as AVAL of most trials?",
}  # fmt: skip
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "date_order": ORDERS, "ids": ID_RULES, "order": ORDERS, "partial": PARTIALS, "first_day": ("0", "1"),
    "empty": EMPTY_MEANINGS, EMPTY_GRADES: EMPTY_MEANINGS, "birth": BIRTH_PARTIALS,
}  # fmt: skip
YES, NO = "yes", "no"
OF_ROWS = "rows"
"""Setting of a question for the rows in which a line reads its column."""
WHERE = "where"
"""Setting of a question for the rows that a block reads."""
REJECTED = "left out by a person"
_COMPOUND = ("response", "result", "death", "death_cause", "diagnosis")
"""Dictionaries whose words may tell several things at once."""
_PARTS = "; parts as response=CR mrd=undetectable day=90"
_NUMBERS = {"grade": (0, 5), "infusion": (1, 99), "age_years": (0, 120)}
"""Between which numbers an answer lies."""
NOWHERE = "none"
"""Answer that no column holds what a block of events cannot do without: the block is left out."""


@dataclass(frozen=True, slots=True)
class MapQuestion:
    """One question.

    Attributes
    ----------
    place
        Where the answer stands in the map: ``infusions[2]``, ``values.response``, ``source``.
    subject
        Column, word or setting.
    setting
        Setting of the line that is open; ``confirm``: whether a guess is right.
    text
        The question, in words.
    choices
        Answers that are possible; empty: any text.
    about
        What the map has there, and why.
    named
        Of which infusion the line is, and what its block reads: ``infusion 2: "2. CAR-T | Response"``.
    """

    place: str
    subject: str
    setting: str
    text: str
    choices: tuple[str, ...] = ()
    about: str = ""
    named: str = ""

    @property
    def line(self) -> str:
        """The place in one text: ``infusions[2].date``."""
        return f"{self.place}.where.{self.subject}" if self.setting == WHERE else f"{self.place}.{self.subject}"


def questions(source_map: SourceMap) -> Iterator[MapQuestion]:
    """Yield what must be answered before a map can be followed, in the order of its file."""
    for name, answer in (("date_order", source_map.date_order), ("ids", source_map.ids)):
        if answer == OPEN:
            yield MapQuestion("source", name, name, _TEXTS[name], _CHOICES[name])
    for name, answer in source_map.questions.items():
        if answer == OPEN:
            yield _as_a_whole(source_map, name)
    yield from _of_words(source_map)
    for place, block in source_map.places():
        for header in block.open_headers:
            text = f"Which of the texts in {header} marks the rows that are meant?"
            yield MapQuestion(place, header, WHERE, text, (), block.reason)
        asked = [c for c, f in block.fields.items() if f.is_open]
        whose = named(source_map, block) if asked else ""
        for column in asked:
            for question in _of_line(place, column, block=block):
                choices = counted_from(source_map) if question.setting == "after" else question.choices
                yield replace(question, named=whose, choices=choices)


def _as_a_whole(source_map: SourceMap, name: str) -> MapQuestion:
    """Return a question about the source as a whole, or about a column that is left out."""
    if name == LEFT_OUT:
        return MapQuestion("questions", name, name, left_columns.listed(source_map), (YES, NO))
    if left_columns.asks_of_a_sheet(name):
        return MapQuestion("questions", name, name, name, (YES, NO))
    events = f"{', '.join(left_columns.EVENTS)} if it holds the dates of that"
    answers = f" (yes; {events}; or the column of the cohort that it fills)"
    more = answers if left_columns.asks_of_a_column(source_map, name) else ""
    return MapQuestion("questions", name, name, f"{_TEXTS.get(name, name)}{more}", _CHOICES.get(name, ()))


def _of_words(source_map: SourceMap) -> Iterator[MapQuestion]:
    """Yield the words of dictionaries that have no meaning yet."""
    for name, words in source_map.values.items():
        for word, meaning in words.items():
            if meaning == OPEN or (not isinstance(meaning, str) and OPEN in meaning.values()):
                if name == ANSWERS:
                    text = f"Are the records {word!r} infusions of CAR-T cells?"
                    yield MapQuestion(f"values.{name}", word, "value", text, (INFUSION, NO_INFUSION))
                    continue
                column, why = _read_by(source_map, name)
                how = dose_answers.permitted_of(source_map, name, word=word) or permitted(column)
                text = f"What does {word!r} mean as {name}? ({how}{_PARTS if column in _COMPOUND else ''})"
                yield MapQuestion(f"values.{name}", word, "value", text, (), why)


def _read_by(source_map: SourceMap, name: str) -> tuple[str, str]:
    """Return the cohort's column that a dictionary is of, and why: one of codes has the name of its header."""
    lines = ((c, f.reason) for b in source_map.blocks for c, f in b.fields.items() if f.values == name)
    return next(lines, (name, "")) if permitted(name) == permitted("") else (name, "")


def _may_be_left_out(block: Block) -> bool:
    return block.table not in ("patients", "infusions", WIDE_SHEET)


def _of_line(place: str, column: str, *, block: Block) -> Iterator[MapQuestion]:
    filled, events = block.fields[column], _may_be_left_out(block)
    read = filled.column if filled.column != OPEN else ""
    sure = "" if filled.confidence is None else f"{filled.confidence:.0%}"
    about = "; ".join(t for t in (f'"{read}"' if read else "", sure, filled.reason) if t)
    for setting in _ASKED:
        if getattr(filled, setting) == OPEN:
            key = "birth" if setting == "partial" and filled.until else setting
            choices = units_of(column) if setting == "unit" else _CHOICES.get(key, ())
            more = f" ({NOWHERE}: these events are left out)" if setting == "column" and events else ""
            text = _TEXTS[key].format(column=f'"{read}"' if read else "it")
            yield MapQuestion(place, column, setting, f"{text}{more}", choices, about)
    for header in (h for h, texts in filled.where.items() if OPEN in texts):
        text = f"Which texts in {header} mark the rows in which it is read? (several: separated by ;)"
        yield MapQuestion(place, column, OF_ROWS, text, (), about)
    if filled.confirm:
        yield MapQuestion(
            place, column, "confirm", f"Is it right: {in_words(filled)}{of_event(block, column)}?", (YES, NO), about
        )


def fault(question: MapQuestion, answer: str, headers: Iterable[str] = (), *,
          source_map: SourceMap | None = None) -> str | None:  # fmt: skip
    """Return why an answer is none to a question (of that map); None if it is one."""
    choices = tuple(headers)
    if question.setting == "column" and answer == NOWHERE and question.text.endswith(")"):
        return None
    if question.setting in ("column", "weight", "since") and choices and answer not in choices:
        return f"no column of the source; it has: {', '.join(choices)}"
    if question.place == "questions" and question.subject == LEFT_OUT and source_map is not None:
        return left_columns.fault_of_line(source_map, answer)
    if question.place == "questions" and left_columns.wants_a_yes(question.subject) and not left_columns.agreed(answer):
        return "do as it says in the map or the source; here, answer yes alone"
    if question.choices and answer not in question.choices:
        return f"answer one of: {', '.join(question.choices)}"
    if question.setting == "value":
        is_dose = bool(answer) and question.place.endswith(dose_answers.DOSE)
        total = dose_answers.TOTAL in question.text
        name = question.place.removeprefix("values.")
        name = _read_by(source_map, name)[0] if source_map is not None else name
        return dose_answers.fault_of(answer, total=total) if is_dose else _no_meaning(name, answer)
    if source_map is not None and left_columns.asks_of_a_column(source_map, question.subject):
        return left_columns.fault_of(source_map, question.subject, answer)
    return None


def _no_meaning(name: str, answer: str) -> str | None:
    """Return why an answer is no meaning of a word of a dictionary."""
    meaning = _meaning(answer)
    own = meaning if isinstance(meaning, str) else meaning.get(name, "")
    column = next((c for t in TABLES.values() for c in t.columns if c.name == name and c.choices), None)
    if own and column is None and not _is_meant(name.rpartition(".")[2], own):
        return f"answer {permitted(name)}"
    if not own or column is None or column.free or own in column.choices:
        return None
    return f"answer one of: {', '.join(column.choices)}, an empty cell, or parts such as response=CR mrd=undetectable"


def _is_meant(column: str, answer: str) -> bool:
    """Tell whether an answer can stand in a column that has no choices."""
    if column in _NUMBERS:
        low, high = _NUMBERS[column]
        number = read_number(answer).value
        return isinstance(number, float) and low <= number <= high
    if column == ANSWERS:
        return answer in (INFUSION, NO_INFUSION)
    if column in ("date", "last_contact", "death"):
        return is_time(answer) or (column == "death" and is_alive(answer))
    return column != "lymphodepletion" or regimen_class(answer) is not None


def answered(source_map: SourceMap, question: MapQuestion, answer: str) -> SourceMap:
    """Return the map with a question answered; a guess that is not right is left out."""
    if question.place == "source":
        return replace(source_map, **{question.setting: answer})  # type: ignore[arg-type]
    if question.place == "questions":
        return left_columns.with_answer(source_map, question.subject, answer)
    if question.setting == "value":
        name = question.place.removeprefix("values.")
        words = {**source_map.values[name], question.subject: _meaning(answer)}
        return replace(source_map, values={**source_map.values, name: words})
    if question.setting == "const" and answer in left_columns.headers_of(source_map, question.place):
        question = replace(question, setting="column")
    if _leaves_out(source_map, question, answer):
        return _without_blocks(source_map, {question.place})
    blocks, ignored = [], {sheet: dict(left) for sheet, left in source_map.ignored.items()}
    for place, block in source_map.places():
        if place == question.place and question.setting == WHERE:
            block = replace(block, where={**block.where, question.subject: (answer,)})
        elif place == question.place:
            before = block.fields[question.subject]
            block = _with_answer(block, question, answer=answer)
            unread = block.fields.get(question.subject, Field(column=OPEN)).column == OPEN
            if unread and before.column not in ("", OPEN):
                ignored.setdefault(block.sheet, {})[before.column] = REJECTED
        blocks.append(block)
    return replace(source_map, blocks=tuple(blocks), ignored=ignored)


def with_answers(source_map: SourceMap, answers: Sequence[tuple[MapQuestion, str]]) -> SourceMap:
    """Return the map with several questions answered, all of them of the map as it is given.

    Blocks that answers leave out go together, after all other answers, and those that answers add come last: places
    count the blocks before them.
    """
    leaving = {q.place for q, a in answers if _leaves_out(source_map, q, a)}
    staying = [(q, a) for q, a in answers if q.place not in leaving]
    for last in (False, True):
        for question, answer in staying:
            if (question.place == "questions" and left_columns.changes_blocks(question.subject, answer)) is last:
                source_map = answered(source_map, question, answer)
        source_map = _without_blocks(source_map, leaving) if leaving and not last else source_map
    return source_map


def _leaves_out(source_map: SourceMap, question: MapQuestion, answer: str) -> bool:
    """Tell whether an answer says that no column holds what a block of events cannot do without."""
    if question.setting == "column" and answer == NOWHERE:
        return True
    if question.setting != "confirm" or answer != NO:
        return False
    block = next(b for place, b in source_map.places() if place == question.place)
    return set(MAIN_COLUMNS.get(block.table, ())) & set(block.fields) == {question.subject}


def _without_blocks(source_map: SourceMap, places: Collection[str]) -> SourceMap:
    """Return the map without some blocks; the columns that they read are left out."""
    ignored = {sheet: dict(left) for sheet, left in source_map.ignored.items()}
    for place, block in source_map.places():
        columns = (f.column for c, f in block.fields.items() if c != "patient_id" and f.column not in ("", OPEN))
        if place in places:
            ignored.setdefault(block.sheet, {}).update(dict.fromkeys(columns, REJECTED))
    blocks = tuple(block for place, block in source_map.places() if place not in places)
    return replace(source_map, blocks=blocks, ignored=ignored)


def _with_answer(block: Block, question: MapQuestion, *, answer: str) -> Block:
    fields = dict(block.fields)
    line = fields[question.subject]
    if question.setting == OF_ROWS:
        texts = tuple(t.strip() for t in answer.split(";") if t.strip())
        where = {h: texts if OPEN in wanted else wanted for h, wanted in line.where.items()}
        fields[question.subject] = replace(line, where=where)
    elif question.setting == "after" and answer == NEITHER and not _may_be_left_out(block):
        del fields[question.subject]
    elif question.setting == "after" and answer == NEITHER:
        fields[question.subject] = Field(column=OPEN, reason="it is not as was proposed")
    elif question.setting != "confirm":
        constant = None if question.setting == "column" else line.const
        line = replace(line, const=constant)
        fields[question.subject] = replace(line, **{question.setting: answer})  # type: ignore[arg-type]
    elif answer == YES:
        fields[question.subject] = replace(line, confirm=False)
    elif question.subject in ("date", "day") and _may_be_left_out(block):  # events have a day: from where, is asked
        fields[question.subject] = Field(column=OPEN, reason="it is not as was proposed")
    else:
        del fields[question.subject]
    return replace(block, fields=fields)


def _meaning(answer: str) -> Answer:
    """Return what a person typed for a word: one text, or parts such as ``response=CR mrd=undetectable``."""
    return dict(re.findall(r"(\w+)=(\S+)", answer)) or answer
