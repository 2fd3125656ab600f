"""What happened to the people: responses, times, side effects."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.cohort.endpoint_catalog import ENDPOINTS, names
from reinfuse.report.brief.icons import MOST, icons
from reinfuse.report.brief.sentences import Telling, everyone, tells
from reinfuse.report.document.model import Block, Bullets, Paragraph, Picture
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate


class Results(Telling):
    """Tells counts of people first, then how sure they are."""

    def response(self) -> str | None:
        """Return the main result in one sentence."""
        found = self.look.one("response", "response", "proportion")
        if found is None or not tells(found):
            return None
        if everyone(found):
            return self.say("happened", "response_all", n=self.words.number(found.n))
        return self.say("happened", "response", count=self.words.count(found))

    def happened(self) -> Iterator[Block]:
        """Yield responses, overall and by type of cancer."""
        sure = "sure"
        for endpoint in names(kind="binary", brief=True):
            found = self.look.one("response", endpoint, "proportion")
            if found is None or not tells(found):
                continue
            if endpoint == "response" and everyone(found):  # likely chosen because they responded
                yield Paragraph(str(self.response()))
                continue
            said = self.say("happened", endpoint, count=self.words.count(found))
            yield Paragraph(" ".join([said, *self._sure(found, sure)]))
            sure = "sure_again" if found.lower is not None else sure
            yield from self._icons(endpoint, found)
            if ENDPOINTS[endpoint].brief == "by type":
                yield from self._responses_by_type(endpoint)

    def _sure(self, found: Estimate, sure: str) -> Iterator[str]:
        if found.estimate is not None:
            yield self.say("happened", "share", share=self.words.of_100(found.estimate))
        if found.lower is not None and found.upper is not None:
            low, high = self.words.of_100(found.lower), self.words.of_100(found.upper)
            yield self.say("happened", sure, low=low, high=high)

    def _icons(self, endpoint: str, found: Estimate) -> Iterator[Picture]:
        if found.events is None or not found.n or found.estimate is None:
            return
        title = self.say("icons", endpoint, count=self.words.count(found))
        drawn = icons(f"icons_{endpoint}", title, found.events, of=found.n)
        share = self.say("count", "of_100", x=self.words.of_100(found.estimate))
        if drawn is not None:
            yield Picture(drawn, self.say("icons", "note_100" if found.n > MOST else "note", share=share))

    def _responses_by_type(self, endpoint: str) -> Iterator[Block]:
        items = [self.say("happened", "by_type_item", type=name, count=self.words.count(e))
                 for name, e in self.by_type("response", endpoint, statistic="proportion")]  # fmt: skip
        if len(items) > 1:
            yield Paragraph(self.say("happened", "by_type"))
            yield Bullets(tuple(items))

    def lived(self) -> Iterator[Block]:
        """Yield medians as times that half of the people lived."""
        told = [b for endpoint in names(kind="time", brief=True) for b in self._time(endpoint)]
        if told:
            yield Paragraph(self.say("lived", "skip"))
            yield from told

    def _time(self, endpoint: str) -> Iterator[Block]:
        found = self.look.one("survival", endpoint, "median")
        if found is None or not found.n or number_format.hidden(found):
            return
        known = [x for x in (found.estimate, found.lower, found.upper) if x is not None]
        told = dict(zip(known, self.words.times(*known), strict=True)) if known else {}
        said = [self.say("lived", f"{endpoint}_not_reached") if found.estimate is None
                else self.say("lived", endpoint, time=told[found.estimate])]  # fmt: skip
        if found.lower is not None and found.upper is not None:
            said.append(self.say("lived", "between", low=told[found.lower], high=told[found.upper]))
        elif found.lower is not None:
            said.append(self.say("lived", "at_least", low=told[found.lower]))
        yield Paragraph(" ".join(said))
        if ENDPOINTS[endpoint].brief == "by type":
            yield from self._times_by_type(endpoint)

    def _times_by_type(self, endpoint: str) -> Iterator[Block]:
        found = [
            (name, e)
            for name, e in self.by_type("survival", endpoint, statistic="median")
            if not number_format.hidden(e)
        ]
        known = [e.estimate for _, e in found if e.estimate is not None]
        told = dict(zip(known, self.words.times(*known), strict=True)) if known else {}
        items = []
        for name, e in found:
            time = self.say("lived", "by_type_not_reached") if e.estimate is None else told[e.estimate]
            of = "by_type_item_of" if e.n and e.n > 1 else "by_type_item"
            items.append(self.say("lived", of, type=name, n=self.words.number(e.n), time=time))
        if len(items) > 1:
            yield Paragraph(self.say("lived", "by_type"))
            yield Bullets(tuple(items))

    def side_effects(self) -> Iterator[Block]:
        """Yield side effects of grade 3 or more."""
        said = []
        for kind in ("CRS", "ICANS", "NT"):
            found = self.look.one("toxicity", None, "proportion", term=f"{kind}>=3")
            if found is not None and tells(found):
                said.append(Paragraph(self.say("side_effects", kind, count=self.words.count(found))))
        if said:
            yield Paragraph(self.say("side_effects", "intro"))
            yield from said
