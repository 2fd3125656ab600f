"""The columns of a source as a person confirms them: what each is taken for, why, how its texts are read, what is open.

A review is made anew of source, map and ledger each time; an answer gives another map, which the caller writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import count
from pathlib import Path

from reinfuse.cohort.schema import TABLES
from reinfuse.exceptions import Problem, SourceRefused
from reinfuse.output.single_file import write_file
from reinfuse.sources.corrections import corrected_source, read_ledger
from reinfuse.sources.follow import follow
from reinfuse.sources.left_columns import EVENTS, asks_of_a_column
from reinfuse.sources.map_file import load_map, map_text
from reinfuse.sources.proposal import IGNORE, Proposed
from reinfuse.sources.propose.changed_meaning import with_meaning
from reinfuse.sources.questions import MapQuestion, fault, questions, with_answers
from reinfuse.sources.reopened import reopened
from reinfuse.sources.source_map import Block, SourceMap
from reinfuse.sources.source_table import Source
from reinfuse.study.column_review import ColumnReview, MapReview, MeaningChoice, TextReading, map_review
from reinfuse.study.sources import (
    ReadingRules,
    go_on_with,
    headers_of,
    propose_map,
    record_answers,
    rules_of,
)

__all__ = ["IGNORE", "ColumnReview", "MapReview", "MeaningChoice", "OtherSource", "TextReading", "answer_questions",
           "ask_again", "begin_anew",
           "change_meaning", "choices_of", "columns_named", "question_key", "review", "text_and_hint"]  # fmt: skip

_OF_COLUMNS = ("column", "weight", "since")


class OtherSource(SourceRefused):
    """The headers of a source are not those for which its map was made."""


def review(path: Path, map_path: Path, *, corrections: Path | None = None) -> MapReview:
    """Return the columns of a source as its map takes them; a map that is not there is proposed, and written.

    Raises
    ------
    SourceRefused
        If nothing of the source can be read.
    OtherSource
        If the map is of a source with other headers.
    MapRefused
        If the map's file holds none.
    OutputRefused
        If the proposed map cannot be written.
    """
    earlier = load_map(map_path) if map_path.is_file() else None
    rules = rules_of(earlier.reading) if earlier else ReadingRules()
    source, proposed = _proposed(path, _state(path), rules)
    first_map = proposed.map
    answers = record_answers(earlier) if earlier else {}
    if answers != source.answers and answers:  # which records are infusions decides which patients there are
        source, proposed = _proposed(path, _state(path), rules, tuple(answers.items()))
    if earlier:
        continued = go_on_with(map_path, source, proposed=proposed)
        if continued is None:
            rule = "is made for a source with other headers"
            raise OtherSource([Problem(table=map_path.name, rule=rule, remedy="begin the map anew")])
        proposed = continued
    else:
        _write(map_path, proposed.map, proposed)
    ledger = () if corrections is None else read_ledger(corrections)
    imported = follow(corrected_source(source, ledger), _as_if_confirmed(proposed.map))
    return map_review(source, proposed, imported, first_map=first_map)


def answer_questions(shown: MapReview, map_path: Path, *, answers: Mapping[str, str]) -> dict[str, str]:
    """Answer some open questions, and write the map; an answer that is none changes nothing.

    Parameters
    ----------
    answers
        `question_key` -> answer.

    Returns
    -------
    dict
        Key -> why its answer is none. Where it is not empty, nothing is written.
    """
    headers = list(headers_of(shown.source))
    given: list[tuple[MapQuestion, str]] = []
    faults: dict[str, str] = {}
    for question in questions(shown.map):
        key = question_key(question)
        if key in answers:
            wrong = fault(question, answers[key], headers, source_map=with_answers(shown.map, given))
            if wrong is None:
                given.append((question, answers[key]))
            else:
                faults[key] = wrong
    if not faults:
        _write(map_path, with_answers(shown.map, given), shown.proposed)
    return faults


def change_meaning(shown: MapReview, map_path: Path, *, sheet: str, header: str, meaning: str) -> None:
    """Let a column mean something else, or nothing (`IGNORE`), and write the map.

    Raises
    ------
    SourceRefused
        If the column is not there, or cannot mean that.
    """
    try:
        source_map = with_meaning(shown.source, shown.map, sheet=sheet, header=header, meaning=meaning)
    except ValueError:
        rule, remedy = "cannot have this meaning, or another column has it", "choose one of those that are listed"
        raise SourceRefused([Problem(table=sheet, column=header, value=meaning, rule=rule, remedy=remedy)]) from None
    _write(map_path, source_map, shown.proposed)


def ask_again(shown: MapReview, map_path: Path, *, key: str) -> None:
    """Let a question that was answered be open again, and write the map; one that is not there changes nothing."""
    for question, _ in shown.settled:
        if question_key(question) == key:
            _write(map_path, reopened(shown.first_map, shown.map, question), shown.proposed)
            return


def begin_anew(path: Path) -> None:
    """Move a map, or a ledger, aside, so that the next review begins with none; nothing is deleted."""
    if path.is_file():
        names = (path.with_name(f"{path.stem}-earlier-{number}{path.suffix}") for number in count(1))
        path.rename(next(name for name in names if not name.exists()))


def question_key(question: MapQuestion) -> str:
    """Return what names a question among those of a map."""
    return f"{question.line}|{question.setting}"


def choices_of(shown: MapReview, question: MapQuestion) -> tuple[str, ...]:
    """Return answers that can be offered: all that there are, or, for a word, those of the cohort's column."""
    if question.choices:
        return question.choices
    if question.place == "questions" and asks_of_a_column(shown.map, question.subject):
        return ("yes", *(EVENTS if ": it holds dates" in question.subject else ()))
    if question.setting in _OF_COLUMNS:
        return tuple(headers_of(shown.source))
    if question.setting == "value":
        name = question.place.removeprefix("values.")
        return next((c.choices for t in TABLES.values() for c in t.columns if c.name == name and c.choices), ())
    return ()


