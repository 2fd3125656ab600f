"""The report of a search for protocols, and what `reinfuse virtual search` writes."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path

from reinfuse.output import Destination, at
from reinfuse.report.document.html import html
from reinfuse.report.document.model import Block, Bullets, Document, Pairs, Paragraph, Picture, Row, Section, Table
from reinfuse.report.export.results_folder import write_figures
from reinfuse.report.export.trial_folder import BANNER
from reinfuse.report.figures import virtual_search as draw
from reinfuse.report.figures.search_frontier import frontier_figure
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.search_frontier import TOXICITIES, frontier_table
from reinfuse.report.text import number_format
from reinfuse.report.text.search_limits import LIMITED, limit_sentences, sources, value_text
from reinfuse.results.estimate import Estimate, frame
from reinfuse.simulation.calibration.posterior_checks import unknowns
from reinfuse.simulation.model.toxicities import EXPOSURE, SCORDO
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.random_effects import Bounds, Moments
from reinfuse.simulation.search.search import SearchResult
from reinfuse.simulation.search.sobol import Sensitivity
from reinfuse.simulation.trial.protocol import mix_text
from reinfuse.simulation.trial.trial_results import card
from reinfuse.tabular.csv_files import write_csv
from reinfuse.version import __version__

COST = (
    "What a protocol costs: severe CRS (a surrogate), severe neurotoxicity, infections and prolonged neutropenia by "
    "published rates, charged to lymphodepletion and dose; their sum is the number of toxicities expected of a patient "
    "who is given the infusion. What a toxicity weighs against the objective is a judgement, not a result: the "
    "frontier shows which protocol is the best for which weight. No manufacturing limit is charged."
)
FRONTIER = (
    "No admissible protocol on the frontier can be bettered in one respect without being worse in the other. Beside "
    "each stand the weights of one toxicity, in units of the objective, for which it is the best of all evaluated. At "
    "a weight of 0.1, one more patient who reaches the objective outweighs ten toxicities."
)
WHO = (
    "All protocols are evaluated in the same virtual patients: those who need a second infusion on the earliest day on "
    "which any protocol could give it. Patients who have died, or no longer need it, when a protocol would give it are "
    "not treated and are counted with their own outcome."
)
OUTCOMES = {
    "response": "Response", "cr": "Complete response", "pfs_6_months": "PFS at 6 months",
    "persistence_days": "Restricted mean persistence", "log10_peak": "Cmax (log10)",
    "crs_log_odds": "CRS, grade ≥3 (log odds)",
}  # fmt: skip
OBJECTIVES = {
    "durable_response": "Response without progression or death for 6 months", "response": "Response",
    "cr": "Complete response", "umrd_day28": "uMRD on day 28", "pfs_6_months": "PFS at 6 months",
    "seen_day28": "CAR-T cells detectable on day 28",
    "seen_day90": "CAR-T cells detectable on day 90", "seen_day180": "CAR-T cells detectable on day 180",
}  # fmt: skip


def search_report(
    result: SearchResult, sensitive: Sensitivity | None, drawn: dict[str, Drawn], *, seed: int, model: tuple[str, ...]
) -> Document:
    """Return the report of a search; `model`: the lines of the model card."""
    return Document(
        "Protocol optimisation for the second infusion",
        f"Virtual patients · {datetime.date.today().isoformat()} · reinfuse {__version__}",
        tuple(s for s in _sections(result, sensitive, drawn, seed=seed, model=model) if s.blocks), banners=(BANNER,),
        facts={"generator": f"reinfuse {__version__}"},
    )  # fmt: skip


def _sections(
    result: SearchResult, sensitive: Sensitivity | None, drawn: dict[str, Drawn], *, seed: int, model: tuple[str, ...]
) -> Iterator[Section]:
    def picture(name: str) -> tuple[Block, ...]:
        return (Picture(drawn[name]),) if name in drawn else ()

    told = (*_summary(result), *limit_sentences(result.region), _within(result), COST)
    yield Section("summary", "Summary", tuple(Paragraph(p) for p in told))
    frontier = (Paragraph(FRONTIER), *picture("search_frontier"), frontier_table(result.region))
    yield Section("frontier", "Objective against toxicities", frontier, "Frontier")
    near_optimal = (
        Paragraph(WHO),
        *picture("search_region"),
        _ranges(result),
        _finalists(result),
        *_toxicities(result),
    )
    yield Section("region", "Near-optimal protocols", near_optimal, "Near-optimal")
    yield Section("worth", "Value of information", picture("search_worth"), "Information")
    if sensitive is not None:
        explanation = Paragraph(
            "Sobol indices: the share of the variance of each outcome explained by an uncertain parameter, alone "
            "(first "
            f"order) and with its interactions (total), over the {'ensemble' if sensitive.scaled else 'prior'}."
        )
        blocks = (explanation, *picture("search_sensitivity"))
        yield Section("sensitivity", "Global sensitivity analysis", blocks, "Sensitivity")
    yield Section("card", "Model card", (Bullets(model),))
    facts = (
        ("reinfuse", __version__),
        ("seed", str(seed)),
        ("members", str(result.members)),
        ("diseases of the virtual patients", mix_text(result.question.diseases)),
        ("evaluable virtual patients", number_format.count(result.patients)),
        ("independent virtual patients", number_format.count(result.fresh)),
    )
    yield Section("provenance", "Provenance", (Pairs(facts),))


def _summary(result: SearchResult) -> Iterator[str]:
    best, question = result.finalists.protocols[result.finalists.best], result.question
    name = question.arm(best.point).name
    goal = OBJECTIVES[question.objective]
    yield (f"Best of {len(result.region.protocols)} protocols: {name}. In {number_format.count(result.fresh)} "
           f"independent virtual patients: {goal}, {_tenths(best.value.mean)}%; severe CRS, "
           f"{_tenths(best.toxicity.mean)}%; toxicities expected of a patient, {best.burden.mean:.2f}, each of which "
           f"weighs {question.toxicity_weight:g} of the objective.")  # fmt: skip
    inside, of = result.region.share
    yield (f"{int(result.region.inside.sum())} protocols in all, and {inside} of {of} of the space-filling design, "
           f"meet the toxicity constraint of {100 * question.max_crs_rate:g}% and are not distinguishable from the "
           "best.")  # fmt: skip


def _within(result: SearchResult) -> str:
    patients = f"Virtual patients: {mix_text(result.question.diseases)}."
    return patients if result.question.extrapolate else f"{patients} {LIMITED}"


def _ranges(result: SearchResult) -> Table:
    question, ranges, rows = result.question, result.region.ranges, []
    best = result.region.points[result.region.best]
    sides = question.at_limits(best)
    for c, x in zip(question.coordinates, best, strict=True):
        side = f" ({sides[c.name]} limit)" if c.name in sides else ""
        low, high, least, most = (value_text(c.name, v) for v in (*ranges[c.name], c.low, c.high))
        rows.append(Row(c.label, (f"{value_text(c.name, float(x))}{side}", low, high, f"{least} to {most}")))
    return Table(
        "search_ranges", "Range of the near-optimal protocols",
        ("Variable", "Best", "Minimum", "Maximum", "Limits"), tuple(rows),
        ("Range of the protocols that were evaluated; protocols between them may be worse", sources()),
    )  # fmt: skip


def _finalists(result: SearchResult) -> Table:
    rows = []
    for k, (one, observed) in enumerate(zip(result.finalists.protocols, result.observed, strict=True)):
        difference = "reference" if k == result.finalists.best else _points(one.difference, one.bounds)
        rows.append(Row(result.question.arm(one.point).name, (
            f"{_tenths(one.value.mean)}%", difference, f"{_tenths(one.toxicity.mean)}%",
            f"{number_format.hundredths(one.bound_probability)}%", f"{_tenths(observed.mean)}%")))  # fmt: skip
    head = ("Protocol", "Objective", "Difference from the best, percentage points", "Severe CRS", "Constraint met",
            "Objective as observed in a study")  # fmt: skip
    weight = f"{result.question.toxicity_weight:g}"
    notes = (f"Differences of the objective minus {weight} a toxicity, in the same patients, with 95% prediction "
             "interval",
             "Constraint met: share of populations",
             "As observed in a study: in the patients whom each protocol treats")  # fmt: skip
    return Table("search_finalists", "Finalists in independent virtual patients", head, tuple(rows), notes)


def _tenths(share: float) -> str:
    """Return a share as a percentage with one decimal."""
    return number_format.hundredths(share, decimals=1)


def _toxicities(result: SearchResult) -> Iterator[Table]:
    """Yield the toxicities of the finalists, beside the class of exposure to fludarabine where it is known."""
    rows = []
    for one, rates in zip(result.finalists.protocols, result.toxicities, strict=True):
        cells = [_tenths(one.toxicity.mean), *(_tenths(rate.mean) for rate in rates.values())]
        exposure = result.question.exposure(one.point)
        rows.append(Row(result.question.arm(one.point).name, (*(f"{c}%" for c in cells), f"{one.burden.mean:.2f}",
                                                              *((exposure,) if exposure else ()))))  # fmt: skip
    known = result.question.fludarabine_auc is not None
    head = ("Protocol", "Severe CRS", *TOXICITIES.values(), "Expected a patient", *(("Fludarabine exposure",) * known))
    classes = "; ".join(f"{c.name} from {c.low:g} mg h/L: PFS at one year {100 * c.pfs_1_year:.0f}%" for c in EXPOSURE)
    yield Table("search_toxicities", "Toxicities of the finalists", head, tuple(rows),
                ("In patients given the second infusion; expected of a patient: the sum, of one who is given it",
                 *((f"Exposure ({SCORDO}): {classes}; not charged",) * known)))  # fmt: skip


def _points(difference: Moments, bounds: Bounds | None) -> str:
    """Return a difference of shares in percentage points, with its interval."""
    limits = difference.limits(bounds)
    return "–" if limits is None else " ".join(
        (f"{100 * difference.mean:+.1f}", f"({100 * limits[0]:+.1f} to {100 * limits[1]:+.1f})"))  # fmt: skip


def write_search(
    result: SearchResult, sensitive: Sensitivity | None, ensemble: Ensemble, *, place: Destination | Path, seed: int
) -> Path:
    """Write report.html, findings.json, estimates.csv, protocols.csv, information.csv, sensitivity.csv and figures.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    labels = dict(unknowns(ensemble).select("unknown", "label").iter_rows())
    drawn = {d.name: d for d in _drawn(result, sensitive, labels=labels)}
    estimates: tuple[Estimate, ...] = (*result.records(), *(sensitive.records() if sensitive else ()))

    def write(draft: Path) -> None:
        write_figures(list(drawn.values()), draft / "figures")
        model = card(ensemble)
        document = search_report(result, sensitive, drawn, seed=seed, model=model)
        (draft / "report.html").write_text(html(document), encoding="utf-8")
        about = {"reinfuse": __version__, "seed": seed, "card": list(model)}
        text = {"provenance": about, "flow": [], "estimates": [e.as_dict() for e in estimates],
                "warnings": [{"about": "search", "text": COST}]}  # fmt: skip
        (draft / "findings.json").write_text(
            json.dumps(text, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        write_csv(frame(estimates), draft / "estimates.csv")
        write_csv(result.region.frame(), draft / "protocols.csv")
        if result.information is not None:
            write_csv(result.information.frame(), draft / "information.csv")
        if sensitive is not None:
            write_csv(sensitive.frame(), draft / "sensitivity.csv")

    return at(place, "virtual search").write(write)


def _drawn(result: SearchResult, sensitive: Sensitivity | None, *, labels: dict[str, str]) -> Iterator[Drawn]:
    question = result.question
    usual = question.arm(question.usual).name
    axes = (("flu", "Fludarabine before CART2 (courses)", "log10_dose", "Dose at CART2, cells/kg"),
            ("interval_days", "Days from CART1 to CART2", "cy", "Cyclophosphamide before CART2 (courses)"))  # fmt: skip
    title = "Protocols of the second infusion, compared with the best"
    table = result.region.frame()
    yield frontier_figure("search_frontier", "Objective and toxicities of the evaluated protocols", table,
                          objective=OBJECTIVES[question.objective], synthetic=False)  # fmt: skip
    yield draw.region("search_region", title, table, axes_of=axes, usual=usual, synthetic=False)
    if result.information is not None:
        yield draw.value_of_information(
            "search_worth", "Value of information", result.information.frame(), labels=labels, synthetic=False
        )
    if sensitive is not None:
        indices = sensitive.frame()
        shown = {o: OUTCOMES[o] for o in indices["outcome"].unique(maintain_order=True)}
        yield draw.tornado(
            "search_sensitivity",
            "Global sensitivity of the outcomes of the second infusion",
            indices,
            outcomes=shown,
            labels=labels,
            synthetic=False,
        )
