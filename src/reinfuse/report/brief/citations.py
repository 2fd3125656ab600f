"""What was linked to better or worse results, and whether chance alone explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reinfuse.report.brief.sentences import Telling, everyone, tells
from reinfuse.report.document.model import Paragraph
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate

FACTORS = ("cart1_cy_flu", "cart2_cy_flu", "dose_increase")
ALPHA = 0.05
VERDICTS = ("longer", "shorter", "unsure", "no", "untested", "verdict_hidden")
"""Which way a time differs where chance does not explain it, or whether chance does: names of sentences."""


class Linked(Telling):
    """Compares people with and without one thing: counts first, then whether it may be chance."""

    def linked(self) -> Iterator[Paragraph]:
        """Yield one paragraph on all factors of which anything may be told."""
        sentences = [*self._responses(), *self._times()]
        if not sentences:
            return
        hidden = any(number_format.hidden(e) for factor in FACTORS for e in self._records(factor))
        yield Paragraph(" ".join([*sentences, *([self.say("linked", "hidden")] if hidden else []),
                                  self.say("linked", "cause")]))  # fmt: skip

    def _records(self, factor: str) -> list[Estimate]:
        groups = [f"{factor}={level}" for level in ("yes", "no")]
        return [e for g in groups for e in (*self.look.all("response", "response", "proportion", group=g),
                                            *self.look.all("survival", "pfs", "median", group=g))]  # fmt: skip

    def _pair(self, factor: str, analysis: str, endpoint: str, *, statistic: str) -> tuple[Estimate, Estimate] | None:
        """Return the records of people with and without, if both tell something that is not hidden."""
        records = [self.look.one(analysis, endpoint, statistic, group=f"{factor}={level}") for level in ("yes", "no")]
        one, other = (e if e is not None and tells(e) and not number_format.hidden(e) else None for e in records)
        return None if one is None or other is None else (one, other)

    def _responses(self) -> Iterator[str]:
        """Yield the counts of the first factor, and of each that chance does not explain; the others without counts."""
        if everyone(self.look.one("response", "response", "proportion")):
            return
        pairs = {f: self._pair(f, "response", "response", statistic="proportion") for f in FACTORS}
        told = {f: pair for f, pair in pairs.items() if pair is not None}
        verdicts = {f: "same" if _alike(pair) else self._verdict("response", "odds_ratio", factor=f)
                    for f, pair in told.items()}  # fmt: skip
        first = next(iter(told), None)
        for factor in (f for f in told if f == first or verdicts[f] == "yes"):
            one, other = (self.words.count(e, short=factor != first) for e in told[factor])
            named, name = self._named(factor, first=factor == first), "response" if factor == first else "response_next"
            yield self.say("linked", name, responded=self.responded(), factor=named, one=one, other=other)
            yield self.say("linked", verdicts[factor])
        rest = {f: "no" if v == "same" else v for f, v in verdicts.items() if f != first and v != "yes"}
        yield from self._grouped(rest)

    def _named(self, factor: str, *, first: bool) -> str:
        alone = f"{factor}_first"
        return self.say("factor", alone if first and alone in self.words.all["factor"] else factor)

    def _times(self) -> Iterator[str]:
        """Yield for which factors chance explains a difference in progression-free survival, and for which not."""
        verdicts = {factor: self._verdict("pfs", "hazard_ratio", factor=factor) for factor in FACTORS
                    if self._pair(factor, "survival", "pfs", statistic="median")}  # fmt: skip
        verdicts = {f: self._direction(f) if verdict == "yes" else verdict for f, verdict in verdicts.items()}
        if verdicts:
            yield self.say("linked", "times")
        yield from self._grouped(verdicts)

    def _grouped(self, verdicts: Mapping[str, str]) -> Iterator[str]:
        """Yield one sentence on all factors of which the same may be said."""
        for verdict in VERDICTS:
            alike = [self.say("factor_short", factor) for factor, own in verdicts.items() if own == verdict]
            if alike:
                yield self.say("linked", f"with_{verdict}", factors=self.words.listed("linked", alike))

    def _direction(self, factor: str) -> str:
        """Return whether people with a factor lived longer or shorter; every model must say the same."""
        ratios = [r.estimate for analysis in ("calibrated", "association")
                  for r in self.look.all(analysis, "pfs", "hazard_ratio", term=factor, level=None)
                  if r.estimate is not None]  # fmt: skip
        if all(ratio < 1 for ratio in ratios):
            return "longer"
        return "shorter" if all(ratio > 1 for ratio in ratios) else "unsure"

    def _verdict(self, endpoint: str, statistic: str, *, factor: str) -> str:
        """Return whether chance explains it: by the model with most factors, and only where every test agrees."""
        hidden = False
        for model in ("multivariable", "univariable"):
            where = {"term": factor, "level": None, "model": model}
            effects = [r for analysis in ("calibrated", "association")
                       for r in self.look.all(analysis, endpoint, statistic, **where)]  # fmt: skip
            permuted = self.look.all("permutation", endpoint, "p_value", **where)
            hidden = hidden or any(number_format.hidden(r) for r in effects)
            if any(r.p_value is not None for r in effects):
                sides = {r.p_value < ALPHA for r in (*effects, *permuted) if r.p_value is not None}
                return "unsure" if len(sides) > 1 else "yes" if sides == {True} else "no"
        return "verdict_hidden" if hidden else "untested"


def _alike(pair: tuple[Estimate, Estimate]) -> bool:
    """Tell whether all responded, or nobody, with a factor and without."""
    return all(e.events == e.n for e in pair) or all(e.events == 0 for e in pair)
