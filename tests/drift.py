"""Tells which numbers of a report no record holds.

Numbers are looked for in the phrases in which reports print them: `17 of 44 (39%)`, `5.67 (1.34 to 34.0)`, `p = 0.017`,
`n = 43`, and a table's row, whose patients, events and estimate must be one record's. What is left, a number alone,
must be a record's in some printed form, or one of the plan's, the provenance's or the texts' own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from reinfuse.report.analyses.registry import references
from reinfuse.report.tables.kinetics import measured, signed
from reinfuse.report.tables.robustness import ratio
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate

_INT = r"\d{1,3}(?:,\d{3})+|\d+"
_N = rf"(?:[<>]?(?:{_INT})(?:\.\d+)?|no limit|not reached|not estimable)"
PHRASES = {
    "share": re.compile(r"\d[\d,]* of \d[\d,]* \(\d+(?:\.\d)?%\)(?:(?:;|, \d+% CI) \d+(?:\.\d)?% to \d+(?:\.\d)?%)?"),
    "rate": re.compile(r"\d+(?:\.\d)?% \(\d+(?:\.\d)?% to \d+(?:\.\d)?%\)"),
    "interval": re.compile(rf"{_N}(?: months)? \((?:\d+% CI )?{_N} to {_N}(?=[;)])"),
    "p": re.compile(r"\bp (?:= |< ?|> ?)?[<>]?0\.\d+"),
    "n": re.compile(rf"\bn = (?:{_INT})"),
    "events": re.compile(rf"\bevents (?:{_INT})"),
}
"""How reports print numbers that belong together."""
_NEAR = 110
"""Letters within which a p, an n or events after an estimate belong to it."""
FIXED = {
    "0", "1", "1.33", "0.05", "0.157", "80", "10", "0.1", "3", "2", "100", "50", "28", "200",
    "95", "0.01", "0.001", "0.99", "9,999", "9999", "300", "18",
}  # fmt: skip
"""Thresholds and labels of the texts: levels of tests, grade 3, day 28, a ratio of 3, 80 % power, months 6, 12, 24,
items of STROBE."""


class Drift:
    """What a report may print.

    Parameters
    ----------
    told
        The contents of findings.json.
    """

    def __init__(self, told: Mapping[str, object]) -> None:
        self.records = [Estimate.of(e, {}) for e in told["estimates"]]  # type: ignore[attr-defined]
        self.phrases = {
            "share": {x for e in self.records if e.unit == "fraction" for x in _shares(e)},
            "rate": {number_format.share(e) for e in self.records if e.unit == "fraction"},
            "interval": {x for e in self.records for x in _intervals(e)},
            "p": {_p(e.p_value) for e in self.records if e.p_value is not None},
            "n": {f"n = {number_format.count(e.n)}" for e in self.records} | {
                f"n = {number_format.count(e.estimate)}" for e in self.records if e.statistic == "count"},
            "events": {f"events {number_format.count(e.events)}" for e in self.records},
        }  # fmt: skip
        self.phrases["p"].add("p = 0.05")  # the level of the tests, in the texts
        self.phrases["interval"] |= set(_quartiles(self.records))
        self.whole: dict[str, list[Estimate]] = {}
        for e in self.records:
            for said in (*_intervals(e), *_cells(e)):
                self.whole.setdefault(said.removesuffix(")"), []).append(e)
        self.pairs = {f"{number_format.count(e.events)} of {number_format.count(e.n)}" for e in self.records}
        ids = {str(f["patient_id"]) for f in told["flow"]}  # type: ignore[attr-defined]
        self.ids = sorted((i for i in ids if not i.isdigit()), key=len, reverse=True)
        self.alone = {x for e in self.records for x in _alone(e)} | FIXED | set(_numbers_of(told["provenance"]))
        self.alone |= set(_numbers_of(told.get("kinetics")))
        self.alone |= {t for r in references().values() for t in re.findall(r"\d+(?:[.,]\d+)*", r.text)}

    def text(self, text: str) -> list[str]:
        """Return what no record holds in running text."""
        for one in self.ids:
            text = text.replace(one, " ")
        found = [x for line in text.splitlines() for x in self._sentence(line)]
        for kind, pattern in PHRASES.items():
            found += [phrase for phrase in pattern.findall(text) if _plain(phrase) not in self.phrases[kind]]
            text = pattern.sub(" ", text)
        return found + [t for t in _tokens(text) if t not in self.alone]

    def _sentence(self, line: str) -> list[str]:
        """Return estimates whose p, n or events, told after them, are another record's."""
        estimates = list(PHRASES["interval"].finditer(line))
        found = []
        for i, match in enumerate(estimates):
            end = estimates[i + 1].start() if i + 1 < len(estimates) else len(line)
            after = line[match.end() : min(end, match.end() + _NEAR)]
            told = {kind: PHRASES[kind].search(after) for kind in ("p", "n", "events")}
            wanted = {kind: _plain(m[0]) for kind, m in told.items() if m}
            known = self.whole.get(_plain(match[0]), [])
            if known and not any(all(_told(e, kind) == said for kind, said in wanted.items()) for e in known):
                found.append(f"{match[0]}: {wanted}")
        return found

    def table(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """Return the estimates of a table whose patients, events or p, told in their row, are another record's."""
        found = []
        for row in rows[1:]:
            for j, marked in enumerate(row):
                cell = marked.rstrip("†‡§¶#")  # of a footnote
                if re.fullmatch(r"[\d,]+ of [\d,]+", cell) and cell not in self.pairs:
                    found.append(cell)
                known = self.whole.get(cell.removesuffix(")"), []) if re.search(r"\d", cell) else []
                wanted = {h: row[_basis(rows[0], h, j)] for h in ("n", "Events") if rows[0].count(h) == 1}
                if j + 1 < len(row) and rows[0][j + 1] == "p":
                    wanted["p"] = row[j + 1]
                if known and not any(all(_shown(e)[h] == said for h, said in wanted.items()) for e in known):
                    found.append(f"{cell}: {wanted}")
        return found


def _basis(heads: Sequence[str], name: str, column: int) -> int:
    """Return the column that holds the patients or events of an estimate: of a ratio, that which says so before it."""
    own = [j for j in range(column) if heads[j] == f"{name}, ratio"]
    return own[-1] if own else heads.index(name)


def _shown(e: Estimate) -> dict[str, str]:
    return {
        "n": number_format.count(e.n),
        "Events": number_format.count(e.events),
        "p": number_format.p_value(e.p_value),
    }


def _told(e: Estimate, kind: str) -> str:
    if kind == "p":
        return "" if e.p_value is None else _p(e.p_value)
    return f"n = {number_format.count(e.n)}" if kind == "n" else f"events {number_format.count(e.events)}"


def _quartiles(records: Sequence[Estimate]) -> Iterable[str]:
    """Return medians with their quartiles, as the table of patients prints them."""
    found: dict[tuple[str | None, ...], dict[str, Estimate]] = {}
    for e in records:
        if e.analysis in ("baseline", "kinetics"):
            found.setdefault((e.analysis, e.endpoint, e.population, e.group, e.stratum), {})[e.statistic] = e
    for (analysis, *_), of in found.items():
        if {"median", "iqr_low", "iqr_high"} <= set(of):
            three = [of[s] for s in ("iqr_low", "median", "iqr_high")]
            low, middle, high = (number_format.plain(e.estimate, e.unit) if analysis == "baseline"
                                 else number_format.measured(e.estimate) for e in three)  # fmt: skip
            yield f"{middle} ({low} to {high}"


def _shares(e: Estimate) -> Iterable[str]:
    ci = number_format.level(e.confidence)
    yield number_format.of(e)
    yield f"{number_format.of(e)}; {number_format.interval(e)}"
    yield f"{number_format.of(e)}, {ci} {number_format.interval(e)}"


def _intervals(e: Estimate) -> Iterable[str]:
    if e.analysis == "population":
        yield measured(e).removesuffix(")")
    if e.analysis == "mediation" and e.estimate is not None:
        yield f"{signed(e.estimate)} ({signed(e.lower)} to {signed(e.upper)}"
    if e.unit == "days":
        yield f"{number_format.months(e.estimate)} ({number_format.interval(e)}"
    elif e.analysis == "stability" or e.unit == "ratio" or e.statistic.endswith("ratio") or e.analysis == "paired":
        yield ratio(e).removesuffix(")")
        yield f"{number_format.ratio(e.estimate)} ({number_format.interval(e)}"


def _cells(e: Estimate) -> Iterable[str]:
    if e.unit == "days":
        yield number_format.time(e)
    elif e.unit == "fraction":
        yield number_format.share(e)
    else:
        yield ratio(e)
        yield f"{number_format.ratio(e.estimate)} ({number_format.interval(e)})"


def _p(value: float) -> str:
    said = number_format.p_value(value)
    return f"p {said[0]} {said[1:]}" if said[0] in "<>" else f"p = {said}"


def _plain(phrase: str) -> str:
    """Return a phrase as the records' are written: without words between, one way of writing p."""
    said = re.sub(r" months \(", " (", phrase)
    said = re.sub(r"\((\d+% CI )", "(", said)
    if said.startswith("p "):
        value = said[2:].replace("= ", "").replace(" ", "")
        return f"p {value[0]} {value[1:]}" if value[0] in "<>" else f"p = {value}"
    return said


def _alone(e: Estimate) -> Iterable[str]:
    for value in (e.n, e.events):
        if value is not None:
            yield number_format.count(value)
    for value in (e.estimate, e.lower, e.upper, e.at):
        if value is not None:
            yield from (number_format.ratio(value).lstrip("<>"), number_format.plain(value),
                        number_format.months(value),
                        f"{100 * value:.0f}", f"{100 * value:.1f}", f"{value:g}", f"{value:.2f}",
                        f"{value:.0f}", f"{value:.3f}", number_format.measured(value))  # fmt: skip
            yield from re.findall(r"\d+(?:\.\d+)?", number_format.dose(value) if e.unit == "cells/kg" else "")
    if e.p_value is not None:
        yield number_format.p_value(e.p_value).lstrip("<>")
    for text in (e.note, e.group, e.term, e.level, e.population, e.method):
        yield from _tokens(text or "")


def _numbers_of(told: object) -> Iterable[str]:
    """Return every number that the provenance holds, in its texts too."""
    text = json.dumps(told, ensure_ascii=False)
    yield from re.findall(r"\d+(?:\.\d+)*", text)
    for value in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", text):
        yield from (
            f"{100 * float(value):g}",
            f"{float(value):g}",
            f"{1 - float(value):.2g}",
            f"{float(value) / number_format.DAYS_A_MONTH:.1f}",
        )


def _tokens(text: str) -> list[str]:
    """Return the numbers of a text that stand apart from letters."""
    return re.findall(rf"(?<![\w.×-])(?:{_INT})(?:\.\d+)*(?![\w])", re.sub(r"[0-9a-f]{64}|\d{4}-\d\d-\d\d", " ", text))
