"""Levels of a factor that a plan takes together, such as all lymphomas as NHL, and the proposal to do so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from reinfuse.cohort.declarations import Design, Factor
from reinfuse.exceptions import Problem, nearest
from reinfuse.tabular.toml import toml_text

FEW_PATIENTS = 5
"""Patients below which a diagnosis is rare."""
MANY_RARE = 3
"""Rare diagnoses from which groups are proposed."""
LYMPHOMAS = frozenset({"DLBCL", "FL", "tFL", "MCL", "MZL", "PMBCL", "HGBL", "HGBCL", "THRLBCL", "BL", "WM"})
"""Diagnoses that are proposed as NHL; all other rare ones as `other`."""


def grouped(factor: Factor, series: pl.Series) -> tuple[pl.Series, list[Problem]]:
    """Return a column with the groups of the plan in place of their values; a value that is not there is refused."""
    if not factor.group:
        return series, []
    texts = [None if v is None else str(v) for v in series.to_list()]
    values = sorted({t for t in texts if t is not None})
    problems = []
    for value in (v for members in factor.group.values() for v in members if v not in values):
        near = nearest(value, values)
        rule = f"factor {factor.name} groups {value!r}, which is none of its values"
        remedy = (f"did you mean {near!r}? " if near else "") + f"take it out of the group; values: {', '.join(values)}"
        problems.append(Problem(table="plan", column=factor.column or factor.name, rule=rule, remedy=remedy))
    of = {value: name for name, members in factor.group.items() for value in members}
    return pl.Series(series.name, [None if t is None else of.get(t, t) for t in texts], dtype=pl.String), problems


def group_notes(design: Design, frame: pl.DataFrame) -> Iterator[str]:
    """Yield which values are taken together, or that rare diagnoses could be."""
    for factor in design.all_factors:
        for name, members in factor.group.items():
            yield f"factor {factor.name}: {', '.join(members)} are taken together as {name}, as the plan says"
    if any(f.name == "diagnosis" and f.group for f in design.all_factors) or "diagnosis" not in frame.columns:
        return
    counts = {str(v): n for v, n in frame["diagnosis"].drop_nulls().value_counts().iter_rows()}
    rare = sorted(v for v, n in counts.items() if n < FEW_PATIENTS)
    if "diagnosis" in design.subgroups and len(rare) >= MANY_RARE:
        yield (
            f"{len(rare)} diagnoses have fewer than {FEW_PATIENTS} patients each ({', '.join(rare)}), too few for "
            'results of their own; they can be taken together in the plan: under [[factors]], name = "diagnosis" and '
            f"group = {{ {_proposal(rare)} }}"
        )


def _proposal(rare: Sequence[str]) -> str:
    groups = {"NHL": [v for v in rare if v in LYMPHOMAS], "other": [v for v in rare if v not in LYMPHOMAS]}
    return ", ".join(f"{name} = [{', '.join(map(toml_text, v))}]" for name, v in groups.items() if v)
