"""The report of a study of several centres as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from reinfuse.pooling.centre_data import FEWEST_EVENTS, FEWEST_PATIENTS, PATIENTS_A_COEFFICIENT
from reinfuse.pooling.combining import PooledResults
from reinfuse.pooling.not_pooled import said_of_plan
from reinfuse.pooling.pooled_study import FEWEST_CENTRES
from reinfuse.report.analyses.hierarchy import WORDS
from reinfuse.report.document.model import Block, Bullets, Document, Paragraph, Section, with_citations
from reinfuse.report.pooled import tables
from reinfuse.report.pooled.curves import curve_figures
from reinfuse.report.pooled.hypotheses import hierarchy_table, interaction_table, primary_findings
from reinfuse.report.text import number_format
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.version import __version__

_REFERENCES = (
    "Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27-38.",
    "Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med 2002;21:2409-2419.",
    "Heinze G, Schemper M. A solution to the problem of monotone likelihood in Cox regression. Biometrics "
    "2001;57:114-119.",
    "Venzon DJ, Moolgavkar SH. A method for computing profile-likelihood-based confidence intervals. Appl Stat "
    "1988;37:87-94.",
    "Mantel N, Haenszel W. Statistical aspects of the analysis of data from retrospective studies of disease. J Natl "
    "Cancer Inst 1959;22:719-748.",
    "Robins J, Breslow N, Greenland S. Estimators of the Mantel-Haenszel variance consistent in both sparse data and "
    "large-strata limiting models. Biometrics 1986;42:311-323.",
    "Mehta CR, Patel NR, Gray R. Computing an exact confidence interval for the common odds ratio in several 2 x 2 "
    "contingency tables. J Am Stat Assoc 1985;80:969-973.",
    "Mantel N. Evaluation of survival data and two new rank order statistics arising in its consideration. Cancer "
    "Chemother Rep 1966;50:163-170.",
    "Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial. "
    "Biometrika 1934;26:404-413.",
    "Rao CR. Large sample tests of statistical hypotheses concerning several parameters with applications to problems "
    "of estimation. Proc Camb Philos Soc 1948;44:50-57.",
)
_OF_PERMUTATION = (
    "Strasser H, Weber C. On the asymptotic theory of permutation statistics. Math Methods Stat 1999;8:220-250."
)
_TRAVELLED = {
    "rounds": "Patients stayed in their centres. Each centre answered requests with counts and with sums over its "
    "patients: the log-likelihood of each model and its first four derivatives, at given coefficients. The sums of all "
    "centres give the estimates that the patients in one table would give.",
    "masked": "Patients stayed in their centres. Each centre answered requests with counts and with sums over its "
    "patients, the log-likelihood of each model and its first four derivatives, under masks that cancel in the total "
    "of all centres: nobody read the numbers of one. The totals give the estimates of the patients in one table.",
    "tables": "Patients stayed in their centres. Each centre sent, once, tables of integers: patients and events by "
    "pattern of the factors and, for hazard ratios, the order of its events with the patients at risk by pattern, "
    "without times. They determine the likelihoods, so that the estimates are those of the same patients in one table.",
}
_METHODS = (
    "Odds ratios are of Firth's penalised logistic regression with one intercept for all centres [1, 2], hazard ratios "
    "of Firth's penalised Cox regression with each centre as a stratum and Breslow's method for ties [3]. p-values are "
    "those of the penalised likelihood ratio, intervals those of its profile [4].",
    "Factors of two levels and binary endpoints: Mantel-Haenszel odds ratio, centres the strata [5], with the interval "
    "of Robins, Breslow and Greenland [6] and the Cochran-Mantel-Haenszel test without continuity correction; "
    "conditional maximum likelihood odds ratio with exact interval and test [7]. Times to an event: log-rank test "
    "stratified by centre [8]. Proportions have Clopper-Pearson intervals [9].",
    "Heterogeneity between centres: Rao's score test of homogeneity at the common estimate [10].",
    "Survival averaged over centres: the mean of the centres' Kaplan-Meier estimates at whole months, weighted by "
    "their patients, with the sum of the squared weights times Greenwood's variances and a log-log interval. It is "
    "another estimand than the Kaplan-Meier estimate of all patients together.",
)
_METHODS_OF_TOTALS = (
    _METHODS[0],
    "Times to an event: log-rank test stratified by centre [8]. Proportions have Clopper-Pearson intervals [9].",
    f"{_METHODS[3]} Here from totals at half-years, to each of which a centre adds to a tenth of a patient.",
)
_LIMIT_OF_TOTALS = (
    "Not available from totals of all centres: numbers by centre, effects without one centre (the difference of two "
    "totals would be that centre), exact conditional odds ratios (they need the margins of each centre), tests by "
    "permutation; and not asked for, as the tables of few centres could be worked out from such totals: "
    "Mantel-Haenszel odds ratios, heterogeneity between centres."
)
_INTERACTIONS = (
    "Pairs of factors that may act together: the products of their columns are added to the plan's model; penalised "
    "likelihood ratio and profile interval of each product. Not estimated with fewer than 5 events a parameter."
)
_HIERARCHY = (
    "Primary hypotheses of the plan were adjusted by {method}, the secondary ones together by the Benjamini-Hochberg "
    "method; a hypothesis that could not be tested counts with a p-value of 1."
)
_PERMUTED = (
    "Tests by permutation exchange the levels of a factor among the patients of each centre [11]; unlike the other "
    "tests they do not rest on many patients."
)
_LIMITS = (
    "Not available from sums: Kaplan-Meier curves and medians of all centres together, calibration by simulation, "
    "bootstrap, imputation of missing values, influence of single patients. Models leave out patients with a missing "
    "factor.",
    "Whether an effect would be infinite without the penalty (separation) is told for single factors of two levels and "
    "binary endpoints only.",
    "Associations, not effects of treatment.",
)
_SELECTED = (
    "Estimates are given only where no centre would have told a small number. They are those of these patients; but "
    "strong effects make small numbers, so that over many studies the estimates that are given are nearer to no effect."
)


def document(results: PooledResults, records: Sequence[Estimate], today: date) -> Document:
    """Return the report."""
    study = results.study
    return Document(study.title, f"{len(study.centres)} centres · {today.isoformat()} · reinfuse {__version__}",
                    tuple(_sections(results, records)),
                    facts={"generator": f"reinfuse {__version__}", "date": today.isoformat()})  # fmt: skip


def _sections(results: PooledResults, records: Sequence[Estimate]) -> Iterator[Section]:
    yield Section("key-findings", "Key findings", (Bullets(tuple(_answers(results, records))),))
    yield Section("centres", "Centres and patients", (tables.flow_table(results, records),
                                                      tables.baseline_table(results, records)))  # fmt: skip
    outcomes: list[Block | None] = [tables.outcome_table(results, records), tables.rate_table(results, records),
                                    *curve_figures(results, records),
                                    tables.toxicity_table(results, records)]  # fmt: skip
    if any(outcomes):
        yield Section("outcomes", "Outcomes", tuple(block for block in outcomes if block is not None))
    effects: list[Block] = list(tables.effect_tables(results, records))
    more = (interaction_table(results, records), hierarchy_table(results, records),
            tables.homogeneity_table(results, records), tables.influence_table(results, records))  # fmt: skip
    effects += [table for table in more if table is not None]
    price = tables.price_sentence(results, records)
    effects += [Paragraph(price)] if price else []
    yield Section("associations", "Factors and outcome", tuple(effects))
    permuted = any(one.permutation is not None for one in results.models)
    masked = results.study.mode == "masked"
    own = _METHODS_OF_TOTALS if masked else _METHODS
    plan = results.study.plan
    methods = (_TRAVELLED[results.study.mode], *own, *([_PERMUTED] if permuted else []),
               *([_INTERACTIONS] if any(one.model.pair for one in results.models) else []),
               *([_HIERARCHY.format(method=WORDS[plan.hierarchy.method])] if plan.hierarchy else []))  # fmt: skip
    yield Section("methods", "Statistical methods", tuple(Paragraph(with_citations(text)) for text in methods))
    hidden = results.study.mode == "tables" and results.study.threshold
    limits = (*([_LIMIT_OF_TOTALS] if masked else []), *_LIMITS, *([_SELECTED] if hidden else []),
              *said_of_plan(results.study))  # fmt: skip
    yield Section("limitations", "Limitations", (Bullets(limits),))
    yield Section("exchanges", "Exchanges", (Paragraph(_guards(results)), tables.exchange_table(results)))
    references = (*_REFERENCES, _OF_PERMUTATION) if permuted else _REFERENCES
    yield Section("references", "References", (Bullets(references, numbered=True),))


def _answers(results: PooledResults, records: Sequence[Estimate]) -> Iterator[str]:
    """Yield how many patients there are, and the effects whose interval leaves out 1, or that there are none."""
    n = next(e.n for e in records if e.analysis == "flow" and e.term == "analysed" and e.population == "all")
    yield f"{n} patients of {len(results.study.centres)} centres."
    for e in (r for r in records if r.analysis == "response" and r.statistic == "proportion" and r.population == "all"):
        if e.estimate is not None and e.lower is not None and e.upper is not None:
            share, low, high = (number_format.percent(v, e.n or 0) for v in (e.estimate, e.lower, e.upper))
            interval = number_format.limits(low, high)
            yield f"{tables.end_of(results, e)}: {e.events} of {e.n} patients, {share} ({interval})."
    yield from primary_findings(results, records)
    firth = [e for e in records if e.analysis == "association" and (e.method or "").startswith("Firth")]
    below = [e for e in firth if e.p_value is not None and e.p_value < 1 - results.study.plan.confidence]
    for e in below:
        name = "odds ratio" if e.statistic == "odds_ratio" else "hazard ratio"
        limits = "" if e.lower is None or e.upper is None else \
            f" ({number_format.limits(number_format.ratio(e.lower), number_format.ratio(e.upper))})"  # fmt: skip
        yield (f"{tables.end_of(results, e)}, {tables.label_of(results, e)} ({e.model}): {name} "
               f"{number_format.ratio(e.estimate)}{limits}, {number_format.p_equals(e)}, unadjusted for multiple "
               "testing.")  # fmt: skip
    for end in results.study.endpoints:
        own = [e for e in firth if e.endpoint == end]
        if own and not any(e.n for e in own):
            why = (own[0].note or "").removeprefix(f"{NOT_ESTIMABLE}: ")
            yield f"{results.study.endpoint_label(end)}: no model ({why})."
    if not below:
        alpha = number_format.level_of_test(1 - results.study.plan.confidence)
        yield f"None of {len(firth)} effects reaches {alpha}."


def _guards(results: PooledResults) -> str:
    requests = len(results.exchanges.requests)
    return (
        f"{requests} request{'' if requests == 1 else 's'}, answered by every centre. "
        f"A centre tells of an endpoint with at least {FEWEST_PATIENTS} patients, {FEWEST_EVENTS} events and "
        f"{FEWEST_EVENTS} patients without{_of_mode(results)}; a model needs {FEWEST_CENTRES} centres. "
        "With these files, reinfuse pool combine gives this report again."
    )


def _of_mode(results: PooledResults) -> str:
    k = results.study.threshold
    if results.study.mode == "masked":
        return "; what one centre does not tell is asked of none"
    if results.study.mode == "rounds":
        return f", and of a model with at least {PATIENTS_A_COEFFICIENT} patients a coefficient"
    return f". Numbers of patients from 1 to {k - 1} stayed in the centres" if k else ". No small number was hidden"
