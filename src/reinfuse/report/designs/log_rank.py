"""A single arm against a reference curve as a page of a protocol."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.evidence.design.time_to_event import LogRankStudy
from reinfuse.report.designs.page import Method, ProtocolPage, decimal, percent, table


def log_rank_page(study: LogRankStudy) -> ProtocolPage:
    """Return the page."""
    request, size = study.request, study.size
    return ProtocolPage(
        name="logrank",
        title="Single-arm study of a time to event against a reference curve",
        answer=(
            f"Treat {size.n} patients over {request.accrual:g} {request.unit} and follow the last for "
            f"{request.follow_up:g} {request.unit}. At a hazard ratio of {request.ratio:g} to the reference the power "
            f"is {percent(size.power)} (normal approximation).",
            f"Expected events: {decimal(size.events_null)} if the arm is as the reference, "
            f"{decimal(size.events_alternative)} at the hazard ratio of {request.ratio:g}.",
            f"Without that approximation, {size.n} patients give a type I error of {percent(study.type_1)} and a power "
            f"of {percent(study.power)}.",
            *_exact_size(study),
            *_warning(study),
        ),
        decisions=(table("rules", "Better than the reference, by the numbers of events",
                         ("Observed events", "Expected events must exceed"),
                         [(str(o), decimal(e, 2)) for o, e in study.decisions],
                         notes=("Expected: the sum over patients of the reference's cumulative hazard at their "
                                "follow-up.",)),),
        characteristics=(),
        settings=tuple(_settings(study)),
        methods=(Method("One-sample log-rank test: the arm is better where (E - O) / √E exceeds the normal quantile of "
                        "1 - alpha, with O observed and E expected events.", ("one_sample",)),
                 Method("Sample size with the exact variance under the alternative.", ("one_sample_size",)),
                 Method("Type I error and power of this number of patients are sums over the numbers of events, with "
                        "the distribution of the expected number by convolution: the normal approximation is rough in "
                        "small studies.")),
        limits=("The reference is taken as fixed: its own uncertainty is not in the test.",
                "Patients of another place or time differ in more than the treatment.",
                "Hazards are assumed to be in proportion to the reference."),
    )  # fmt: skip


def _exact_size(study: LogRankStudy) -> Iterator[str]:
    if study.fewest is not None and study.fewest != study.size.n:
        yield f"By exact sums {study.fewest} patients have a power of {percent(study.request.power)} or more."


def _warning(study: LogRankStudy) -> Iterator[str]:
    if study.type_1 > study.request.alpha:
        yield "The type I error is above the one set: lower alpha until it is not."
    if study.power < study.request.power:
        yield "The power is below the one set: take the number of patients by exact sums, or ask for a greater power."


def _settings(study: LogRankStudy) -> Iterator[tuple[str, str]]:
    request = study.request
    form = "exponential" if request.shape == 1 else f"Weibull, shape {request.shape:g}"
    if request.curve is not None:
        yield "Reference", f"Kaplan-Meier curve of {len(request.curve[0])} points, hazard even between steps"
    elif request.median is not None:
        yield "Reference", f"median {request.median:g} {request.unit} ({form})"
    else:
        yield "Reference", f"survival {percent(request.survival or 0)} at {request.at:g} {request.unit} ({form})"
    yield "Hazard ratio worth detecting", f"{request.ratio:g}"
    yield "Accrual, uniform", f"{request.accrual:g} {request.unit}"
    yield "Follow-up after accrual", f"{request.follow_up:g} {request.unit}"
    yield "Loss to follow-up", f"{request.loss:g} a unit of time" if request.loss else "none"
    yield "Type I error, one-sided", percent(request.alpha)
    yield "Power, at least", percent(request.power)
