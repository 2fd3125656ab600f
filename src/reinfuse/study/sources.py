"""The two tasks of a foreign source: a map is proposed for it, and a confirmed map makes a cohort of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reinfuse.exceptions import SourceRefused
from reinfuse.output import Destination
from reinfuse.plan.analysis_plan import Plan
from reinfuse.sources.cdisc.trial_plan import trial_plan
from reinfuse.sources.cohort_folder import Checked, check, checked_cohort, write_cohort
from reinfuse.sources.corrections import (
    CORRECTIONS_FILE,
    Correction,
    corrected_source,
    ledger_text,
    read_ledger,
    with_originals,
)
from reinfuse.sources.follow import follow
from reinfuse.sources.imported import Imported
from reinfuse.sources.map_file import load_map, map_text
from reinfuse.sources.omop.address import DatabaseAddress, source_place
from reinfuse.sources.preset import fitting, with_preset
from reinfuse.sources.proposal import Proposal, Proposed
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import MapQuestion, answered, fault, questions
from reinfuse.sources.read import read_source
from reinfuse.sources.records.answers import ANSWERS
from reinfuse.sources.records.clinical import ReadingRules
from reinfuse.sources.records.reading_rules import rules_of
from reinfuse.sources.source_map import Block, SourceMap
from reinfuse.sources.source_table import KINDS, Source, SourceKind
from reinfuse.tabular.toml import parse_toml

__all__ = [
    "KINDS", "Checked", "DatabaseAddress", "MapQuestion", "ReadingRules", "Source",
    "SourceKind", "SourceMap", "answered", "check_source", "fault",
    "fitting", "go_on_with", "headers_of", "import_folder", "import_source", "map_questions", "plan_of_trial",
    "propose_map", "questions", "record_answers", "rules_of", "source_place", "write_map",
]  # fmt: skip


def propose_map(path: Path | DatabaseAddress, *, kind: SourceKind | None = None, preset: str = "",
                rules: ReadingRules | None = None,
                answers: Mapping[str, str] | None = None) -> tuple[Source, Proposed]:  # fmt: skip
    """Read a source and propose its map, or fill in that of a preset.

    Parameters
    ----------
    rules, answers
        How clinical records (OMOP, FHIR) are read, and which of them are infusions (`record_answers`).

    Raises
    ------
    SourceRefused
        If nothing of it can be read, or the preset does not fit.
    """
    source = read_source(path, kind=kind, rules=rules, answers=answers)
    if not source.tables:
        raise SourceRefused(source.problems)
    proposed = propose(source)
    if preset:
        return source, with_preset(source, proposed, name=preset)
    return source, proposed


def record_answers(source_map: SourceMap) -> dict[str, str]:
    """Return which clinical records are infusions as a map says: the record in words -> the answer."""
    return {word: str(answer) for word, answer in source_map.values.get(ANSWERS, {}).items()}


def go_on_with(path: Path, source: Source, *, proposed: Proposed) -> Proposed | None:
    """Return an earlier map of the same source, with the reasons of what is proposed today; None if it is of another.

    Raises
    ------
    MapRefused
        If the file holds no map.
    """
    earlier = load_map(path)
    if earlier.fingerprint != source.fingerprint:
        return None
    reasons = {(place, c): f for place, b in proposed.map.places() for c, f in b.fields.items()}

    def reasoned(place: str, block: Block) -> Block:
        fields = {c: replace(f, reason=r.reason, confidence=r.confidence) if (r := reasons.get((place, c))) else f
                  for c, f in block.fields.items()}  # fmt: skip
        return replace(block, fields=fields)

    blocks = tuple(reasoned(place, block) for place, block in earlier.places())
    return Proposed(replace(earlier, blocks=blocks), proposed.proposals)


def write_map(source_map: SourceMap, proposals: tuple[Proposal, ...], place: Destination, *, name: str) -> Path:
    """Write a map beside what is there already.

    Raises
    ------
    OutputRefused
        If it cannot be written, or is there already.
    """
    (path,) = place.write_files({name: map_text(source_map, proposals).encode()})
    return path


def import_source(path: Path | DatabaseAddress, map_path: Path, *, corrections: Path | None = None) -> Checked:
    """Make a cohort of a source as its map says, and check it.

    Parameters
    ----------
    corrections
        Ledger of what was corrected in it (`study.corrections`).

    Raises
    ------
    MapRefused
        If the map cannot be read.
    SourceRefused
        While anything is open, not understood, or wrong in the cohort: with every problem, in the source's words.
    """
    return checked_cohort(_followed(path, map_path, _ledger(corrections))[1], _on_disk(path))


def plan_of_trial(source_check: Checked) -> Plan | None:
    """Return the plan of a trial's own endpoints and arms; None of what is no trial's times to events."""
    text = trial_plan(source_check.imported)
    return Plan.of(parse_toml(text.encode())) if text else None


def map_questions(path: Path) -> list[MapQuestion]:
    """Return what is open in a map.

    Raises
    ------
    MapRefused
        If the file holds no map.
    """
    return list(questions(load_map(path)))


def check_source(path: Path, map_path: Path, *, corrections: Path | None = None) -> Checked:
    """Do as `import_source`, and return what is wrong instead of refusing it.

    Raises
    ------
    MapRefused
        If the map cannot be read.
    SourceRefused
        If the ledger cannot be read.
    """
    return check(_followed(path, map_path, _ledger(corrections))[1], path.absolute())


def import_folder(path: Path | DatabaseAddress, map_path: Path, place: Destination, *,
                  corrections: Path | None = None) -> Checked:  # fmt: skip
    """Make a cohort folder of a source; the ledger of corrections lies in it.

    Raises
    ------
    MapRefused, SourceRefused
        As `import_source`; nothing is written then.
    OutputRefused
        If the folder cannot be written.
    """
    place.check()
    ledger = _ledger(corrections)
    source, imported = _followed(path, map_path, ledger)
    checked = checked_cohort(imported, _on_disk(path))
    beside = {CORRECTIONS_FILE: ledger_text(ledger).encode()} if ledger else {}
    write_cohort(replace(checked, imported=with_originals(imported, source, ledger)), place, beside=beside)
    return checked


def _on_disk(path: Path | DatabaseAddress) -> Path | None:
    return path.absolute() if isinstance(path, Path) else None


def _ledger(path: Path | None) -> tuple[Correction, ...]:
    return () if path is None else read_ledger(path)


def headers_of(source: Source) -> Iterator[str]:
    """Yield the headers of a source, each once."""
    yield from dict.fromkeys(c.header for t in source.tables for c in t.columns)


def _followed(path: Path | DatabaseAddress, map_path: Path, ledger: Sequence[Correction]) -> tuple[Source, Imported]:
    """Return a source as it was read, and what its map makes of it with the corrections."""
    source_map = load_map(map_path)
    source = read_source(path, kind=source_map.kind, layouts=source_map.layouts, rules=rules_of(source_map.reading),
                         answers=record_answers(source_map))  # fmt: skip
    return source, follow(corrected_source(source, ledger), source_map)
