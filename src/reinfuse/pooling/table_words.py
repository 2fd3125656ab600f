"""An answer in tables mode in words and numbers: all of it, so that a person can agree to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reinfuse.pooling.centre_data import explained
from reinfuse.pooling.exchange import Answer
from reinfuse.pooling.pooled_study import PooledStudy


def tables_in_words(study: PooledStudy, answer: Answer) -> Iterator[str]:
    """Yield what leaves the centre."""
    tables, k = answer.tables, study.threshold
    yield f"Study: {study.title}, tables mode: one exchange; centre: {answer.centre}."
    yield f"{flow_in_words(tables['flow'])} No row, identifier, date or time of a patient leaves."
    if k:
        yield f"Numbers of patients from 1 to {k - 1} are hidden, and what would tell them; these numbers leave:"
    else:
        yield "Nothing is hidden (small_cells = 0): treat it as a table of your patients without names. It holds:"
    yield from _descriptive(tables)
    for key, rows in tables["patterns"].items():
        cells = "; ".join(f"{_name(r['levels'])}: {r['events']} of {r['patients']} with the event" for r in rows)
        yield f"{key}: {cells}."
    for key, order in tables["orders"].items():
        yield from _order(key, order)
    if tables["orders"]:
        yield ("The order of events is in it, one by one: whoever knows that the event of one of your patients was the "
               "first or the last here can read that patient's factors.")  # fmt: skip
    if answer.withheld:
        yield f"Not told: {'; '.join(explained(study, dict(answer.withheld)))}."


def flow_in_words(flow: Mapping[str, Any]) -> str:
    """Return how many patients the centre has, how many are analysed, and why the others are not."""
    excluded = "".join(f", {reason} {n}" for reason, n in flow["excluded"].items())
    return f"Patients analysed: {flow['analysed']}, of {_count(flow['patients'])} in the cohort{excluded}."


def _name(levels: list[str]) -> str:
    return " + ".join(levels)


def _descriptive(tables: Mapping[str, Any]) -> Iterator[str]:
    yield from factors_in_words(tables["factors"])
    for name, end in tables["endpoints"].items():
        days = f", sum of the times about {end['days']:,} days" if "days" in end else ""
        yield f"{name}: {end['events']} of {end['n']} patients with the event{days}."
    yield from further_in_words(tables)


def factors_in_words(factors: Mapping[str, Any]) -> Iterator[str]:
    """Yield the counts of each factor."""
    for name, factor in factors.items():
        if "levels" in factor:
            counts = ", ".join(f"{level} {_count(count)}" for level, count in factor["levels"].items())
            yield f"{name}: {counts}, missing {_count(factor['missing'])}."
        else:
            yield (f"{name}: {_count(factor['n'])} values, their sum and the sum of their squares, "
                   f"missing {_count(factor['missing'])}.")  # fmt: skip


def further_in_words(tables: Mapping[str, Any]) -> Iterator[str]:
    """Yield worst grades and curves."""
    for kind, table in tables["toxicity"].items():
        grades = "hidden" if table["grades"] is None else \
            ", ".join(f"grade {part} {n}" for part, n in table["grades"].items())  # fmt: skip
        yield f"{kind}, worst grade, of {_count(table['n'])} patients: {grades}."
    for name, curve in tables["curves"].items():
        points = zip(curve["months"][1:], curve["survival"][1:], curve["events"][1:], strict=True)
        months = ", ".join(f"{m}: {100 * s:.1f}% ({n})" for m, s, n in points)
        yield f"{name}, Kaplan-Meier by month (events since the one before), with standard errors: {months}."


def _count(number: int | None) -> str:
    return "hidden" if number is None else f"{number}"


def _order(key: str, order: Mapping[str, Any]) -> Iterator[str]:
    """Yield the patients of each pattern, and each event with who was at risk."""
    names = [_name(p["levels"]) for p in order["patterns"]]
    sizes = ", ".join(f"{p['patients']} {name}" for name, p in zip(names, order["patterns"], strict=True))
    yield f"{key}: {sizes}; the events in their order, with those at risk:"
    for i, row in enumerate(order["events"], start=1):
        had = ", ".join(f"{n} {name}" for name, n in zip(names, row["events"], strict=True) if n)
        risk = ", ".join(f"{n} {name}" for name, n in zip(names, row["at_risk"], strict=True))
        yield f"  {i}. {had} (at risk: {risk})"
