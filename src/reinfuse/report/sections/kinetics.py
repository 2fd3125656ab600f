"""The section on CAR-T counts: what was counted, what goes with it, and what it goes with."""

from __future__ import annotations

from collections.abc import Container, Iterator

from reinfuse.analyses.mediation import ASSUMPTIONS
from reinfuse.report.document.model import Block, Bullets, Paragraph, Section, Table
from reinfuse.report.tables.kinetics import KineticTables
from reinfuse.report.text import number_format
from reinfuse.results.findings import Findings

DNA = (
    "Counts in copies per µg of DNA depend on the white cells, which lymphodepletion lowers: ratios between regimens "
    "are biased in this unit."
)
FACTORS = (
    "A ratio above 1: more cells, or longer, with the factor. Infusions of one patient resemble each other, which the "
    "model and its errors allow for. These are associations: doctors chose regimens and doses for reasons that may go "
    "with the cells' growth."
)
OUTCOME = (
    "Only counts by day 28 are compared, for PFS among patients without progression on that day, and followed from it: "
    "who lives longer has more time to show cells. For response, counts are of the same weeks: an association, no "
    "prediction; who progressed before the visit of day 21 mostly has no area, and is left out."
)
MEDIATION = (
    "How much of a factor's association with response goes along with exposure. A hypothesis, no proof: the split is "
    "one of effects only if all of the following hold, which no data can show."
)
POPULATION = (
    "Each infusion's course is described by expansion to a peak, contraction, and persistence; patients and infusions "
    "differ around typical values, and factors move them. Where the posterior is as wide as the prior, the counts say "
    "nothing. The sampling is judged first."
)
JOINT = (
    "Counts and progression-free survival in one model, so that no hazard depends on counts of the future. A hazard "
    "ratio below 1: fewer events with more cells."
)


def kinetic_sections(findings: Findings, drawn: Container[str]) -> Iterator[Section]:
    """Yield the section on the counts, if there are any; `drawn` names the sections that have figures."""
    if findings.kinetics is None:
        return
    tables = KineticTables(findings)
    parts = (
        _part("kinetics_exposure", "Exposure", (), tables.exposure()),
        _part("kinetics_persistence", "Persistence", (), tables.persistence()),
        _part("kinetics_factors", "Factors that go with exposure", (FACTORS,), tables.factors()),
        _part("kinetics_outcome", "Exposure and outcome", (OUTCOME,), tables.outcome()),
        _part("kinetics_mediation", "Through exposure or not", (MEDIATION,), tables.mediation(), Bullets(ASSUMPTIONS)),
        _part("kinetics_population", "The course of the cells", (POPULATION,), tables.diagnostics(),
              tables.population(), tables.population_effects(), *_missing(tables)),
        _part("kinetics_joint", "Counts and progression-free survival at once", (JOINT,), tables.joint()),
    )  # fmt: skip
    shown = (p for p in parts if p.blocks or p.name in drawn)
    yield Section("kinetics", "CAR-T cells over time", (Paragraph(_counted(findings)), *shown), "CAR-T cells")


def _part(name: str, title: str, said: tuple[str, ...], *blocks: Table | Bullets | Paragraph | None) -> Section:
    shown: tuple[Block, ...] = tuple(b for b in blocks if b is not None)
    if not any(isinstance(b, Table) for b in shown):
        shown = tuple(b for b in shown if isinstance(b, Paragraph))
    return Section(name, title, (*(Paragraph(s) for s in said), *shown) if shown else ())


def _missing(tables: KineticTables) -> Iterator[Paragraph]:
    """Say why there is no population model."""
    for e in tables.look.all("population", "counts", "typical"):
        if e.estimate is None and e.note:
            yield Paragraph(f"Population model: {e.note}.")


def _counted(findings: Findings) -> str:
    told = findings.kinetics or {}
    by = ", ".join(f"CART{i}: {number_format.count(n)}" for i, n in told["infusions"].items())
    said = [f"Counts in {told['unit']} after {number_format.count(told['profiles'])} infusions of "
            f"{number_format.count(told['patients'])} patients ({by})."]  # fmt: skip
    if told["other_units"]:
        others = ", ".join(told["other_units"])
        said.append(f"Counts in {others} are drawn, and in kinetics.csv of `reinfuse kinetics`: units are not mixed.")
    if told["all_below_the_limit"]:
        low = told["all_below_the_limit"]
        noun, verb = ("infusion", "counts") if low == 1 else ("infusions", "count")
        said.append(f"{number_format.count(low)} {noun} with every count below the limit {verb} with half the limit.")
    if told.get("late"):
        noun = "infusion was" if told["late"] == 1 else "infusions were"
        said.append(f"{number_format.count(told['late'])} {noun} counted above the limit only after day 28: by "
                    "day 28 half "
                    "the limit stands for it.")  # fmt: skip
    if told["residue_known"]:
        said.append(f"Cells of an earlier infusion were left before {number_format.count(told['residue'])} of "
                    f"{number_format.count(told['residue_known'])} repeat infusions where this was "
                    "measured.")  # fmt: skip
    said += [f"{note[:1].upper()}{note[1:]}." for note in told["notes"]]
    return " ".join([*said, *([DNA] if told["unit"] == "copies/ug" else [])])
