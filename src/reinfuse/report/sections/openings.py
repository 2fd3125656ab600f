"""What sections say before their tables and figures, where it depends on which of them are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from reinfuse.report.document.model import Block, Paragraph, Picture, Ref
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.results.findings import Findings

DNA = (
    "Counts in copies per µg of DNA depend on the leukocyte count, which lymphodepletion lowers: ratios between "
    "regimens are biased in this unit."
)
Opening = Callable[[StudyTables, Sequence[Picture]], Iterator[Block]]
"""Gives the first blocks of a section from the tables and the section's figures."""


def _course(_: StudyTables, pictures: Sequence[Picture]) -> Iterator[Block]:
    if pictures:
        yield Paragraph((Ref("figure", pictures[0].name), " shows every infusion, response and event of each "
                         "patient, in months from the index infusion."))  # fmt: skip


def _associations(tables: StudyTables, _: Sequence[Picture]) -> Iterator[Block]:
    names = {m.endpoint for m in tables.findings.plan.models if len(set(m.factors)) > 1}
    shown = [tables.association(e.name) for e in tables.findings.described.endpoints if e.name in names]
    refs = [x for table in shown if table is not None for x in (", ", Ref("table", table.name))][1:]
    if refs:
        yield Paragraph(("Multivariable models: ", *refs, ". All other effects are univariable."))


def _kinetics(tables: StudyTables, _: Sequence[Picture]) -> Iterator[Block]:
    if tables.findings.kinetics is not None:
        yield Paragraph(_counted(tables.findings))


def _counted(findings: Findings) -> str:
    facts = findings.kinetics or {}
    by = ", ".join(f"CART{i}: {number_format.count(n)}" for i, n in facts["infusions"].items())
    sentences = [f"Counts in {facts['unit']} after {number_format.count(facts['profiles'])} infusions of "
            f"{number_format.count(facts['patients'])} patients ({by})."]  # fmt: skip
    if facts["other_units"]:
        others = ", ".join(facts["other_units"])
        sentences.append(
            f"Counts in {others} are in the figures and in kinetics.csv (`reinfuse kinetics`); units are not mixed."
        )
    if facts["all_below_the_limit"]:
        low = facts["all_below_the_limit"]
        noun = "infusion has" if low == 1 else "infusions have"
        sentences.append(
            f"{number_format.count(low)} {noun} every count below the limit of quantification: half the limit is used."
        )
    if facts.get("late"):
        noun = "infusion was" if facts["late"] == 1 else "infusions were"
        sentences.append(
            f"{number_format.count(facts['late'])} {noun} above the limit only after day 28: half the limit is used by "
            "day 28."
        )
    if facts["residue_known"]:
        sentences.append("CAR-T cells of an earlier infusion were detectable before "
                    f"{number_format.count(facts['residue'])} of "
                    f"{number_format.count(facts['residue_known'])} repeat infusions with a measurement.")  # fmt: skip
    sentences += [f"{note[:1].upper()}{note[1:]}." for note in facts["notes"]]
    return " ".join([*sentences, *([DNA] if facts["unit"] == "copies/ug" else [])])


OPENINGS: Mapping[str, Opening] = {
    "course": _course, "associations": _associations, "kinetics": _kinetics,
}  # fmt: skip
"""Section -> how it begins."""
