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
from reinfuse.report.export.trial_folder import BANNER, frame
from reinfuse.report.figures import virtual_search as draw
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate
from reinfuse.simulation.calibration.posterior_checks import unknowns
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.random_effects import DIFFERENCE
from reinfuse.simulation.search.search import Searched
from reinfuse.simulation.search.sobol import Sensitivity
from reinfuse.simulation.trial.protocol import dose_text
from reinfuse.simulation.trial.trial_results import card
from reinfuse.tabular.csv_files import write_csv
from reinfuse.version import __version__

COSTLESS = (
    "Nothing in the model charges for lymphodepletion or for cells but severe CRS: no infection, no cytopenia, no "
    "neurotoxicity, no limit of manufacture. So the best often lies at the limits of what was searched. Narrow "
    "the limits "
    "to what would be given."
)
WHO = (
    "Protocols are weighed in the same virtual patients: those who need a second infusion on the first day on "
    "which any "
    "protocol could give it. Who has died, or no longer needs it, when a protocol would give it counts as she or he is."
)
OUTCOMES = {
    "response": "Response", "cr": "Complete response", "crs": "CRS, grade ≥3 (log "
                                                              "odds)", "pfs_6_months": "PFS at 6 months",
    "persistence": "Persistence", "peak": "Peak",
}  # fmt: skip
OBJECTIVES = {
    "durable_response": "Response without progression or death for 6 months", "response": "Response",
    "cr": "Complete response", "umrd_day28": "uMRD on day 28", "pfs_6_months": "No progression or death for 6 months",
    "seen_day28": "CAR-T cells on day 28", "seen_day90": "CAR-T cells on day 90",
    "seen_day180": "CAR-T cells on day 180",
}  # fmt: skip


def search_report(found: Searched, sensitive: Sensitivity | None, drawn: dict[str, Drawn], *, seed: int) -> Document:
    """Return the report of a search."""
    return Document(
        "Search for a protocol of the second infusion",
        f"Virtual patients · {datetime.date.today().isoformat()} · reinfuse {__version__}",
        tuple(s for s in _sections(found, sensitive, drawn, seed=seed) if s.blocks), banners=(BANNER,),
        facts={"generator": f"reinfuse {__version__}"},
    )  # fmt: skip


def _sections(
    found: Searched, sensitive: Sensitivity | None, drawn: dict[str, Drawn], *, seed: int
) -> Iterator[Section]:
    def picture(name: str) -> tuple[Block, ...]:
        return (Picture(drawn[name]),) if name in drawn else ()

    yield Section("summary", "Summary", tuple(Paragraph(p) for p in (*_summary(found), COSTLESS)))
    yield Section("region", "Protocols that cannot be told "
                            "apart", (Paragraph(WHO), *picture("search_region"), _ranges(found),
                                                                    _finalists(found)), "Region")  # fmt: skip
    yield Section("worth", "What would be worth measuring", picture("search_worth"), "Information")
    if sensitive is not None:
        said = ("Share of the variance of each outcome that an unknown explains, alone and with others, over the "
                f"{'ensemble' if sensitive.scaled else 'prior'}'s spread.")  # fmt: skip
        yield Section("sensitivity", "What the outcomes depend on", (Paragraph(said), *picture("search_sensitivity")),
                      "Sensitivity")  # fmt: skip
    yield Section("card", "Model card", (Bullets(card()),))
    told = (
        ("reinfuse", __version__),
        ("seed", str(seed)),
        ("members", str(found.members)),
        ("patients who count", number_format.count(found.patients)),
        ("fresh patients", number_format.count(found.fresh)),
    )
    yield Section("provenance", "Provenance", (Pairs(told),))


def _summary(found: Searched) -> Iterator[str]:
    best, question = found.finalists.protocols[found.finalists.best], found.question
    name = question.arm(best.point).name
    goal = OBJECTIVES.get(question.objective, question.objective)
    yield (f"Of {len(found.region.protocols)} protocols, {name} did best: {goal.lower()} in "
           f"{100 * best.value.mean:.1f}% of "
           f"{number_format.count(found.fresh)} virtual patients not used in the search, severe CRS in "
           f"{100 * best.toxicity.mean:.1f}%.")  # fmt: skip
    inside, of = found.region.share
    yield (f"{int(found.region.inside.sum())} of all protocols, and {inside} of {of} that fill the space "
           f"evenly, keep the bound of "
           f"{100 * question.most_crs:g}% and cannot be told apart from it.")  # fmt: skip


