"""The report of a virtual trial, and what `reinfuse virtual trial` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from reinfuse.output import Destination, at
from reinfuse.report.document.html import html
from reinfuse.report.document.model import Block, Bullets, Document, Pairs, Paragraph, Picture, Section
from reinfuse.report.document.pdf import pdf
from reinfuse.report.export.results_folder import write_figures
from reinfuse.report.figures.catalog_simulation import Placed, virtual_figures
from reinfuse.report.tables.simulation import LABELS, VirtualTables, valued
from reinfuse.report.tables.toxicities import toxicity_table
from reinfuse.report.tables.twin_predictions import prediction_tables
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate, frame
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.trial.trial_results import VirtualFindings, is_bundled
from reinfuse.tabular.csv_files import write_csv

BANNER = (
    "A model, calibrated to group results and not validated for individual patients. "
    "Nothing here is advice on treatment."
)
METHODS = (
    "Eight ordinary differential equations describe effector, memory and exhausted CAR-T cells, antigen-positive and "
    "-negative tumour, endogenous lymphocytes, the residual effect of fludarabine, and anti-CAR immunity "
    "(`reinfuse virtual parameters` prints them). They are solved by adaptive Dormand-Prince steps (J Comput Appl "
    "Math 1980;6:19-26) with dense output. A cell population becomes extinct at a number drawn around one cell.",
    "Parameters vary log-normally between patients. Population medians and some of the coefficients of variation are "
    "uncertain: an ensemble of populations was drawn from priors (Kimmel 2021, Stein 2019, or assumed) given "
    "published group results, by approximate Bayesian computation with sequential Monte Carlo and a normal kernel "
    "(Del Moral 2012, Wilkinson 2013). Results in CLL were held out.",
    "Every virtual patient is simulated in every arm. Intervals are prediction intervals for a further population of "
    "the ensemble: they include the variance between populations (moments of DerSimonian and Kacker 2007; its "
    "uncertainty by the confidence distribution, Nagashima 2019) and the sampling variance of virtual patients, and "
    "respect the bounds of proportions and of days. In simulated ensembles they cover 93 to 97 % of further "
    "populations, and more where virtual patients are too few to distinguish the populations. For differences as "
    "observed in a study, the covariance of patients treated in both arms is taken into account.",
    "Patients who die before an infusion do not receive it. Response: tumour below 1 mL (complete) or halved on day "
    "28, in a living patient. Progression: 1.5 times the nadir, taken as 1 mL at least, from day 28. Undetectable "
    "measurable residual disease: below 1e8 cells. CAR-T cells are detectable from 0.01/µL.",
)
SAME = (
    "Who needs a second infusion depends on the first: after a more effective first protocol, the patients who still "
    "need one have a worse prognosis (selection). A study compares the patients selected in each arm; the model can "
    "compare the same patients in both."
)
TWINS = (
    "Virtual twins with each patient's own first infusion and interval, drawn given the data from before CART2 "
    "(tempered sequential Monte Carlo): the need for it, the response to CART1, bulky disease, and the CAR-T counts "
    "after CART1. A prediction for the group, never for an individual. The last rows compare the prediction for the "
    "second infusion that was given with the observed response, which entered no prediction."
)
REASONS = (
    "Patients without response, simulated again from their state before the last lymphodepletion with one mechanism "
    "changed. One patient may respond after several of the changes, or after none."
)


def virtual_report(findings: VirtualFindings, tables: VirtualTables, *, drawn: Sequence[Placed],
                   bundled: bool = True) -> Document:  # fmt: skip
    """Return the report of a virtual trial; what is known of the bundled ensemble stands with that one alone."""
    return Document(
        findings.protocols.title,
        f"Virtual trial · {number_format.count(findings.patients)} virtual patients in each arm · "
        f"{findings.provenance['date']}",
        tuple(s for s in _sections(findings, tables, drawn, bundled=bundled) if s.blocks), banners=(BANNER,),
        facts={"generator": f"reinfuse {findings.provenance['reinfuse']}", "date": str(findings.provenance["date"])},
    )  # fmt: skip


def _sections(findings: VirtualFindings, tables: VirtualTables, drawn: Sequence[Placed], *,
              bundled: bool) -> Iterator[Section]:  # fmt: skip
    def pictures(place: str) -> tuple[Block, ...]:
        return tuple(Picture(figure) for where, figure in drawn if where == place)

    yield Section("summary", "Summary", tuple(Paragraph(p) for p in _summary(findings, tables)))
    yield Section("arms", "Study arms", (tables.arms(),), "Arms")
    toxicities = toxicity_table(findings.estimates, [arm.name for arm in findings.protocols.all_arms])
    yield Section("outcomes", "Outcomes by arm", (*pictures("outcomes"), tables.levels(), toxicities), "Outcomes")
    if len(findings.protocols.all_arms) > 1:
        shown = (Paragraph(SAME), *pictures("contrasts"), tables.contrasts())
        yield Section("contrasts", "Differences between arms", shown, "Differences")
    yield Section("curves", "Time courses", pictures("curves"))
    twins = tables.twins()
    if twins is not None:
        scores = prediction_tables(findings.estimates)
        shown = (Paragraph(TWINS), twins, *scores)
        yield Section("cohort", "Virtual twins of the centre's patients", shown, "Own cohort")
    why = pictures("reasons")
    yield Section("reasons", "Mechanisms of failure", (Paragraph(REASONS), *why) if why else ())
    carried = tables.carried()
    if carried is not None:
        yield Section(
            "ablation",
            "Mechanisms behind the published findings (ablation)",
            (*pictures("ablation"), carried),
            "Mechanisms",
        )
    own_card = Bullets(tuple(findings.provenance["card"]))
    checks = (tables.targets(), tables.unknowns()) if bundled else (tables.unknowns(),)
    yield Section("card", "Model card", (own_card, *checks))
    yield Section("methods", "Methods", tuple(Paragraph(p) for p in METHODS))
    if findings.warnings:
        yield Section("warnings", "Warnings", (Bullets(tuple(w["text"] for w in findings.warnings)),))
    yield Section("provenance", "Provenance", (Pairs(tuple(_provenance(findings))),))


def _summary(findings: VirtualFindings, tables: VirtualTables) -> Iterator[str]:
    arms = findings.protocols.all_arms
    yield (f"{number_format.count(findings.patients)} virtual patients were simulated in each of {len(arms)} "
           f"{'arms' if len(arms) > 1 else 'arm'}.")  # fmt: skip
    reference = arms[0].name
    response, cr = (valued(tables.level(q, reference)) for q in ("response", "cr"))
    yield f"{reference}: response {response}, CR {cr}."
    goal = "response" if "pfs_6_months" in tables.short else "pfs_6_months"
    best = max(arms[1:], key=lambda a: _estimate(tables.contrast(goal, a.name, model="same patients")), default=None)
    if best is None:
        return
    same, selected = (tables.contrast(goal, best.name, model=m) for m in ("same patients", "as selected"))
    yield (f"Largest difference in {LABELS[goal]} from the reference arm: {best.name}, {valued(same)} in the same "
           f"patients, {valued(selected)} as observed in a study. An interval that includes 0 does not distinguish the "
           "arms.")  # fmt: skip


def _estimate(record: Estimate | None) -> float:
    return -1e9 if record is None or record.estimate is None else record.estimate


def _provenance(findings: VirtualFindings) -> Iterator[tuple[str, str]]:
    for name in ("reinfuse", "date", "patients", "diseases", "members", "seed", "ensemble_sha256"):
        yield name.replace("_", " "), str(findings.provenance[name])


def write_virtual(findings: VirtualFindings, ensemble: Ensemble, *, place: Destination | Path) -> Path:
    """Write report (HTML, PDF), findings.json, estimates.csv, curves.csv, courses.csv and figures into a folder.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    from reinfuse.simulation.calibration.posterior_checks import bundled_ablation, bundled_targets, unknowns

    ablation = bundled_ablation() if is_bundled(ensemble) else ()
    tables = VirtualTables(findings, ablation, bundled_targets(), unknowns=unknowns(ensemble))

    def write(draft: Path) -> None:
        drawn = list(virtual_figures(findings, tables))
        write_figures([figure for _, figure in drawn], draft / "figures")
        document = virtual_report(findings, tables, drawn=drawn, bundled=is_bundled(ensemble))
        (draft / "report.html").write_text(html(document), encoding="utf-8")
        (draft / "report.pdf").write_bytes(pdf(document))
        text = json.dumps(findings.as_dict(), indent=1, allow_nan=False, ensure_ascii=False)
        (draft / "findings.json").write_text(text + "\n", encoding="utf-8")
        write_csv(frame(findings.estimates), draft / "estimates.csv")
        write_csv(findings.curves, draft / "curves.csv")
        write_csv(findings.courses, draft / "courses.csv")

    return at(place, "virtual trial").write(write)
