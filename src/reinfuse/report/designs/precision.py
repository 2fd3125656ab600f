"""A number of patients by the precision of an estimate, as a page of a protocol."""

from __future__ import annotations

import math
from collections.abc import Iterator

from reinfuse.evidence.design.precision import ON_ITS_SCALE, PrecisionStudy
from reinfuse.report.designs.page import Method, ProtocolPage, decimal, percent, table
from reinfuse.report.text import number_format

_OF = {"proportion": "proportion", "odds-ratio": "odds ratio", "hazard-ratio": "hazard ratio", "c-index": "c-index"}
_METHODS = {
    "proportion": Method("The interval is that of Clopper and Pearson; its expected width is an exact binomial sum.",
                         ("clopper", "precision")),
    "odds-ratio": Method("The interval is that of the log odds ratio with a half added to each count; its expected "
                         "width is an exact sum over two binomials.", ("precision",)),
    "hazard-ratio": Method("The variance of a log hazard ratio is 1 / (D q (1 - q)), with D events and q the share of "
                           "patients with the factor.", ("events", "precision")),
    "c-index": Method("The interval is normal, with the standard error of Hanley and McNeil for the area under the ROC "
                      "curve; of a time to event it holds for the event by a set time.", ("roc_area", "precision")),
}  # fmt: skip


def precision_page(study: PrecisionStudy) -> ProtocolPage:
    """Return the page."""
    request = study.request
    what = "Half-width" if request.measure in ON_ITS_SCALE else "Factor"
    rows = [(percent(w) if request.measure == "proportion" else decimal(w, 2 if request.measure != "c-index" else 3),
             "more than 2,000" if s.n is None else number_format.count(s.n), _assured(s.assured))
            for w, s in study.others]  # fmt: skip
    return ProtocolPage(
        name="precision",
        title=f"Number of patients by the precision of a {_OF[request.measure]}",
        answer=tuple(_answer(study)),
        decisions=(),
        characteristics=(table("sizes", "Patients by the wanted precision",
                               (what, "Patients", "Probability of that precision or better"), rows),),
        settings=tuple(_settings(study)),
        methods=(_METHODS[request.measure],),
        limits=("A precise estimate is no unbiased one: a factor that was not randomised is confounded whatever n.",
                "The expected width is met on average; the table's last column says how often it is met.",
                "Patients who cannot be evaluated come on top."),
    )  # fmt: skip


def _answer(study: PrecisionStudy) -> Iterator[str]:
    request, n = study.request, number_format.count(study.size.n)
    level = f"{100 * request.confidence:g}%"
    if request.measure == "proportion":
        yield (f"{n} patients give a proportion near {percent(request.rates[0])} a {level} CI whose half-width is "
               f"{percent(study.size.width)} in expectation.")  # fmt: skip
    elif request.measure == "c-index":
        yield (f"{n} patients, {percent(request.rates[1])} with the event, give a c-index near "
               f"{decimal(request.rates[0], 2)} a {level} CI whose half-width is {decimal(study.size.width, 3)} in "
               "expectation.")  # fmt: skip
    elif request.measure == "odds-ratio":
        yield (
            f"{n} patients, {percent(request.share)} with the factor, give an odds ratio a {level} CI whose limits "
            f"are within a factor of {decimal(math.exp(study.size.width), 2)} of it in expectation."
        )
    else:
        events = math.ceil(study.events or 0)
        yield (
            f"{events} events, in about {n} patients with {percent(request.rates[0])} having the event, give a "
            f"hazard ratio a {level} CI whose limits are within a factor of {decimal(request.factor or 0, 2)} of it."
        )
    if study.power is not None:
        yield (f"With so many events and a true hazard ratio of {request.ratio:g}, the {level} CI excludes "
               f"{request.exclude:g} with a probability of {percent(study.power)}.")  # fmt: skip


def _assured(share: float) -> str:
    return number_format.NOT_SHOWN if math.isnan(share) else percent(share)


def _settings(study: PrecisionStudy) -> Iterator[tuple[str, str]]:
    request = study.request
    yield "Estimate", _OF[request.measure]
    if request.measure == "proportion":
        yield "Assumed rate", percent(request.rates[0])
        yield "Wanted half-width", percent(request.half_width or 0)
    elif request.measure == "c-index":
        yield "Assumed c-index", decimal(request.rates[0], 2)
        yield "Patients with the event", percent(request.rates[1])
        yield "Wanted half-width", decimal(request.half_width or 0, 3)
    else:
        names = {"odds-ratio": "Assumed rates without and with the factor", "hazard-ratio": "Patients with the event"}
        yield names[request.measure], ", ".join(map(percent, request.rates))
        yield "Wanted factor between limit and estimate", f"{request.factor:g}"
        yield "Patients with the factor", percent(request.share)
    yield "Confidence level", f"{100 * request.confidence:g}%"
