"""What happened to the people: responses, times, side effects."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.cohort.endpoint_catalog import ENDPOINTS, names
from reinfuse.cohort.strata import AT_LEAST
from reinfuse.report.brief.icons import MOST, icons
from reinfuse.report.brief.sentences import ALL_OR_NOTHING, Telling, everyone, inner, tells
from reinfuse.report.document.model import Block, Bullets, Paragraph, Picture
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate


class OutcomeSentences(Telling):
    """Tells counts of people first, then how sure they are."""

    def response(self) -> str | None:
        """Return the main result in one sentence."""
        proportion = self.look.one("response", "response", "proportion")
        if proportion is None or not tells(proportion):
            return None
        responded = self.responded()
        if everyone(proportion):
            return self.say("happened", "response_all", responded=responded, n=self.words.number(proportion.n))
        return self.say("happened", "response", responded=responded, count=self.words.count(proportion))

    def happened(self) -> Iterator[Block]:
        """Yield responses, overall and by type of cancer."""
        sure = "sure"
        for endpoint in names(kind="binary", brief=True):
            proportion = self.look.one("response", endpoint, "proportion")
            if proportion is None or not tells(proportion) or self._said_already(endpoint):
                continue
            if endpoint == "response" and everyone(proportion):  # likely chosen because they responded
                yield Paragraph(str(self.response()))
                continue
            sentence = self._sentence(endpoint, proportion)
            yield Paragraph(" ".join([sentence, *self._sure(proportion, sure)]))
            sure = "sure_again" if proportion.lower is not None else sure
            if ENDPOINTS[endpoint].brief == "by type":
                yield from self._icons(endpoint, sentence, proportion=proportion)
                yield from self._responses_by_type(endpoint)

    def _said_already(self, endpoint: str) -> bool:
        """Tell whether a response was told in the words of a complete one."""
        return endpoint == "cr" and self.responded() == self.say("responded", ALL_OR_NOTHING)

    def _sentence(self, endpoint: str, proportion: Estimate) -> str:
        count = self.words.count(proportion)
        if endpoint == "response":
            return str(self.response())
        having = [name for name, _ in self.by_type("response", endpoint, statistic="proportion")]
        fewer = 0 < len(having) < len(self.types) and not self.others
        if fewer and f"{endpoint}_of" in self.words.all["happened"]:
            return self.say("happened", f"{endpoint}_of", types=self.words.listed("happened", having), count=count)
        return self.say("happened", endpoint, count=count)

    def _sure(self, proportion: Estimate, sure: str) -> Iterator[str]:
        if proportion.estimate is not None and sure == "sure":
            yield self.say("happened", "share", share=self.words.of_100(proportion.estimate))
        if proportion.lower is not None and proportion.upper is not None:
            low, high = self.words.of_100(proportion.lower), self.words.of_100(proportion.upper)
            yield self.say("happened", sure, low=low, high=high)

    def _icons(self, endpoint: str, sentence: str, *, proportion: Estimate) -> Iterator[Picture]:
        if proportion.events is None or not proportion.n or proportion.estimate is None:
            return
        drawn = icons(
            f"icons_{endpoint}", self.words.count(proportion), proportion.events, of=proportion.n, alt=sentence
        )
        share = self.say("count", "of_100", x=self.words.of_100(proportion.estimate))
        if drawn is not None:
            yield Picture(drawn, self.say("icons", "note_100" if proportion.n > MOST else "note", share=share))

    def _responses_by_type(self, endpoint: str) -> Iterator[Block]:
        items = [
            self.say("happened", "by_type_item", type=name, count=self.words.count(e),
                     responded=inner(self.responded(e.population)))
            for name, e in self.by_type("response", endpoint, statistic="proportion")
        ]  # fmt: skip
        if len(items) > 1:
            yield Bullets(tuple(items))

    def lived(self) -> Iterator[Block]:
        """Yield medians as times that half of the people lived."""
        blocks = [b for endpoint in names(kind="time", brief=True) for b in self._time(endpoint)]
        if blocks:
            yield Paragraph(self.say("lived", "skip"))
            yield from blocks

    def _time(self, endpoint: str) -> Iterator[Block]:
        median = self.look.one("survival", endpoint, "median")
        if median is None or not median.n or not tells(median) or number_format.hidden(median):
            return
        sentences = [self.say("lived", f"{endpoint}_not_reached") if median.estimate is None
                     else self.say("lived", endpoint, time=self.words.time(median.estimate))]  # fmt: skip
        if median.lower is not None and median.upper is not None:
            sentences.append(self.say("lived", "between", span=self.words.span(median.lower, median.upper)))
        elif median.lower is not None:
            sentences.append(self.say("lived", "at_least", low=self.words.time(median.lower)))
        yield Paragraph(" ".join(sentences))
        if ENDPOINTS[endpoint].brief == "by type":
            yield from self._times_by_type(endpoint)

    def _times_by_type(self, endpoint: str) -> Iterator[Block]:
        items = []
        for name, e in self.by_type("survival", endpoint, statistic="median"):
            if number_format.hidden(e):
                continue
            time = self.say("lived", "by_type_not_reached") if e.estimate is None else self.words.time(e.estimate)
            of = "by_type_item_of" if e.n and e.n > 1 else "by_type_item"
            items.append(self.say("lived", of, type=name, n=self.words.number(e.n), time=time))
        if len(items) > 1:
            yield Paragraph(self.say("lived", "by_type", times="; ".join(items)))

    def side_effects(self) -> Iterator[Block]:
        """Yield side effects of grade 3 or more."""
        sentences = []
        for kind in ("CRS", "ICANS", "NT"):
            proportion = self.look.one("toxicity", None, "proportion", term=kind, level=f"{AT_LEAST}3")
            if proportion is not None and tells(proportion):
                sentences.append(self.say("side_effects", kind, count=self.words.count(proportion)))
        if sentences:
            yield Paragraph(" ".join([self.say("side_effects", "intro"), *sentences]))
