"""What was linked to better or worse results, and whether chance alone explains it."""

from __future__ import annotations

from collections.abc import Iterator

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
        """Yield the counts of each factor and what they may mean; the first with what is counted."""
        if everyone(self.look.one("response", "response", "proportion")):
            return
        name = "response"
        for factor in FACTORS:
            pair = self._pair(factor, "response", "response", statistic="proportion")
            if pair is None:
                continue
            one, other = (self.words.count(e, short=name != "response") for e in pair)
            named = self._named(factor, first=name == "response")
            yield self.say("linked", name, responded=self.responded(), factor=named, one=one, other=other)
            alike = all(e.events == e.n for e in pair) or all(e.events == 0 for e in pair)
            yield self.say("linked", "same" if alike else self._verdict("response", "odds_ratio", factor))
            name = "response_next"

    def _named(self, factor: str, *, first: bool) -> str:
        alone = f"{factor}_first"
        return self.say("factor", alone if first and alone in self.words.all["factor"] else factor)

    def _times(self) -> Iterator[str]:
        """Yield for which factors chance explains a difference in progression-free survival, and for which not."""
        verdicts = {factor: self._verdict("pfs", "hazard_ratio", factor) for factor in FACTORS
                    if self._pair(factor, "survival", "pfs", statistic="median")}  # fmt: skip
        verdicts = {f: self._direction(f) if verdict == "yes" else verdict for f, verdict in verdicts.items()}
        if verdicts:
            yield self.say("linked", "times")
        for verdict in VERDICTS:
            alike = [self.say("factor_short", factor) for factor, own in verdicts.items() if own == verdict]
            if alike:
                yield self.say("linked", f"times_{verdict}", factors=self.words.listed("linked", alike))

    def _direction(self, factor: str) -> str:
        """Return whether people with a factor lived longer or shorter; every model must say the same."""
        ratios = [r.estimate for analysis in ("calibrated", "association")
                  for r in self.look.all(analysis, "pfs", "hazard_ratio", term=factor, level=None)
                  if r.estimate is not None]  # fmt: skip
        if all(ratio < 1 for ratio in ratios):
            return "longer"
        return "shorter" if all(ratio > 1 for ratio in ratios) else "unsure"

    def _verdict(self, endpoint: str, statistic: str, factor: str) -> str:
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
