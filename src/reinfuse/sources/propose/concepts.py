"""What a column may be: each concept with its names, which `concepts.toml` and `passed_over.toml` hold."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.sources.propose.names import phrase
from reinfuse.sources.propose.spelling import Words
from reinfuse.sources.source_map import WIDE_SHEET

DOSE_UNIT = "dose unit"
"""Concept of a column that says, row by row, in which unit the dose beside it is."""
Phrase = tuple[Words, bool]
"""Words of a name, and whether it counts only where the header speaks of an infusion."""


@dataclass(frozen=True, slots=True)
class Concept:
    """What a column may be.

    Attributes
    ----------
    target
        ``TABLE.COLUMN``; ``toxicities.CRS.grade``; ``weight`` is used and is no column of the contract.
    role
        Tells two concepts of one target apart: a `status` of death, the date of a `PD`, of an `allo-HCT`.
    infusion
        ``of one``: of one infusion; ``first``: of the first alone; ``or patient``: of one, or of the patient; else "".
    phrases
        Its names.
    naming
        Those of its names that name a person.
    nearly
        Names that may well be another's: they are always asked about.
    alone
        Names that count only where the header does not speak of an infusion.
    """

    target: str
    role: str
    infusion: str
    phrases: tuple[Phrase, ...]
    naming: frozenset[Words] = frozenset()
    nearly: frozenset[Phrase] = frozenset()
    alone: frozenset[Words] = frozenset()

    @property
    def table(self) -> str:
        """Table of the cohort."""
        return self.target.partition(".")[0]

    @property
    def column(self) -> str:
        """Column of that table."""
        return self.target.rpartition(".")[2]

    @property
    def kind(self) -> str:
        """Kind of toxicity, where the target names one."""
        parts = self.target.split(".")
        return parts[1] if len(parts) > 2 else ""

    @property
    def key(self) -> str:
        """Target and role."""
        return f"{self.target}:{self.role}" if self.role else self.target

    @property
    def is_date(self) -> bool:
        """Whether its cells are dates."""
        return self.role != "status" and self.column in ("date", "last_contact", "death")


@cache
def concepts() -> Mapping[str, Concept]:
    """Return the concepts of dated tables, by key."""
    declared = [_concept(c) for c in _toml("concepts.toml")["concepts"]]
    return {c.key: c for c in declared}


@cache
def derived_concepts() -> Mapping[str, Concept]:
    """Return the concepts of a wide sheet whose times are already derived."""
    out = []
    events: Mapping[str, list[str]] = _toml("concepts.toml")["events"]
    for name, endpoint in ENDPOINTS.items():
        if endpoint.kind != "time" or endpoint.switch == "depth":  # these are read by their standard names alone
            continue
        time, event = endpoint.columns
        title = endpoint.label.casefold()
        words = [f"{w} {x}".strip() for w in (name, title) for x in ("days", "", "time", "month", "duration", "years")]
        out.append(Concept(f"{WIDE_SHEET}.{time}", "", "", tuple(phrase(w) for w in words)))
        words = [f"{w} {x}" for w in (name, title) for x in ("event", "status", "flag", "evt", "ev", "indicator")]
        words += events.get(name, ())
        out.append(Concept(f"{WIDE_SHEET}.{event}", "", "", tuple(phrase(w) for w in words)))
        words = [f"{w} {x}" for w in (name, title) for x in ("censor", "censored", "cnsr", "cens", "censoring")]
        out.append(Concept(f"{WIDE_SHEET}.{event}", "censored", "", tuple(phrase(w) for w in words)))
    names = ("interval", "interval days", "days between infusions", "time between infusions", "abstand", "intervall")
    out.append(Concept(f"{WIDE_SHEET}.interval_days", "", "", tuple(phrase(w) for w in names)))
    return {c.key: c for c in out}


@cache
def passed_over() -> Mapping[Words, str]:
    """Return the words of columns that are not carried over, and what they are."""
    kinds: Mapping[str, list[str]] = _toml("passed_over.toml")["kinds"]
    return {phrase(name)[0]: kind for kind, names in kinds.items() for name in names if phrase(name)[0]}


def _concept(settings: Mapping[str, Any]) -> Concept:
    named = [p for n in (*settings["names"], *settings.get("naming", ())) if (p := phrase(n))[0]]
    in_context = [(phrase(n)[0], True) for n in settings.get("context", ())]
    return Concept(settings["target"], settings.get("role", ""), settings.get("infusion", ""), (*named, *in_context),
                   frozenset(phrase(n)[0] for n in settings.get("naming", ())),
                   frozenset(phrase(n) for n in settings.get("nearly", ())),
                   frozenset(phrase(n)[0] for n in settings.get("alone", ())))  # fmt: skip


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((files("reinfuse.sources.propose") / name).read_text(encoding="utf-8"))
