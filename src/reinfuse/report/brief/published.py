"""What other studies say, in one sentence with the day on which they were read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from reinfuse.analyses.published_studies import POOLED_ENDPOINTS, RECORDS, retractions
from reinfuse.report.brief.sentences import Telling
from reinfuse.report.document.model import Paragraph
from reinfuse.results.estimate import Estimate

_TOLD = POOLED_ENDPOINTS[::-1]
"""The endpoint whose published proportions are told: the first that there is, a complete response before any."""


class OtherStudies(Telling):
    """Tells the lowest and the highest share of other studies, and how old they are."""

    def published(self) -> Iterator[Paragraph]:
        """Yield a paragraph; nothing where no comparable study was found and none was taken back."""
        endpoint = next((e for e in _TOLD if self._studies(e)), None)
        sentences = [] if endpoint is None else [self._shares(endpoint, self._studies(endpoint))]
        if sentences and self._has(lambda e: e.statistic == "to_review" and (e.estimate or 0.0) < 0):
            sentences.append(self.say("published", "stale"))
        if retractions(self.findings.estimates):
            sentences.append(self.say("published", "retracted"))
        if sentences:
            yield Paragraph(" ".join(sentences))

    def _studies(self, endpoint: str) -> list[Estimate]:
        return self.look.all(RECORDS, endpoint, "proportion", population="all")

    def _shares(self, endpoint: str, studies: list[Estimate]) -> str:
        shares = [e.estimate for e in studies if e.estimate is not None]
        low, high = (self.words.of_100(f(shares)) for f in (min, max))
        name = f"{endpoint}_one" if len(shares) == 1 else endpoint
        share = self.say("published", "about" if low == high else "range", low=low, high=high)
        number = self.words.number(len(shares))
        return self.say("published", name, date=self._read_on(endpoint), studies=number, share=share)

    def _read_on(self, endpoint: str) -> str:
        """Return the day on which the first of the studies was read; where the page has only a year, that."""
        today = str(self.findings.provenance["date"])
        ages = [e.estimate for e in self.look.all(RECORDS, endpoint, "age", population="all") if e.estimate is not None]
        if len(today) == len("2026-11-29"):
            today = (date.fromisoformat(today) - timedelta(days=max(ages))).isoformat()
        return self.words.date(today)

    def _has(self, holds: Callable[[Estimate], bool]) -> bool:
        return any(e.analysis == RECORDS and holds(e) for e in self.findings.estimates)
