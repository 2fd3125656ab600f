"""Questions of a proposed map that a person has answered: their answers, and the map in which one is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reinfuse.sources.left_columns import agreed
from reinfuse.sources.questions import NO, OF_ROWS, WHERE, YES, MapQuestion, questions
from reinfuse.sources.source_map import OPEN, Answer, Block, SourceMap


def settled(proposed: SourceMap, now: SourceMap) -> Iterator[tuple[MapQuestion, str]]:
    """Yield each question of a proposed map that is open no longer, with the answer that the map has now.

    A question of whose line nothing can be said any more is left out: of a block that was taken out, of a column to
    which a person gave another meaning.
    """
    still_open = {(q.place, q.subject, q.setting) for q in questions(now)}
    for question in questions(proposed):
        if (question.place, question.subject, question.setting) not in still_open:
            answer = _answer(proposed, now, question)
            if answer is not None:
                yield question, answer


def reopened(proposed: SourceMap, now: SourceMap, question: MapQuestion) -> SourceMap:
    """Return the map in which one of the `settled` questions is asked again."""
    if question.place == "source":
        return replace(now, **{question.setting: OPEN})  # type: ignore[arg-type]
    if question.place == "questions":
        return replace(now, questions={**now.questions, question.subject: OPEN})
    if question.setting == "value":
        name = question.place.removeprefix("values.")
        return replace(now, values={**now.values, name: {**now.values.get(name, {}), question.subject: OPEN}})
    before = dict(proposed.places())[question.place]
    blocks, ignored = [], {sheet: dict(left) for sheet, left in now.ignored.items()}
    for place, block in now.places():
        if place == question.place and question.setting == WHERE:
            block = replace(block, where=before.where)
        elif place == question.place:
            line = before.fields[question.subject]
            block = replace(block, fields={**block.fields, question.subject: line})
            ignored.get(block.sheet, {}).pop(line.column, None)
        blocks.append(block)
    return replace(now, blocks=tuple(blocks), ignored=ignored)


def _answer(proposed: SourceMap, now: SourceMap, question: MapQuestion) -> str | None:
    """Return the answer that a map has to a question of the proposed one; None where there is no such line."""
    if question.place == "source":
        return str(getattr(now, question.setting))
    if question.place == "questions":
        answer = now.questions.get(question.subject)
        return None if answer is None else YES if agreed(answer) else answer
    if question.setting == "value":
        words = now.values.get(question.place.removeprefix("values."), {})
        return _in_words(words[question.subject]) if question.subject in words else None
    before, here = _same_block(proposed, now, question.place)
    if before is None or here is None:
        return None
    if question.setting == WHERE:
        return "; ".join(here.where.get(question.subject, ()))
    line = here.fields.get(question.subject)
    same = line is not None and line.column == before.fields[question.subject].column
    if question.setting == "confirm":
        return YES if same else NO
    if line is None or not (same or question.setting == "column"):
        return None
    if question.setting == OF_ROWS:
        return "; ".join(text for texts in line.where.values() for text in texts)
    return str(getattr(line, question.setting))


def _same_block(proposed: SourceMap, now: SourceMap, place: str) -> tuple[Block | None, Block | None]:
    """Return a block as proposed and as it is now, where no block of its table was taken out."""
    before, here = dict(proposed.places()).get(place), dict(now.places()).get(place)
    if before is None or here is None or before.sheet != here.sheet:
        return None, None
    counts = [sum(b.table == before.table for b in m.blocks) for m in (proposed, now)]
    return (before, here) if counts[0] == counts[1] else (None, None)


def _in_words(meaning: Answer) -> str:
    if isinstance(meaning, str):
        return meaning or '""'
    return " ".join(f"{part}={text}" for part, text in meaning.items())
