"""The report's sections after the associations: what they are called, what they say, which tables they show."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from reinfuse.analyses import simulated_inference
from reinfuse.cohort.strata import factor_of
from reinfuse.report.document.model import Block, Paragraph, Section, Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.tables.robustness import ratio
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings

Part = tuple[str, str, Callable[[], Iterable[Section]]]
"""A part of the report: its name, its heading, and the building of its sections, which may fail."""
LATER = "Post-infusion (post-baseline) factors: landmark and time-dependent analyses"
_LATER = (
    "A factor known only after the infusion cannot be compared from day 0, because patients who live longer have more "
    "time to respond (immortal-time bias). Landmark: patients still at risk at the landmark day, grouped by their "
    "status on that day. Time-dependent: the factor changes from no to yes on the day of the event."
)
_PROTOCOLS = (
    "Hypothesis-generating: expected outcomes had all patients received the protocol, assuming no unmeasured "
    "confounding, which cannot be verified. Protocols that too few patients received are not estimated. This is not a "
    "comparison of treatments and not advice."
)
_PAIRED = (
    "Patients received this infusion because the previous one failed or did not last, so outcomes differ for that "
    "reason alone (regression to the mean). Only patients who survived to this infusion are compared (guarantee time)."
)


def more_sections(findings: Findings, tables: ProtocolTables, drawn: Container[str],
                  *, pictures: Callable[[str], Iterable[Block]]) -> Iterator[Part]:  # fmt: skip
    """Yield the sections that may have something to show.

    Parameters
    ----------
    drawn
        The sections that have figures.
    pictures
        Returns the figures of a section.
    """

    def part(name: str, short: str, title: str, paragraphs: Callable[[], Iterable[str]],
             made: Callable[[], Iterable[Table | None]]) -> Part:  # fmt: skip
        def build() -> Iterator[Section]:
            shown = tuple(t for t in made() if t is not None)
            if shown or name in drawn:
                said = (Paragraph(p) for p in paragraphs())
                yield Section(name, title, (*said, *shown, *pictures(name)), short)

        return name, title, build

    ends = [e.name for e in findings.described.endpoints]
    yield part("sure", "Robustness", "Robustness and sensitivity analyses",
               lambda: (*_small_samples(tables), *_influence(tables)), lambda: _robustness(tables, ends))  # fmt: skip
    yield part("power", "Power", "Power: smallest detectable effect", lambda: _power(tables), lambda: [tables.power()])
    yield part("later", "Post-infusion factors", LATER, lambda: (_LATER,), lambda: [tables.later()])
    yield part("protocols", "Standardised outcomes", "Standardised outcomes by protocol (g-computation)",
               lambda: (_PROTOCOLS,),
               lambda: [tables.protocols(e) for e in ends])  # fmt: skip
    index = findings.plan.index_infusion
    paired = f"Within-patient comparison of CART{index - 1} and CART{index}"
    yield part("paired", "", paired, lambda: (_PAIRED,), tables.paired)


def _robustness(tables: ProtocolTables, ends: Sequence[str]) -> Iterable[Table | None]:
    return (tables.small_samples(), tables.influence(), tables.sensitivity(), *(tables.averaging(e) for e in ends),
            tables.prediction(), tables.proportional(), tables.imputation())  # fmt: skip


def _named(tables: ProtocolTables, e: Estimate) -> str:
    return f"{lowered(tables.labels.term(e.term or ''))} and {lowered(tables.labels.endpoint(e.endpoint or ''))}"


def _small_samples(tables: ProtocolTables) -> Iterator[str]:
    """Say where the chi-square reference, the simulated one and permutation disagree."""
    records = [e for end in tables.findings.described.endpoints for s in ("odds_ratio", "hazard_ratio")
               for e in tables.look.all("calibrated", end.name, s) if e.p_value is not None]  # fmt: skip
    if not records:
        return
    yield (
        "In small samples the chi-square reference distribution of a test is only approximate. Two alternatives are "
        "shown: the reference distribution simulated for these patients, and permutation of each factor given the "
        "others. Prefer the simulated to the chi-square reference; where permutation disagrees with both, the result "
        "depends on the model and is uncertain."
    )
    differ = [said for said in (_disagreement(tables, e) for e in records) if said]
    if differ:
        yield f"The methods disagree at this level on: {'; '.join(differ)}."
    else:
        yield f"The methods agree on which of the {len(records)} associations have p below {_alpha(tables):.2g}."


def _alpha(tables: ProtocolTables) -> float:
    return 1 - tables.findings.plan.confidence


def _disagreement(tables: ProtocolTables, e: Estimate) -> str | None:
    """Return what the methods say of one association, if they are not on one side."""
    firth = [r for s in ("odds_ratio", "hazard_ratio")
             for r in tables.look.all("association", e.endpoint, s, term=e.term, model=e.model)]  # fmt: skip
    factor = factor_of(e.term)
    permuted = tables.look.all("permutation", e.endpoint, "p_value", term=factor, model=e.model)
    found = {
        "simulation": e,
        "chi-square": firth[0] if firth else None,
        "permutation": permuted[0] if permuted else None,
    }
    p = {name: r.p_value for name, r in found.items() if r is not None and r.p_value is not None}
    if len({value < _alpha(tables) for value in p.values()}) < 2:
        return None
    values = ", ".join(f"p {number_format.p_value(value)} by {name}" for name, value in p.items())
    return f"{_named(tables, e)}: {ratio(e)} by simulation; {values}"


def _influence(tables: ProtocolTables) -> Iterator[str]:
    records = [e for end in tables.findings.described.endpoints
               for e in tables.look.all("influence", end.name, "patients_changing")]  # fmt: skip
    changing = [e for e in records if e.estimate]
    if records and not changing:
        yield "No conclusion of the models changes when a single patient is left out."
    for e in changing:
        count = number_format.count(e.estimate)
        noun = "patient" if e.estimate == 1 else "patients, each alone,"
        yield (
            f"Leaving out {count} {noun} ({e.note}) moves the association of {_named(tables, e)} across "
            f"p = {1 - (e.confidence or 0):.2g}."
        )


def _power(tables: ProtocolTables) -> Iterator[str]:
    """Say for each factor which ratios had 80 % power."""
    for end in tables.findings.described.endpoints:
        for e in tables.look.all("power", end.name, "type_1_error"):
            if e.method not in simulated_inference.METHODS.values():
                continue
            found = {side: next(iter(tables.look.all("power", end.name, "detectable_ratio", group=side, term=e.term,
                                                     model=e.model, method=e.method)), None)
                     for side in ("below 1", "above 1")}  # fmt: skip
            parts = [f"{number_format.ratio(r.estimate)} or {'less' if side == 'below 1' else 'more'}"
                     for side, r in found.items() if r is not None and r.estimate is not None]  # fmt: skip
            reached = f"80% power to detect a ratio of {', or of '.join(parts)}"
            power = reached if parts else "80% power is not reached for any ratio between 0.1 and 10"
            yield (
                f"{tables.labels.endpoint(end.name)}, {lowered(tables.labels.per_sd(e))}: {power} "
                f"(n = {number_format.count(e.n)}, events {number_format.count(e.events)})."
            )
