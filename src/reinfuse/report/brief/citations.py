"""What was linked to better or worse results, and whether chance alone explains it."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.brief.sentences import Telling, everyone, tells
from reinfuse.report.document.model import Block, Bullets, Paragraph, Section
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate

FACTORS = ("cart1_cy_flu", "cart2_cy_flu", "dose_increase")
ALPHA = 0.05


class Linked(Telling):
    """Compares people with and without one thing: counts first, then whether it may be chance."""

    def linked(self) -> Iterator[Block]:
        """Yield a section for each factor of which anything may be told."""
        sections = [s for factor in FACTORS for s in self._factor(factor)]
        if not sections:
            return
        hidden = any(number_format.hidden(e) for factor in FACTORS for e in self._records(factor))
        for name in ("intro", "cause", "many", *(("hidden",) if hidden else ())):
            yield Paragraph(self.say("linked", name))
        yield from sections

    def _records(self, factor: str) -> list[Estimate]:
        groups = [f"{factor}={level}" for level in ("yes", "no")]
        return [e for g in groups for e in (*self.look.all("response", "response", "proportion", group=g),
                                            *self.look.all("survival", "pfs", "median", group=g))]  # fmt: skip

    def _factor(self, factor: str) -> Iterator[Section]:
        counts = tuple(self._counts(factor))
        items = (*counts, *self._times(factor, self.say("who", "same" if counts else factor)))
        if items:
            yield Section(f"linked_{factor}", self.say("factor", factor), (Bullets(items),))

    def _pair(self, factor: str, analysis: str, endpoint: str, *, statistic: str) -> tuple[Estimate, Estimate] | None:
        """Return the records of people with and without, if both tell something that is not hidden."""
        records = [self.look.one(analysis, endpoint, statistic, group=f"{factor}={level}") for level in ("yes", "no")]
        one, other = (e if e is not None and tells(e) and not number_format.hidden(e) else None for e in records)
        return None if one is None or other is None else (one, other)

    def _counts(self, factor: str) -> Iterator[str]:
        pair = self._pair(factor, "response", "response", statistic="proportion")
        if pair is None or everyone(self.look.one("response", "response", "proportion")):
            return
        one, other = (self.words.count(e, short=True) for e in pair)
        sentence = self.say("linked", "response", who=self.say("who", factor), one=one, other=other)
        alike = all(e.events == e.n for e in pair) or all(e.events == 0 for e in pair)
        verdict = self.say("linked", "same") if alike else self._verdict("response", "odds_ratio", factor)
        yield f"{sentence} {verdict}"

    def _times(self, factor: str, who: str) -> Iterator[str]:
        pair = self._pair(factor, "survival", "pfs", statistic="median")
        if pair is None:
            return
        medians = [e.estimate for e in pair if e.estimate is not None]
        time_texts = dict(zip(medians, self.words.times(*medians), strict=True)) if medians else {}
        sentences = []
        for name, e in zip(("pfs_one", "pfs_other"), pair, strict=True):
            sentences.append(self.say("linked", f"{name}_not_reached", who=who) if e.estimate is None
                             else self.say("linked", name, who=who, time=time_texts[e.estimate]))  # fmt: skip
        yield " ".join([*sentences, self._verdict("pfs", "hazard_ratio", factor)])

    def _verdict(self, endpoint: str, statistic: str, factor: str) -> str:
        """Say whether chance explains it: by the model with most factors, and only where every test agrees."""
        hidden = False
        for model in ("multivariable", "univariable"):
            where = {"term": factor, "level": None, "model": model}
            effects = [r for analysis in ("calibrated", "association")
                       for r in self.look.all(analysis, endpoint, statistic, **where)]  # fmt: skip
            permuted = self.look.all("permutation", endpoint, "p_value", **where)
            hidden = hidden or any(number_format.hidden(r) for r in effects)
            if any(r.p_value is not None for r in effects):
                sides = {r.p_value < ALPHA for r in (*effects, *permuted) if r.p_value is not None}
                return self.say("linked", "unsure" if len(sides) > 1 else "yes" if sides == {True} else "no")
        return self.say("linked", "verdict_hidden" if hidden else "untested")
