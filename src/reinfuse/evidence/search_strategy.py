"""The search behind the register, as texts to paste into PubMed and Embase; nothing is asked of a network."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from reinfuse.evidence.register import Register

_DATABASES = ("pubmed", "embase")


@dataclass(frozen=True, slots=True)
class DatabaseSearch:
    """The search of one database.

    Attributes
    ----------
    text
        To paste.
    again
        The same for the studies of the register, so that notices to them are in the export whatever the search finds;
        empty where the database has no such search.
    """

    database: str
    text: str
    again: str
    written_on: date


def search_strategy(register: Register) -> list[DatabaseSearch]:
    """Return the search of each database."""
    declared = tomllib.loads(files(__package__).joinpath("search_strategy.toml").read_text(encoding="utf-8"))
    again = {"pubmed": _in_pubmed(register), "embase": _in_embase(register)}
    return [
        DatabaseSearch(declared[name]["database"], declared[name]["text"].strip(), again[name], declared["written_on"])
        for name in _DATABASES
    ]


def _in_pubmed(register: Register) -> str:
    """Return PubMed's search for the registered studies, and for what corrects or retracts them."""
    terms = [f"{s.pmid}[pmid]" if s.pmid else f'"{s.doi}"[aid]' for s in register.studies if s.pmid or s.doi]
    places = [f'("{s.journal}"[ta] AND {s.volume}[vi] AND {s.pages.split("-")[0]}[pg])' for s in register.studies
              if not (s.pmid or s.doi) and s.volume and s.pages]  # fmt: skip
    return _either(terms + places)


def _in_embase(register: Register) -> str:
    return _either([f"'{s.doi}':do" for s in register.studies if s.doi])


def _either(terms: Sequence[str]) -> str:
    return " OR ".join(terms)
