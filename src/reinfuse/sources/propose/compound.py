"""Columns that share one column of the cohort, or share a column of the source: drugs side by side, `CRS/ICANS`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from reinfuse.cohort.lymphodepletion import agents_named
from reinfuse.sources.filling import GIVEN, UNTICKED
from reinfuse.sources.propose.concepts import concepts
from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.filled import ProposedLine
from reinfuse.sources.propose.matching import Key, Match
from reinfuse.sources.propose.names import Name
from reinfuse.sources.source_map import Field
from reinfuse.sources.values.understood import plain
from reinfuse.tabular.cell_parsing import is_missing

_MOSTLY = 0.6
_LIKENESS = 80.0
_OF_DOSES = frozenset("mg m 2 x days dose date total lymphodepletion chemo number".split())
_PAIR = re.compile(r"[^/]+/[^/]+")
_KINDS = {"crs": "CRS", "icans": "ICANS", "neurotoxicity": "ICANS", "nt": "NT"}


def compound_lines(
    names: Iterable[Name], cells: Mapping[str, ColumnCells], taken: Mapping[Key, object]
) -> Iterator[tuple[Key, ProposedLine]]:
    """Yield lines for columns that no concept alone was matched with; each is a guess that a person confirms.

    Parameters
    ----------
    names, cells
        The headers that are free, and their cells.
    taken
        What is read from another column already.
    """
    free = [n for n in names if cells[n.header].counts]
    by_infusion: dict[int | None, dict[str, str]] = {}
    for name in free:
        agent = _agent(name, cells[name.header])
        if agent:
            by_infusion.setdefault(name.infusion, {})[name.header] = agent
    for k, agents in by_infusion.items():
        key = ("infusions.lymphodepletion", k, None)
        if len(set(agents.values())) > 1 and key not in taken:
            yield key, _side_by_side(next(n for n in free if n.header in agents), cells, agents=agents)
    for name in free:
        yield from ((key, line) for key, line in _pair(name, cells[name.header]) if key not in taken)


def _agent(name: Name, cells: ColumnCells) -> str:
    """Return the drug whose doses a column holds; nothing where it is none, or holds something else."""
    words = [w for w in name.leaf if w not in _OF_DOSES]
    agent = agents_named(words[0]) if len(words) == 1 else ()
    given = sum(n for t, n in cells.counts.items() if GIVEN.match(t) or t.casefold() in UNTICKED)
    return words[0] if len(agent) == 1 and given >= _MOSTLY * cells.seen else ""


def _side_by_side(name: Name, cells: Mapping[str, ColumnCells], *, agents: Mapping[str, str]) -> ProposedLine:
    match = Match(name, cells[name.header], concepts()["infusions.lymphodepletion"], _LIKENESS, None, name.infusion)
    why = f"{', '.join(dict.fromkeys(agents.values()))} stand in columns of their own: given where a dose stands"
    filled = Field(ticked=dict(agents), confirm=True, reason=why, confidence=match.confidence)
    return ProposedLine(match, filled, ("is a drug given wherever its cell holds a number?",))


def _pair(name: Name, cells: ColumnCells) -> Iterator[tuple[Key, ProposedLine]]:
    """Yield both grades of a column such as `CRS/ICANS` with cells such as ``2/0``."""
    low = plain(name.header)
    kinds = sorted((low.rindex(w), kind) for w, kind in _KINDS.items() if w in name.leaf and w in low)
    pairs = sum(n for t, n in cells.counts.items() if _PAIR.fullmatch(t))
    if len(kinds) != 2 or pairs < _MOSTLY * cells.seen:
        return
    words = tuple(t for t in cells.counts if not _PAIR.fullmatch(t) and not is_missing(t))
    for (_, kind), pattern in zip(kinds, ("{value}/*", "*/{value}"), strict=True):
        concept = concepts()[f"toxicities.{kind}.grade"]
        match = Match(name, cells, concept, _LIKENESS, pairs / cells.seen, name.infusion)
        why = f"its cells hold two grades, {kinds[0][1]} before and {kinds[1][1]} after the stroke"
        filled = Field(column=name.header, pattern=pattern, confirm=True, reason=why, confidence=match.confidence)
        yield (concept.key, name.infusion, None), ProposedLine(match, filled, ("the order follows the header",), words)
