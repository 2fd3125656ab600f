"""Interactions in the report: tests, effects at each level, and the patients of each combination."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.tables.interactions import interactions
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.references import Reference
from reinfuse.results.findings import Findings

ALTMAN = Reference(
    "Altman DG, Bland JM", "Interaction revisited: the difference between two estimates",
    "BMJ", 2003, "326", "219", "7382", "10.1136/bmj.326.7382.219")  # fmt: skip
_TEXT = (
    "Whether two factors act together on the odds or hazard scale. With few patients in a combination an interaction "
    "is seldom shown, and its absence is not shown either. No p-value is given for the effect at one level: that it is "
    "small at one level and large at another does not show that the two differ."
)


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    simulated = " and in outcomes simulated without it" if findings.plan.analyses.calibrated != "none" else ""
    yield (
        "Interactions named by the plan were tested by the penalised likelihood ratio of the products of the two "
        f"factors, against chi-square{simulated}; effects at each level of the other factor are from the same model "
        f"{cite('interaction')}."
    )


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield Part("interactions", "Interactions", tables=tuple(interactions(tables)), text=(_TEXT,))


SHOWN = Shown(
    _methods,
    references={"interaction": ALTMAN},
    strobe=(Strobe("17", "interaction", "interactions"),),
    parts=_parts,
    tables_named=("interactions", "interaction_cells"),
)
