"""A number in a sentence, asked for by words: one record is meant, or the request is refused with those near it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.cohort.strata import AT_LEAST, factor_of, level_of, parts_of
from reinfuse.exceptions import Problem, RequestRefused, nearest
from reinfuse.report.notebook.sentence import sentence
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import without_unit
from reinfuse.results.estimate import FIELDS, Estimate
from reinfuse.results.findings import Findings

Unit = Literal["days", "months"]
_FILLERS = frozenset(
    [*"a among an and at association by count for from grade in is of on probability proportion rate share".split(),
     *"the to under vs with".split()]
)  # fmt: skip
"""Words that a request may hold or lack."""
_SAME: Mapping[str, str] = {
    "hr": "hazard ratio", "or": "odds ratio", "orr": "response", "p-value": "p", "pvalue": "p", "month": "months",
    "mo": "months", "follow-up": "follow up", "logrank": "log rank", "n": "patients", "number": "patients",
    "percentage": "rate", "survival rate": "rate", "%": "rate",
}  # fmt: skip
"""What a request may say, and the words of records for it."""
_ANALYSES: Mapping[str, str] = {
    "baseline": "", "response": "", "survival": "", "competing": "", "association": "", "toxicity": "", "flow": "",
    "calibrated": "simulated",
}  # fmt: skip
"""Words of an analysis; of others, its own name."""
_STATISTICS: Mapping[str, str] = {
    "rate_at": "", "proportion": "", "count": "", "iqr_low": "lower quartile", "iqr_high": "upper quartile",
    "min": "minimum", "max": "maximum", "median_follow_up": "median follow up",
}  # fmt: skip
_MODELS = frozenset({"univariable", "multivariable"})
_SHOWN = 8
"""Requests that are named where several are meant, or none."""


class InlineText(str):
    """A number as a sentence holds it.

    Attributes
    ----------
    record
        The record behind it, under the names of findings.json.
    """

    __slots__ = ("record",)
    record: Estimate

    def __new__(cls, text: str, record: Estimate) -> InlineText:
        """Make the text of a record."""
        one = super().__new__(cls, text)
        one.record = record
        return one


@dataclass(frozen=True)
class _Candidate:
    """A record that can be asked for; `p`: its p-value alone is meant."""

    request: str
    record: Estimate
    p: bool = False

    @cached_property
    def words(self) -> frozenset[str]:
        """All words of the request; a level is said, whatever its words are."""
        return _words(self.request) | _words(" ".join(level for _, level in self._strata), fillers=())

    @cached_property
    def needed(self) -> frozenset[str]:
        """Those that must be said; a level other than yes and no tells its factor."""
        return self.words - {w for f, level in self._strata if level not in ("yes", "no") for w in _words(f)}

    @cached_property
    def pairs(self) -> frozenset[str]:
        """Its factors with their levels, as a request can bind them: `sex=f`."""
        return frozenset(f"{factor}={level}".casefold() for factor, level in self._strata)

    @property
    def _strata(self) -> list[tuple[str, str]]:
        e = self.record
        parts = (part for text in (e.group, e.population, e.stratum) for part in parts_of(text))
        return [(factor_of(part), level_of(part)) for part in parts if level_of(part)]


class Requests:
    """The numbers of one study that a sentence can ask for."""

    def __init__(self, findings: Findings) -> None:
        described = findings.described
        labels = [(e.label, e.name) for e in described.endpoints] + [(f.label, f.name) for f in described.factors]
        self._labels = {without_unit(label).casefold(): name for label, name in labels}
        self._candidates = _distinct(c for e in findings.estimates for c in _candidates(e))
        self._pairs = frozenset(pair for c in self._candidates for pair in c.pairs)
        self._estimates = findings.estimates

    def text(self, request: str, *, unit: Unit = "days") -> InlineText:
        """Return the text of the one record that is meant.

        Raises
        ------
        RequestRefused
            If none is meant, or several.
        """
        if not isinstance(request, str):
            raise _refused(
                "request", str(request), rule="is no text", remedy='say in words what is meant, such as "median pfs"'
            )
        if unit not in ("days", "months"):
            raise _refused("unit", str(unit), rule=f"{unit!r} is no unit of times", remedy="use days or months")
        plain = " ".join(request.casefold().split())
        literal = [c for c in self._candidates if c.request.casefold() == plain]
        if len(literal) == 1:
            return _text_of(literal[0], self._estimates, unit=unit)
        words, pairs = self._wanted(request)
        meant = [c for c in self._candidates if words <= c.words and pairs <= c.pairs]
        chosen = [c for c in meant if c.needed <= words] or [c for c in meant if c.needed - words <= _MODELS]
        chosen = [c for c in chosen if c.words == words and c.pairs == pairs] or chosen
        if not words or not meant:
            raise self._unknown(request, words=words)
        if len(chosen) != 1:
            raise self._ambiguous(request, chosen=chosen or meant)
        return _text_of(chosen[0], self._estimates, unit=unit)

    def _wanted(self, request: str) -> tuple[frozenset[str], frozenset[str]]:
        """Return the words of a request, in the usual terms, and the factors with levels that it holds as one word."""
        text = f" {request.casefold()} "
        for label, name in sorted(self._labels.items(), key=lambda pair: -len(pair[0])):
            text = re.sub(rf"(?<=\s){re.escape(label)}(?=[\s=])", lambda _, name=name: name, text)  # type: ignore[misc]
        for said, usual in _SAME.items():
            text = text.replace(f" {said} ", f" {usual} ")
        return _words(text), frozenset(pair for pair in self._pairs if f" {pair} " in text)

    @staticmethod
    def _ambiguous(request: str, *, chosen: list[_Candidate]) -> RequestRefused:
        requests = sorted(dict.fromkeys(c.request for c in chosen), key=lambda text: len(text.split()))
        more = f" and {len(requests) - _SHOWN} more" if len(requests) > _SHOWN else ""
        rule = f"{request!r} may mean any of {len(chosen)} numbers"
        remedy = f"say which: {'; '.join(requests[:_SHOWN])}{more}"
        if len(requests) == 1:
            remedy = f"they differ in {_differences(chosen)}: take the one that is meant from findings.to_frame()"
        return _refused("request", request, rule=rule, remedy=remedy)

    def _unknown(self, request: str, *, words: frozenset[str]) -> RequestRefused:
        every = sorted({w for c in self._candidates for w in c.words})
        strange = sorted(words - set(every))
        hints = [f"{near!r} for {w!r}" for w in strange if (near := nearest(w, every, short=3))]
        from rapidfuzz import fuzz, process

        every_request = [c.request for c in self._candidates]
        scored = process.extract(request.casefold(), every_request, scorer=fuzz.token_sort_ratio, limit=4)
        requests = list(dict.fromkeys(text for text, _, _ in scored))
        rule = f"{request!r} is no number of these findings"
        if strange:
            rule += f": {', '.join(map(repr, strange))} is no word of them"
        meant = f"did you mean {', '.join(hints)}? " if hints else ""
        return _refused("request", request, rule=rule, remedy=f"{meant}Nearest requests: {'; '.join(requests)}")


def _text_of(one: _Candidate, estimates: Sequence[Estimate], *, unit: Unit) -> InlineText:
    text = number_format.p_equals(one.record) if one.p else sentence(one.record, estimates, unit=unit)
    return InlineText(text, one.record)


def _differences(chosen: Sequence[_Candidate]) -> str:
    """Return in which fields records differ that the same words mean."""
    values = {name: {str(getattr(c.record, name)) for c in chosen} for name in FIELDS}
    named = [name for name in ("method", "analysis", "n") if len(values[name]) > 1]
    return ", ".join(f"{name} ({'; '.join(sorted(values[name]))})" for name in named) or "their numbers alone"


def _refused(argument: str, value: str, *, rule: str, remedy: str) -> RequestRefused:
    return RequestRefused([Problem(table="inline", column=argument, value=value, rule=rule, remedy=remedy)])


def _words(text: str, *, fillers: Collection[str] = _FILLERS) -> frozenset[str]:
    """Return the words of a text without fillers; names of factors are one word, a factor and its level are two."""
    words = re.findall(r"[^\W]+(?:[.][0-9]+)?|[<>]=?[0-9]+", text.casefold().replace(">=", " >=").replace("≥", " >="))
    return frozenset(w for w in words if w not in fillers)


def _candidates(record: Estimate) -> Iterator[_Candidate]:
    """Yield the record by the request that means it, and its p-value where it has one beside its estimate."""
    statistic = _STATISTICS.get(record.statistic, record.statistic.replace("_", " "))
    at = "" if record.at is None else f"at {record.at / DAYS_A_MONTH:.1f} months".replace(".0 ", " ")
    group = " ".join(dict.fromkeys(g for g in (record.group, *_population(record)) if g))
    group = f"among {group}" if group and record.level is not None else group
    tail = [record.endpoint, at, record.stratum, record.model, group]
    tail += [f"infusion {record.infusion}"] if record.infusion is not None else []
    analysis = _ANALYSES.get(record.analysis, record.analysis)
    if record.analysis == "baseline" and record.term is None:
        yield _Candidate(_joined("patients", group), record)
        return
    if record.term is not None and record.term == factor_of(record.population):
        return  # all of a group are of that group
    if record.statistic == "p_value":
        test = "log-rank p" if record.analysis == "survival" else f"{analysis} p"
        yield _Candidate(_joined(test, *tail), record, True)
        return
    yield _Candidate(_joined(analysis, statistic, *tail), record)
    if record.p_value is not None:
        yield _Candidate(_joined(analysis, "p", *tail), record, True)


def _population(record: Estimate) -> tuple[str, ...]:
    return () if record.population == "all" else (record.population,)


def _joined(*parts: str | None) -> str:
    return " ".join(" ".join(p for p in parts if p).replace(f"={AT_LEAST}", f" {AT_LEAST}").split())


def _distinct(candidates: Iterator[_Candidate]) -> list[_Candidate]:
    """Return candidates of which no two say the same: as group and population, or as a count and a proportion of it."""
    first: dict[object, _Candidate] = {}
    for c in sorted(candidates, key=lambda c: c.record.statistic == "count"):
        e = c.record
        numbers = () if e.statistic in ("count", "proportion") else (e.estimate, e.lower, e.upper)
        first.setdefault((c.words, c.p, e.analysis, numbers, e.n, e.events), c)
    return list(first.values())
