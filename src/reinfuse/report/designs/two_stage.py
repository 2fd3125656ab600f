"""Simon's two-stage designs as a page of a protocol."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.evidence.design.response_rate import TwoStageStudy
from reinfuse.report.designs.page import Method, ProtocolPage, decimal, percent, scenario_table, table
from reinfuse.statistics.two_stage import TwoStageDesign

_NAMES = {"optimal": "Optimal", "minimax": "Minimax"}


def two_stage_page(study: TwoStageStudy) -> ProtocolPage:
    """Return the page."""
    request, designs = study.request, study.designs
    return ProtocolPage(
        name="simon",
        title="Single-arm phase II study in two stages (Simon)",
        answer=tuple(_answer(study)),
        decisions=(table("rules", "Decisions by the number of responses",
                         ("Design", "Patients, stage 1", "Stop for futility", "Patients in all", "Not promising",
                          "Promising"), [_rule(d) for d in designs.values()]),),
        characteristics=(
            table("errors", "Exact operating characteristics",
                  ("Design", "Type I error", "Power", "Stopping after stage 1, p0", "Stopping after stage 1, p1",
                   "Expected patients, p0", "Expected patients, p1"), [_errors(d) for d in designs.values()]),
            table("rates", "Probability of a promising result by the true response rate",
                  ("True rate", *(_NAMES[kind] for kind in designs)), list(_rates(study))),
            *scenario_table([(s, {_NAMES[kind]: three for kind, three in by.items()}) for s, by in study.scenarios])),
        settings=(("Response rate not worth further study (p0)", percent(request.p0)),
                  ("Response rate worth further study (p1)", percent(request.p1)),
                  ("Type I error, at most", percent(request.alpha)), ("Power, at least", percent(1 - request.beta)),
                  ("Patients, at most", str(request.most))),
        methods=(Method("Of all two-stage designs with these errors, the optimal one has the least expected number of "
                        "patients under p0, the minimax one the fewest patients in all. All probabilities are exact "
                        "binomial sums.", ("simon",)),),
        limits=("The errors hold if exactly these numbers of patients are evaluated and accrual pauses after stage 1.",
                "An estimate of the response rate from a study that may stop early is biased; give the design with it.",
                "Response must be known for every patient of stage 1 before stage 2 begins."),
    )  # fmt: skip


def _answer(study: TwoStageStudy) -> Iterator[str]:
    for kind, d in study.designs.items():
        yield (f"{_NAMES[kind]} design: treat {d.n1} patients; stop for futility with {_at_most(d.r1)}. Otherwise "
               f"treat {d.n} in all; the treatment is promising with {d.r + 1} responses or more.")  # fmt: skip
    if len({(d.n1, d.n) for d in study.designs.values()}) == 1:
        yield "Both criteria give the same design."


def _at_most(number: int) -> str:
    return "no response" if number == 0 else f"{number} response{'s' if number > 1 else ''} or fewer"


def _rule(design: TwoStageDesign) -> tuple[str, ...]:
    return (_NAMES[design.kind], str(design.n1), f"≤{design.r1} of {design.n1}", str(design.n),
            f"≤{design.r} of {design.n}", f"≥{design.r + 1} of {design.n}")  # fmt: skip


def _errors(d: TwoStageDesign) -> tuple[str, ...]:
    shares = (d.type_1, d.power, d.stop_null, d.stop_alternative)
    return (_NAMES[d.kind], *map(percent, shares), decimal(d.expected_null), decimal(d.expected_alternative))


def _rates(study: TwoStageStudy) -> Iterator[tuple[str, ...]]:
    kinds = list(study.promising)
    for k, (rate, _) in enumerate(study.promising[kinds[0]]):
        yield percent(rate), *(percent(study.promising[kind][k][1]) for kind in kinds)
