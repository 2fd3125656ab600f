"""A dose-finding study (BOIN) as a page of a protocol, with its decision table."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.evidence.design.dose_finding import DoseScenario, DoseStudy
from reinfuse.report.designs.page import Method, ProtocolPage, decimal, percent, table
from reinfuse.report.document.model import Table


def dose_page(study: DoseStudy) -> ProtocolPage:
    """Return the page."""
    request, bounds = study.request, study.boundaries
    most = request.cohort * request.cohorts
    return ProtocolPage(
        name="dose",
        title="Dose finding by toxicity (Bayesian optimal interval design)",
        answer=(
            f"Treat {request.cohorts} cohorts of {request.cohort}, {most} patients in all, the first at dose "
            f"{request.doses[request.start - 1]}. Escalate where the rate of dose-limiting toxicity (DLT) at the "
            f"current dose is {decimal(bounds.escalate, 3)} or less, de-escalate where it is "
            f"{decimal(bounds.de_escalate, 3)} or more, else stay.",
            "The decision table holds at every dose: count the patients treated at the current dose and those of them "
            "with DLT.",
            "At the end the maximum tolerated dose is the one whose rate, smoothed so that it does not fall with the "
            f"dose, is nearest to {percent(request.target)}.",
        ),
        decisions=(table("rules", "Decisions by the number of patients with DLT at the current dose",
                         ("Patients at the dose", "Escalate", "Stay", "De-escalate", "Eliminate the dose"),
                         list(_rules(study)),
                         notes=("Eliminate: this dose and all above it are not given again; if it is the lowest, stop.",
                                "At the highest dose left, stay in place of escalating; at the lowest, in place of "
                                "de-escalating.")),),
        characteristics=tuple(_characteristics(study)),
        settings=(("Target rate of DLT", percent(request.target)), ("Doses", ", ".join(request.doses)),
                  ("Rate that is too low, and too high",
                   f"{percent(0.6 * request.target)}, {percent(1.4 * request.target)}"),
                  ("Elimination where the posterior probability of a rate above the target exceeds",
                   percent(request.cutoff))),
        methods=(Method("Boundaries minimise the probability of a wrong decision, with 60% and 140% of the target as "
                        "rates that are too low and too high.", ("boin",)),
                 Method("Operating characteristics are exact: the probabilities of all paths are summed, without "
                        "simulation.")),
        limits=("DLT must be known for a cohort before the next is treated; later toxicity is not counted.",
                "The design looks at toxicity alone, not at response or expansion.",
                "It rests on toxicity that does not fall with the dose, with the same lymphodepletion at all doses."),
    )  # fmt: skip


def _rules(study: DoseStudy) -> Iterator[tuple[str, ...]]:
    for n, up, down, out in study.table:
        stay = "–" if up + 1 > down - 1 else _span(up + 1, down - 1)
        last = n if out is None else out - 1
        lower = "–" if down > last else _span(down, last)
        yield str(n), _span(0, up), stay, lower, "–" if out is None else f"≥{out}"


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _characteristics(study: DoseStudy) -> Iterator[Table]:
    doses = study.request.doses
    head = ("Scenario", *(f"Dose {d}" for d in doses))
    yield table("truth", "True rates of DLT in the scenarios", head,
                [(s.name, *map(percent, s.rates)) for s in study.scenarios])  # fmt: skip
    yield table(
        "selected",
        "Probability that a dose is selected as the maximum tolerated dose",
        (*head, "None"),
        [(s.name, *map(percent, s.exact.selected), percent(s.exact.none)) for s in study.scenarios],
    )
    yield table("patients", "Expected numbers of patients at each dose, and with DLT", (*head, "With DLT"),
                [_expected(s) for s in study.scenarios])  # fmt: skip


def _expected(scenario: DoseScenario) -> tuple[str, ...]:
    exact = scenario.exact
    return scenario.name, *map(decimal, exact.patients), decimal(float(exact.toxicities.sum()))
