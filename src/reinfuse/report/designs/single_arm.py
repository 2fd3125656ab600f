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
    asked = study.request
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
        methods=(Method(f"Success is a posterior probability above {percent(asked.threshold)} that the response rate "
                        f"exceeds {percent(asked.p0)}. At an interim look the predictive probability of success at the "
                        "end is a beta-binomial sum over the patients still to come.", ("predictive",)),
                 Method(_of_prior(study), ("robust",)),
                 Method("Probabilities are sums over all numbers of responses, without simulation.")),
        limits=("Type I error is what the design has at p0, not what it was set to: read it in the table.",
                "The rules hold at these looks; a look at another number of patients needs its own row.",
                "A prior from published patients moves the decision: report the result with a uniform prior too.",
                *(asked.prior.cautions if isinstance(asked.prior, PublishedPrior) else ())),
    )  # fmt: skip


def _answer(study: SingleArmStudy) -> Iterator[str]:
    asked, rule = study.request, study.rule
    at = {c.rate: c for c in study.characteristics}
    null, alternative = at[round(asked.p0, 6)], at[round(asked.p1, 6)]
    yield f"Treat {asked.n} patients; success with {rule.success[-1]} responses or more."
    yield (f"Type I error at a true rate of {percent(asked.p0)}: {percent(null.success)}; power at "
           f"{percent(asked.p1)}: {percent(alternative.success)}.")  # fmt: skip
    size = moment_size(study.prior)
    yield (f"The prior has mean {percent(study.prior.mean)} and is worth about {decimal(size)} patients (by "
           f"moments), beside {asked.n} of the study.")  # fmt: skip
    if size > asked.n:
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
    asked = study.request
    yield "Response rate to be exceeded (p0)", percent(asked.p0)
    yield "Response rate hoped for (p1)", percent(asked.p1)
    yield "Posterior probability for success, above", percent(asked.threshold)
    yield "Prior", text_of(study.prior)
    if isinstance(asked.prior, PublishedPrior):
        yield "Prior from published studies", "; ".join(asked.prior.studies)
    if asked.robust:
        yield "Weight of the uniform component in it", percent(asked.robust)
    if asked.looks:
        yield "Interim looks, patients", ", ".join(map(str, asked.looks))
        yield "Stop for futility below a predictive probability of", percent(asked.futility)
        yield ("Stop for success above a predictive probability of",
               "never" if asked.efficacy == 1 else percent(asked.efficacy))  # fmt: skip