def text_and_hint(question: MapQuestion) -> tuple[str, str]:
    """Return a question, and what stands behind it in brackets on how it is answered; empty where nothing does."""
    text, _, hint = question.text.rpartition(" (") if question.text.endswith(")") else (question.text, "", "")
    return text, hint.removesuffix(")")


def columns_named(shown: MapReview, sheet: str, *, header: str) -> Sequence[ColumnReview]:
    """Return the column of a sheet with that header, if it is there."""
    return [c for c in shown.columns if (c.sheet, c.header) == (sheet, header)]


@lru_cache(maxsize=4)
def _proposed(path: Path, state: tuple[tuple[str, int, int, int], ...], rules: ReadingRules,
              answers: tuple[tuple[str, str], ...] = ()) -> tuple[Source, Proposed]:  # fmt: skip
    """Return a source and its proposed map, read once as long as its files, rules and answers stay as they are."""
    del state
    return propose_map(path, rules=rules, answers=dict(answers) or None)


def _state(path: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return name, time of change, size and number of each file of a source."""
    places = sorted(path.rglob("*")) if path.is_dir() else [path]
    states = [(p, p.stat()) for p in places if p.exists()]
    return tuple((str(p), s.st_mtime_ns, s.st_size, s.st_ino) for p, s in states)


def _as_if_confirmed(source_map: SourceMap) -> SourceMap:
    """Return a map in which no guess waits for a person, who is to see how the cells would be read."""

    def sure(block: Block) -> Block:
        return replace(block, fields={c: replace(f, confirm=False) for c, f in block.fields.items()})

    return replace(source_map, blocks=tuple(map(sure, source_map.blocks)))


def _write(path: Path, source_map: SourceMap, proposed: Proposed) -> None:
    write_file(path, map_text(source_map, proposed.proposals).encode())
