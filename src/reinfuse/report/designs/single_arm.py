"""A Bayesian single-arm study as a page of a protocol."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.evidence.design.prior_text import text_of
from reinfuse.evidence.design.published_prior import PublishedPrior
from reinfuse.evidence.design.response_rate import SingleArmStudy
from reinfuse.report.designs.page import Method, ProtocolPage, decimal, percent, scenario_table, table
from reinfuse.statistics.effective_sample_size import moment_size


def single_arm_page(study: SingleArmStudy) -> ProtocolPage:
    """Return the page."""
    request = study.request
    rows = [(percent(c.rate), percent(c.success), percent(c.futile_early), percent(c.success_early),
             decimal(c.expected)) for c in study.characteristics]  # fmt: skip
    return ProtocolPage(
        name="bayes",
        title="Bayesian single-arm study of a response rate",
        answer=tuple(_answer(study)),
        decisions=(table("rules", "Decisions by the number of responses",
                         ("Patients evaluated", "Stop for futility", "Stop for success", "Go on"), list(_rules(study)),
                         notes=("At the last look: no success, and success",)),),
        characteristics=(table("errors", "Exact operating characteristics by the true response rate",
                               ("True rate", "Success", "Early stop, futility", "Early stop, success",
                                "Expected patients"), rows),
                         *scenario_table([(s, {"Success": three}) for s, three in study.scenarios])),
        settings=tuple(_settings(study)),
        methods=(Method(f"Success is a posterior probability above {percent(request.threshold)} that the response rate "
                        f"exceeds {percent(request.p0)}. At an interim look the predictive probability of success at "
                        "the end is a beta-binomial sum over the patients still to come.", ("predictive",)),
                 Method(_of_prior(study), ("robust",)),
                 Method("Probabilities are sums over all numbers of responses, without simulation.")),
        limits=("Type I error is what the design has at p0, not what it was set to: read it in the table.",
                "The rules hold at these looks; a look at another number of patients needs its own row.",
                "A prior from published patients moves the decision: report the result with a uniform prior too.",
                *(request.prior.cautions if isinstance(request.prior, PublishedPrior) else ())),
    )  # fmt: skip


def _answer(study: SingleArmStudy) -> Iterator[str]:
    request, rule = study.request, study.rule
    at = {c.rate: c for c in study.characteristics}
    null, alternative = at[round(request.p0, 6)], at[round(request.p1, 6)]
    yield f"Treat {request.n} patients; success with {rule.success[-1]} responses or more."
    yield (f"Type I error at a true rate of {percent(request.p0)}: {percent(null.success)}; power at "
           f"{percent(request.p1)}: {percent(alternative.success)}.")  # fmt: skip
    size = moment_size(study.prior)
    yield (f"The prior has mean {percent(study.prior.mean)} and is worth about {decimal(size)} patients (by "
           f"moments), beside {request.n} of the study.")  # fmt: skip
    if size > request.n:
        yield "The prior weighs more than the study: the result will depend on it more than on the patients."
    if null.success > 0.1:
        yield "The type I error is above 10%: a higher threshold or another prior lowers it."


def _of_prior(study: SingleArmStudy) -> str:
    origin = "The prior is a Beta distribution, or a mixture of them."
    if isinstance(study.request.prior, PublishedPrior):
        origin = (
            "The prior is the meta-analytic-predictive distribution of the published studies (standard deviation "
            "between studies: half-normal of scale 1 on the log odds), as a mixture of Betas."
        )
    vague = " A uniform component keeps it from outweighing data that contradict it."
    return origin + (vague if study.request.robust else "")


def _rules(study: SingleArmStudy) -> Iterator[tuple[str, ...]]:
    rule = study.rule
    for n, futile, success in zip(rule.looks, rule.futile, rule.success, strict=True):
        low = "never" if futile < 0 else f"≤{futile}"
        high = "never" if success > n else f"≥{success}"
        between = "–" if futile + 1 > success - 1 else f"{futile + 1} to {min(success - 1, n)}"
        yield str(n), low, high, between


def _settings(study: SingleArmStudy) -> Iterator[tuple[str, str]]:
    request = study.request
    yield "Response rate to be exceeded (p0)", percent(request.p0)
    yield "Response rate hoped for (p1)", percent(request.p1)
    yield "Posterior probability for success, above", percent(request.threshold)
    yield "Prior", text_of(study.prior)
    if isinstance(request.prior, PublishedPrior):
        yield "Prior from published studies", "; ".join(request.prior.studies)
    if request.robust:
        yield "Weight of the uniform component in it", percent(request.robust)
    if request.looks:
        yield "Interim looks, patients", ", ".join(map(str, request.looks))
        yield "Stop for futility below a predictive probability of", percent(request.futility)
        yield ("Stop for success above a predictive probability of",
               "never" if request.efficacy == 1 else percent(request.efficacy))  # fmt: skip