def _ranges(found: Searched) -> Table:
    ranges = found.region.ranges
    rows = [Row(c.label, (_at(c.name, ranges[c.name][0]), _at(c.name, ranges[c.name][1]),
                          f"{_at(c.name, c.low)} to "
                          f"{_at(c.name, c.high)}")) for c in found.question.coordinates]  # fmt: skip
    return Table(
        "search_ranges", "Range of the evaluated protocols that cannot be told apart from the best",
        ("Coordinate", "Least evaluated", "Greatest evaluated", "Searched"), tuple(rows),
        ("A range of single protocols that were evaluated, not a region in which every protocol is as good",),
    )  # fmt: skip


def _at(name: str, value: float) -> str:
    return dose_text(10**value) if name == "log10_dose" else f"{value:g}"


def _finalists(found: Searched) -> Table:
    rows = []
    for one, seen in zip(found.finalists.protocols, found.observed, strict=True):
        limits = one.difference.limits(DIFFERENCE)
        apart = (
            "–"
            if limits is None
            else f"{100 * one.difference.mean:+.1f} ({100 * limits[0]:+.1f} to {100 * limits[1]:+.1f})"
        )
        rows.append(Row(found.question.arm(one.point).name, (
            f"{100 * one.value.mean:.1f}%", apart, f"{100 * one.toxicity.mean:.1f}%", f"{100 * one.kept:.0f}%",
            f"{100 * seen.mean:.1f}%")))  # fmt: skip
    return Table("search_finalists", "Finalists in patients whom the search has not seen",
                 ("Protocol", "Objective", "Difference to the best, "
                                           "points", "Severe CRS", "Bound kept in", "As a study would see it"),
                 tuple(rows), ("Differences in the same patients, 95% interval over populations and patients; "
                               "bound kept in: share of "
                               "populations",))  # fmt: skip


def write_search(
    found: Searched, sensitive: Sensitivity | None, ensemble: Ensemble, *, place: Destination | Path, seed: int
) -> Path:
    """Write report.html, findings.json, estimates.csv, protocols.csv, information.csv, sensitivity.csv and figures.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    labels = dict(unknowns(ensemble).select("unknown", "label").iter_rows())
    drawn = {d.name: d for d in _drawn(found, sensitive, labels=labels)}
    told: tuple[Estimate, ...] = (*found.records(), *(sensitive.records() if sensitive else ()))

    def write(draft: Path) -> None:
        write_figures(list(drawn.values()), draft / "figures")
        (draft / "report.html").write_text(html(search_report(found, sensitive, drawn, seed=seed)), encoding="utf-8")
        about = {"reinfuse": __version__, "seed": seed, "card": list(card())}
        text = {"provenance": about, "flow": [], "estimates": [e.as_dict() for e in told],
                "warnings": [{"about": "search", "text": COSTLESS}]}  # fmt: skip
        (draft / "findings.json").write_text(
            json.dumps(text, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        write_csv(frame(told), draft / "estimates.csv")
        write_csv(found.region.frame(), draft / "protocols.csv")
        if found.information is not None:
            write_csv(found.information.frame(), draft / "information.csv")
        if sensitive is not None:
            write_csv(sensitive.frame(), draft / "sensitivity.csv")

    return at(place, "virtual search").write(write)


def _drawn(found: Searched, sensitive: Sensitivity | None, *, labels: dict[str, str]) -> Iterator[Drawn]:
    question = found.question
    usual = question.arm(question.usual).name
    axes = (("flu", "Fludarabine before CART2 (courses)", "log10_dose", "Dose at CART2, cells/kg"),
            ("interval_days", "Days from CART1 to CART2", "cy", "Cyclophosphamide before CART2 (courses)"))  # fmt: skip
    yield draw.region("search_region", "Protocols of the second infusion, beside the "
                                       "best", found.region.frame(), axes_of=axes, usual=usual,
                      synthetic=False)  # fmt: skip
    if found.information is not None:
        yield draw.worth(
            "search_worth", "What would be worth measuring", found.information.frame(), labels=labels, synthetic=False
        )
    if sensitive is not None:
        table = sensitive.frame()
        shown = {o: OUTCOMES.get(o, o) for o in table["outcome"].unique(maintain_order=True)}
        yield draw.tornado(
            "search_sensitivity",
            "Sensitivity of the outcomes of the second infusion",
            table,
            outcomes=shown,
            labels=labels,
            synthetic=False,
        )
