"""The section on CAR-T counts: exposure, its factors, and outcome."""

from __future__ import annotations

from collections.abc import Container, Iterator

from reinfuse.analyses.mediation import ASSUMPTIONS
from reinfuse.report.document.model import Block, Bullets, Paragraph, Section, Table
from reinfuse.report.tables.kinetics import KineticTables
from reinfuse.report.text import number_format
from reinfuse.results.findings import Findings

DNA = (
    "Counts in copies per µg of DNA depend on the leukocyte count, which lymphodepletion lowers: ratios between "
    "regimens are biased in this unit."
)
FACTORS = (
    "A ratio above 1 means higher exposure or longer persistence with the factor. Models account for correlated "
    "infusions of a patient. These are associations: clinicians chose regimens and doses for reasons that may also "
    "affect expansion (confounding by indication)."
)
OUTCOME = (
    "Only counts by day 28 are used. PFS is analysed from a landmark at day 28, among patients free of progression, to "
    "avoid immortal-time bias. For response, counts cover the same weeks: an association, not a prediction. Most "
    "patients who progressed before the day 21 visit have no AUC and are excluded."
)
MEDIATION = (
    "Decomposition of a factor's association with response into direct and indirect (through exposure) effects. "
    "Hypothesis-generating: it is causal only under all of the following assumptions, which the data cannot verify."
)
POPULATION = (
    "Each infusion is described by expansion to a peak, contraction and persistence, with random effects of patients "
    "and infusions around typical values and covariate effects of factors. Where the posterior is as wide as the "
    "prior, the counts are uninformative. Check the MCMC diagnostics first."
)
JOINT = (
    "Counts and progression-free survival are modelled jointly, so that no hazard depends on future counts. A hazard "
    "ratio below 1 means fewer events with higher counts."
)


def kinetic_sections(findings: Findings, drawn: Container[str]) -> Iterator[Section]:
    """Yield the section on the counts, if there are any; `drawn` names the sections that have figures."""
    if findings.kinetics is None:
        return
    tables = KineticTables(findings)
    parts = (
        _part("kinetics_exposure", "Exposure", (), tables.exposure()),
        _part("kinetics_persistence", "Persistence", (), tables.persistence()),
        _part("kinetics_factors", "Factors associated with exposure", (FACTORS,), tables.factors()),
        _part("kinetics_outcome", "Exposure and outcome", (OUTCOME,), tables.outcome()),
        _part("kinetics_mediation", "Mediation analysis", (MEDIATION,), tables.mediation(), Bullets(ASSUMPTIONS)),
        _part("kinetics_population", "Population kinetic model", (POPULATION,), tables.diagnostics(),
              tables.population(), tables.population_effects(), *_missing(tables)),
        _part("kinetics_joint", "Joint model of counts and progression-free survival", (JOINT,), tables.joint()),
    )  # fmt: skip
    shown = (p for p in parts if p.blocks or p.name in drawn)
    yield Section("kinetics", "CAR-T cell kinetics", (Paragraph(_counted(findings)), *shown), "Kinetics")


def _part(name: str, title: str, sentences: tuple[str, ...], *blocks: Table | Bullets | Paragraph | None) -> Section:
    shown: tuple[Block, ...] = tuple(b for b in blocks if b is not None)
    if not any(isinstance(b, Table) for b in shown):
        shown = tuple(b for b in shown if isinstance(b, Paragraph))
    return Section(name, title, (*(Paragraph(s) for s in sentences), *shown) if shown else ())


def _missing(tables: KineticTables) -> Iterator[Paragraph]:
    """Say why there is no population model."""
    for e in tables.look.all("population", "counts", "typical"):
        if e.estimate is None and e.note:
            yield Paragraph(f"Population model: {e.note}.")


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
