"""Tables of a study of several centres."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.cohort.strata import AT_LEAST, Stratum, level_of, parts_of
from reinfuse.pooling.combining import PooledResults
from reinfuse.pooling.pooled_descriptions import CENTRE_AVERAGED
from reinfuse.pooling.pooled_estimates import CENTRE
from reinfuse.report.document.model import Row, Table
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate

_DASH = "–"
_WORSE = {f"{AT_LEAST}1": "any grade", f"{AT_LEAST}3": "grade 3 or worse"}
_MONTHS = (3, 6, 12, 18, 24, 36, 48, 60)
_MARKS = "abcdefghijklmnopqrstuvwxyz"


def flow_table(results: PooledResults, records: Sequence[Estimate]) -> Table:
    """Return patients of each centre, and events of each endpoint."""
    ends = results.study.endpoints
    rows = []
    single = () if results.study.mode == "masked" else results.study.centres
    for population, name in (*((Stratum(CENTRE, c), c) for c in single), ("all", "All")):
        own = [e for e in records if e.population == population]
        sizes = [
            _whole(next(e.n for e in own if e.analysis == "flow" and e.term == what))
            for what in ("patients", "analysed")
        ]
        counts = {e.endpoint: f"{e.events}/{e.n}" for e in own if e.statistic == "count" and e.n}
        outcomes = [counts.get(end, _DASH) for end in ends]
        rows.append(Row(name, (*sizes, *outcomes)))
    notes = [f"{centre}: {n} excluded, {reason}" for centre, a in results.first.items()
             for reason, n in a.tables["flow"]["excluded"].items()]  # fmt: skip
    notes += [f"{centre} told nothing of {results.study.endpoint_label(end)}: {a.withheld[end]}"
              for centre, a in results.first.items() for end in ends if end in a.withheld]  # fmt: skip
    head = ("Centre", "Patients", "Analysed", *(f"{results.study.endpoint_label(end)}, events/n" for end in ends))
    return Table("flow", "Patients and events by centre", head, tuple(rows), tuple(notes))


def baseline_table(results: PooledResults, records: Sequence[Estimate]) -> Table:
    """Return the factors of all patients."""
    rows = []
    own = [e for e in records if e.analysis == "baseline"]
    for factor in results.study.factors:
        of_factor = {(e.statistic, e.level): e for e in own if e.term == factor}
        levels = results.study.levels_of(factor)
        if levels:
            rows.append(Row(results.study.factor_label(factor), ("",)))
            for level in levels:
                share = of_factor["proportion", level]
                percent = "" if share.estimate is None else f" ({number_format.percent(share.estimate, share.n or 0)})"
                rows.append(Row(level, (f"{_whole(share.events)}{percent}",), inner=True))
        else:
            mean, spread = of_factor["mean", None], of_factor["sd", None]
            label = results.study.factor_label(factor).split(", per ")[0]
            numbers = f"{_decimal(mean.estimate)} ({_decimal(spread.estimate)})"
            rows.append(Row(f"{label}, {mean.unit}, mean (SD)", (numbers,)))
        missing = of_factor["missing", None].estimate
        if missing:
            rows.append(Row("missing", (_whole(int(missing)),), inner=True))
    n = next(e.n for e in records if e.analysis == "flow" and e.term == "analysed" and e.population == "all")
    return Table(
        "characteristics", "Characteristics of the patients of all centres", ("", f"All (n = {n})"), tuple(rows)
    )


def outcome_table(results: PooledResults, records: Sequence[Estimate]) -> Table | None:
    """Return proportions of binary endpoints by centre; None without one."""
    own = [e for e in records if e.analysis == "response" and e.statistic == "proportion"]
    rows = [Row(f"{end_of(results, e)}, {level_of(e.population) or 'all centres'}", _proportion(e)) for e in own if e.n]
    if not rows:
        return None
    confidence = number_format.level(own[0].confidence)
    return Table("outcomes", "Outcomes", ("Endpoint, centre", "Events/n", f"Proportion ({confidence})"), tuple(rows))


def rate_table(results: PooledResults, records: Sequence[Estimate]) -> Table | None:
    """Return centre-averaged survival at some months; None where no month is told by every centre."""
    own = [e for e in records if e.method == CENTRE_AVERAGED]
    rows = []
    for e in own:
        if e.estimate is None:
            rows.append(Row(end_of(results, e), (_DASH, "", (e.note or "").removeprefix(f"{NOT_ESTIMABLE}: "))))
        elif round((e.at or 0) / DAYS_A_MONTH) in _MONTHS:
            low, high = (_DASH if v is None else number_format.percent(v, e.n or 0) for v in (e.lower, e.upper))
            interval = e.note or "" if _DASH in (low, high) else number_format.limits(low, high)
            month = f"{number_format.month(e.at)} months"
            share = number_format.percent(e.estimate, e.n or 0)
            rows.append(Row(f"{end_of(results, e)} at {month}", (f"{e.events}/{e.n}", share, interval)))
    if not rows:
        return None
    head = ("Endpoint", "Events/n", "Centre-averaged", number_format.level(own[0].confidence))
    return Table("rates", "Survival, averaged over centres", head, tuple(rows))


def toxicity_table(results: PooledResults, records: Sequence[Estimate]) -> Table | None:
    """Return the patients by worst grade; None where no centre recorded it."""
    rows, notes = [], []
    for e in (r for r in records if r.analysis == "toxicity"):
        level = e.level or ""
        if level.startswith(AT_LEAST) and e.statistic == "count":
            continue
        grade = f"{e.term}, {_WORSE.get(level, f'grade {level}')}"
        if e.estimate is None:
            rows.append(Row(grade, (_DASH, (e.note or "").split("; ")[0])))
        else:
            rows.append(Row(grade, (f"{e.events}/{e.n}", "") if e.statistic == "count" else _proportion(e)))
        notes += [f"{e.term}: {part}" for part in (e.note or "").split("; ") if part.startswith("not recorded")]
    if not rows:
        return None
    head = ("Worst grade", "Patients/n", f"Proportion ({number_format.level(results.study.plan.confidence)})")
    return Table("toxicity", "Toxicity after the index infusion", head, tuple(rows), tuple(dict.fromkeys(notes)))


def price_sentence(results: PooledResults, records: Sequence[Estimate]) -> str | None:
    """Return what is lost as hazard ratios compare patients within centres alone; None without a time to event."""
    own = [e for e in records if e.analysis == "price_of_stratifying" and e.estimate is not None]
    if not own:
        return None
    shares = ", ".join(f"{end_of(results, e)} {number_format.percent(e.estimate or 0, 0)}" for e in own)
    return (
        "Hazard ratios compare patients within centres alone. Of the information that the patients of all centres "
        f"would give without strata, these sizes of centres keep: {shares}. It follows from numbers of patients and "
        "events, for a factor and a course that are alike in all centres (d events of n patients give "
        "d (1 - H(n)/n), with H(n) = 1 + 1/2 + ... + 1/n); the fit without strata itself needs times, "
        "which do not travel."
    )


def _proportion(e: Estimate) -> tuple[str, str]:
    if e.estimate is None or e.lower is None or e.upper is None:
        return f"{e.events}/{e.n}", "not estimable"
    share, low, high = (number_format.percent(v, e.n or 0) for v in (e.estimate, e.lower, e.upper))
    return f"{e.events}/{e.n}", f"{share} ({number_format.limits(low, high)})"


def effect_tables(results: PooledResults, records: Sequence[Estimate]) -> Iterator[Table]:
    """Yield the effects on each endpoint, and the tests in strata beside them."""
    for end in results.study.endpoints:
        own = [e for e in records if e.analysis == "association" and e.endpoint == end]
        own += [e for e in records if e.analysis in ("survival", "calibrated") and e.statistic == "p_value"
                and e.endpoint == end]  # fmt: skip
        if not any(e.n for e in own):
            continue
        notes: dict[str, str] = {}
        rows = [
            Row(label_of(results, e), (_method(e), f"{e.events}/{e.n}", *effect_cells(e), marked(e, notes)))
            for e in own
        ]
        what = "Odds" if results.study.kind_of(end) == "binary" else "Hazard"
        head = ("Factor", "Model", "Events/n", f"{what} ratio", number_format.level(results.study.plan.confidence),
                number_format.p_letter(), "Note")  # fmt: skip
        remarks = tuple(f"{mark}: {text}" for text, mark in notes.items())
        yield Table(
            f"effects_{end}", f"Factors and {lowered(results.study.endpoint_label(end))}", head, tuple(rows), remarks
        )


def end_of(results: PooledResults, e: Estimate) -> str:
    """Return the endpoint of a record."""
    return results.study.endpoint_label(e.endpoint or "")


def label_of(results: PooledResults, e: Estimate) -> str:
    """Return the factor of a record, with its level."""
    label = results.study.factor_label(e.term or "")
    return label if e.level is None else f"{label}: {e.level}"


def _method(e: Estimate) -> str:
    method = e.method or ""
    if "permutations within centres" in method:
        return f"{method.split(',')[0]}, permuted within centres"
    if method.startswith("Firth"):
        return f"Firth, {e.model}"
    return method.split(",")[0] if method.startswith(("Mantel", "exact")) else "log-rank, stratified"


def effect_cells(e: Estimate) -> tuple[str, str, str]:
    """Return ratio, interval and p-value."""
    if e.statistic == "p_value":
        return "", "", number_format.p_value(e.p_value)
    low, high = (number_format.ratio(v) if v is not None else "not estimable" for v in (e.lower, e.upper))
    value = "not estimable" if e.estimate is None else number_format.ratio(e.estimate)
    interval = _DASH if e.lower is None and e.upper is None else number_format.limits(low, high)
    return value, interval, number_format.p_value(e.p_value)


def marked(e: Estimate, notes: dict[str, str]) -> str:
    """Return the mark of a record's note, which is told once under the table."""
    if not e.note:
        return ""
    place = len(notes)
    return notes.setdefault(e.note, _MARKS[place % len(_MARKS)] * (place // len(_MARKS) + 1))


def homogeneity_table(results: PooledResults, records: Sequence[Estimate]) -> Table | None:
    """Return the tests that centres have the same coefficients; None without one."""
    rows = []
    for e in (r for r in records if r.analysis == "heterogeneity"):
        factors = " + ".join(results.study.factor_label(name) for name in parts_of(e.term))
        rows.append(Row(f"{end_of(results, e)}: {factors}", (f"{e.events}/{e.n}", number_format.p_value(e.p_value))))
    if not rows:
        return None
    notes = ("Score test that all centres have the same effects, of odds ratios also the same intercept",
             "rough with few patients a centre")  # fmt: skip
    head = ("Model", "Events/n", number_format.p_letter())
    return Table("heterogeneity", "Heterogeneity between centres", head, tuple(rows), notes)


def influence_table(results: PooledResults, records: Sequence[Estimate]) -> Table | None:
    """Return the range of each effect when one centre after the other is left out."""
    rows = []
    for e in (r for r in records if r.analysis == "association" and (r.method or "").startswith("Firth")):
        others = [r for r in records if r.analysis == "influence" and r.estimate is not None
                  and (r.endpoint, r.model, r.stratum) == (e.endpoint, e.model, e.stratum)]  # fmt: skip
        if e.estimate is None or not others:
            continue
        values = sorted(others, key=lambda r: r.estimate or 0)
        low, high = values[0], values[-1]
        rows.append(Row(f"{end_of(results, e)}: {label_of(results, e)} ({e.model})", (number_format.ratio(e.estimate),
                        f"{number_format.ratio(low.estimate)} ({level_of(low.population)})",
                        f"{number_format.ratio(high.estimate)} ({level_of(high.population)})")))  # fmt: skip
    if not rows:
        return None
    return Table("influence", "Effects without one centre", ("Effect", "All centres", "Lowest", "Highest"), tuple(rows))


def exchange_table(results: PooledResults) -> Table:
    """Return the SHA-256 of each request, which holds those of the answers before it, and of the last answers."""
    exchanges = results.exchanges
    rows = [Row(request.name, (request.digest,)) for request in exchanges.requests]
    rows += [Row(answer.name, (answer.digest,)) for answer in exchanges.answers[-1].values()]
    note = "A request holds the hashes of the answers on which it is built; findings.json lists them all"
    return Table("exchanges", "Files of the exchanges", ("File", "SHA-256 of its contents"), tuple(rows), (note,))


def _whole(value: int | None) -> str:
    return number_format.count(None if value is None else float(value))


def _decimal(value: float | None) -> str:
    return _DASH if value is None else number_format.printed(f"{value:,.1f}", size=value)
