"""Firth's odds and hazard ratios in the report."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.report.analyses.base import Cite, Part, Shown, main_items
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.forest import forest
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.labels import lowered
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings
from reinfuse.statistics import firth

_MOST_LINES = 40
"""Effects in a forest plot; of more, only those of multivariable models are drawn."""
_MODELS = {
    "logistic": "logistic regression (binary endpoints)",
    "cox": "Cox regression (time-to-event endpoints; Breslow ties)",
}


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    used = {e.method for e in findings.estimates}
    fitted = [kind for kind in ("logistic", "cox") if firth.METHODS[kind] in used]
    if fitted:
        models = " and ".join(_MODELS[kind] for kind in fitted)
        several = any(e.analysis == "association" and e.model == "multivariable" for e in findings.estimates)
        models_of = "univariably and in the multivariable models of the plan" if several else "each factor alone"
        yield (
            f"Associations were estimated by Firth's penalised {models} "
            f"{cite('firth', *(f'firth_{kind}' for kind in fitted))}, {models_of}, in complete "
            "cases; p-values are from the penalised likelihood-ratio test and confidence "
            "intervals from the profile penalised likelihood."
        )
        if not findings.plan.analyses.sensitivity:
            yield "P-values were not adjusted for multiple testing."


def _parts(tables: StudyTables) -> Iterator[Part]:
    for end in tables.findings.described.endpoints:
        yield Part(f"association_{end.name}", end.label, tables=(tables.association(end.name),))


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    for end in inputs.findings.described.endpoints:
        if any(e.estimate is not None for e in inputs.tables.effects(end.name)):
            yield f"association_{end.name}", f"forest_{end.name}", partial(_forest, inputs, end.name)


def _forest(inputs: FigureInputs, endpoint: str) -> Drawn:
    labels, records = inputs.tables.labels, inputs.tables.effects(endpoint)
    if len(records) > _MOST_LINES:
        records = [e for e in records if e.model == "multivariable"] or records[:_MOST_LINES]
    title = f"Associations with {lowered(labels.endpoint(endpoint))}"
    return forest(f"forest_{endpoint}", title, records, labels=labels, synthetic=inputs.synthetic, columns=inputs.two)


SHOWN = Shown(
    _methods,
    references=cited("firth", "firth_logistic", "firth_cox"),
    tables=lambda tables: (tables.associations(),),
    figures=_figures,
    parts=_parts,
    main=main_items("associations"),
    tables_named=("associations", "association_{endpoint}"),
    figures_named=("forest_{endpoint}",),
)
