"""The report of a virtual trial, and what `reinfuse virtual trial` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from reinfuse.output import Destination, at
from reinfuse.report.document.html import html
from reinfuse.report.document.model import Block, Bullets, Document, Pairs, Paragraph, Picture, Section
from reinfuse.report.document.pdf import pdf
from reinfuse.report.export.results_folder import write_figures
from reinfuse.report.figures.catalog_simulation import Placed, virtual_figures
from reinfuse.report.tables.simulation import LABELS, VirtualTables, valued
from reinfuse.report.text import number_format
from reinfuse.results.estimate import FIELDS, Estimate
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.trial.trial_results import VirtualFindings, card
from reinfuse.tabular.csv_files import write_csv

BANNER = (
    "A model. It is calibrated to results of groups, and was not validated for one patient. "
    "Nothing here is advice on a treatment."
)
METHODS = (
    "Eight ordinary differential equations describe effector, memory and exhausted CAR-T cells, antigen-positive and "
    "-negative tumour, the patient's own lymphocytes, the hang-over of fludarabine, and anti-CAR immunity (`reinfuse "
    "virtual parameters` prints them). They are solved by adaptive Dormand-Prince steps (J Comput Appl Math "
    "1980;6:19-26) with dense output. Populations of cells die out at a number drawn around one cell.",
    "Parameters of patients are log-normal. Their medians and some of their variations are not known: an ensemble of "
    "populations was drawn from priors (Kimmel 2021, Stein 2019, or assumed) given published group results, by "
    "approximate Bayesian computation with sequential Monte Carlo and a normal kernel (Del Moral 2012, Wilkinson "
    "2013). Results of CLL were held out.",
    "Every virtual patient meets every arm. Intervals are prediction intervals for one more population like those of "
    "the ensemble: they hold the spread of the ensemble and the number of virtual patients (moments of DerSimonian "
    "and Kacker 2007; the variance between populations by its confidence distribution, Nagashima 2019), and keep "
    "within the bounds of shares and of days. In simulated ensembles they hold 93 to 97 % of further populations, and "
    "more where virtual patients are too few to tell the populations apart. Of differences as a study would see them, "
    "what patients given the infusion in both arms have in common is taken into account.",
    "Nobody is treated after death: who died before an infusion was not given it. Response: tumour below 1 mL "
    "(complete) or halved on day 28, in a living patient. Progression: 1.5 times the nadir, taken as 1 mL at "
    "least, from day 28. Undetectable residual disease: below 1e8 cells. CAR-T cells are seen above 0.01/µL.",
)
SAME = (
    "Who needs a second infusion depends on the first: after a stronger first protocol the patients who need another "
    "are the harder ones. A study compares those selected in each arm; the model can compare the same patients in both."
)
TWINS = (
    "Virtual twins who had each patient's own first infusion and interval, weighed by what is known before CART2: "
    "that it was needed, the response to CART1, bulky disease, and the counts after CART1. A prediction for the group, "
    "never for one patient. The last rows compare the prediction for the second infusion that was given with what "
    "was observed."
)
REASONS = (
    "Patients without response, from the same state before the last lymphodepletion, with one thing changed. One "
    "patient may be rescued by several changes, or by none."
)


def virtual_report(findings: VirtualFindings, tables: VirtualTables, drawn: Sequence[Placed]) -> Document:
    """Return the report of a virtual trial."""
    return Document(
        findings.protocols.title,
        f"Virtual trial · {number_format.count(findings.patients)} virtual patients in each arm · "
        f"{findings.provenance['date']}",
        tuple(s for s in _sections(findings, tables, drawn) if s.blocks), banners=(BANNER,),
        facts={"generator": f"reinfuse {findings.provenance['reinfuse']}", "date": str(findings.provenance["date"])},
    )  # fmt: skip


def _sections(findings: VirtualFindings, tables: VirtualTables, drawn: Sequence[Placed]) -> Iterator[Section]:
    def pictures(place: str) -> tuple[Block, ...]:
        return tuple(Picture(figure) for where, figure in drawn if where == place)

    yield Section("summary", "Summary", tuple(Paragraph(p) for p in _summary(findings, tables)))
    yield Section("arms", "What was compared", (tables.arms(),), "Arms")
    yield Section("outcomes", "Outcomes by arm", (*pictures("outcomes"), tables.levels()), "Outcomes")
    if len(findings.protocols.all_arms) > 1:
        shown = (Paragraph(SAME), *pictures("contrasts"), tables.contrasts())
        yield Section("contrasts", "Differences between arms", shown, "Differences")
    yield Section("curves", "Over time", pictures("curves"))
    twins = tables.twins()
    if twins is not None:
        yield Section("cohort", "The centre's own patients", (Paragraph(TWINS), twins), "Own cohort")
    why = pictures("reasons")
    yield Section("reasons", "Why arms fail", (Paragraph(REASONS), *why) if why else ())
    carried = tables.carried()
    if carried is not None:
        yield Section("ablation", "What carries the published findings", (*pictures("ablation"), carried), "Mechanisms")
    yield Section("card", "Model card", (Bullets(card()), tables.targets(), tables.unknowns()))
    yield Section("methods", "Methods", tuple(Paragraph(p) for p in METHODS))
    if findings.warnings:
        yield Section("warnings", "Warnings", (Bullets(tuple(w["text"] for w in findings.warnings)),))
    yield Section("provenance", "Provenance", (Pairs(tuple(_provenance(findings))),))


def _summary(findings: VirtualFindings, tables: VirtualTables) -> Iterator[str]:
    arms = findings.protocols.all_arms
    yield (f"{number_format.count(findings.patients)} virtual patients met each of {len(arms)} "
           f"{'arms' if len(arms) > 1 else 'arm'}.")  # fmt: skip
    reference = arms[0].name
    response, cr = (valued(tables.level(q, reference)) for q in ("response", "cr"))
    yield f"{reference}: response {response}, CR {cr}."
    goal = "response" if "pfs_6_months" in tables.short else "pfs_6_months"
    best = max(arms[1:], key=lambda a: _estimate(tables.contrast(goal, a.name, model="same patients")), default=None)
    if best is None:
        return
    same, seen = (tables.contrast(goal, best.name, model=m) for m in ("same patients", "as selected"))
    yield (f"{LABELS[goal]} differed most from it in {best.name}: {valued(same)} in the same patients, "
           f"{valued(seen)} as a "
           "study would see it. An interval that holds 0 does not tell the arms apart.")  # fmt: skip


def _estimate(record: Estimate | None) -> float:
    return -1e9 if record is None or record.estimate is None else record.estimate


def _provenance(findings: VirtualFindings) -> Iterator[tuple[str, str]]:
    for name in ("reinfuse", "date", "patients", "members", "seed", "ensemble_sha256"):
        yield name.replace("_", " "), str(findings.provenance[name])


def write_virtual(findings: VirtualFindings, ensemble: Ensemble, *, place: Destination | Path) -> Path:
    """Write report (HTML, PDF), findings.json, estimates.csv, curves.csv, courses.csv and figures into a folder.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    from reinfuse.simulation.calibration.posterior_checks import bundled_ablation, bundled_targets, unknowns

    tables = VirtualTables(findings, bundled_ablation(), bundled_targets(), unknowns=unknowns(ensemble))

    def write(draft: Path) -> None:
        drawn = list(virtual_figures(findings, tables))
        write_figures([figure for _, figure in drawn], draft / "figures")
        document = virtual_report(findings, tables, drawn)
        (draft / "report.html").write_text(html(document), encoding="utf-8")
        (draft / "report.pdf").write_bytes(pdf(document))
        text = json.dumps(findings.as_dict(), indent=1, allow_nan=False, ensure_ascii=False)
        (draft / "findings.json").write_text(text + "\n", encoding="utf-8")
        write_csv(frame(findings.estimates), draft / "estimates.csv")
        write_csv(findings.curves, draft / "curves.csv")
        write_csv(findings.courses, draft / "courses.csv")

    return at(place, "virtual trial").write(write)


def frame(estimates: Sequence[Estimate]) -> pl.DataFrame:
    """Return records as a table, under the names of the contract."""
    kinds = {"n": pl.Int64, "events": pl.Int64,
             **dict.fromkeys(("at", "estimate", "lower", "upper", "confidence", "p_value"), pl.Float64)}  # fmt: skip
    schema = {name: kinds.get(name, pl.String) for name in FIELDS}
    return pl.DataFrame([e.as_dict() for e in estimates], schema=schema, orient="row")
